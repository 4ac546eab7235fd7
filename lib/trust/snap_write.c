/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap_write.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/snap.h"
#include "snap_layout.h"

#define RECORDS_MAX (UINT64_C(8) << 30)

/* Grows by realloc(), which moves large blocks without copying them. Nothing here is secret. */
struct bytes {
	uint8_t *p;
	size_t n, room;
};

/* One section in the making. Flat and record sections grow in `bytes`; an index collects keys and is laid out at the end. */
struct part {
	bool used; /* a flat section was given */
	enum snap_shape shape;
	struct bytes bytes;
	struct snap_key *keys;
	size_t n_keys, room;
};

struct snap_writer {
	enum snap_kind kind;
	struct cluster_id cluster;
	struct part parts[SNAP_SECTIONS_MAX];
};

enum cluster_err snap_writer_new(enum snap_kind kind, const struct cluster_id *cluster, struct snap_writer **ret)
{
	struct snap_writer *w = calloc(1, sizeof *w);
	uint32_t records;

	if (!w)
		return CLUSTER_ENOMEM;
	w->kind = kind;
	w->cluster = *cluster;
	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++) {
		w->parts[type].shape = snap_section_shape(kind, type, &records);
	}
	*ret = w;
	return CLUSTER_OK;
}

void snap_writer_free(struct snap_writer *w)
{
	if (!w)
		return;
	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++) {
		free(w->parts[type].bytes.p);
		free(w->parts[type].keys);
	}
	free(w);
}

/* `n` more bytes, not yet written; NULL when out of memory. */
static uint8_t *extend(struct bytes *b, size_t n)
{
	size_t room = b->room ? b->room : 4096;
	uint8_t *p = b->p;

	while (room - b->n < n)
		room += room / 2;
	if (room > b->room && !(p = realloc(b->p, room)))
		return NULL;
	b->p = p;
	b->room = room;
	b->n += n;
	return p + b->n - n;
}

/* The section, if the format gives it that shape. */
static struct part *part_of(struct snap_writer *w, uint32_t type, enum snap_shape shape)
{
	struct part *part = type >= 1 && type < SNAP_SECTIONS_MAX ? &w->parts[type] : NULL;

	return part && part->shape == shape ? part : NULL;
}

enum cluster_err snap_writer_flat(struct snap_writer *w, uint32_t type, const void *data, size_t n)
{
	struct part *part = part_of(w, type, SNAP_SHAPE_FLAT);

	uint8_t *p;

	if (!part || part->used)
		return CLUSTER_EFORMAT;
	if (!(p = extend(&part->bytes, n)))
		return CLUSTER_ENOMEM;
	if (n)
		memcpy(p, data, n);
	part->used = true;
	return CLUSTER_OK;
}

enum cluster_err snap_writer_record(struct snap_writer *w, uint32_t type, const void *body, size_t n, uint32_t *ret_offset)
{
	struct part *part = part_of(w, type, SNAP_SHAPE_RECORDS);
	size_t padded = (n + 7) & ~(size_t)7;
	uint8_t *p;

	if (!part)
		return CLUSTER_EFORMAT;
	if (n > SNAP_RECORD_MAX || part->bytes.n > RECORDS_MAX)
		return CLUSTER_ELIMIT;
	if (!(p = extend(&part->bytes, 8 + padded)))
		return CLUSTER_ENOMEM;
	snap_put_be32(p, (uint32_t)n);
	snap_put_be32(p + 4, snap_record_guard(body, n, type));
	memcpy(p + 8, body, n);
	memset(p + 8 + n, 0, padded - n);
	*ret_offset = (uint32_t)((size_t)(p - part->bytes.p) / 8);
	return CLUSTER_OK;
}

enum cluster_err snap_writer_key(struct snap_writer *w, uint32_t type, const void *key, size_t n, uint32_t offset)
{
	struct part *part = part_of(w, type, SNAP_SHAPE_INDEX);
	struct snap_key *keys;
	size_t room;

	if (!part)
		return CLUSTER_EFORMAT;
	if (!key && !n)
		return CLUSTER_OK;
	if (part->n_keys == part->room) {
		room = part->room ? part->room * 2 : 64;
		keys = reallocarray(part->keys, room, sizeof *keys);
		if (!keys)
			return CLUSTER_ENOMEM;
		part->keys = keys;
		part->room = room;
	}
	part->keys[part->n_keys++] = (struct snap_key){ .hash = snap_hash(key, n, 0), .offset = offset };
	return CLUSTER_OK;
}

/* Keys to buckets, and the bytes of all sections as the table says. */
static enum cluster_err lay_out(struct snap_writer *w, struct snap_frame *f, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;

	*f = (struct snap_frame){ .kind = w->kind, .cluster = w->cluster };
	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++) {
		struct part *part = &w->parts[type];

		if (!part->used && part->shape == SNAP_SHAPE_FLAT)
			return diag_set(d, CLUSTER_EFORMAT, "snapshot section %u was never written", type);
		if (part->shape == SNAP_SHAPE_INDEX) {
			free(part->bytes.p);
			part->bytes = (struct bytes){ .p = NULL };
			e = snap_index_build(type, part->keys, part->n_keys, &part->bytes.p, &part->bytes.n);
			free(part->keys);
			part->keys = NULL;
		}
		if (e != CLUSTER_OK)
			return diag_set(d, e, "snapshot section %u: %zu keys cannot be laid out", type, part->n_keys);
		f->length[type] = part->bytes.n;
		if (part->shape == SNAP_SHAPE_FLAT)
			f->checksum[type] = snap_hash(part->bytes.p, part->bytes.n, snap_seed(type, 0));
	}
	return CLUSTER_OK;
}

/* The whole file through `sink`, each section released once it is out. */
static enum cluster_err put_all(struct snap_writer *w, const uint8_t *frame, size_t n, const struct snap_sink *sink)
{
	static const uint8_t zeros[SNAP_ALIGN];
	enum cluster_err e = sink->put(sink->ctx, frame, n);

	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX && e == CLUSTER_OK; type++) {
		struct bytes *b = &w->parts[type].bytes;

		if (b->n && (e = sink->put(sink->ctx, b->p, b->n)) == CLUSTER_OK && b->n % SNAP_ALIGN)
			e = sink->put(sink->ctx, zeros, SNAP_ALIGN - b->n % SNAP_ALIGN);
		free(b->p); /* as much memory as the file twice would be too much */
		b->p = NULL;
	}
	return e;
}

enum cluster_err snap_writer_put(struct snap_writer *w, const struct snap_sink *sink, struct diag *d)
{
	uint8_t frame[SNAP_FRAME_MAX];
	struct snap_frame f;
	uint64_t size = 0;
	enum cluster_err e;
	size_t n = 0;

	if ((e = lay_out(w, &f, d)) != CLUSTER_OK)
		return e;
	if ((e = snap_frame_build(&f, frame, &n, &size)) != CLUSTER_OK)
		return diag_set(d, e, "the snapshot is too large");
	if ((e = put_all(w, frame, n, sink)) != CLUSTER_OK)
		return diag_set(d, e, "snapshot of %llu bytes: %s", (unsigned long long)size, err_name(e));
	return CLUSTER_OK;
}

/* One block of the right size, got when the header is known. */
struct block {
	uint8_t *p;
	size_t n, size;
};

static enum cluster_err put_block(void *ctx, const void *p, size_t n)
{
	struct block *b = ctx;

	if (!b->p) { /* the header comes first */
		b->size = snap_be64((const uint8_t *)p + 16);
		if (!(b->p = malloc(b->size)))
			return CLUSTER_ENOMEM;
	}
	if (n > b->size - b->n)
		return CLUSTER_ELIMIT;
	memcpy(b->p + b->n, p, n);
	b->n += n;
	return CLUSTER_OK;
}

enum cluster_err snap_writer_end(struct snap_writer *w, uint8_t **ret, size_t *ret_n, struct diag *d)
{
	struct block b = { .p = NULL };
	const struct snap_sink sink = { .put = put_block, .ctx = &b };
	enum cluster_err e = snap_writer_put(w, &sink, d);

	if (e == CLUSTER_OK && b.n != b.size)
		e = diag_set(d, CLUSTER_ELIMIT, "snapshot does not fit its own size");
	if (e != CLUSTER_OK) {
		free(b.p);
		return e;
	}
	*ret_n = b.n;
	*ret = b.p;
	return CLUSTER_OK;
}

void snap_writer_section(const struct snap_writer *w, uint32_t type, const uint8_t **ret, size_t *ret_n)
{
	*ret = w->parts[type].bytes.p;
	*ret_n = w->parts[type].bytes.n;
}
