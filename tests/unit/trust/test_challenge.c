/* SPDX-License-Identifier: Apache-2.0 */
/* Challenge, prompt and answer: the server's side and the helper's. THREATS.md C1, C3, C6, C7, C8, G2. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "world.h"

#include "cluster/b64.h"

#define NOW INT64_C(1800000000)

static struct world w;

static int setup(void **state)
{
	(void)state;
	world_init(&w, NOW);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_done(&w);
	return 0;
}

static void test_round_trip(void **state)
{
	struct challenge c = world_challenge(&w, "sshd", "emr-user"), back;
	uint8_t bytes[CHALLENGE_SIZE];
	char text[CHALLENGE_TEXT + 1];

	(void)state;
	challenge_build(&c, bytes);
	assert_int_equal(bytes[0], 1);
	assert_memory_equal(bytes + 1, c.cluster.b, 16);
	assert_memory_equal(bytes + 65, c.nonce, 32);
	assert_memory_equal(bytes + 105, "sshd\0", 5);
	assert_memory_equal(bytes + 137, "emr-user\0", 9);
	assert_ok(challenge_parse(bytes, sizeof bytes, &back));
	assert_int_equal(back.time, NOW);
	assert_string_equal(back.account, "emr-user");
	assert_string_equal(back.service, "sshd");
	challenge_text(&c, text);
	assert_int_equal(strlen(text), CHALLENGE_TEXT);
	assert_ok(challenge_text_parse(text, CHALLENGE_TEXT, &back));
	assert_memory_equal(back.nonce, c.nonce, sizeof c.nonce);
	assert_err(challenge_text_parse(text, CHALLENGE_TEXT - 1, &back), CLUSTER_EFORMAT);
	text[0] = 'c';
	assert_err(challenge_text_parse(text, CHALLENGE_TEXT, &back), CLUSTER_EFORMAT);
}

static void test_names_full_and_foreign(void **state)
{
	struct challenge c = world_challenge(&w, "sshd", "a23456789012345678901234567890xy"), back;
	uint8_t bytes[CHALLENGE_SIZE];
	char *longest = malloc(120001);

	(void)state;
	assert_int_equal(strlen(c.account), 32);
	challenge_build(&c, bytes);
	assert_ok(challenge_parse(bytes, sizeof bytes, &back));
	assert_string_equal(back.account, c.account);
	memset(longest, 'a', 120000);
	longest[120000] = '\0';
	challenge_names(&c, longest, longest);
	assert_string_equal(c.account, "");
	assert_string_equal(c.service, "");
	challenge_names(&c, "x\n", "Root");
	assert_string_equal(c.account, "");
	assert_string_equal(c.service, "");
	free(longest);
}

static void test_parse_refuses(void **state)
{
	struct challenge c = world_challenge(&w, "sshd", "emr-user"), back;
	uint8_t good[CHALLENGE_SIZE], bytes[CHALLENGE_SIZE + 1] = { 0 };

	(void)state;
	challenge_build(&c, good);
	memcpy(bytes, good, sizeof good);
	assert_err(challenge_parse(bytes, sizeof good - 1, &back), CLUSTER_EFORMAT);
	assert_err(challenge_parse(bytes, sizeof good + 1, &back), CLUSTER_EFORMAT);
	bytes[0] = 2;
	assert_err(challenge_parse(bytes, sizeof good, &back), CLUSTER_EVERSION);
	memcpy(bytes, good, sizeof good);
	bytes[105 + 31] = 'x'; /* after the padding began */
	assert_err(challenge_parse(bytes, sizeof good, &back), CLUSTER_EFORMAT);
	memcpy(bytes, good, sizeof good);
	bytes[137] = 'E';
	assert_err(challenge_parse(bytes, sizeof good, &back), CLUSTER_EFORMAT);
	memcpy(bytes, good, sizeof good);
	bytes[97] = 0x80; /* time */
	assert_err(challenge_parse(bytes, sizeof good, &back), CLUSTER_EFORMAT);
}

static void test_prompt_fits(void **state)
{
	struct challenge c = world_challenge(&w, "sshd", "a23456789012345678901234567890xy");
	char prompt[CHALLENGE_PROMPT_MAX + 1], node[200];

	(void)state;
	memset(node, 'n', sizeof node);
	node[sizeof node - 1] = '\0';
	challenge_prompt(&c, node, prompt);
	assert_true(strlen(prompt) < CHALLENGE_PROMPT_MAX);
	assert_string_equal(prompt + strlen(prompt) - strlen(CHALLENGE_PROMPT_END), CHALLENGE_PROMPT_END);
	challenge_names(&c, "sshd", "?bad");
	challenge_prompt(&c, "n1", prompt);
	assert_memory_equal(prompt, "Cluster login to n1 as ?.\nCL1:", 30);
}

/* ---- the helper's side ---- */

static enum cluster_err view(const char *before, const char *middle, const char *after, struct challenge_prompt_view *v)
{
	struct challenge c = world_challenge(&w, "sshd", "emr-user");
	char text[CHALLENGE_TEXT + 1], prompt[4096];

	challenge_text(&c, text);
	snprintf(prompt, sizeof prompt, "%s%s%s%s", before, text, middle, after);
	return challenge_prompt_parse(prompt, strlen(prompt), v);
}

#define FIRST "(emr-user@master-1-1) Cluster login to master-1-1 as emr-user.\n"

static void test_prompt_view(void **state)
{
	struct challenge_prompt_view v;

	(void)state;
	assert_ok(view(FIRST, "\n", CHALLENGE_PROMPT_END, &v));
	assert_string_equal(v.user, "emr-user");
	assert_string_equal(v.host, "master-1-1");
	assert_string_equal(v.challenge.account, "emr-user");
	/* an older server glues its messages in front */
	assert_ok(view("(emr-user@2001:db8::1) Welcome to the cl\xc3\xbcster.\n\nCluster login to x as y.\n", "\n", CHALLENGE_PROMPT_END, &v));
	assert_string_equal(v.host, "2001:db8::1");
}

/* C7: what is not exactly one challenge in its place, and the local ssh's own prefix before it, is not answered. */
static void test_prompt_refused(void **state)
{
	static const struct {
		const char *before, *middle, *after;
	} rows[] = {
		{ "", "\n", CHALLENGE_PROMPT_END },                                                /* no prefix: ssh before 8.5, or another program */
		{ "Cluster login to a as b.\n", "\n", CHALLENGE_PROMPT_END },
		{ "(emr-user@) x\n", "\n", CHALLENGE_PROMPT_END },
		{ "(@host) x\n", "\n", CHALLENGE_PROMPT_END },
		{ "(emr-user@host)x\n", "\n", CHALLENGE_PROMPT_END },
		{ "(emr-user@ho st) x\n", "\n", CHALLENGE_PROMPT_END },
		{ "(emr-user@host\n) x\n", "\n", CHALLENGE_PROMPT_END },
		{ "(Emr-user@host) x\n", "\n", CHALLENGE_PROMPT_END },
		{ "(emr user@host) x\n", "\n", CHALLENGE_PROMPT_END },
		{ "(emr-user-with-a-name-that-is-too-long@host) x\n", "\n", CHALLENGE_PROMPT_END },
		{ " (emr-user@host) x\n", "\n", CHALLENGE_PROMPT_END },
		{ "(emr-user@host) ", "\n", CHALLENGE_PROMPT_END },                                 /* not at the start of a line */
		{ FIRST " ", "\n", CHALLENGE_PROMPT_END },
		{ FIRST "CL1:x\n", "\n", CHALLENGE_PROMPT_END },                                    /* two challenge lines */
		{ FIRST, "x\n", CHALLENGE_PROMPT_END },                                             /* trailing bytes */
		{ FIRST, " \n", CHALLENGE_PROMPT_END },
		{ FIRST, "\r\n", CHALLENGE_PROMPT_END },
		{ FIRST "a\tb\n", "\n", CHALLENGE_PROMPT_END },
		{ FIRST "\033[2J\n", "\n", CHALLENGE_PROMPT_END },
		{ FIRST, "\n\n", CHALLENGE_PROMPT_END },                                            /* not the last but one */
		{ FIRST, "\nPlease.\n", CHALLENGE_PROMPT_END },
		{ FIRST, "\n", "Password: " },
		{ FIRST, "\n", CHALLENGE_PROMPT_END " " },
		{ FIRST, "\n", "Your " CHALLENGE_PROMPT_END },
		{ FIRST, "\n", CHALLENGE_PROMPT_END "\nCL1:" },
		{ FIRST, "", "" },
	};
	struct challenge_prompt_view v;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (view(rows[i].before, rows[i].middle, rows[i].after, &v) != CLUSTER_EFORMAT)
			fail_msg("row %zu was accepted", i);
}

/* C6: with SSH_ASKPASS_REQUIRE=force every prompt of ssh comes to the helper. None of them is ours. */
static void test_foreign_prompts(void **state)
{
	static const char *const prompts[] = {
		"", "\n", "(a@b) ", "Password: ", "(emr-user@host) Password: ", "(emr-user@host) emr-user@host's password: ", "Enter passphrase for key '/home/a/.ssh/id_ed25519': ",
		"Enter PIN for ED25519-SK key /home/a/.ssh/id: ", "Confirm user presence for key ED25519-SK SHA256:abc",
		"The authenticity of host 'x (192.0.2.1)' can't be established.\nED25519 key fingerprint is SHA256:abc.\nAre you sure you want to continue connecting (yes/no/[fingerprint])? ",
		"Please type 'yes', 'no' or the fingerprint: ", "Allow use of key x?\nKey fingerprint SHA256:abc.", "Add key x (y) to agent?", "(emr-user@host) Verification code: ",
		"(emr-user@host) One-time password (OATH) for `a': ", "(emr-user@host) " CHALLENGE_PROMPT_END, "(emr-user@host) \n" CHALLENGE_PROMPT_END,
		"(emr-user@host) x\nCL1:\n" CHALLENGE_PROMPT_END, "(emr-user@host) x\nCL1:AAAA\n" CHALLENGE_PROMPT_END, "CL1:", CHALLENGE_PROMPT_END,
		"[sudo] password for a: ", "Enter your current password: ", "New password: ", "(emr-user@host) x\nCL2:AAAA\n" CHALLENGE_PROMPT_END,
	};
	struct challenge_prompt_view v;

	(void)state;
	for (size_t i = 0; i < sizeof prompts / sizeof prompts[0]; i++)
		assert_err(challenge_prompt_parse(prompts[i], strlen(prompts[i]), &v), CLUSTER_EFORMAT);
	assert_err(challenge_prompt_parse("(emr-user@host) x\n\0y", 20, &v), CLUSTER_EFORMAT);
}

/* ---- answers ---- */

static void test_answer(void **state)
{
	struct credential cred = world_credential(&w, WORLD_ALICE);
	struct challenge c = world_challenge(&w, "sshd", "emr-user"), other;
	char *token = world_token(&w, &cred, NULL), answer[CHALLENGE_ANSWER_MAX + 1], small[200];
	uint8_t proof[CRYPTO_SIG_SIZE];
	size_t n = 0;

	(void)state;
	world_answer(&w, token, &c, NULL, answer);
	assert_true(strlen(answer) <= CHALLENGE_ANSWER_MAX && strlen(answer) < 1022);
	assert_ok(challenge_answer_parse(answer, strlen(answer), &n, proof));
	assert_int_equal(n, strlen(token));
	assert_ok(challenge_proof_verify(answer, n, &cred.cnf, &c, proof));
	/* C1: another nonce, node, account, service, time: the proof is of this challenge only */
	other = c;
	other.nonce[31] ^= 1;
	assert_err(challenge_proof_verify(answer, n, &cred.cnf, &other, proof), CLUSTER_ESIGNATURE);
	other = c;
	other.node.b[0] ^= 1;
	assert_err(challenge_proof_verify(answer, n, &cred.cnf, &other, proof), CLUSTER_ESIGNATURE);
	other = c;
	other.hostkey_hash[0] ^= 1;
	assert_err(challenge_proof_verify(answer, n, &cred.cnf, &other, proof), CLUSTER_ESIGNATURE);
	other = c;
	challenge_names(&other, "sshd", "alice");
	assert_err(challenge_proof_verify(answer, n, &cred.cnf, &other, proof), CLUSTER_ESIGNATURE);
	other = c;
	other.time++;
	assert_err(challenge_proof_verify(answer, n, &cred.cnf, &other, proof), CLUSTER_ESIGNATURE);
	/* and of this credential */
	answer[0] ^= 1;
	assert_err(challenge_proof_verify(answer, n, &cred.cnf, &c, proof), CLUSTER_ESIGNATURE);
	assert_err(challenge_answer_build(token, w.cnf, &c, small, sizeof small), CLUSTER_ELIMIT);
	free(token);
}

/* C3: what is signed, byte for byte. */
static void test_transcript(void **state)
{
	struct challenge c = world_challenge(&w, "sshd", "emr-user");
	uint8_t bytes[CHALLENGE_SIZE], signed_bytes[23 + 32 + 4 + CHALLENGE_SIZE], proof[CRYPTO_SIG_SIZE];
	struct crypto_pub pub;

	(void)state;
	challenge_build(&c, bytes);
	memcpy(signed_bytes, "cluster-login proof v1", 23);
	assert_ok(crypto_sha256("a.b.c", 5, signed_bytes + 23));
	memcpy(signed_bytes + 55, "\0\0\0\xa9", 4);
	memcpy(signed_bytes + 59, bytes, sizeof bytes);
	assert_ok(crypto_key_pub(w.cnf, &pub));
	assert_ok(crypto_sign(w.cnf, signed_bytes, sizeof signed_bytes, proof));
	assert_ok(challenge_proof_verify("a.b.c", 5, &pub, &c, proof));
	/* the bare nonce, the challenge alone: a signature over them is no proof */
	assert_ok(crypto_sign(w.cnf, bytes, sizeof bytes, proof));
	assert_err(challenge_proof_verify("a.b.c", 5, &pub, &c, proof), CLUSTER_ESIGNATURE);
}

/* C8: cut anywhere, or with anything added, it is not an answer any more, or its proof does not hold. G2: any bytes of any length. */
static void test_answer_cut_and_junk(void **state)
{
	struct credential cred = world_credential(&w, WORLD_ALICE);
	struct challenge c = world_challenge(&w, "sshd", "emr-user");
	char *token = world_token(&w, &cred, NULL), answer[CHALLENGE_ANSWER_MAX + 1], *huge = malloc(262144);
	uint8_t proof[CRYPTO_SIG_SIZE];
	size_t n = 0, whole;

	(void)state;
	world_answer(&w, token, &c, NULL, answer);
	whole = strlen(answer);
	for (size_t cut = 0; cut < whole; cut++)
		assert_true(challenge_answer_parse(answer, cut, &n, proof) != CLUSTER_OK);
	for (size_t i = 0; i < 262144; i++)
		huge[i] = "\b\n\r\177INCORRECT"[i % 13];
	for (size_t size = 0; size < 2000; size++)
		assert_true(challenge_answer_parse(huge, size, &n, proof) != CLUSTER_OK);
	assert_err(challenge_answer_parse(huge, 262144, &n, proof), CLUSTER_ELIMIT);
	memset(huge, 'A', 262144);
	huge[CREDENTIAL_SIZE_MAX + 1] = '~';
	assert_err(challenge_answer_parse(huge, CREDENTIAL_SIZE_MAX + 1 + 87, &n, proof), CLUSTER_ELIMIT);
	answer[10] = '~';
	assert_err(challenge_answer_parse(answer, whole, &n, proof), CLUSTER_EFORMAT);
	answer[10] = '\n';
	assert_err(challenge_answer_parse(answer, whole, &n, proof), CLUSTER_EFORMAT);
	answer[10] = 'A';
	answer[whole - 87] = '.';
	assert_err(challenge_answer_parse(answer, whole, &n, proof), CLUSTER_EFORMAT);
	free(huge);
	free(token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_names_full_and_foreign),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_prompt_fits),
		cmocka_unit_test(test_prompt_view),
		cmocka_unit_test(test_prompt_refused),
		cmocka_unit_test(test_foreign_prompts),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_transcript),
		cmocka_unit_test(test_answer_cut_and_junk),
	};

	return cmocka_run_group_tests_name("challenge", tests, setup, teardown);
}
