/* SPDX-License-Identifier: Apache-2.0 */
/* The helper's side: a prompt as any server, and every other question of ssh, could put it. */
#include "fuzz.h"

#include <string.h>

#include "cluster/challenge.h"

static size_t count(const uint8_t *data, size_t n, const char *word)
{
	size_t found = 0;

	for (const uint8_t *p = data; (p = memmem(p, n - (size_t)(p - data), word, strlen(word))); p++)
		found++;
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct challenge_prompt_view v;
	char text[CHALLENGE_TEXT + 1];

	if (challenge_prompt_parse((const char *)data, n, &v) != CLUSTER_OK)
		return 0;
	FUZZ_CHECK(data[0] == '(' && name_account_ok(v.user) && v.host[0] != '\0' && !strpbrk(v.host, " \n()@"));
	FUZZ_CHECK(count(data, n, "\nCL1:") == 1);
	FUZZ_CHECK(n > strlen(CHALLENGE_PROMPT_END) && memcmp(data + n - strlen(CHALLENGE_PROMPT_END), CHALLENGE_PROMPT_END, strlen(CHALLENGE_PROMPT_END)) == 0);
	FUZZ_CHECK(!memchr(data, '\r', n) && !memchr(data, '\t', n) && !memchr(data, '\0', n) && !memchr(data, '\033', n));
	challenge_text(&v.challenge, text);
	FUZZ_CHECK(count(data, n, text) == 1);
	return 0;
}
