/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>
#include <strings.h>

#include "head.h"
#include "routes.h"

/* The head of a request. What is accepted can be read in one way only: lines end with CR LF, and no field frames the body but one Content-Length. */

static void check_lines(const char *text, size_t n)
{
	unsigned lengths = 0, hosts = 0, lines = 0;

	for (const char *at = text, *end = text + n; at < end; lines++) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		FUZZ_CHECK(lf && lf > at && lf[-1] == '\r' && !memchr(at, '\0', (size_t)(lf - at)) && memchr(at, '\r', (size_t)(lf - at)) == lf - 1);
		FUZZ_CHECK(*at != ' ' && *at != '\t');
		FUZZ_CHECK(lf - at == 1 ? lf + 1 == end : 1);
		lengths += strncasecmp(at, "content-length:", 15) == 0;
		hosts += strncasecmp(at, "host:", 5) == 0;
		FUZZ_CHECK(strncasecmp(at, "transfer-encoding:", 18) != 0 && strncasecmp(at, "upgrade:", 8) != 0 && strncasecmp(at, "expect:", 7) != 0);
		at = lf + 1;
	}
	FUZZ_CHECK(lengths <= 1 && hosts == 1 && lines <= HEAD_FIELDS_MAX + 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const names[] = { "after", "wait" };
	uint64_t after = 0, wait = 0, *const values[] = { &after, &wait };
	struct head h;
	char *text = malloc(n + 1);

	FUZZ_CHECK(text != NULL);
	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	if (head_parse(text, n, &h, NULL) == CLUSTER_OK) {
		check_lines((const char *)data, n);
		FUZZ_CHECK(h.target[0] == '/' && strlen(h.target) <= HEAD_TARGET_MAX && h.path_n <= strlen(h.target) && h.body_n <= HEAD_BODY_MAX);
		FUZZ_CHECK(h.method == HEAD_POST || h.body_n == 0);
		(void)routes_find(h.method, h.target, h.path_n);
		if (head_query(h.query, names, values, 2, NULL) == CLUSTER_OK)
			FUZZ_CHECK(after <= UINT64_C(1) << 53 && wait <= UINT64_C(1) << 53);
	}
	free(text);
	return 0;
}
