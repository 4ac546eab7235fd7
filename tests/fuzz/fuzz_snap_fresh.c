/* SPDX-License-Identifier: Apache-2.0 */
/* `fresh` on arbitrary bytes: what is accepted is exactly what would be written for it. Bit 0 of the first byte makes the checksum true. */
#include "fuzz.h"

#include <string.h>

#include "cluster/snap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t copy[256], again[SNAP_FRESH_SIZE];
	struct snap_fresh f;
	uint64_t sum;

	if (n < 1 || n - 1 > sizeof copy)
		return 0;
	memcpy(copy, data + 1, n - 1);
	if (data[0] & 1 && n - 1 >= SNAP_FRESH_SIZE) {
		sum = __builtin_bswap64(snap_hash(copy, SNAP_FRESH_SIZE - 8, 0));
		memcpy(copy + SNAP_FRESH_SIZE - 8, &sum, sizeof sum);
	}
	if (snap_fresh_parse(copy, n - 1, &f) != CLUSTER_OK)
		return 0;
	FUZZ_CHECK(n - 1 == SNAP_FRESH_SIZE && f.generation && f.head_iat >= 0 && f.newest_iat >= f.head_iat);
	snap_fresh_build(&f, again);
	memcpy(copy + 10, again + 10, 2); /* a reader does not mind the minor version */
	memcpy(copy + SNAP_FRESH_SIZE - 8, again + SNAP_FRESH_SIZE - 8, 8);
	FUZZ_CHECK(memcmp(copy, again, sizeof again) == 0);
	return 0;
}
