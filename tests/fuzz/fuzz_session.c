/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "cluster/session.h"

#define MINOR_AT 11

/* What is accepted is built again byte for byte, but for the version before, which becomes this one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t bytes[SESSION_SIZE_MAX];
	struct session s;
	size_t again;

	if (session_parse(data, n, &s) != CLUSTER_OK)
		return 0;
	FUZZ_CHECK(s.pid > 1);
	FUZZ_CHECK(session_build(&s, bytes, &again) == CLUSTER_OK && again == n);
	FUZZ_CHECK(data[MINOR_AT] == bytes[MINOR_AT] || (data[MINOR_AT] == 2 && s.hops <= 1));
	bytes[MINOR_AT] = data[MINOR_AT];
	FUZZ_CHECK(memcmp(bytes, data, n) == 0);
	return 0;
}
