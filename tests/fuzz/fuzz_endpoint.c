/* SPDX-License-Identifier: Apache-2.0 */
/* PROTOCOL.md 7: what is taken for an endpoint is one when it is written again, and never more than that. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "cluster/endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char text[128], again[ENDPOINT_TEXT + 16];
	struct endpoint e, f;

	if (n >= sizeof text)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	if (endpoint_parse(text, &e) == CLUSTER_OK) {
		FUZZ_CHECK(endpoint_ok(text) && e.port != 0 && e.host[0] != '\0' && strpbrk(e.host, "/@[] \t\r\n") == NULL);
		snprintf(again, sizeof again, strchr(e.host, ':') ? "[%s]:%u" : "%s:%u", e.host, (unsigned int)e.port);
		FUZZ_CHECK(strcmp(again, text) == 0 && endpoint_parse(again, &f) == CLUSTER_OK && strcmp(e.host, f.host) == 0 && e.port == f.port);
	} else {
		FUZZ_CHECK(!endpoint_ok(text) && !endpoint_listen_ok(text));
	}
	if (endpoint_of_url(text, &e) == CLUSTER_OK)
		FUZZ_CHECK(strncmp(text, "https://", 8) == 0 && e.port != 0);
	return 0;
}
