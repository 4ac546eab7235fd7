/* SPDX-License-Identifier: Apache-2.0 */
#include "snap_layout.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/snap.h"
#include "cluster/wr.h"

#define AHEAD 16 /* keys whose buckets are fetched before they are needed */

/* Five eighths of the slots in use at most: a lookup seldom needs a second bucket. */
static uint64_t buckets_for(size_t n_keys)
{
	uint64_t buckets = 1;

	while (buckets * SNAP_BUCKET_SLOTS * 5 / 8 < n_keys)
		buckets *= 2;
	return buckets;
}

/* Puts one key into the first bucket with room, from its own on. False: none within SNAP_PROBE_MAX. */
static bool place(uint8_t *table, uint64_t buckets, const struct snap_key *k)
{
	for (uint64_t i = 0; i < SNAP_PROBE_MAX && i < buckets; i++) {
		uint8_t *b = table + ((k->hash + i) & (buckets - 1)) * SNAP_BUCKET_SIZE;

		if (b[4] < SNAP_BUCKET_SLOTS) {
			snap_put_be32(b + 8 + 8 * b[4], (uint32_t)(k->hash >> 32));
			snap_put_be32(b + 12 + 8 * b[4], k->offset);
			b[4]++;
			return true;
		}
		b[5] |= SNAP_BUCKET_OVERFLOW;
	}
	return false;
}

void snap_bucket_seal(uint8_t *bucket, uint32_t type, uint64_t i)
{
	snap_put_be32(bucket, (uint32_t)snap_hash(bucket + 4, SNAP_BUCKET_SIZE - 4, snap_seed(type, (uint32_t)i)));
}

/* Lays the buckets out in the zeroed `table`. */
static bool fill(uint8_t *table, uint64_t buckets, uint32_t type, const struct snap_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i + AHEAD < n)
			__builtin_prefetch(table + (keys[i + AHEAD].hash & (buckets - 1)) * SNAP_BUCKET_SIZE, 1);
		if (!place(table, buckets, &keys[i]))
			return false;
	}
	for (uint64_t i = 0; i < buckets; i++)
		snap_bucket_seal(table + i * SNAP_BUCKET_SIZE, type, i);
	return true;
}

enum cluster_err snap_index_build(uint32_t type, const struct snap_key *keys, size_t n, uint8_t **ret, size_t *ret_n)
{
	uint64_t buckets = buckets_for(n);
	uint8_t *p;

	for (int tries = 0; tries < 6 && buckets <= SNAP_BUCKETS_MAX; tries++, buckets *= 2) {
		if (!(p = calloc(buckets, SNAP_BUCKET_SIZE)))
			return CLUSTER_ENOMEM;
		if (fill(p, buckets, type, keys, n)) {
			*ret = p;
			*ret_n = buckets * SNAP_BUCKET_SIZE;
			return CLUSTER_OK;
		}
		free(p);
	}
	return CLUSTER_ELIMIT;
}

uint64_t snap_align(uint64_t n)
{
	return (n + SNAP_ALIGN - 1) & ~(uint64_t)(SNAP_ALIGN - 1);
}

static uint32_t sections(enum snap_kind kind)
{
	uint32_t count = 0, records;

	while (snap_section_shape(kind, count + 1, &records) != SNAP_SHAPE_UNKNOWN)
		count++;
	return count;
}

static void put_header(const struct snap_frame *f, struct wr *out, uint64_t size, uint32_t count)
{
	wr_bytes(out, SNAP_MAGIC, 8);
	wr_u16(out, snap_major(f->kind));
	wr_u16(out, SNAP_MINOR);
	wr_u32(out, (uint32_t)f->kind);
	wr_u64(out, size);
	wr_bytes(out, f->cluster.b, ID_SIZE);
	wr_u32(out, count);
	wr_zero(out, SNAP_HEADER_SIZE - out->n);
}

enum cluster_err snap_frame_build(const struct snap_frame *f, uint8_t dst[SNAP_FRAME_MAX], size_t *ret_n, uint64_t *ret_size)
{
	uint32_t count = sections(f->kind);
	uint64_t first = snap_align(SNAP_HEADER_SIZE + (uint64_t)count * SNAP_SECTION_SIZE), size = first, at = first, checksum;
	enum cluster_err e;
	struct wr out;

	for (uint32_t type = 1; type <= count; type++) {
		if (f->length[type] > SNAP_FILE_MAX)
			return CLUSTER_ELIMIT;
		size = snap_align(size + f->length[type]);
	}
	if (size > SNAP_FILE_MAX)
		return CLUSTER_ELIMIT;
	wr_init(&out, dst, SNAP_FRAME_MAX);
	put_header(f, &out, size, count);
	for (uint32_t type = 1; type <= count; type++) {
		wr_u32(&out, type);
		wr_u32(&out, snap_section_critical(f->kind, type) ? SNAP_CRITICAL : 0);
		wr_u64(&out, at);
		wr_u64(&out, f->length[type]);
		wr_u64(&out, f->checksum[type]);
		at = snap_align(at + f->length[type]);
	}
	checksum = snap_hash(dst + SNAP_HEADER_SIZE, (size_t)count * SNAP_SECTION_SIZE, snap_hash(dst, SNAP_HEADER_SIZE - 8, 0));
	snap_put_be32(dst + SNAP_HEADER_SIZE - 8, (uint32_t)(checksum >> 32));
	snap_put_be32(dst + SNAP_HEADER_SIZE - 4, (uint32_t)checksum);
	wr_align(&out, SNAP_ALIGN);
	e = wr_end(&out);
	if (e != CLUSTER_OK)
		return e;
	*ret_n = out.n;
	*ret_size = size;
	return CLUSTER_OK;
}
