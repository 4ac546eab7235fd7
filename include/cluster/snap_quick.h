/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SNAP_QUICK_H
#define CLUSTER_SNAP_QUICK_H

#include "cluster/snap_near.h"

/*
 * Lookups in accounts.snap at their shortest, for inlining into NSS. They answer where the record is found where it is looked for first, is short, and has
 * been judged before in this mapping (snap_table.judged): then its guard, its numbers and the key are looked at, and not its grammar again. They say no where
 * a sound bucket has nothing. All else is CLUSTER_EUNAVAIL: ask the function of snap.h of the same name, which judges, and remembers.
 *
 * As for the copying lookups of snap.h, the bytes may be replaced meanwhile.
 */

/* From a record's head so many bytes can be read, for the section goes on. */
#define SNAP_QUICK_MAX 128

/* The record whose tag agrees. NULL: *ret_none says why. */
__attribute__((always_inline)) static inline const uint8_t *snap_quick_find(const struct snap_table *t, uint32_t index, uint64_t hash, enum cluster_err *ret_none)
{
	const uint64_t number = hash & t->mask;
	const uint8_t *b = t->buckets + number * SNAP_BUCKET_SIZE;
	const uint32_t found = snap_bucket_match(b, (uint32_t)(hash >> 32));
	uint64_t offset;

	*ret_none = CLUSTER_EUNAVAIL;
	if (!found) {
		if (snap_bucket_ok(b, index, number) && !(b[5] & SNAP_BUCKET_OVERFLOW))
			*ret_none = CLUSTER_ENOTFOUND;
		return NULL;
	}
	offset = (uint64_t)snap_once32(b + 4 * __builtin_ctz(found) + 4) * 8;
	return t->size < SNAP_QUICK_MAX || offset > t->size - SNAP_QUICK_MAX ? NULL : t->records + offset;
}

/*
 * The strings of an account, 16 to SNAP_SUM_SHORT - SNAP_ACCOUNT_HEAD bytes, copied to `to`. False: the record's guard does not hold. As
 * snap_record_guard_short, the head being the first chunk.
 */
__attribute__((always_inline)) static inline bool snap_quick_copy(const struct rd *body, uint32_t guard, char *to)
{
	const uint8_t *p = body->p + SNAP_ACCOUNT_HEAD;
	const size_t last = body->n - SNAP_ACCOUNT_HEAD - SNAP_SUM_CHUNK;
	struct snap_sum s;

	snap_sum_init(&s);
	snap_sum_add(&s, snap_lanes64_load(body->p));
#pragma GCC unroll 6
	for (size_t i = 0; i < SNAP_SUM_SHORT - SNAP_ACCOUNT_HEAD; i += SNAP_SUM_CHUNK) {
		const size_t at = i < last ? i : last;
		const snap_lanes64 v = snap_lanes64_load(p + at);

		memcpy(to + at, &v, sizeof v);
		snap_sum_add(&s, v);
	}
	return snap_sum_guard(&s, SNAP_A_ACCOUNTS, body->n) == guard;
}

/* `key`: NULL, and `uid` is what was asked for. */
__attribute__((always_inline)) static inline enum cluster_err snap_quick_account(const struct snap_table *t, const uint8_t *p, const struct snap_key *key,
    uint32_t uid, const struct snap_room *room, struct snap_account *ret)
{
	const struct rd body = { .p = p + SNAP_RECORD_HEAD, .n = snap_once32(p) };
	struct snap_account a;

	if (body.n < SNAP_ACCOUNT_HEAD + SNAP_SUM_CHUNK || body.n > SNAP_SUM_SHORT || !snap_judged(t, p) || !snap_account_head(&body, &a))
		return CLUSTER_EUNAVAIL;
	if (key ? !snap_key_is(key, (const uint8_t *)a.name, a.name_n) : a.uid != uid)
		return CLUSTER_EUNAVAIL;
	if (room->n < snap_account_size(&a) || !snap_quick_copy(&body, snap_be32(p + 4), room->p))
		return CLUSTER_EUNAVAIL;
	snap_account_point(&a, room->p);
	*ret = a;
	return CLUSTER_OK;
}

/* The key of a name that could be found; before anything else, so that across the call of strnlen nothing has to be kept. */
__attribute__((always_inline)) static inline bool snap_quick_key(const char *name, struct snap_key *ret)
{
	const size_t n = strnlen(name, NAME_ACCOUNT_MAX + 1);

	if (n - 1 >= NAME_ACCOUNT_MAX)
		return false;
	*ret = snap_key_of((const uint8_t *)name, n);
	return true;
}

__attribute__((always_inline)) static inline enum cluster_err snap_quick_account_by_name(const struct snap_table *t, const struct snap_key *key,
    const struct snap_room *room, struct snap_account *ret)
{
	enum cluster_err e;
	const uint8_t *p = snap_quick_find(t, SNAP_A_BY_NAME, snap_key_hash(key), &e);

	return p ? snap_quick_account(t, p, key, 0, room, ret) : e;
}

__attribute__((always_inline)) static inline enum cluster_err snap_quick_account_by_uid(const struct snap_table *t, uint32_t uid, const struct snap_room *room,
    struct snap_account *ret)
{
	const uint32_t key = __builtin_bswap32(uid);
	enum cluster_err e;
	const uint8_t *p = snap_quick_find(t, SNAP_A_BY_UID, snap_hash_inline((const uint8_t *)&key, sizeof key, 0), &e);

	return p ? snap_quick_account(t, p, NULL, uid, room, ret) : e;
}

/* As snap_find_member. */
__attribute__((always_inline)) static inline enum cluster_err snap_quick_member(const struct snap_table *t, const struct snap_key *key,
    const uint8_t **ret, uint32_t *ret_n)
{
	enum cluster_err e;
	const uint8_t *p = snap_quick_find(t, SNAP_A_MEMBER_BY_NAME, snap_key_hash(key), &e);
	struct rd body;
	uint32_t count;
	size_t name_n;

	if (!p)
		return e;
	body = (struct rd){ .p = p + SNAP_RECORD_HEAD, .n = snap_once32(p) };
	if (body.n < SNAP_JUDGED_MIN || body.n > SNAP_SUM_SHORT || !snap_judged(t, p) || !(count = snap_member_head(&body, &name_n)) ||
	    !snap_key_is(key, body.p + SNAP_MEMBER_HEAD, name_n) || snap_record_guard_short(body.p, body.n, SNAP_A_MEMBER) != snap_be32(p + 4))
		return CLUSTER_EUNAVAIL;
	*ret = body.p + SNAP_MEMBER_HEAD + name_n + 1;
	*ret_n = count;
	return CLUSTER_OK;
}

/* As snap_copy_group_by_*; a group may be of any size. CLUSTER_EUNAVAIL as above. */
enum cluster_err snap_quick_group_by_name(const struct snap_table *t, const char *name, const struct snap_room *room, struct snap_group_copy *ret) CLUSTER_MUST_USE;
enum cluster_err snap_quick_group_by_gid(const struct snap_table *t, uint32_t gid, const struct snap_room *room, struct snap_group_copy *ret) CLUSTER_MUST_USE;

#endif
