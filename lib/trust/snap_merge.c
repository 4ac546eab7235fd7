/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cluster/rd.h"
#include "snap_change_part.h"

#define RECORD_MIN 16 /* bytes of a record with a key, at least: there are not more of them to drop */

static int compare_edits(const void *a, const void *b)
{
	const struct snap_edit *x = a, *y = b;

	return snap_keys_compare(&x->key, &y->key);
}

static struct snap_edit *add_edit(struct snap_merge_part *part)
{
	size_t room = part->room ? 2 * part->room : 16;
	struct snap_edit *p;

	if (part->n_edits == part->room) {
		if (!(p = reallocarray(part->edits, room, sizeof *p)))
			return NULL;
		part->edits = p;
		part->room = room;
	}
	p = &part->edits[part->n_edits++];
	*p = (struct snap_edit){ .record = NULL };
	return p;
}

static bool zeros(const uint8_t *p, const uint8_t *end)
{
	while (p < end)
		if (*p++)
			return false;
	return true;
}

/* ---- reading the change ---- */

static enum cluster_err take_puts(const struct snap_merge *m, struct snap_merge_part *part, uint32_t type, const uint8_t *p, size_t n)
{
	struct snap fragment = { .kind = m->old.kind };
	uint64_t cursor = 0, at;
	struct snap_edit *edit;
	enum cluster_err e;
	struct rd body;

	if (part->n_edits || part->puts || n % 8)
		return CLUSTER_EFORMAT;
	part->puts = p;
	part->n_puts = n;
	fragment.section[type] = (struct snap_section){ .p = p, .n = n };
	while (at = cursor, (e = snap_each(&fragment, type, &cursor, &body)) == CLUSTER_OK) {
		if (!zeros(body.p + body.n, p + cursor))
			return CLUSTER_EFORMAT;
		if (!(edit = add_edit(part)))
			return CLUSTER_ENOMEM;
		*edit = (struct snap_edit){ .record = p + at, .n = (size_t)(cursor - at), .body = body, .now = at };
		if (!snap_keys_order(m->old.kind, type, &body, &edit->key) && !part->clear)
			return CLUSTER_EFORMAT;
	}
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

static enum cluster_err take_entry(struct snap_merge *m, uint8_t op, uint32_t type, const uint8_t *p, size_t n)
{
	struct snap_merge_part *part = type >= 1 && type < SNAP_SECTIONS_MAX ? &m->parts[type] : NULL;
	struct snap_edit *edit;

	if (!part || part->shape != (op == SNAP_CHANGE_FLAT ? SNAP_SHAPE_FLAT : SNAP_SHAPE_RECORDS))
		return CLUSTER_EFORMAT;
	switch ((enum snap_change_op)op) {
	case SNAP_CHANGE_FLAT:
		if (part->flat)
			return CLUSTER_EFORMAT;
		part->flat = p;
		part->n = n;
		return CLUSTER_OK;
	case SNAP_CHANGE_CLEAR:
		if (part->touched || n)
			return CLUSTER_EFORMAT;
		part->touched = part->clear = true;
		return CLUSTER_OK;
	case SNAP_CHANGE_PUT:
		part->touched = true;
		return take_puts(m, part, type, p, n);
	case SNAP_CHANGE_DROP:
		if (part->clear || !n)
			return CLUSTER_EFORMAT;
		if (part->n_drops++ >= m->old.section[type].n / RECORD_MIN)
			return CLUSTER_EVERSION;
		part->touched = true;
		if (!(edit = add_edit(part)))
			return CLUSTER_ENOMEM;
		edit->key = (struct snap_text){ .p = p, .n = n };
		return CLUSTER_OK;
	}
	return CLUSTER_EFORMAT;
}

static enum cluster_err take_all(struct snap_merge *m, const void *data, size_t n, struct diag *d)
{
	struct cluster_id id = { .b = "" };
	const uint8_t *p = NULL;
	uint32_t kind = 0, type, length;
	enum cluster_err e;
	struct rd r;
	uint8_t op;

	rd_init(&r, data, n);
	if ((e = rd_view(&r, SNAP_CHANGE_MAGIC_SIZE, &p)) != CLUSTER_OK || (e = rd_u32(&r, &kind)) != CLUSTER_OK || (e = rd_bytes(&r, id.b, sizeof id.b, ID_SIZE)) != CLUSTER_OK ||
	    (e = rd_u64(&r, &m->base.version[0])) != CLUSTER_OK || (e = rd_u64(&r, &m->base.version[1])) != CLUSTER_OK || (e = rd_u64(&r, &m->base.version[2])) != CLUSTER_OK)
		return diag_set(d, e, "a change of a snapshot is cut short");
	if (!snap_change_is(data, n) || kind != (uint32_t)m->old.kind)
		return diag_set(d, CLUSTER_EFORMAT, "not a change of this kind of snapshot");
	if (!id_equal(&id, &m->old.cluster))
		return diag_set(d, CLUSTER_EUNTRUSTED, "a change of another cluster's snapshot");
	while (rd_left(&r) > 0) {
		if ((e = rd_u8(&r, &op)) != CLUSTER_OK || (e = rd_u32(&r, &type)) != CLUSTER_OK || (e = rd_u32(&r, &length)) != CLUSTER_OK ||
		    (e = rd_view(&r, length, &p)) != CLUSTER_OK || (e = take_entry(m, op, type, p, length)) != CLUSTER_OK)
			return diag_set(d, e, "a change of a snapshot is not sound: %s", err_name(e));
	}
	return CLUSTER_OK;
}

/* ---- finding the places ---- */

static bool in_order(struct snap_merge_part *part)
{
	if (part->n_edits > 1)
		qsort(part->edits, part->n_edits, sizeof *part->edits, compare_edits);
	for (size_t i = 1; i < part->n_edits; i++)
		if (compare_edits(&part->edits[i - 1], &part->edits[i]) == 0)
			return false;
	return true;
}

/* Every old record is looked at once: its checksum, and where it stands among the edits. */
static enum cluster_err find_places(const struct snap_merge *m, uint32_t type, struct snap_merge_part *part)
{
	struct snap_edit *edit = part->edits, *end = snap_merge_end(part);
	uint64_t cursor = 0, at;
	struct snap_text key;
	enum cluster_err e;
	struct rd body;
	int c;

	while (at = cursor, (e = snap_each(&m->old, type, &cursor, &body)) == CLUSTER_OK) {
		if (edit == end)
			continue;
		if (!snap_keys_order(m->old.kind, type, &body, &key))
			return CLUSTER_EUNAVAIL;
		while (edit < end && (c = snap_keys_compare(&edit->key, &key)) <= 0) {
			edit->at = at;
			edit++->old_n = c == 0 ? cursor - at : 0;
		}
	}
	for (; edit < end; edit++)
		edit->at = m->old.section[type].n;
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : CLUSTER_EUNAVAIL;
}

static enum cluster_err merge_records(const struct snap_merge *m, uint32_t type, struct snap_merge_part *part, struct diag *d)
{
	uint64_t shift = 0;
	enum cluster_err e;

	part->n = part->n_puts;
	if (part->clear)
		return CLUSTER_OK;
	if (!in_order(part))
		return diag_set(d, CLUSTER_EFORMAT, "a change of section %u names a record twice", type);
	if ((e = find_places(m, type, part)) != CLUSTER_OK)
		return diag_set(d, e, "section %u of the snapshot to be changed is damaged", type);
	for (struct snap_edit *x = part->edits; x < snap_merge_end(part); x++) {
		if (!x->record && !x->old_n)
			return diag_set(d, CLUSTER_EVERSION, "a record to be dropped from section %u is not there", type);
		x->now = x->at + shift;
		shift += x->n - x->old_n;
		x->from = x->at + x->old_n;
		x->shift = shift;
	}
	part->n = m->old.section[type].n + shift;
	return CLUSTER_OK;
}

uint64_t snap_merge_moved(const struct snap_merge_part *part, uint64_t at)
{
	size_t low = 0, high = part->n_edits;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (part->edits[middle].from <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? at + part->edits[low - 1].shift : at;
}

static enum cluster_err merge_all(struct snap_merge *m, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;
	enum snap_shape shape;
	uint32_t records;

	for (uint32_t type = 1; (shape = snap_section_shape(m->old.kind, type, &records)) != SNAP_SHAPE_UNKNOWN && e == CLUSTER_OK; type++) {
		struct snap_merge_part *part = &m->parts[type];

		if (shape == SNAP_SHAPE_RECORDS && part->touched)
			e = merge_records(m, type, part, d);
		else if (shape == SNAP_SHAPE_INDEX && m->parts[records].touched && (e = snap_merge_index(m, type, records)) != CLUSTER_OK)
			diag_set(d, e, "index %u cannot be made: %s", type, err_name(e));
		else if (shape == SNAP_SHAPE_RECORDS || (shape == SNAP_SHAPE_FLAT && !part->flat) || (shape == SNAP_SHAPE_INDEX && !part->table))
			part->n = m->old.section[type].n;
	}
	return e;
}

enum cluster_err snap_merge_new(const struct snap *old, const void *data, size_t n, struct snap_merge **ret, struct diag *d)
{
	struct snap_merge *m = calloc(1, sizeof *m);
	enum cluster_err e = CLUSTER_ENOMEM;
	uint32_t records;

	if (!m) {
		diag_set(d, e, "out of memory");
		goto out;
	}
	m->old = *old;
	if (n > SNAP_CHANGE_MAX) {
		e = diag_set(d, CLUSTER_ELIMIT, "a change of %zu bytes", n);
		goto out;
	}
	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++) {
		m->parts[type].shape = snap_section_shape(old->kind, type, &records);
		if (m->parts[type].shape != SNAP_SHAPE_UNKNOWN && !old->section[type].p) {
			e = diag_set(d, CLUSTER_EUNAVAIL, "the snapshot to be changed lacks section %u", type);
			goto out;
		}
	}
	if ((e = take_all(m, data, n, d)) != CLUSTER_OK || (e = merge_all(m, d)) != CLUSTER_OK)
		goto out;
	*ret = m;
	m = NULL;
	e = CLUSTER_OK;
out:
	snap_merge_free(m);
	return e;
}

void snap_merge_free(struct snap_merge *m)
{
	if (!m)
		return;
	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++) {
		free(m->parts[type].edits);
		free(m->parts[type].table);
	}
	free(m);
}

const struct snap_base *snap_merge_base(const struct snap_merge *m)
{
	return &m->base;
}

bool snap_merge_changes(const struct snap_merge *m)
{
	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++) {
		const struct snap_merge_part *part = &m->parts[type];
		const struct snap_section *old = &m->old.section[type];

		if (part->touched || (part->flat && (part->n != old->n || memcmp(part->flat, old->p, old->n) != 0)))
			return true;
	}
	return false;
}

/* ---- writing ---- */

static enum cluster_err put_records(const struct snap_merge *m, uint32_t type, const struct snap_sink *sink)
{
	const struct snap_merge_part *part = &m->parts[type];
	const struct snap_section *old = &m->old.section[type];
	enum cluster_err e = CLUSTER_OK;
	uint64_t at = 0;

	if (part->clear)
		return part->n_puts ? sink->put(sink->ctx, part->puts, part->n_puts) : CLUSTER_OK;
	for (size_t i = 0; i < part->n_edits && e == CLUSTER_OK; i++) {
		const struct snap_edit *x = &part->edits[i];

		if (x->at > at)
			e = sink->put(sink->ctx, old->p + at, (size_t)(x->at - at));
		if (e == CLUSTER_OK && x->record)
			e = sink->put(sink->ctx, x->record, x->n);
		at = x->from;
	}
	if (e == CLUSTER_OK && old->n > at)
		e = sink->put(sink->ctx, old->p + at, old->n - (size_t)at);
	return e;
}

static enum cluster_err put_section(const struct snap_merge *m, uint32_t type, const struct snap_sink *sink)
{
	static const uint8_t gap[SNAP_ALIGN];
	const struct snap_merge_part *part = &m->parts[type];
	enum cluster_err e;

	if (part->shape == SNAP_SHAPE_RECORDS)
		e = put_records(m, type, sink);
	else
		e = part->n ? sink->put(sink->ctx, part->table ? part->table : part->flat ? part->flat : m->old.section[type].p, (size_t)part->n) : CLUSTER_OK;
	if (e == CLUSTER_OK && part->n % SNAP_ALIGN)
		e = sink->put(sink->ctx, gap, (size_t)(SNAP_ALIGN - part->n % SNAP_ALIGN));
	return e;
}

enum cluster_err snap_merge_put(struct snap_merge *m, const struct snap_sink *sink, struct diag *d)
{
	struct snap_frame f = { .kind = m->old.kind, .cluster = m->old.cluster };
	uint8_t frame[SNAP_FRAME_MAX];
	enum cluster_err e;
	uint64_t size;
	size_t n;

	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++) {
		const struct snap_merge_part *part = &m->parts[type];

		f.length[type] = part->n;
		if (part->shape == SNAP_SHAPE_FLAT)
			f.checksum[type] = snap_hash(part->flat ? part->flat : m->old.section[type].p, (size_t)part->n, snap_seed(type, 0));
	}
	if ((e = snap_frame_build(&f, frame, &n, &size)) == CLUSTER_OK)
		e = sink->put(sink->ctx, frame, n);
	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX && e == CLUSTER_OK; type++) {
		if (m->parts[type].shape != SNAP_SHAPE_UNKNOWN)
			e = put_section(m, type, sink);
	}
	return e == CLUSTER_OK ? e : diag_set(d, e, "the changed snapshot cannot be written: %s", err_name(e));
}
