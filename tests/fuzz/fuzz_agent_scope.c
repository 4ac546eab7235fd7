/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "scope.h"

/* What is taken for a session's scope ends as one, begins at the root and does not climb. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char path[SCOPE_MAX], *text = malloc(n + 1);

	FUZZ_CHECK(text != NULL);
	if (n > 0)
		memcpy(text, data, n);
	text[n] = '\0';
	if (scope_parse(text, path)) {
		size_t len = strlen(path);

		FUZZ_CHECK(len > 6 && len < SCOPE_MAX && path[0] == '/' && strcmp(path + len - 6, ".scope") == 0);
		FUZZ_CHECK(!strstr(path, "/../") && strncmp(strrchr(path, '/'), "/session-", 9) == 0);
	} else {
		FUZZ_CHECK(path[0] == '\0');
	}
	free(text);
	return 0;
}
