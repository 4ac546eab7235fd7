/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SNAP_NEAR_H
#define CLUSTER_SNAP_NEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cluster/name.h"
#include "cluster/snap.h"

/*
 * The parts of a lookup in accounts.snap, for inlining (PROTOCOL.md 5.1): hash and key, bucket, guard, the heads of records, names. Few branches depend on
 * the length of a name or a record, which nobody can foretell.
 */

/* The fractional parts of the square roots of 2, 3, 5 and 7, first 64 bits each. */
#define SNAP_K0 UINT64_C(0x6a09e667f3bcc908)
#define SNAP_K1 UINT64_C(0xbb67ae8584caa73b)
#define SNAP_K2 UINT64_C(0x3c6ef372fe94f82b)
#define SNAP_K3 UINT64_C(0xa54ff53a5f1d36f1)

#define SNAP_RECORD_HEAD 8

/* Sixteen bytes at once, by the compiler's own vectors: no intrinsics, so every architecture has them. A comparison gives -1 in the lanes where it holds. */
typedef int8_t snap_lanes __attribute__((vector_size(16)));
typedef uint8_t snap_octets __attribute__((vector_size(16)));
typedef int32_t snap_lanes32 __attribute__((vector_size(16)));
typedef uint64_t snap_lanes64 __attribute__((vector_size(16)));

static inline snap_lanes snap_lanes_load(const void *p)
{
	snap_lanes v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline void snap_lanes_store(void *p, snap_lanes v)
{
	memcpy(p, &v, sizeof v);
}

/* Bit i: lane i of a comparison. The multiplication gathers one bit of each byte in the highest. */
static inline uint32_t snap_lanes_bits_portable(snap_lanes v)
{
	const uint64_t each = UINT64_C(0x8040201008040201), sum = UINT64_C(0x0101010101010101);
	uint64_t half[2];

	memcpy(half, &v, sizeof half);
	return (uint32_t)((half[0] & each) * sum >> 56 | (half[1] & each) * sum >> 56 << 8);
}

static inline uint32_t snap_lanes_bits(snap_lanes v)
{
#ifdef __SSE2__
	return (uint32_t)__builtin_ia32_pmovmskb128((char __attribute__((vector_size(16))))v);
#else
	return snap_lanes_bits_portable(v);
#endif
}

static inline bool snap_lanes_any(snap_lanes v)
{
	uint64_t half[2];

	memcpy(half, &v, sizeof half);
	return half[0] | half[1];
}

/* Comes round from 127 to -128; with signed lanes a compiler might take for granted that it does not, and drop the upper end of the ranges below. */
static inline snap_lanes snap_lanes_add(snap_lanes v, uint8_t n)
{
	return (snap_lanes)((snap_octets)v + n);
}

/* [a-z0-9_-]. The additions move the end of a range to 127, so that one comparison judges it. */
static inline snap_lanes snap_lanes_of_name(snap_lanes v)
{
	return (snap_lanes)(snap_lanes_add(v, 127 - 'z') > 127 - 26) | (snap_lanes)(snap_lanes_add(v, 127 - '9') > 127 - 10) | (snap_lanes)(v == '_') | (snap_lanes)(v == '-');
}

/* Neither a control byte, NUL among them, nor 0x7f nor from 0x80: one addition and one comparison. */
static inline snap_lanes snap_lanes_plain(snap_lanes v)
{
	return snap_lanes_add(v, 1) > 0x20;
}

/* What plain text of an account does not hold: ':' and ','; and "//", "/." or "/" before a NUL, where `before` holds the byte in front of each lane's. */
static inline snap_lanes snap_lanes_unplain(snap_lanes v, snap_lanes before, snap_lanes plain)
{
	return (snap_lanes)(v == ':') | (snap_lanes)(v == ',') | ((snap_lanes)(before == '/') & ~(plain & ~(snap_lanes)((v | 1) == '/')));
}

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

/*
 * Bytes that may be replaced while they are read (nss_state.h) are read once where a length or an offset comes from them: what was checked is what is
 * used, whatever the compiler would like to read again.
 */
static inline uint32_t snap_once32(const uint8_t *p)
{
	uint32_t v = snap_be32(p);

	__asm__("" : "+r"(v));
	return v;
}

/* As it stands, the first byte lowest. */
static inline uint64_t snap_once64(const uint8_t *p)
{
	uint64_t v = snap_word64(p);

	__asm__("" : "+r"(v));
	return v;
}

/* A name as a key, of 1 to 32 bytes, in the words that its hash takes: equal length and equal words are equal bytes. */
struct snap_key {
	uint64_t first[2]; /* of more than 16 bytes, the first 16 */
	uint64_t lo, hi;   /* of the others, which may overlap */
	size_t n;
};

__attribute__((always_inline)) static inline struct snap_key snap_key_of(const uint8_t *p, size_t n)
{
	struct snap_key k = { .n = n };

	if (n > 16) {
		k.first[0] = snap_word64(p);
		k.first[1] = snap_word64(p + 8);
		p += 16;
		n -= 16;
	}
	if (n >= 8) {
		k.lo = snap_word64(p);
		k.hi = snap_word64(p + n - 8);
	} else if (n >= 4) {
		k.lo = snap_word32(p);
		k.hi = snap_word32(p + n - 4);
	} else {
		k.lo = p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)p[n - 1] << 16;
	}
	return k;
}

/* snap_hash of the key's bytes, seed 0. */
static inline uint64_t snap_key_hash(const struct snap_key *k)
{
	uint64_t a = SNAP_K0;

	if (k->n > 16)
		a = snap_fold(k->first[0] ^ SNAP_K1, k->first[1] ^ a);
	a = snap_fold(k->lo ^ SNAP_K1, k->hi ^ a);
	return snap_fold(a ^ SNAP_K2, k->n ^ SNAP_K3);
}

static inline bool snap_key_is(const struct snap_key *k, const uint8_t *p, size_t n)
{
	struct snap_key other;

	if (n != k->n)
		return false;
	other = snap_key_of(p, n);
	return !((k->first[0] ^ other.first[0]) | (k->first[1] ^ other.first[1]) | (k->lo ^ other.lo) | (k->hi ^ other.hi));
}

/* Guards a bucket: the low half of the hash, seeded with the section's type and the bucket's number. */
__attribute__((always_inline)) static inline uint32_t snap_guard(const uint8_t *p, size_t n, uint32_t type, uint32_t low)
{
	return (uint32_t)snap_hash_inline(p, n, snap_seed(type, low));
}

/* name_id_ok without a call. */
static inline bool snap_id_ok(uint32_t id)
{
	return id - 1000 <= 60000 - 1000 || id - 65536 <= (uint32_t)INT32_MAX - 65536;
}

/* Of each lane, one half times the other. */
static inline snap_lanes64 snap_lanes64_product(snap_lanes64 v)
{
#if defined __SSE2__ && !defined __clang__ /* which finds the instruction by itself */
	return (snap_lanes64)__builtin_ia32_pmuludq128((snap_lanes32)v, (snap_lanes32)(v >> 32));
#else
	return (v & UINT32_MAX) * (v >> 32);
#endif
}

/*
 * A record's guard (PROTOCOL.md 5.1) on its way: a sum of products, of which none waits for another. It is taken of the same sixteen bytes at a time that
 * are copied, so it costs little beside the copy, and is verified at each reading.
 */
struct snap_sum {
	snap_lanes64 sum, key;
};

#define SNAP_SUM_CHUNK 16
#define SNAP_SUM_CHUNKS 6 /* at least; of a shorter record the last sixteen bytes are taken again */
#define SNAP_SUM_SHORT (SNAP_SUM_CHUNK * SNAP_SUM_CHUNKS)

static inline void snap_sum_init(struct snap_sum *s)
{
	*s = (struct snap_sum){ .key = { SNAP_K1, SNAP_K2 } };
}

__attribute__((always_inline)) static inline void snap_sum_add(struct snap_sum *s, snap_lanes64 v)
{
	const snap_lanes64 step = { SNAP_K3, SNAP_K0 };

	s->sum += v + snap_lanes64_product(v ^ s->key);
	s->key += step;
}

static inline uint32_t snap_sum_guard(const struct snap_sum *s, uint32_t type, size_t n)
{
	return (uint32_t)snap_fold(s->sum[0] ^ SNAP_K0 ^ snap_seed(type, (uint32_t)n), s->sum[1] ^ SNAP_K3);
}

static inline snap_lanes64 snap_lanes64_load(const void *p)
{
	snap_lanes64 v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* Adds the chunks of a body of SNAP_SUM_CHUNK bytes or more from byte `at` on, the beginning of one of them. */
static inline void snap_sum_rest(struct snap_sum *s, const struct rd *body, size_t at)
{
	const size_t last = body->n - SNAP_SUM_CHUNK;

	for (; at < last; at += SNAP_SUM_CHUNK)
		snap_sum_add(s, snap_lanes64_load(body->p + at));
	do
		snap_sum_add(s, snap_lanes64_load(body->p + last));
	while ((at += SNAP_SUM_CHUNK) < SNAP_SUM_SHORT);
}

/* As snap_record_guard of SNAP_SUM_CHUNK to SNAP_SUM_SHORT bytes, without a branch on n. */
__attribute__((always_inline)) static inline uint32_t snap_record_guard_short(const uint8_t *p, size_t n, uint32_t type)
{
	const size_t last = n - SNAP_SUM_CHUNK;
	struct snap_sum s;

	snap_sum_init(&s);
#pragma GCC unroll 6
	for (size_t i = 0; i < SNAP_SUM_SHORT; i += SNAP_SUM_CHUNK)
		snap_sum_add(&s, snap_lanes64_load(p + (i < last ? i : last)));
	return snap_sum_guard(&s, type, n);
}

/* Whether the record whose head is at `p` has been judged in this mapping. */
static inline bool snap_judged(const struct snap_table *t, const uint8_t *p)
{
	const size_t i = (size_t)(p - t->base) / SNAP_JUDGED_SPAN;

	return t->judged && atomic_load_explicit(&t->judged[i / 8], memory_order_relaxed) >> i % 8 & 1;
}

/* The bucket's 64 bytes are what the writer wrote there. */
static inline bool snap_bucket_ok(const uint8_t *b, uint32_t type, uint64_t number)
{
	return snap_guard(b + 4, SNAP_BUCKET_SIZE - 4, type, (uint32_t)number) == snap_be32(b) && b[4] <= SNAP_BUCKET_SLOTS;
}

/*
 * Which of a bucket's sixteen words are slots' tags equal to `tag`: bit 2 for the first slot, bit 4 for the second and so on. A slot not in use counts as
 * well if the tag is 0; the record then speaks for itself.
 */
static inline uint32_t snap_bucket_match(const uint8_t *b, uint32_t tag)
{
	const snap_lanes32 b0 = { 0, 0, 1 << 2, 0 }, b1 = { 1 << 4, 0, 1 << 6, 0 }, b2 = { 1 << 8, 0, 1 << 10, 0 }, b3 = { 1 << 12, 0, 1 << 14, 0 };
	const int32_t want = (int32_t)__builtin_bswap32(tag);
	snap_lanes32 v0, v1, v2, v3, found;
	uint64_t half[2];

	memcpy(&v0, b, sizeof v0);
	memcpy(&v1, b + 16, sizeof v1);
	memcpy(&v2, b + 32, sizeof v2);
	memcpy(&v3, b + 48, sizeof v3);
	found = ((v0 == want) & b0) | ((v1 == want) & b1) | ((v2 == want) & b2) | ((v3 == want) & b3);
	memcpy(half, &found, sizeof half);
	return (uint32_t)(half[0] | half[1]); /* odd words are never tags */
}

/*
 * The n bytes at `s`, 1 to NAME_ACCOUNT_MAX of them, are a name of an account or group. 32 bytes are read whatever n is.
 */
__attribute__((always_inline)) static inline bool snap_name_judge(const uint8_t *s, size_t n)
{
	const uint64_t good = snap_lanes_bits(snap_lanes_of_name(snap_lanes_load(s))) |
	    (uint64_t)snap_lanes_bits(snap_lanes_of_name(snap_lanes_load(s + 16))) << 16;

	return !(~good & ((UINT64_C(1) << n) - 1)) && s[0] >= '_'; /* of the grammar's bytes, those from '_' may stand in front */
}

/* 14 bits made of the length and four of the characters. */
static inline uint32_t snap_name_bit(const char *s, size_t n)
{
	const uint8_t *c = (const uint8_t *)s;
	uint32_t mixed = c[0] | (uint32_t)c[1] << 8 | (uint32_t)c[n / 2] << 16 | (uint32_t)c[n - 1] << 24;

	return (mixed + (uint32_t)n) * UINT32_C(0x9e3779b1) >> 18;
}

/* False: the name of `n` bytes is on neither reserved list. True, as for one in a hundred of all others: ask name.c. 8 bytes are read whatever n is. */
__attribute__((always_inline)) static inline bool snap_name_suspect(const char *s, size_t n)
{
	/* A bit for each reserved name: printed by test_snap_account --print. */
	static const uint32_t seen[512] = {
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000001, 0x00000000, 0x00000000, 0x08000000, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00080000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00800000, 0x00000000,
		0x00000000, 0x00000000, 0x00040800, 0x00202000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000200, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x04000000, 0x01000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x04000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00080000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
		0x02000000, 0x00000000, 0x00004000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000100, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00004200, 0x00000000, 0x00000000, 0x00000000, 0x00008000, 0x00000000, 0x00000004, 0x00000000, 0x00000000,
		0x00000000, 0x04000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00020000, 0x00000000, 0x00010000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00002000, 0x00000000, 0x00000000, 0x00000000, 0x00000008,
		0x00000000, 0x00000000, 0x00002000, 0x00000010, 0x00000000, 0x00001000, 0x00000004, 0x20000020, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000800, 0x00000000, 0x00080000, 0x00000000, 0x00011000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x40000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000040, 0x00000000, 0x00000000, 0x00000000, 0x00400000, 0x00000000,
		0x00000000, 0x02000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000010, 0x00000000, 0x00000000,
		0x10000000, 0x00000000, 0x10000000, 0x00000000, 0x00000200, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x80000000,
		0x00000000, 0x00020000, 0x00000000, 0x00400000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x08040000, 0x00000000, 0x00001000, 0x00400000,
		0x00000000, 0x00000000, 0x00000000, 0x00000400, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x04000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000080, 0x00000000, 0x00000100, 0x00000000, 0x00400000, 0x00000000,
		0x00000000, 0x00000000, 0x00200000, 0x02000000, 0x00000000, 0x00000000, 0x00800000, 0x00000000, 0x00000400, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00002000, 0x00200000, 0x04000000, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000021, 0x00004020, 0x10000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00001100, 0x00000000, 0x00000000, 0x00000000, 0x00000004, 0x00000000, 0x00000000,
		0x00000040, 0x00000008, 0x00000400, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00800000, 0x00000000, 0x00000000,
		0x00040000, 0x00000000, 0x00000000, 0x00000000, 0x00000002, 0x20000000, 0x00000000, 0x00000000, 0x00000001, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x10000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x20800000, 0x00000000, 0x00000100,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00010000, 0x00000000, 0x00000000, 0x00000000, 0x00040000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00010000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x08000000, 0x00000800, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000040, 0x04000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00200000, 0x00080000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00002000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000010, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00008000, 0x00000000, 0x80000001, 0x00000000, 0x00000200, 0x00000000, 0x00000000, 0x00000000, 0x08000000, 0x00000002, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x48001000,
		0x00000000, 0x00000000, 0x00000000, 0x00001000, 0x00010000, 0x08000000, 0x00000101, 0x00000000, 0x00000000, 0x00000100, 0x00000000, 0x00000004,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00004000, 0x00000000, 0x00000001, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000800, 0x04000000, 0x00000000, 0x00000001, 0x00200000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00001001, 0x00082000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000020, 0x00000000, 0x00000080, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000008, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000004, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
		0x00000000, 0x00000000, 0x00000000, 0x18000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
	};
	const uint32_t bit = snap_name_bit(s, n);
	uint64_t start;

	memcpy(&start, s, sizeof start);
	return (seen[bit / 32] >> bit % 32 & 1) | (start == UINT64_C(0x2d646d6574737973)); /* "systemd-" */
}

/* The bytes of the four strings with their NULs. */
static inline size_t snap_account_size(const struct snap_account *a)
{
	return a->name_n + a->gecos_n + a->home_n + a->shell_n + 4;
}

__attribute__((always_inline)) static inline void snap_account_point(struct snap_account *a, const char *block)
{
	a->name = block;
	a->gecos = a->name + a->name_n + 1;
	a->home = a->gecos + a->gecos_n + 1;
	a->shell = a->home + a->home_n + 1;
}

/* The numbers, which agree with the record's length and may be given to an account. The strings are not looked at; a->name is where they stand. */
__attribute__((always_inline)) static inline bool snap_account_head(const struct rd *body, struct snap_account *a)
{
	uint64_t ids, lengths;

	if (body->n < SNAP_ACCOUNT_HEAD + 4 || body->n > SNAP_ACCOUNT_BODY_MAX)
		return false;
	ids = snap_once64(body->p);
	lengths = snap_once64(body->p + 8);
	a->uid = __builtin_bswap32((uint32_t)ids);
	a->gid = __builtin_bswap32((uint32_t)(ids >> 32));
	a->name_n = lengths & 0xff;
	a->gecos_n = lengths >> 8 & 0xff;
	a->home_n = lengths >> 16 & 0xff;
	a->shell_n = lengths >> 24 & 0xff;
	a->name = (const char *)body->p + SNAP_ACCOUNT_HEAD;
	return body->n == SNAP_ACCOUNT_HEAD + snap_account_size(a) && lengths >> 32 == 0 && a->gecos_n <= NAME_GECOS_MAX && a->name_n - 1 < NAME_ACCOUNT_MAX &&
	    snap_id_ok(a->uid) && snap_id_ok(a->gid);
}

/*
 * The number of gids in a membership whose parts agree with its length and whose name is terminated; otherwise 0. Gids are not looked at.
 */
static inline uint32_t snap_member_head(const struct rd *body, size_t *ret_name_n)
{
	uint64_t head;
	uint32_t count, name_n;

	if (body->n < SNAP_MEMBER_HEAD + 1)
		return 0;
	head = snap_once64(body->p);
	count = __builtin_bswap32((uint32_t)head);
	name_n = (uint32_t)(head >> 32); /* and three zero bytes */
	if (name_n - 1 >= NAME_ACCOUNT_MAX || count > SNAP_MEMBER_GROUPS_MAX || body->n != SNAP_MEMBER_HEAD + name_n + 1 + 4 * (size_t)count ||
	    body->p[SNAP_MEMBER_HEAD + name_n])
		return 0;
	*ret_name_n = name_n;
	return count;
}

#endif
