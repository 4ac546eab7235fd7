/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_SNAP_LAYOUT_H
#define TRUST_SNAP_LAYOUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/snap_format.h"

/* How a snapshot is laid out (PROTOCOL.md 5.1): for snap_write.c, which makes one, and snap_merge.c, which makes one from another. */

struct snap_key {
	uint64_t hash;
	uint32_t offset; /* of the record, / 8 */
};

/* The index with these keys, put in in this order; with more buckets if too many meet in one place (CLUSTER_ELIMIT: they still do). The caller frees *ret with free(). */
enum cluster_err snap_index_build(uint32_t type, const struct snap_key *keys, size_t n, uint8_t **ret, size_t *ret_n) CLUSTER_MUST_USE;
/* The guard of bucket number i, written into its first bytes. */
void snap_bucket_seal(uint8_t *bucket, uint32_t type, uint64_t i);

/* What the section table says of each section: its length, and the checksum of a flat one. */
struct snap_frame {
	enum snap_kind kind;
	struct cluster_id cluster;
	uint64_t length[SNAP_SECTIONS_MAX], checksum[SNAP_SECTIONS_MAX]; /* by type */
};

#define SNAP_FRAME_MAX (SNAP_HEADER_SIZE + SNAP_SECTIONS_MAX * SNAP_SECTION_SIZE)

uint64_t snap_align(uint64_t n);
/* The header, the table and the gap behind it. *ret_n: where the first section begins; *ret_size: of the whole file. CLUSTER_ELIMIT: larger than a file may be. */
enum cluster_err snap_frame_build(const struct snap_frame *f, uint8_t dst[SNAP_FRAME_MAX], size_t *ret_n, uint64_t *ret_size) CLUSTER_MUST_USE;

static inline void snap_put_be32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof v);
}

#endif
