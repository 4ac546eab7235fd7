/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SNAP_SEEN_H
#define CLUSTER_SNAP_SEEN_H

#include <stdatomic.h>

#include "cluster/snap_near.h"

/*
 * What a process has judged before in the snapshot that it has mapped (PROTOCOL.md 5.5). A record or bucket whose guard and grammar held when it was read is
 * remembered with the sum of its bytes; the next time, the sum alone is looked at. Lengths, numbers, and the key are judged at each reading all the same.
 *
 * An entry is two words. `what` says which bytes of which snapshot and is compared whole, so it alone decides whether they have been judged. `sum`
 * says what they were then. Threads may write both at once in any order: with one's `what` and another's `sum` an entry fits nothing.
 */
#define SNAP_SEEN_ENTRIES 8192

struct snap_seen_entry {
	_Alignas(16) _Atomic uint64_t what;
	_Atomic uint64_t sum;
};

/* For one lookup. */
struct snap_seen {
	struct snap_seen_entry *entry; /* SNAP_SEEN_ENTRIES of them; must not be NULL where mark is not 0 */
	uint64_t mark;                 /* snap_seen_mark of the snapshot; 0: nothing is remembered */
	uint64_t what, sum;            /* what there is to remember if the lookup counts; what: 0, nothing */
};

/* The snapshot's serial, which is never 0 and never comes twice, in the highest 29 bits; a process that has seen 2^29 of them remembers nothing any more. */
static inline uint64_t snap_seen_mark(uint64_t serial)
{
	return serial >> 29 ? 0 : serial << 35;
}

/* The bytes `at` (a record's offset / 8, which SNAP_FILE_MAX keeps below 2^31, or a bucket's number) of the section of that type, 1 to 8. Never 0. */
static inline uint64_t snap_seen_what(uint64_t mark, uint32_t type, uint64_t at)
{
	return mark | (uint64_t)type << 31 | at;
}

/* Neighbours stand beside each other; no two records begin within 32 bytes. */
static inline struct snap_seen_entry *snap_seen_entry(const struct snap_seen *s, uint32_t type, uint64_t at)
{
	const bool records = type == SNAP_A_ACCOUNTS || type == SNAP_A_GROUPS || type == SNAP_A_MEMBER;

	return &s->entry[((at >> (records ? 2 : 0)) + type * (SNAP_SEEN_ENTRIES / 8)) % SNAP_SEEN_ENTRIES];
}

/* The lookup counts. */
static inline void snap_seen_keep(const struct snap_seen *s)
{
	struct snap_seen_entry *e = snap_seen_entry(s, s->what >> 31 & 15, s->what & INT32_MAX);

	atomic_store_explicit(&e->sum, s->sum, memory_order_relaxed);
	atomic_store_explicit(&e->what, s->what, memory_order_release);
}

typedef uint64_t snap_lanes64 __attribute__((vector_size(16)));

static inline snap_lanes64 snap_lanes64_load(const void *p)
{
	snap_lanes64 v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* In this any one bit of what went in is seen, since none meets another that was the same: the halves are apart by no whole number of bytes. */
static inline uint64_t snap_seen_fold(snap_lanes64 v)
{
	return v[0] ^ (v[1] << 28 | v[1] >> 36);
}

static inline uint64_t snap_seen_sum_bucket(const uint8_t *b)
{
	return snap_seen_fold((snap_lanes64_load(b) ^ snap_lanes64_load(b + 16)) ^ (snap_lanes64_load(b + 32) ^ snap_lanes64_load(b + 48)));
}

/*
 * The sum of n bytes, 16 or more, added to `sum`, which are copied to `to` unless that is NULL. Up to 64 bytes are taken in four steps, some of them the same, with no
 * branch on n: each step turns the sum by one bit, so that what is taken twice does not take itself away.
 */
__attribute__((always_inline)) static inline snap_lanes64 snap_seen_take(snap_lanes64 sum, const uint8_t *p, size_t n, char *to)
{
	const size_t last = n - 16, at[4] = { 0, last < 16 ? last : 16, last < 32 ? last : 32, last };
	snap_lanes64 v;

	if (n > 64) {
		for (size_t i = 0; i < last; i += 16) {
			v = snap_lanes64_load(p + i);
			sum ^= v;
			if (to)
				memcpy(to + i, &v, sizeof v);
		}
		v = snap_lanes64_load(p + last);
		if (to)
			memcpy(to + last, &v, sizeof v);
		return sum ^ v;
	}
#pragma GCC unroll 4
	for (size_t i = 0; i < 4; i++) {
		v = snap_lanes64_load(p + at[i]);
		sum = (sum << 1 | sum >> 63) ^ v;
		if (to)
			memcpy(to + at[i], &v, sizeof v);
	}
	return sum;
}

/* ---- lookups ---- */

/* `at` has been judged; *ret_sum: the sum it had. */
__attribute__((always_inline)) static inline bool snap_seen_has(const struct snap_seen *s, uint32_t type, uint64_t at, uint64_t *ret_sum)
{
	const uint64_t what = snap_seen_what(s->mark, type, at);
	const struct snap_seen_entry *e = snap_seen_entry(s, type, at);

	*ret_sum = atomic_load_explicit(&e->sum, memory_order_relaxed);
	return atomic_load_explicit(&e->what, memory_order_relaxed) == what;
}

/* The bucket's silence counts, and there is no next. */
__attribute__((always_inline)) static inline bool snap_seen_none(const struct snap_seen *s, uint32_t index, uint64_t number, const uint8_t *b)
{
	uint64_t sum;

	return snap_seen_has(s, index, number, &sum) && snap_seen_sum_bucket(b) == sum && !(b[5] & SNAP_BUCKET_OVERFLOW);
}

/*
 * The first record whose tag agrees, if it is short and was judged; with its offset / 8. CLUSTER_ENOTFOUND: a bucket that was judged has none.
 * CLUSTER_EUNAVAIL says nothing. The body's length is one that fits: SNAP_NEAR_MAX bytes from its head can be read.
 */
__attribute__((always_inline)) static inline enum cluster_err snap_seen_first(const struct snap_table *t, const uint32_t types[2], uint64_t hash,
    const struct snap_seen *seen, struct rd *ret_body, uint64_t *ret_sum)
{
	const uint64_t number = hash & t->mask;
	const uint8_t *b = t->buckets + number * SNAP_BUCKET_SIZE, *p;
	const uint32_t found = snap_bucket_match(b, (uint32_t)(hash >> 32));
	uint64_t at;

	if (!found)
		return snap_seen_none(seen, types[1], number, b) ? CLUSTER_ENOTFOUND : CLUSTER_EUNAVAIL;
	at = snap_once32(b + 4 * __builtin_ctz(found) + 4);
	if (t->size < SNAP_NEAR_MAX || at * 8 > t->size - SNAP_NEAR_MAX || !snap_seen_has(seen, types[0], at, ret_sum))
		return CLUSTER_EUNAVAIL;
	p = t->records + at * 8;
	*ret_body = (struct rd){ .p = p + SNAP_RECORD_HEAD, .n = snap_once32(p) };
	return ret_body->n <= SNAP_NEAR_MAX - SNAP_RECORD_HEAD ? CLUSTER_OK : CLUSTER_EUNAVAIL;
}

/* The strings of a record that was judged, copied. */
__attribute__((always_inline)) static inline bool snap_seen_copy(struct snap_account *a, uint64_t sum, const struct snap_room *room)
{
	const uint8_t *block = (const uint8_t *)a->name;
	const size_t n = snap_account_size(a);

	if (n < 16 || room->n < n)
		return false;
	if (snap_seen_fold(snap_seen_take(snap_lanes64_load(block - SNAP_ACCOUNT_HEAD), block, n, room->p)) != sum)
		return false;
	snap_account_point(a, room->p);
	return !(a->name[a->name_n] | a->gecos[a->gecos_n] | a->home[a->home_n] | a->shell[a->shell_n]);
}

/* As snap_near_*, for whoever has not asked before: they judge, and say in *seen what there is to remember. */
enum cluster_err snap_anew_account_by_name(const struct snap_table *t, const char *name, struct snap_seen *seen, const struct snap_room *room,
    struct snap_account *ret) CLUSTER_MUST_USE;
enum cluster_err snap_anew_account_by_uid(const struct snap_table *t, uint32_t uid, struct snap_seen *seen, const struct snap_room *room,
    struct snap_account *ret) CLUSTER_MUST_USE;
enum cluster_err snap_anew_member(const struct snap_table *t, const char *name, struct snap_seen *seen, const uint8_t **ret, uint32_t *ret_n) CLUSTER_MUST_USE;

/* As snap_near_*. seen->what must be 0 before. */
__attribute__((always_inline)) static inline enum cluster_err snap_seen_account_by_name(const struct snap_table *t, const char *name, struct snap_seen *seen,
    const struct snap_room *room, struct snap_account *ret)
{
	static const uint32_t types[2] = { SNAP_A_ACCOUNTS, SNAP_A_BY_NAME };
	const size_t n = strnlen(name, NAME_ACCOUNT_MAX + 1);
	struct snap_account a;
	struct snap_key key;
	enum cluster_err e;
	struct rd body;
	uint64_t sum;

	if (n - 1 >= NAME_ACCOUNT_MAX)
		return CLUSTER_ENOTFOUND;
	key = snap_key_of((const uint8_t *)name, n);
	e = snap_seen_first(t, types, snap_key_hash(&key), seen, &body, &sum);
	if (e == CLUSTER_ENOTFOUND)
		return e;
	if (e != CLUSTER_OK || !snap_account_head(&body, &a) || !snap_key_is(&key, (const uint8_t *)a.name, a.name_n) || !snap_seen_copy(&a, sum, room))
		return snap_anew_account_by_name(t, name, seen, room, ret);
	*ret = a;
	return CLUSTER_OK;
}

__attribute__((always_inline)) static inline enum cluster_err snap_seen_account_by_uid(const struct snap_table *t, uint32_t uid, struct snap_seen *seen,
    const struct snap_room *room, struct snap_account *ret)
{
	static const uint32_t types[2] = { SNAP_A_ACCOUNTS, SNAP_A_BY_UID };
	const uint32_t key = __builtin_bswap32(uid);
	struct snap_account a;
	enum cluster_err e;
	struct rd body;
	uint64_t sum;

	e = snap_seen_first(t, types, snap_hash_inline((const uint8_t *)&key, sizeof key, 0), seen, &body, &sum);
	if (e == CLUSTER_ENOTFOUND)
		return e;
	if (e != CLUSTER_OK || !snap_account_head(&body, &a) || a.uid != uid || !snap_seen_copy(&a, sum, room))
		return snap_anew_account_by_uid(t, uid, seen, room, ret);
	*ret = a;
	return CLUSTER_OK;
}

__attribute__((always_inline)) static inline enum cluster_err snap_seen_member(const struct snap_table *t, const char *name, struct snap_seen *seen,
    const uint8_t **ret, uint32_t *ret_n)
{
	static const uint32_t types[2] = { SNAP_A_MEMBER, SNAP_A_MEMBER_BY_NAME };
	const size_t n = strnlen(name, NAME_ACCOUNT_MAX + 1);
	struct snap_key key;
	enum cluster_err e;
	struct rd body;
	size_t name_n;
	uint64_t sum;

	if (n - 1 >= NAME_ACCOUNT_MAX)
		return CLUSTER_ENOTFOUND;
	key = snap_key_of((const uint8_t *)name, n);
	e = snap_seen_first(t, types, snap_key_hash(&key), seen, &body, &sum);
	if (e == CLUSTER_ENOTFOUND)
		return e;
	if (e != CLUSTER_OK || body.n < 16 || !(*ret_n = snap_member_head(&body, &name_n)) || !snap_key_is(&key, body.p + SNAP_MEMBER_HEAD, name_n) ||
	    snap_seen_fold(snap_seen_take((snap_lanes64){ 0 }, body.p, body.n, NULL)) != sum)
		return snap_anew_member(t, name, seen, ret, ret_n);
	*ret = body.p + SNAP_MEMBER_HEAD + n + 1;
	return CLUSTER_OK;
}

/* As snap_copy_group_by_*, remembering. */
enum cluster_err snap_seen_group_by_name(const struct snap_table *t, const char *name, struct snap_seen *seen, const struct snap_room *room,
    struct snap_group_copy *ret) CLUSTER_MUST_USE;
enum cluster_err snap_seen_group_by_gid(const struct snap_table *t, uint32_t gid, struct snap_seen *seen, const struct snap_room *room,
    struct snap_group_copy *ret) CLUSTER_MUST_USE;

#endif
