/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any gids into a list of any size: those of the window in rising order, none but `primary` left out, none beyond the limit, or refused and the list as it
 * was. Input: u8 size of the list, u8 limit (0: none), u8 which is primary, then the gids.
 */
#include "fuzz.h"

#include <string.h>

#include "cluster/name.h"
#include "nss_pack.h"

static bool good(const uint8_t *gids, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!name_id_ok(snap_be32(gids + 4 * (size_t)i)) || (i && snap_be32(gids + 4 * (size_t)i) <= snap_be32(gids + 4 * (size_t)i - 4)))
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	long start, size, limit, had;
	uint32_t count, next = 0;
	gid_t *groups, primary;
	struct nss_gids list = { .start = &start, .size = &size, .groups = &groups };
	const uint8_t *gids;

	if (n < 3)
		return 0;
	gids = data + 3;
	count = (uint32_t)(n - 3) / 4;
	start = 1;
	size = 1 + data[0];
	limit = data[1] ? data[1] : -1;
	list.limit = limit;
	primary = count ? snap_be32(gids + 4 * (size_t)(data[2] % count)) : 0;
	groups = malloc((size_t)size * sizeof *groups);
	FUZZ_CHECK(groups != NULL);
	groups[0] = primary;
	had = size;
	if (nss_pack_gids(gids, count, primary, &list) != CLUSTER_OK) {
		FUZZ_CHECK(!good(gids, count) && start == 1 && groups[0] == primary);
		free(groups);
		return 0;
	}
	FUZZ_CHECK(good(gids, count) && start <= size && size >= had && (limit <= 0 || size <= (had > limit ? had : limit)));
	for (long i = 1; i < start; i++) {
		while (snap_be32(gids + 4 * (size_t)next) == primary)
			next++;
		FUZZ_CHECK(groups[i] == snap_be32(gids + 4 * (size_t)next++));
	}
	FUZZ_CHECK(start == size || next + 1 >= count);
	free(groups);
	return 0;
}
