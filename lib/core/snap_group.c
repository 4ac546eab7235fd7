/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap.h"

#include "cluster/name.h"
#include "snap_inline.h"
#include "snap_name.h"

/* Exactly g->n_members names of the grammar and nothing else. The last byte is known to be NUL. */
static bool members_ok(const struct snap_group *g)
{
	const char *p = g->members, *end = p + g->members_size;
	uint32_t count = 0;
	size_t n;

	for (; p < end; p += n + 1, count++) {
		n = snap_name_length(p);
		if (!n || count == g->n_members)
			return false;
	}
	return count == g->n_members;
}

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
	if (name_n - 1 >= NAME_ACCOUNT_MAX || body->n != SNAP_GROUP_HEAD + g->name_n + 1 + g->members_size || g->n_members > SNAP_GROUP_MEMBERS_MAX)
		return false;
	g->name = (const char *)body->p + SNAP_GROUP_HEAD;
	g->members = g->name + g->name_n + 1;
	return !(g->name[g->name_n] || (g->members_size && g->members[g->members_size - 1])) && snap_id_ok(g->gid);
}

static inline bool group_name(const char *name, size_t n)
{
	return snap_name_judge((const uint8_t *)name, n) && !snap_group_reserved(name, n);
}

/* ---- a group's strings, copied ---- */

/* Strings one behind the other on their way from `p` to `to`. */
struct split {
	char *to;           /* where the first stands */
	char **next, **end; /* the next that begins goes to *next; the last that may is end[-1] */
	size_t last;        /* where the one that is being copied began */
	uint64_t bad;       /* the highest bit: one was longer than a name may be */
};

/* The NULs of sixteen bytes that stand `at` bytes from the beginning. False: more strings than there may be. */
static inline bool split_at(struct split *s, size_t at, uint32_t nuls)
{
	for (; nuls; nuls &= nuls - 1) {
		const size_t next = at + (size_t)__builtin_ctz(nuls) + 1;

		if (s->next == s->end)
			return false;
		*s->next++ = s->to + next;
		s->bad |= NAME_ACCOUNT_MAX + 1 - (next - s->last);
		s->last = next;
	}
	return true;
}

/* Fewer than sixteen bytes, already copied. */
static bool split_few(struct split *s, size_t n)
{
	if (s->to[n - 1])
		return false;
	while (s->last < n) {
		size_t length = snap_name_length(s->to + s->last);

		if (!length || s->next == s->end)
			return false;
		s->last += length + 1;
		*s->next++ = s->to + s->last;
	}
	return s->next == s->end;
}

/*
 * Copies the n bytes at `p`, strings with their NULs, and lists those behind the first, the end as one of them: s->end - s->next it must be. All are names
 * of the grammar. p[-1] is NUL.
 */
static bool split(struct split *s, const uint8_t *p, size_t n)
{
	snap_lanes wrong = { 0 };

	if (n < 16) {
		memcpy(s->to, p, n);
		return split_few(s, n);
	}
	for (size_t i = 0; i < n; i += 16) {
		const size_t at = i + 16 <= n ? i : n - 16; /* the last sixteen overlap the ones before */
		snap_lanes v = snap_lanes_load(p + at), nul = v == 0;

		snap_lanes_store(s->to + at, v);
		/* a name's bytes and NULs; behind a NUL, what may begin a name: of the grammar's bytes those from '_' */
		wrong |= ~(snap_lanes_of_name(v) | nul) | ((snap_lanes)(snap_lanes_load(p + at - 1) == 0) & (snap_lanes)(v < '_'));
		if (!split_at(s, at, snap_lanes_bits(nul) & UINT32_C(0xffff) << (i - at)))
			return false;
	}
	return !snap_lanes_any(wrong) && !(s->bad >> 63) && s->next == s->end && s->last == n;
}

static enum cluster_err copy_group(const struct snap_group *g, const struct snap_room *room, struct snap_group_copy *ret)
{
	const size_t pad = -(uintptr_t)room->p % _Alignof(char *), array = ((size_t)g->n_members + 1) * sizeof(char *);
	const size_t n = g->name_n + 1 + g->members_size;
	struct split s = { .to = room->p + pad + array };
	char **members = (char **)(void *)(room->p + pad);

	if (room->n < pad + array + n)
		return CLUSTER_ELIMIT;
	s.next = members;
	s.end = members + g->n_members + 1;
	if (!split(&s, (const uint8_t *)g->name, n) || s.to[g->name_n] || snap_group_reserved_in(s.to, g->name_n, n))
		return CLUSTER_EFORMAT;
	members[g->n_members] = NULL;
	*ret = (struct snap_group_copy){ .name = s.to, .members = members, .end = s.to + n, .gid = g->gid };
	return CLUSTER_OK;
}

/* ---- lookups: in place if `room` is NULL ---- */

struct group_out {
	const struct snap_room *room;
	struct snap_group *in_place;
	struct snap_group_copy *copy;
};

static inline enum cluster_err group_take(const struct snap_group *g, const struct group_out *out)
{
	if (out->room)
		return copy_group(g, out->room, out->copy);
	if (!group_name(g->name, g->name_n) || !members_ok(g))
		return CLUSTER_EFORMAT;
	*out->in_place = *g;
	return CLUSTER_OK;
}

__attribute__((always_inline)) static inline enum cluster_err group_by_name(const struct snap_table *t, const char *name, const struct group_out *out)
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
	w = snap_search_begin(t, snap_key_hash(&key));
	while ((e = snap_search_record(&w, t, SNAP_A_GROUPS, SNAP_A_GROUP_BY_NAME, &body)) == CLUSTER_OK) {
		if (!group_head(&body, &g))
			return CLUSTER_EFORMAT;
		if (snap_key_is(&key, (const uint8_t *)g.name, g.name_n)) /* what may not be looked up at all is not found */
			return group_name(g.name, n) ? group_take(&g, out) : CLUSTER_ENOTFOUND;
	}
	return e;
}

__attribute__((always_inline)) static inline enum cluster_err group_by_gid(const struct snap_table *t, uint32_t gid, const struct group_out *out)
{
	const uint32_t key = __builtin_bswap32(gid);
	struct snap_search w;
	struct snap_group g;
	enum cluster_err e;
	struct rd body;

	if (!snap_id_ok(gid))
		return CLUSTER_ENOTFOUND;
	w = snap_search_begin(t, snap_hash_inline((const uint8_t *)&key, sizeof key, 0));
	while ((e = snap_search_record(&w, t, SNAP_A_GROUPS, SNAP_A_GROUP_BY_GID, &body)) == CLUSTER_OK) {
		if (!group_head(&body, &g))
			return CLUSTER_EFORMAT;
		if (g.gid == gid)
			return group_take(&g, out);
	}
	return e;
}

static enum cluster_err group_each(const struct snap_table *t, uint64_t *cursor, const struct group_out *out)
{
	uint64_t next = *cursor;
	struct snap_group g;
	enum cluster_err e;
	struct rd body;

	e = snap_next_record(t, SNAP_A_GROUPS, &next, &body);
	if (e != CLUSTER_OK)
		return e;
	e = group_head(&body, &g) ? group_take(&g, out) : CLUSTER_EFORMAT;
	if (e == CLUSTER_OK)
		*cursor = next;
	return e;
}

enum cluster_err snap_group_by_name(const struct snap *s, const char *name, struct snap_group *ret)
{
	const struct snap_table t = snap_table(s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_NAME);

	return group_by_name(&t, name, &(struct group_out){ .in_place = ret });
}

enum cluster_err snap_group_by_gid(const struct snap *s, uint32_t gid, struct snap_group *ret)
{
	const struct snap_table t = snap_table(s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_GID);

	return group_by_gid(&t, gid, &(struct group_out){ .in_place = ret });
}

enum cluster_err snap_group_each(const struct snap *s, uint64_t *cursor, struct snap_group *ret)
{
	const struct snap_table t = snap_table(s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_NAME);

	return group_each(&t, cursor, &(struct group_out){ .in_place = ret });
}

enum cluster_err snap_copy_group_by_name(const struct snap_table *t, const char *name, const struct snap_room *room, struct snap_group_copy *ret)
{
	return group_by_name(t, name, &(struct group_out){ .room = room, .copy = ret });
}

enum cluster_err snap_copy_group_by_gid(const struct snap_table *t, uint32_t gid, const struct snap_room *room, struct snap_group_copy *ret)
{
	return group_by_gid(t, gid, &(struct group_out){ .room = room, .copy = ret });
}

enum cluster_err snap_copy_group_each(const struct snap_table *t, uint64_t *cursor, const struct snap_room *room, struct snap_group_copy *ret)
{
	return group_each(t, cursor, &(struct group_out){ .room = room, .copy = ret });
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
