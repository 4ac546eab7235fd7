/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/json.h"
#include "cluster/refusal.h"
#include "cluster/refusals.h"

/* What a node tells of its refusals. What is accepted is built again as the same, and found by its id. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct refusal *list = NULL, *again = NULL, found;
	struct json *j = NULL, *built = NULL;
	struct refusals *kept = NULL;
	size_t count = 0, same = 0, at = 0;

	if (json_parse((const char *)data, n, REFUSAL_TEXT_MAX, &j, NULL) == CLUSTER_OK && refusal_batch_read(j, &list, &count, NULL) == CLUSTER_OK) {
		FUZZ_CHECK(count >= 1 && count <= REFUSAL_BATCH_MAX && refusals_new(REFUSAL_BATCH_MAX, REFUSAL_BATCH_MAX, &kept) == CLUSTER_OK);
		built = refusal_batch_json(list, count);
		FUZZ_CHECK(refusal_batch_read(built, &again, &same, NULL) == CLUSTER_OK && same == count && memcmp(list, again, count * sizeof *list) == 0);
		for (size_t i = 0; i < count; i++)
			FUZZ_CHECK(refusal_ok(&list[i]) && refusals_add(kept, &list[i], NULL) == CLUSTER_OK);
		FUZZ_CHECK(refusals_find(kept, list[0].id, &at, &found, NULL) && memcmp(&found, &list[0], sizeof found) == 0);
	}
	refusals_free(kept);
	json_free(built);
	json_free(j);
	free(again);
	free(list);
	return 0;
}
