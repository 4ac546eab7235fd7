/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SNAP_INLINE_H
#define CORE_SNAP_INLINE_H

#include "cluster/snap.h"
#include "cluster/snap_near.h"

/*
 * The lookup path of snap_read.c, inline, for snap_read.c, snap_account.c and snap_verify.c: hash, one bucket, one record (PROTOCOL.md 5.1).
 */

#define SNAP_FRESH_MAGIC "CLFRSH1\n"
#define SNAP_FRESH_MAJOR 1
#define SNAP_FRESH_SUMMED (SNAP_FRESH_SIZE - 8) /* bytes before the checksum, which is the last field */
#define SNAP_PATH_SIZE 1024

struct stat;

/* Opens for reading, judges the descriptor (regular, owner, no 022 bits). The caller closes *ret_fd. Errors as snap_open. */
enum cluster_err snap_open_fd(const char *path, uid_t owner, int *ret_fd, struct stat *ret_st) CLUSTER_MUST_USE;

/* "<state_dir>/<file>". CLUSTER_ELIMIT if it does not fit. */
enum cluster_err snap_file_path(char *dst, size_t size, const char *state_dir, const char *file) CLUSTER_MUST_USE;

/* The part of snap_verify that knows accounts.snap (snap_verify_accounts.c). */
enum cluster_err snap_verify_accounts(const struct snap *s) CLUSTER_MUST_USE;

/* Fetches the bucket that a lookup of this key will look into. */
static inline void snap_prefetch(const struct snap *s, uint32_t index, const void *key, size_t n)
{
	uint64_t buckets = s->section[index].n / SNAP_BUCKET_SIZE;

	__builtin_prefetch(s->section[index].p + (snap_hash_inline(key, n, 0) & (buckets - 1)) * SNAP_BUCKET_SIZE);
}

/* The record whose head stands `offset` bytes into the record section of `t`: it lies inside. */
__attribute__((always_inline)) static inline enum cluster_err snap_record_bounds(const struct snap_table *t, uint64_t offset, struct rd *ret_body)
{
	const uint8_t *p;
	uint32_t n;

	if (t->size < SNAP_RECORD_HEAD || offset > t->size - SNAP_RECORD_HEAD)
		return CLUSTER_EFORMAT;
	p = t->records + offset;
	n = snap_once32(p);
	if (n > t->size - SNAP_RECORD_HEAD - offset || n > SNAP_RECORD_MAX)
		return CLUSTER_EFORMAT;
	*ret_body = (struct rd){ .p = p + SNAP_RECORD_HEAD, .n = n };
	return CLUSTER_OK;
}

/* What snap_record_bounds gave of a section of type `type` is what the writer wrote. */
__attribute__((always_inline)) static inline bool snap_record_ok(const struct rd *body, uint32_t type)
{
	return snap_record_guard(body->p, body->n, type) == snap_be32(body->p - 4);
}

/* It has passed all checks. Whoever has `judged` holds the mapping (nss_state.h), so no bit outlives it. */
static inline void snap_remember(const struct snap_table *t, const struct rd *body)
{
	const size_t i = (size_t)(body->p - SNAP_RECORD_HEAD - t->base) / SNAP_JUDGED_SPAN;

	if (t->judged && body->n >= SNAP_JUDGED_MIN)
		atomic_fetch_or_explicit(&t->judged[i / 8], (uint8_t)(1 << i % 8), memory_order_relaxed);
}

/* Both. */
__attribute__((always_inline)) static inline enum cluster_err snap_record(const struct snap_table *t, uint32_t type, uint64_t offset, struct rd *ret_body)
{
	enum cluster_err e = snap_record_bounds(t, offset, ret_body);

	if (e == CLUSTER_OK && !snap_record_ok(ret_body, type))
		e = CLUSTER_EFORMAT;
	return e;
}

static inline enum cluster_err snap_record_at(const struct snap *s, uint32_t type, uint64_t offset, struct rd *ret_body)
{
	const struct snap_table t = { .records = s->section[type].p, .size = s->section[type].n };

	return snap_record(&t, type, offset, ret_body);
}

/* Record by record through a section; *cursor begins at 0 and is moved on. CLUSTER_ENOTFOUND at the end. */
__attribute__((always_inline)) static inline enum cluster_err snap_next_record(const struct snap_table *t, uint32_t type, uint64_t *cursor, struct rd *ret_body)
{
	enum cluster_err e;

	if (*cursor % 8 != 0 || *cursor > t->size)
		return CLUSTER_EFORMAT;
	if (*cursor == t->size)
		return CLUSTER_ENOTFOUND;
	e = snap_record(t, type, *cursor, ret_body);
	if (e == CLUSTER_OK)
		*cursor += (SNAP_RECORD_HEAD + ret_body->n + 7) & ~(uint64_t)7;
	return e;
}

/* A search through one index for the records that may have a key. */
struct snap_search {
	uint64_t number;       /* of the bucket */
	const uint8_t *bucket; /* NULL: not begun */
	uint32_t tag, found, probes;
};

static inline struct snap_search snap_search_begin(const struct snap_table *t, uint64_t hash)
{
	struct snap_search w = { .number = hash & t->mask, .tag = (uint32_t)(hash >> 32) };

	return w;
}

/*
 * The offset of the next record whose tag agrees. A record and its key prove themselves, so a bucket's guard is looked at only where its silence counts:
 * before it is left for the next one, or CLUSTER_ENOTFOUND is the answer. `index` is its section's type.
 */
__attribute__((always_inline)) static inline enum cluster_err snap_search_next(struct snap_search *w, const struct snap_table *t, uint32_t index,
    uint64_t *ret_offset)
{
	uint32_t at;

	while (!w->found) {
		if (w->bucket) {
			if (!snap_bucket_ok(w->bucket, index, w->number))
				return CLUSTER_EFORMAT;
			if (!(w->bucket[5] & SNAP_BUCKET_OVERFLOW) || ++w->probes >= SNAP_PROBE_MAX || w->probes > t->mask)
				return CLUSTER_ENOTFOUND;
			w->number = (w->number + 1) & t->mask;
		}
		w->bucket = t->buckets + w->number * SNAP_BUCKET_SIZE;
		w->found = snap_bucket_match(w->bucket, w->tag);
	}
	at = (uint32_t)__builtin_ctz(w->found);
	w->found &= w->found - 1;
	*ret_offset = (uint64_t)snap_once32(w->bucket + 4 * at + 4) * 8;
	return CLUSTER_OK;
}

/* The next record, its guard verified; the caller compares the key. `records` and `index` are section types. */
__attribute__((always_inline)) static inline enum cluster_err snap_search_record(struct snap_search *w, const struct snap_table *t, uint32_t records,
    uint32_t index, struct rd *ret_body)
{
	uint64_t offset;
	enum cluster_err e = snap_search_next(w, t, index, &offset);

	return e == CLUSTER_OK ? snap_record(t, records, offset, ret_body) : e;
}

#endif
