/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SNAP_VECTOR_H
#define TESTS_SNAP_VECTOR_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/snap.h"

/* For tests of snapshots: the golden file, and how to damage one so that only the reader's own checks stand in the way. */

#define SNAP_VECTOR_FILE "tests/vectors/accounts.snap.hex"
#define SNAP_VECTOR_OLD_FILE "tests/vectors/accounts-1.0.snap.hex" /* of major version 1 */
#define SNAP_VECTOR_MAX 8192
#define SNAP_VECTOR_SECTIONS SNAP_A_ADDRESS_BY_BYTES
#define SNAP_VECTOR_TABLE_END (64 + 32 * SNAP_VECTOR_SECTIONS) /* whole lines of 64 bytes: the first section follows at once */

/* The bytes of a file of hexadecimal digits; other characters are skipped. Ends the program if there is none. */
static inline size_t snap_vector_read(const char *path, uint8_t *dst, size_t size)
{
	FILE *f = fopen(path, "re");
	int c, high = -1;
	size_t n = 0;

	if (!f) {
		perror(path);
		exit(1);
	}
	while ((c = getc(f)) != EOF) {
		const char *at = c ? strchr("0123456789abcdef", c) : NULL;
		int digit = at ? (int)(at - "0123456789abcdef") : -1;

		if (digit < 0)
			continue;
		if (high < 0) {
			high = digit;
			continue;
		}
		if (n == size)
			abort();
		dst[n++] = (uint8_t)(high << 4 | digit);
		high = -1;
	}
	fclose(f);
	return n;
}

static inline void snap_put32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof v);
}

static inline void snap_put64(uint8_t *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, sizeof v);
}

static inline uint8_t *snap_entry(uint8_t *file, uint32_t type)
{
	for (uint32_t i = 0; i < snap_be32(file + 40); i++)
		if (snap_be32(file + 64 + 32 * (size_t)i) == type)
			return file + 64 + 32 * (size_t)i;
	abort();
}

static inline uint8_t *snap_bytes_of(uint8_t *file, uint32_t type)
{
	return file + snap_be64(snap_entry(file, type) + 8);
}

/* Makes the header's checksum true again. */
static inline void snap_reseal_header(uint8_t *file)
{
	snap_put64(file + 56, snap_hash(file + 64, 32 * (size_t)snap_be32(file + 40), snap_hash(file, 56, 0)));
}

/* The golden file without its sections 9 to 12, at `dst`; the size. */
static inline size_t snap_without_nodes(uint8_t *golden, uint8_t *dst)
{
	const size_t table = 64 + 32 * SNAP_A_CRITICAL_MAX, cut = SNAP_VECTOR_TABLE_END - table, n = snap_be64(snap_entry(golden, SNAP_A_HOSTS) + 8) - cut;

	memcpy(dst, golden, table);
	memcpy(dst + table, golden + SNAP_VECTOR_TABLE_END, n - table);
	snap_put64(dst + 16, n);
	snap_put32(dst + 40, SNAP_A_CRITICAL_MAX);
	for (uint32_t type = 1; type <= SNAP_A_CRITICAL_MAX; type++)
		snap_put64(snap_entry(dst, type) + 8, snap_be64(snap_entry(golden, type) + 8) - cut);
	snap_reseal_header(dst);
	return n;
}

/* Makes the guard of the record at `record` true again. */
static inline void snap_reseal_record(uint8_t *record, uint32_t type)
{
	uint32_t n = snap_be32(record);

	snap_put32(record + 4, snap_record_guard(record + 8, n, type));
}

/* Makes the guard of bucket `number` true again. */
static inline void snap_reseal_bucket(uint8_t *bucket, uint32_t type, uint32_t number)
{
	snap_put32(bucket, (uint32_t)snap_hash(bucket + 4, 60, snap_seed(type, number)));
}

#endif
