/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "cluster/agent_msg.h"

/* Both directions; what is accepted is built again byte for byte. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t bytes[AGENT_MSG_MAX];
	struct agent_msg_request q;
	struct agent_msg_answer a;
	size_t again;

	if (agent_msg_request_parse(data, n, &q) == CLUSTER_OK)
		FUZZ_CHECK(agent_msg_request_build(&q, bytes, &again) == CLUSTER_OK && again == n && memcmp(bytes, data, n) == 0);
	if (agent_msg_answer_parse(data, n, &a) == CLUSTER_OK)
		FUZZ_CHECK(agent_msg_answer_build(&a, bytes, &again) == CLUSTER_OK && again == n && memcmp(bytes, data, n) == 0);
	return 0;
}
