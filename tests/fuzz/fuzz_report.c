/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/report.h"

/* A node's report of its sessions. What is accepted is built again as the same report. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct report *r = NULL, *again = NULL;
	char *text = NULL;

	if (report_parse((const char *)data, n, &r, NULL) != CLUSTER_OK)
		return 0;
	FUZZ_CHECK(r->n_opened <= REPORT_SESSIONS_MAX && r->n_closed <= REPORT_SESSIONS_MAX);
	FUZZ_CHECK(report_build(r, &text) == CLUSTER_OK);
	FUZZ_CHECK(report_parse(text, strlen(text), &again, NULL) == CLUSTER_OK);
	FUZZ_CHECK(again->full == r->full && again->n_opened == r->n_opened && again->n_closed == r->n_closed);
	for (size_t i = 0; i < r->n_opened; i++)
		FUZZ_CHECK(memcmp(&again->opened[i], &r->opened[i], sizeof r->opened[i]) == 0);
	free(text);
	report_free(again);
	report_free(r);
	return 0;
}
