/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cluster/snap.h"
#include "snap_change_part.h"

#define OFFSET_MAX ((UINT64_C(1) << 32) * 8)

/* Is every record that was touched there before and after, with the same key? Then each slot stays where it is. */
static bool same_keys(const struct snap_merge *m, uint32_t type, uint32_t records, const struct snap_merge_part *part)
{
	const struct snap *old = &m->old;

	for (size_t i = 0; i < part->n_edits; i++) {
		const struct snap_edit *x = &part->edits[i];
		struct snap_text was, is;
		struct rd body;
		uint64_t at = x->at;

		if (!x->record || !x->old_n || snap_each(old, records, &at, &body) != CLUSTER_OK || !snap_keys_index(old->kind, type, &body, &was) ||
		    !snap_keys_index(old->kind, type, &x->body, &is) || snap_keys_compare(&was, &is) != 0)
			return false;
	}
	return !part->clear;
}

/* The old table with the records' new places. */
static enum cluster_err move_slots(const struct snap_merge *m, uint32_t type, const struct snap_merge_part *part, struct snap_merge_part *ret)
{
	const struct snap_section *old = &m->old.section[type];
	uint8_t *table = malloc(old->n);

	if (!table)
		return CLUSTER_ENOMEM;
	memcpy(table, old->p, old->n);
	for (uint64_t i = 0; i < old->n / SNAP_BUCKET_SIZE; i++) {
		uint8_t *b = table + i * SNAP_BUCKET_SIZE;
		uint32_t guard = snap_be32(b);

		snap_bucket_seal(b, type, i);
		if (snap_be32(b) != guard || b[4] > SNAP_BUCKET_SLOTS) {
			free(table);
			return CLUSTER_EUNAVAIL;
		}
		for (unsigned slot = 0; slot < b[4]; slot++) {
			uint8_t *p = b + 12 + 8 * slot;

			snap_put_be32(p, (uint32_t)(snap_merge_moved(part, (uint64_t)snap_be32(p) * 8) / 8));
		}
		snap_bucket_seal(b, type, i);
	}
	ret->table = table;
	ret->n = old->n;
	return CLUSTER_OK;
}

struct collect {
	enum snap_kind kind;
	uint32_t type;
	struct snap_key *keys;
	size_t n, room;
};

static enum cluster_err collect_one(struct collect *c, const struct rd *body, uint64_t at)
{
	size_t room = c->room ? c->room + c->room / 2 : 1024;
	struct snap_text key;
	struct snap_key *p;

	if (!snap_keys_index(c->kind, c->type, body, &key))
		return CLUSTER_EFORMAT;
	if (at >= OFFSET_MAX)
		return CLUSTER_ELIMIT;
	if (c->n == c->room) {
		if (!(p = reallocarray(c->keys, room, sizeof *p)))
			return CLUSTER_ENOMEM;
		c->keys = p;
		c->room = room;
	}
	c->keys[c->n++] = (struct snap_key){ .hash = snap_hash(key.p, key.n, 0), .offset = (uint32_t)(at / 8) };
	return CLUSTER_OK;
}

/* The keys of all records of the new section, in its order. */
static enum cluster_err collect_keys(const struct snap_merge *m, uint32_t records, const struct snap_merge_part *part, struct collect *c)
{
	uint64_t cursor = 0, at, end = part->clear ? 0 : m->old.section[records].n;
	const struct snap_edit *x = part->edits, *last = snap_merge_end(part);
	enum cluster_err e = CLUSTER_OK;
	struct rd body;

	while (e == CLUSTER_OK && (x < last || cursor < end)) {
		if (x < last && (part->clear || x->at == cursor)) {
			if (x->record)
				e = collect_one(c, &x->body, x->now);
			cursor = part->clear ? 0 : x->from;
			x++;
			continue;
		}
		at = cursor;
		if (snap_each(&m->old, records, &cursor, &body) != CLUSTER_OK)
			return CLUSTER_EUNAVAIL;
		e = collect_one(c, &body, snap_merge_moved(part, at));
	}
	return e;
}

enum cluster_err snap_merge_index(struct snap_merge *m, uint32_t type, uint32_t records)
{
	struct snap_merge_part *ret = &m->parts[type];
	const struct snap_merge_part *part = &m->parts[records];
	struct collect c = { .kind = m->old.kind, .type = type };
	enum cluster_err e;
	size_t n;

	if (same_keys(m, type, records, part))
		return move_slots(m, type, part, ret);
	c.room = m->old.section[type].n / SNAP_BUCKET_SIZE * 5 + part->n_edits; /* as many as there may be without growth; a guess */
	if (!(c.keys = calloc(c.room, sizeof *c.keys)))
		return CLUSTER_ENOMEM;
	if ((e = collect_keys(m, records, part, &c)) == CLUSTER_OK && (e = snap_index_build(type, c.keys, c.n, &ret->table, &n)) == CLUSTER_OK)
		ret->n = n;
	free(c.keys);
	return e;
}
