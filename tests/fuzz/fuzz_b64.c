/* SPDX-License-Identifier: Apache-2.0 */
/* Requirement B6: what is accepted encodes back to itself. */
#include "fuzz.h"

#include <string.h>

#include "cluster/b64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t bytes[1024];
	char text[B64_LEN(sizeof bytes) + 1];
	size_t got = 0;

	if (b64_decode((const char *)data, n, bytes, sizeof bytes, &got) == CLUSTER_OK) {
		FUZZ_CHECK(b64_encode(bytes, got, text, sizeof text) == CLUSTER_OK);
		FUZZ_CHECK(strlen(text) == n && memcmp(text, data, n) == 0);
		FUZZ_CHECK(b64_decode_exact(text, n, bytes, got) == CLUSTER_OK);
	}
	if (n <= sizeof bytes && b64_encode(data, n, text, sizeof text) == CLUSTER_OK) {
		FUZZ_CHECK(b64_decode(text, strlen(text), bytes, sizeof bytes, &got) == CLUSTER_OK);
		FUZZ_CHECK(got == n && memcmp(bytes, data, n) == 0);
	}
	return 0;
}
