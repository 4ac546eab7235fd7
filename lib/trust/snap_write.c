/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap_write.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/snap.h"
#include "cluster/wr.h"

#define AHEAD 16 /* keys whose buckets are fetched before they are needed */
#define RECORDS_MAX (UINT64_C(8) << 30)

struct key {
	uint64_t hash;
	uint32_t offset; /* of the record, / 8 */
};

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
	struct key *keys;
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

static void put_be32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof v);
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
	put_be32(p, (uint32_t)n);
	put_be32(p + 4, (uint32_t)snap_hash(body, n, snap_seed(type, (uint32_t)n)));
	memcpy(p + 8, body, n);
	memset(p + 8 + n, 0, padded - n);
	*ret_offset = (uint32_t)((size_t)(p - part->bytes.p) / 8);
	return CLUSTER_OK;
}

enum cluster_err snap_writer_key(struct snap_writer *w, uint32_t type, const void *key, size_t n, uint32_t offset)
{
	struct part *part = part_of(w, type, SNAP_SHAPE_INDEX);
	struct key *keys;
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
	part->keys[part->n_keys++] = (struct key){ .hash = snap_hash(key, n, 0), .offset = offset };
	return CLUSTER_OK;
}

/* Five eighths of the slots in use at most: a lookup seldom needs a second bucket. */
static uint64_t buckets_for(size_t n_keys)
{
	uint64_t buckets = 1;

	while (buckets * SNAP_BUCKET_SLOTS * 5 / 8 < n_keys)
		buckets *= 2;
	return buckets;
}

/* Puts one key into the first bucket with room, from its own on. False: none within SNAP_PROBE_MAX. */
static bool place(uint8_t *table, uint64_t buckets, const struct key *k)
{
	for (uint64_t i = 0; i < SNAP_PROBE_MAX && i < buckets; i++) {
		uint8_t *b = table + ((k->hash + i) & (buckets - 1)) * SNAP_BUCKET_SIZE;

		if (b[4] < SNAP_BUCKET_SLOTS) {
			put_be32(b + 8 + 8 * b[4], (uint32_t)(k->hash >> 32));
			put_be32(b + 12 + 8 * b[4], k->offset);
			b[4]++;
			return true;
		}
		b[5] |= SNAP_BUCKET_OVERFLOW;
	}
	return false;
}

/* Lays the buckets out in the zeroed `table`. */
static bool fill(uint8_t *table, uint64_t buckets, uint32_t type, const struct part *part)
{
	for (size_t i = 0; i < part->n_keys; i++) {
		if (i + AHEAD < part->n_keys)
			__builtin_prefetch(table + (part->keys[i + AHEAD].hash & (buckets - 1)) * SNAP_BUCKET_SIZE, 1);
		if (!place(table, buckets, &part->keys[i]))
			return false;
	}
	for (uint64_t i = 0; i < buckets; i++) {
		uint8_t *b = table + i * SNAP_BUCKET_SIZE;

		put_be32(b, (uint32_t)snap_hash(b + 4, SNAP_BUCKET_SIZE - 4, snap_seed(type, (uint32_t)i)));
	}
	return true;
}

/* Keys to buckets, into part->bytes; with more buckets if too many keys meet in one place. */
static enum cluster_err lay_out_index(struct part *part, uint32_t type)
{
	uint64_t buckets = buckets_for(part->n_keys);
	uint8_t *p;

	for (int tries = 0; tries < 6 && buckets <= SNAP_BUCKETS_MAX; tries++, buckets *= 2) {
		if (!(p = calloc(buckets, SNAP_BUCKET_SIZE)))
			return CLUSTER_ENOMEM;
		free(part->bytes.p);
		part->bytes = (struct bytes){ .p = p, .n = buckets * SNAP_BUCKET_SIZE, .room = buckets * SNAP_BUCKET_SIZE };
		if (fill(part->bytes.p, buckets, type, part))
			return CLUSTER_OK;
	}
	return CLUSTER_ELIMIT;
}

static enum cluster_err lay_out_indexes(struct snap_writer *w, uint32_t *ret_count, struct diag *d)
{
	uint32_t count = 0;
	enum cluster_err e;

	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++) {
		struct part *part = &w->parts[type];

		if (part->shape == SNAP_SHAPE_UNKNOWN)
			continue;
		if (!part->used && part->shape == SNAP_SHAPE_FLAT)
			return diag_set(d, CLUSTER_EFORMAT, "snapshot section %u was never written", type);
		e = part->shape == SNAP_SHAPE_INDEX ? lay_out_index(part, type) : CLUSTER_OK;
		if (e != CLUSTER_OK)
			return diag_set(d, e, "snapshot section %u: %zu keys cannot be laid out", type, part->n_keys);
		count++;
	}
	*ret_count = count;
	return CLUSTER_OK;
}

static uint64_t align_up(uint64_t n)
{
	return (n + SNAP_ALIGN - 1) & ~(uint64_t)(SNAP_ALIGN - 1);
}

/* The size of the whole file. */
static uint64_t file_size(const struct snap_writer *w, uint32_t count)
{
	uint64_t size = align_up(SNAP_HEADER_SIZE + (uint64_t)count * SNAP_SECTION_SIZE);

	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++)
		size = align_up(size + w->parts[type].bytes.n);
	return size;
}

static void put_header(const struct snap_writer *w, struct wr *out, uint64_t size, uint32_t count)
{
	wr_bytes(out, SNAP_MAGIC, 8);
	wr_u16(out, SNAP_MAJOR);
	wr_u16(out, w->kind == SNAP_ACCOUNTS ? SNAP_A_MINOR : 0);
	wr_u32(out, (uint32_t)w->kind);
	wr_u64(out, size);
	wr_bytes(out, w->cluster.b, ID_SIZE);
	wr_u32(out, count);
	wr_zero(out, SNAP_HEADER_SIZE - out->n);
}

static void put_table(const struct snap_writer *w, struct wr *out, uint32_t count)
{
	uint64_t offset = align_up(SNAP_HEADER_SIZE + (uint64_t)count * SNAP_SECTION_SIZE);

	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++) {
		const struct part *part = &w->parts[type];

		if (part->shape == SNAP_SHAPE_UNKNOWN)
			continue;
		wr_u32(out, type);
		wr_u32(out, snap_section_critical(w->kind, type) ? SNAP_CRITICAL : 0);
		wr_u64(out, offset);
		wr_u64(out, part->bytes.n);
		wr_u64(out, part->shape == SNAP_SHAPE_FLAT ? snap_hash(part->bytes.p, part->bytes.n, snap_seed(type, 0)) : 0);
		offset = align_up(offset + part->bytes.n);
	}
}

enum cluster_err snap_writer_end(struct snap_writer *w, uint8_t **ret, size_t *ret_n, struct diag *d)
{
	uint64_t size, checksum;
	uint8_t *file = NULL;
	enum cluster_err e;
	uint32_t count = 0;
	struct wr out;

	e = lay_out_indexes(w, &count, d);
	if (e != CLUSTER_OK)
		return e;
	size = file_size(w, count);
	if (size > SNAP_FILE_MAX)
		return diag_set(d, CLUSTER_ELIMIT, "snapshot of %llu bytes", (unsigned long long)size);
	file = malloc(size);
	if (!file)
		return diag_set(d, CLUSTER_ENOMEM, "snapshot of %llu bytes", (unsigned long long)size);
	wr_init(&out, file, size);
	put_header(w, &out, size, count);
	put_table(w, &out, count);
	checksum = snap_hash(file + SNAP_HEADER_SIZE, (size_t)count * SNAP_SECTION_SIZE, snap_hash(file, SNAP_HEADER_SIZE - 8, 0));
	put_be32(file + SNAP_HEADER_SIZE - 8, (uint32_t)(checksum >> 32));
	put_be32(file + SNAP_HEADER_SIZE - 4, (uint32_t)checksum);
	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++) {
		wr_align(&out, SNAP_ALIGN);
		wr_bytes(&out, w->parts[type].bytes.p, w->parts[type].bytes.n);
		free(w->parts[type].bytes.p); /* as much memory as the file twice would be too much */
		w->parts[type].bytes.p = NULL;
	}
	wr_align(&out, SNAP_ALIGN);
	e = wr_end(&out);
	if (e != CLUSTER_OK) {
		free(file);
		return diag_set(d, e, "snapshot does not fit its own size");
	}
	*ret_n = out.n;
	*ret = file;
	return CLUSTER_OK;
}
