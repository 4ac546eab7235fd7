/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap.h"

#include "cluster/name.h"
#include "cluster/snap_quick.h"
#include "snap_inline.h"
#include "snap_name.h"

/* The head; the name and the members are only known to be terminated. */
static inline bool group_head(const struct rd *body, struct snap_group *g)
{
	uint64_t first, second;
	uint32_t name_n;

	if (body->n < SNAP_GROUP_HEAD + 1 || body->n > SNAP_GROUP_BODY_MAX)
		return false;
	first = snap_once64(body->p);
	second = snap_once64(body->p + 8);
	name_n = (uint32_t)(second >> 32); /* and three zero bytes */
	g->gid = __builtin_bswap32((uint32_t)first);
	g->n_members = __builtin_bswap32((uint32_t)(first >> 32));
	g->members_size = __builtin_bswap32((uint32_t)second);
	g->name_n = name_n;
	if (name_n - 1 >= NAME_ACCOUNT_MAX || g->n_members > SNAP_GROUP_MEMBERS_MAX ||
	    body->n != SNAP_GROUP_HEAD + g->name_n + 1 + g->members_size + g->n_members)
		return false;
	g->name = (const char *)body->p + SNAP_GROUP_HEAD;
	g->members = g->name + g->name_n + 1;
	g->lengths = (const uint8_t *)g->members + g->members_size;
	return !(g->name[g->name_n] || (g->members_size && g->members[g->members_size - 1])) && snap_id_ok(g->gid);
}

static inline bool group_name(const char *name, size_t n)
{
	return snap_name_judge((const uint8_t *)name, n) && !snap_group_reserved(name, n);
}

/* The lengths are those of names of the grammar, each with its NUL, and nothing is left. 32 bytes are read from the beginning of each. */
static bool members_ok(const struct snap_group *g)
{
	const uint8_t *p = (const uint8_t *)g->members, *end = p + g->members_size;

	for (uint32_t i = 0; i < g->n_members; i++) {
		const size_t n = g->lengths[i];

		if (n - 2 >= NAME_ACCOUNT_MAX || n > (size_t)(end - p) || p[n - 1] || !snap_name_judge(p, n - 1))
			return false;
		p += n;
	}
	return p == end;
}

/* ---- a group, copied ---- */

/* Sixteen bytes, which go into the sum. */
__attribute__((always_inline)) static inline void copy_chunk(struct snap_sum *sum, const uint8_t *p, char *to)
{
	const snap_lanes64 v = snap_lanes64_load(p);

	memcpy(to, &v, sizeof v);
	snap_sum_add(sum, v);
}

/*
 * Copies a group, verifying its guard on the way. Whatever the bytes are, the members point into the room, and end there. A pointer for each sixteen bytes
 * copied is about what there is: while the one waits for the sum of the lengths, the other goes on.
 */
static enum cluster_err copy_group(const struct snap_group *g, const struct rd *body, const struct snap_room *room, struct snap_group_copy *ret)
{
	const size_t pad = -(uintptr_t)room->p % _Alignof(char *), array = ((size_t)g->n_members + 1) * sizeof(char *), n = g->name_n + 1 + g->members_size;
	const uint8_t *const p = body->p + SNAP_GROUP_HEAD, *const lengths = g->lengths;
	const size_t count = g->n_members;
	char **members, *to;
	size_t i = 0, k = 0;
	struct snap_sum sum;
	uintptr_t at;

	if (room->n < pad + array + n)
		return CLUSTER_ELIMIT;
	members = (char **)(void *)(room->p + pad);
	to = room->p + pad + array;
	at = (uintptr_t)to + g->name_n + 1;
	snap_sum_init(&sum);
	snap_sum_add(&sum, snap_lanes64_load(body->p));
	for (; i + 64 < n && k + 4 <= count; i += 64, k += 4) {
#pragma GCC unroll 4
		for (size_t part = 0; part < 64; part += 16)
			copy_chunk(&sum, p + i + part, to + i + part);
#pragma GCC unroll 4
		for (size_t part = k; part < k + 4; at += lengths[part++])
			members[part] = (char *)at;
	}
	for (; i + 16 < n; i += 16)
		copy_chunk(&sum, p + i, to + i);
	for (; k < count; at += lengths[k++])
		members[k] = (char *)at;
	members[k] = NULL;
	if (n < 16)
		memcpy(to, p, n);
	else
		memcpy(to + n - 16, p + n - 16, 16);
	snap_sum_rest(&sum, body, SNAP_GROUP_HEAD + i);
	if (at != (uintptr_t)to + n || to[g->name_n] || to[n - 1] || snap_sum_guard(&sum, SNAP_A_GROUPS, body->n) != snap_be32(body->p - 4))
		return CLUSTER_EFORMAT;
	*ret = (struct snap_group_copy){ .name = to, .members = members, .end = to + n, .gid = g->gid };
	return CLUSTER_OK;
}

/* ---- lookups: in place if `room` is NULL ---- */

struct group_out {
	const struct snap_table *t;
	const struct snap_room *room;
	struct snap_group *in_place;
	struct snap_group_copy *copy;
	bool quick; /* what was not judged before is CLUSTER_EUNAVAIL */
	bool known; /* the record in hand was; its guard has not been looked at now */
};

/* As snap_search_record. */
__attribute__((always_inline)) static inline enum cluster_err group_record(struct snap_search *w, uint32_t index, struct group_out *out, struct rd *ret_body)
{
	uint64_t offset;
	enum cluster_err e = snap_search_next(w, out->t, index, &offset);

	if (e == CLUSTER_OK)
		e = snap_record_bounds(out->t, offset, ret_body);
	if (e != CLUSTER_OK)
		return e;
	out->known = out->room && ret_body->n >= SNAP_JUDGED_MIN && snap_judged(out->t, ret_body->p - SNAP_RECORD_HEAD);
	if (out->quick && !out->known)
		return CLUSTER_EUNAVAIL;
	return out->known || snap_record_ok(ret_body, SNAP_A_GROUPS) ? CLUSTER_OK : CLUSTER_EFORMAT;
}

/* A record's word that it is another or too long counts only if its guard holds. */
static inline bool group_vouched(const struct group_out *out, const struct rd *body)
{
	return !out->known || snap_record_ok(body, SNAP_A_GROUPS);
}

static inline enum cluster_err group_take(const struct snap_group *g, const struct rd *body, struct group_out *out)
{
	enum cluster_err e;

	if (!out->known && (!group_name(g->name, g->name_n) || !members_ok(g)))
		return CLUSTER_EFORMAT;
	if (!out->room) {
		*out->in_place = *g;
		return CLUSTER_OK;
	}
	e = copy_group(g, body, out->room, out->copy);
	if (e == CLUSTER_ELIMIT && !group_vouched(out, body))
		return CLUSTER_EFORMAT;
	if (e == CLUSTER_OK && !out->known)
		snap_remember(out->t, body);
	return e;
}

__attribute__((always_inline)) static inline enum cluster_err group_by_name(const char *name, struct group_out *out)
{
	const size_t n = strnlen(name, NAME_ACCOUNT_MAX + 1);
	struct snap_search w;
	struct snap_key key;
	struct snap_group g;
	enum cluster_err e;
	struct rd body;

	if (n - 1 >= NAME_ACCOUNT_MAX)
		return CLUSTER_ENOTFOUND;
	key = snap_key_of((const uint8_t *)name, n);
	w = snap_search_begin(out->t, snap_key_hash(&key));
	while ((e = group_record(&w, SNAP_A_GROUP_BY_NAME, out, &body)) == CLUSTER_OK) {
		if (!group_head(&body, &g))
			return CLUSTER_EFORMAT;
		if (snap_key_is(&key, (const uint8_t *)g.name, g.name_n)) /* what may not be looked up at all is not found */
			return out->known || group_name(g.name, n) ? group_take(&g, &body, out) : CLUSTER_ENOTFOUND;
		if (!group_vouched(out, &body))
			return CLUSTER_EFORMAT;
	}
	return e;
}

__attribute__((always_inline)) static inline enum cluster_err group_by_gid(uint32_t gid, struct group_out *out)
{
	const uint32_t key = __builtin_bswap32(gid);
	struct snap_search w;
	struct snap_group g;
	enum cluster_err e;
	struct rd body;

	if (!snap_id_ok(gid))
		return CLUSTER_ENOTFOUND;
	w = snap_search_begin(out->t, snap_hash_inline((const uint8_t *)&key, sizeof key, 0));
	while ((e = group_record(&w, SNAP_A_GROUP_BY_GID, out, &body)) == CLUSTER_OK) {
		if (!group_head(&body, &g))
			return CLUSTER_EFORMAT;
		if (g.gid == gid)
			return group_take(&g, &body, out);
		if (!group_vouched(out, &body))
			return CLUSTER_EFORMAT;
	}
	return e;
}

static enum cluster_err group_each(uint64_t *cursor, struct group_out *out)
{
	uint64_t next = *cursor;
	struct snap_group g;
	enum cluster_err e;
	struct rd body;

	e = snap_next_record(out->t, SNAP_A_GROUPS, &next, &body);
	if (e != CLUSTER_OK)
		return e;
	e = group_head(&body, &g) ? group_take(&g, &body, out) : CLUSTER_EFORMAT;
	if (e == CLUSTER_OK)
		*cursor = next;
	return e;
}

enum cluster_err snap_group_by_name(const struct snap *s, const char *name, struct snap_group *ret)
{
	const struct snap_table t = snap_table(s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_NAME);

	return group_by_name(name, &(struct group_out){ .t = &t, .in_place = ret });
}

enum cluster_err snap_group_by_gid(const struct snap *s, uint32_t gid, struct snap_group *ret)
{
	const struct snap_table t = snap_table(s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_GID);

	return group_by_gid(gid, &(struct group_out){ .t = &t, .in_place = ret });
}

enum cluster_err snap_group_each(const struct snap *s, uint64_t *cursor, struct snap_group *ret)
{
	const struct snap_table t = snap_table(s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_NAME);

	return group_each(cursor, &(struct group_out){ .t = &t, .in_place = ret });
}

enum cluster_err snap_copy_group_by_name(const struct snap_table *t, const char *name, const struct snap_room *room, struct snap_group_copy *ret)
{
	return group_by_name(name, &(struct group_out){ .t = t, .room = room, .copy = ret });
}

enum cluster_err snap_copy_group_by_gid(const struct snap_table *t, uint32_t gid, const struct snap_room *room, struct snap_group_copy *ret)
{
	return group_by_gid(gid, &(struct group_out){ .t = t, .room = room, .copy = ret });
}

enum cluster_err snap_copy_group_each(const struct snap_table *t, uint64_t *cursor, const struct snap_room *room, struct snap_group_copy *ret)
{
	return group_each(cursor, &(struct group_out){ .t = t, .room = room, .copy = ret });
}

enum cluster_err snap_quick_group_by_name(const struct snap_table *t, const char *name, const struct snap_room *room, struct snap_group_copy *ret)
{
	return group_by_name(name, &(struct group_out){ .t = t, .room = room, .copy = ret, .quick = true });
}

enum cluster_err snap_quick_group_by_gid(const struct snap_table *t, uint32_t gid, const struct snap_room *room, struct snap_group_copy *ret)
{
	return group_by_gid(gid, &(struct group_out){ .t = t, .room = room, .copy = ret, .quick = true });
}

/* ---- membership ---- */

/* Ascending, each in the window (THREATS.md D4). */
static bool gids_ok(const uint8_t *gids, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!snap_id_ok(snap_be32(gids + 4 * i)) || (i && snap_be32(gids + 4 * i) <= snap_be32(gids + 4 * (i - 1))))
			return false;
	return true;
}

enum cluster_err snap_find_member(const struct snap_table *t, const char *name, const uint8_t **ret, uint32_t *ret_n)
{
	const size_t n = strnlen(name, NAME_ACCOUNT_MAX + 1);
	struct snap_search w;
	struct snap_key key;
	enum cluster_err e;
	struct rd body;

	if (n - 1 >= NAME_ACCOUNT_MAX)
		return CLUSTER_ENOTFOUND;
	key = snap_key_of((const uint8_t *)name, n);
	w = snap_search_begin(t, snap_key_hash(&key));
	while ((e = snap_search_record(&w, t, SNAP_A_MEMBER, SNAP_A_MEMBER_BY_NAME, &body)) == CLUSTER_OK) {
		const uint8_t *at = body.p + SNAP_MEMBER_HEAD;
		size_t name_n;
		uint32_t count = snap_member_head(&body, &name_n);

		if (!count)
			return CLUSTER_EFORMAT;
		if (!snap_key_is(&key, at, name_n))
			continue;
		if (!snap_name_judge(at, n) || snap_account_reserved((const char *)at, n)) /* nothing that may be looked up at all */
			return CLUSTER_ENOTFOUND;
		snap_remember(t, &body);
		*ret = at + n + 1;
		*ret_n = count;
		return CLUSTER_OK;
	}
	return e;
}

enum cluster_err snap_member_groups(const struct snap *s, const char *name, const uint8_t **ret, uint32_t *ret_n)
{
	const struct snap_table t = snap_table(s, SNAP_A_MEMBER, SNAP_A_MEMBER_BY_NAME);
	const uint8_t *gids;
	enum cluster_err e;
	uint32_t n;

	e = snap_find_member(&t, name, &gids, &n);
	if (e != CLUSTER_OK)
		return e;
	if (!gids_ok(gids, n))
		return CLUSTER_EFORMAT;
	*ret = gids;
	*ret_n = n;
	return CLUSTER_OK;
}
