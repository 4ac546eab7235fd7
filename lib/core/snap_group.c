/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap.h"

#include "cluster/name.h"
#include "cluster/snap_quick.h"
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

/* Bit i: byte i of the 64 at `p` is NUL, *ret_count of them. They are copied to `to`, and go into the sum. */
__attribute__((always_inline)) static inline uint64_t take_64(struct snap_sum *sum, const uint8_t *p, char *to, uint64_t *ret_count)
{
	uint64_t nuls = 0, half[2];
	snap_lanes count = { 0 };

#pragma GCC unroll 4
	for (unsigned int i = 0; i < 64; i += 16) {
		const snap_lanes v = snap_lanes_load(p + i), nul = v == 0;

		snap_lanes_store(to + i, v);
		snap_sum_add(sum, (snap_lanes64)v);
		nuls |= (uint64_t)snap_lanes_bits(nul) << i;
		count -= nul;
	}
	memcpy(half, &count, sizeof half);
	*ret_count = (half[0] + half[1]) * UINT64_C(0x0101010101010101) >> 56; /* the sum of the bytes */
	return nuls;
}

/* Where the lowest bit is; anything if there is none. */
static inline uint64_t lowest_bit(uint64_t v)
{
#ifdef __x86_64__
	uint64_t at;

	__asm__("rep bsfq %1, %0" : "=r"(at) : "r"(v) : "cc"); /* __builtin_ctzll takes three instructions, as it says something of 0 and is an int */
	return at;
#else
	return (uint64_t)__builtin_ctzll(v | UINT64_C(1) << 63);
#endif
}

/*
 * As split for names judged before, adding to the sum, which has `before` chunks already. Six NULs are listed at a time whether they are there or not, since
 * how many a block has nobody can foretell; so near the end of the list, the blocks are left to split_at.
 */
static bool split_judged(struct split *s, const uint8_t *p, size_t n, struct snap_sum *sum, unsigned int before)
{
	char **next = s->next;
	snap_lanes v = { 0 };
	size_t i = 0;

	for (; i + 64 < n && s->end - next >= 64 + 6; i += 64) {
		uint64_t count, nuls = take_64(sum, p + i, s->to + i, &count);
		uintptr_t behind = (uintptr_t)(s->to + i + 1);
		char **at = next;

		__asm__("" : "+r"(behind)); /* once, not for each */
		next += count;
		do {
#pragma GCC unroll 6
			for (unsigned int k = 0; k < 6; k++) {
				at[k] = (char *)(behind + lowest_bit(nuls));
				nuls &= nuls - 1;
			}
			at += 6;
		} while (nuls);
	}
	s->next = next;
	for (; i < n; i += 16) {
		const size_t at = i + 16 < n ? i : n - 16; /* the last sixteen overlap the ones before */

		v = snap_lanes_load(p + at);
		snap_lanes_store(s->to + at, v);
		snap_sum_add(sum, (snap_lanes64)v);
		if (!split_at(s, at, snap_lanes_bits((snap_lanes)(v == 0)) & UINT32_C(0xffff) << (i - at)))
			return false;
	}
	for (i = before + (n + 15) / 16; i < SNAP_SUM_CHUNKS; i++)
		snap_sum_add(sum, (snap_lanes64)v);
	return s->next == s->end && s->last == n;
}

/* Where the parts of a copied group go; false: there is no room. */
static bool place_group(const struct snap_group *g, const struct snap_room *room, struct split *ret)
{
	const size_t pad = -(uintptr_t)room->p % _Alignof(char *), array = ((size_t)g->n_members + 1) * sizeof(char *);

	if (room->n < pad + array + g->name_n + 1 + g->members_size)
		return false;
	*ret = (struct split){ .to = room->p + pad + array, .next = (char **)(void *)(room->p + pad) };
	ret->end = ret->next + g->n_members + 1;
	return true;
}

static struct snap_group_copy copied_group(const struct snap_group *g, const struct split *s)
{
	char **members = s->end - (g->n_members + 1);

	members[g->n_members] = NULL;
	return (struct snap_group_copy){ .name = s->to, .members = members, .end = s->to + g->name_n + 1 + g->members_size, .gid = g->gid };
}

static enum cluster_err copy_group(const struct snap_group *g, const struct snap_room *room, struct snap_group_copy *ret)
{
	const size_t n = g->name_n + 1 + g->members_size;
	struct split s;

	if (!place_group(g, room, &s))
		return CLUSTER_ELIMIT;
	if (!split(&s, (const uint8_t *)g->name, n) || s.to[g->name_n] || snap_group_reserved_in(s.to, g->name_n, n))
		return CLUSTER_EFORMAT;
	*ret = copied_group(g, &s);
	return CLUSTER_OK;
}

/* The same of a record that was judged before, verifying its guard on the way. False: it must be judged. */
static bool copy_judged(const struct snap_group *g, const struct rd *body, const struct snap_room *room, struct snap_group_copy *ret)
{
	const size_t n = g->name_n + 1 + g->members_size;
	struct snap_sum sum;
	struct split s;

	if (n < 16 || !place_group(g, room, &s))
		return false;
	snap_sum_init(&sum);
	snap_sum_add(&sum, snap_lanes64_load(body->p));
	if (!split_judged(&s, (const uint8_t *)g->name, n, &sum, 1) || s.to[g->name_n])
		return false;
	if (snap_sum_guard(&sum, SNAP_A_GROUPS, body->n) != snap_be32(body->p - 4))
		return false;
	*ret = copied_group(g, &s);
	return true;
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

/* A record's word that it is not the one that is looked for counts only if its guard holds. */
static inline bool group_other(const struct group_out *out, const struct rd *body)
{
	return !out->known || snap_record_ok(body, SNAP_A_GROUPS);
}

static inline enum cluster_err group_take(const struct snap_group *g, const struct rd *body, struct group_out *out)
{
	enum cluster_err e;

	if (!out->room) {
		if (!group_name(g->name, g->name_n) || !members_ok(g))
			return CLUSTER_EFORMAT;
		*out->in_place = *g;
		return CLUSTER_OK;
	}
	if (out->known) {
		if (copy_judged(g, body, out->room, out->copy))
			return CLUSTER_OK;
		if (!snap_record_ok(body, SNAP_A_GROUPS))
			return CLUSTER_EFORMAT;
	}
	e = copy_group(g, out->room, out->copy);
	if (e == CLUSTER_OK && !out->quick)
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
		if (!group_other(out, &body))
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
		if (!group_other(out, &body))
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
