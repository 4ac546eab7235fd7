/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SNAP_INLINE_H
#define CORE_SNAP_INLINE_H

#include "cluster/snap.h"

/*
 * The lookup path of snap_read.c, inline, for snap_read.c, snap_account.c and snap_verify.c: hash, one bucket, one record (PROTOCOL.md 5.1).
 */

/* The fractional parts of the square roots of 2, 3, 5 and 7, first 64 bits each. */
#define SNAP_K0 UINT64_C(0x6a09e667f3bcc908)
#define SNAP_K1 UINT64_C(0xbb67ae8584caa73b)
#define SNAP_K2 UINT64_C(0x3c6ef372fe94f82b)
#define SNAP_K3 UINT64_C(0xa54ff53a5f1d36f1)

#define SNAP_RECORD_HEAD 8

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

static inline uint64_t snap_word64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t snap_word32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* The 128-bit product, its halves added without carry. */
static inline uint64_t snap_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

__attribute__((always_inline)) static inline uint64_t snap_hash_inline(const uint8_t *p, size_t n, uint64_t seed)
{
	uint64_t a = seed ^ SNAP_K0, b = a, lo = 0, hi = 0;
	size_t left = n;

	if (left > 32) {
		for (; left > 32; p += 32, left -= 32) {
			a = snap_fold(snap_word64(p) ^ SNAP_K1, snap_word64(p + 8) ^ a);
			b = snap_fold(snap_word64(p + 16) ^ SNAP_K2, snap_word64(p + 24) ^ b);
		}
		a ^= b;
	}
	if (left > 16) {
		a = snap_fold(snap_word64(p) ^ SNAP_K1, snap_word64(p + 8) ^ a);
		p += 16;
		left -= 16;
	}
	if (left >= 8) {
		lo = snap_word64(p);
		hi = snap_word64(p + left - 8);
	} else if (left >= 4) {
		lo = snap_word32(p);
		hi = snap_word32(p + left - 4);
	} else if (left > 0) {
		lo = p[0] | (uint64_t)p[left / 2] << 8 | (uint64_t)p[left - 1] << 16;
	}
	a = snap_fold(lo ^ SNAP_K1, hi ^ a);
	return snap_fold(a ^ SNAP_K2, n ^ SNAP_K3);
}

/* Fetches the bucket that a lookup of this key will look into. */
static inline void snap_prefetch(const struct snap *s, uint32_t index, const void *key, size_t n)
{
	uint64_t buckets = s->section[index].n / SNAP_BUCKET_SIZE;

	__builtin_prefetch(s->section[index].p + (snap_hash_inline(key, n, 0) & (buckets - 1)) * SNAP_BUCKET_SIZE);
}

/* Guards the record or bucket: the low half of the hash, seeded with the section's type and the body's length or the bucket's number. */
static inline uint32_t snap_guard(const uint8_t *p, size_t n, uint32_t type, uint32_t low)
{
	return (uint32_t)snap_hash_inline(p, n, snap_seed(type, low));
}

/* The record whose head stands `offset` bytes into record section `type`. */
static inline enum cluster_err snap_record_at(const struct snap *s, uint32_t type, uint64_t offset, struct rd *ret_body)
{
	const struct snap_section *r = &s->section[type];
	const uint8_t *p;
	uint32_t n;

	if (r->n < SNAP_RECORD_HEAD || offset > r->n - SNAP_RECORD_HEAD)
		return CLUSTER_EFORMAT;
	p = r->p + offset;
	n = snap_be32(p);
	if (n > r->n - SNAP_RECORD_HEAD - offset || n > SNAP_RECORD_MAX)
		return CLUSTER_EFORMAT;
	if (snap_guard(p + SNAP_RECORD_HEAD, n, type, n) != snap_be32(p + 4))
		return CLUSTER_EFORMAT;
	*ret_body = (struct rd){ .p = p + SNAP_RECORD_HEAD, .n = n };
	return CLUSTER_OK;
}

/* The bucket's 64 bytes are what the writer wrote there. */
static inline bool snap_bucket_ok(const uint8_t *b, uint32_t type, uint64_t number)
{
	return snap_guard(b + 4, SNAP_BUCKET_SIZE - 4, type, (uint32_t)number) == snap_be32(b) && b[4] <= SNAP_BUCKET_SLOTS;
}

__attribute__((always_inline)) static inline void snap_probe_start(struct snap_probe *p, const struct snap *s, uint32_t records, uint32_t index,
    const void *key, size_t n)
{
	uint64_t buckets = s->section[index].n / SNAP_BUCKET_SIZE;

	p->s = s;
	p->records = records;
	p->index = index;
	p->hash = snap_hash_inline(key, n, 0);
	p->bucket = p->hash & (buckets - 1);
	p->slot = 0;
	p->probes = 0;
}

__attribute__((always_inline)) static inline enum cluster_err snap_probe_step(struct snap_probe *p, struct rd *ret_body)
{
	const struct snap_section *x = &p->s->section[p->index];
	uint64_t buckets = x->n / SNAP_BUCKET_SIZE;
	uint32_t tag = (uint32_t)(p->hash >> 32);

	for (;;) {
		const uint8_t *b = x->p + p->bucket * SNAP_BUCKET_SIZE;

		if (!p->slot && !snap_bucket_ok(b, p->index, p->bucket))
			return CLUSTER_EFORMAT;
		while (p->slot < b[4]) {
			const uint8_t *slot = b + 8 + 8 * p->slot++;

			if (snap_be32(slot) == tag)
				return snap_record_at(p->s, p->records, (uint64_t)snap_be32(slot + 4) * 8, ret_body);
		}
		if (!(b[5] & SNAP_BUCKET_OVERFLOW) || ++p->probes >= SNAP_PROBE_MAX || p->probes >= buckets)
			return CLUSTER_ENOTFOUND;
		p->bucket = (p->bucket + 1) & (buckets - 1);
		p->slot = 0;
	}
}

#endif
