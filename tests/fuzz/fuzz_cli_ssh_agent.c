/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "ssh_agent_msg.h"

/* An agent's answer, read as each of the three kinds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1); /* so that the sanitizer sees one byte too far */
	struct rd list, key, comment, signature;
	uint32_t count = 0;
	size_t bytes = 5;

	FUZZ_CHECK(exact);
	memcpy(exact, data, n);
	if (ssh_agent_msg_done(exact, n) == CLUSTER_OK)
		FUZZ_CHECK(exact[0] == 6);
	if (ssh_agent_msg_signature(exact, n, &signature) == CLUSTER_OK)
		FUZZ_CHECK(signature.n == n - 5 && signature.p == exact + 5 && signature.n <= SSH_AGENT_SIGNATURE_MAX);
	if (ssh_agent_msg_keys(exact, n, &list, &count) == CLUSTER_OK) {
		for (uint32_t i = 0; i < count; i++) {
			FUZZ_CHECK(ssh_agent_msg_next(&list, &key, &comment) == CLUSTER_OK);
			bytes += 8 + key.n + comment.n;
		}
		FUZZ_CHECK(count <= SSH_AGENT_KEYS_MAX && bytes == n && ssh_agent_msg_next(&list, &key, &comment) != CLUSTER_OK);
	}
	free(exact);
	return 0;
}
