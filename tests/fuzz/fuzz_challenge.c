/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side: an answer as anybody could send it; and the hand-over's challenge. */
#include "fuzz.h"

#include <string.h>

#include "cluster/b64.h"
#include "cluster/challenge.h"

static void check_binary(const uint8_t *data, size_t n)
{
	uint8_t again[CHALLENGE_SIZE];
	char text[CHALLENGE_TEXT + 1], prompt[CHALLENGE_PROMPT_MAX + 1];
	struct challenge c, back;

	if (challenge_parse(data, n, &c) != CLUSTER_OK)
		return;
	challenge_build(&c, again);
	FUZZ_CHECK(n == sizeof again && memcmp(again, data, n) == 0);
	challenge_text(&c, text);
	FUZZ_CHECK(challenge_text_parse(text, strlen(text), &back) == CLUSTER_OK);
	challenge_prompt(&c, "node", prompt);
	FUZZ_CHECK(strlen(prompt) < CHALLENGE_PROMPT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data;
	uint8_t proof[CRYPTO_SIG_SIZE];
	char again[B64_LEN(CRYPTO_SIG_SIZE) + 1];
	struct challenge c;
	size_t credential_n;

	check_binary(data, n);
	if (challenge_text_parse(text, n, &c) == CLUSTER_OK) {
		char back[CHALLENGE_TEXT + 1];

		challenge_text(&c, back);
		FUZZ_CHECK(memcmp(back, text, n) == 0);
	}
	if (challenge_answer_parse(text, n, &credential_n, proof) == CLUSTER_OK) {
		FUZZ_CHECK(credential_n + 1 + sizeof again - 1 == n && text[credential_n] == '~' && !memchr(text, '~', credential_n));
		FUZZ_CHECK(b64_encode(proof, sizeof proof, again, sizeof again) == CLUSTER_OK && memcmp(again, text + credential_n + 1, sizeof again - 1) == 0);
	}
	return 0;
}
