/* SPDX-License-Identifier: Apache-2.0 */
/* THREATS.md C2, C6, C7, C8: the helper answers the cluster's challenge for the node that ssh dialled, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>

#include "askpass.h"
#include "home.h"

static struct home home;

static int start(void **state)
{
	(void)state;
	unsetenv("SSH_ASKPASS_PROMPT");
	home_make(&home);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	home_done(&home);
	return 0;
}

/* The helper in a process of its own: its exit status, and what it wrote. */
static int ask(const char *prompt, const char *hint, char *dst, size_t size, size_t *ret_n)
{
	char *argv[] = { (char *)"/usr/libexec/cluster-login/askpass", (char *)prompt, NULL };
	int fd[2], status, null;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		null = open("/dev/null", O_WRONLY);
		if (hint != NULL)
			setenv("SSH_ASKPASS_PROMPT", hint, 1);
		dup2(fd[1], 1);
		dup2(null, 2);
		close(fd[0]);
		_exit(askpass_run(prompt != NULL ? 2 : 1, argv));
	}
	close(fd[1]);
	/* One write: as ssh does it, one read has to be enough. */
	n = read(fd[0], dst, size - 1);
	assert_true(n >= 0);
	dst[n] = '\0';
	*ret_n = (size_t)n;
	assert_int_equal(read(fd[0], &null, 1), 0);
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect_silence_hint(const char *prompt, const char *hint)
{
	char text[2000];
	size_t n;

	if (ask(prompt, hint, text, sizeof text, &n) != 1 || n != 0)
		fail_msg("answered: %s", prompt);
}

static void expect_silence(const char *prompt)
{
	expect_silence_hint(prompt, NULL);
}

static struct challenge good_challenge(void)
{
	struct challenge c = { .cluster = home.p.cluster, .node = trustgen_id("master-1-1"), .time = time(NULL) };
	struct directory *dir = trustgen_directory_read(home.g, home.directory);
	const struct directory_node *node = directory_node_by_id(dir, &c.node);

	assert_non_null(node);
	memcpy(c.hostkey_hash, node->hostkey_hash, sizeof c.hostkey_hash);
	memset(c.nonce, 0x5a, sizeof c.nonce);
	directory_free(dir);
	challenge_names(&c, "sshd", "emr-user");
	return c;
}

static const char *prompt_of(const struct challenge *c, const char *prefix)
{
	char prompt[CHALLENGE_PROMPT_MAX + 1];

	challenge_prompt(c, "master-1-1", prompt);
	return trustgen_format(home.g, "%s%s", prefix, prompt);
}

#define PREFIX "(emr-user@master-1-1) "

static void test_answers(void **state)
{
	static const char *const prefixes[] = { PREFIX, "(emr-user@10.0.0.1) ", PREFIX "a banner\nof two lines\n" };
	struct challenge c = good_challenge();
	char text[2000];
	uint8_t proof[CRYPTO_SIG_SIZE];
	struct crypto_pub pub;
	size_t i, n, credential_n;

	(void)state;
	assert_int_equal(crypto_key_pub(home.cnf, &pub), CLUSTER_OK);
	for (i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
		assert_int_equal(ask(prompt_of(&c, prefixes[i]), NULL, text, sizeof text, &n), 0);
		assert_true(n > 1 && n <= CHALLENGE_ANSWER_MAX + 1); /* C8 */
		assert_int_equal(text[n - 1], '\n');
		assert_null(memchr(text, '\n', n - 1));
		assert_int_equal(challenge_answer_parse(text, n - 1, &credential_n, proof), CLUSTER_OK);
		assert_int_equal(challenge_proof_verify(text, credential_n, &pub, &c, proof), CLUSTER_OK);
	}
}

/* C2: every field that does not fit what the local ssh says. */
static void test_mismatches(void **state)
{
	struct challenge c = good_challenge();

	(void)state;
	expect_silence(prompt_of(&c, "(emr-user@core-1-1) "));
	expect_silence(prompt_of(&c, "(emr-user@10.0.0.2) "));
	expect_silence(prompt_of(&c, "(emr-user@unknown) "));
	expect_silence(prompt_of(&c, "(ecs-user@master-1-1) "));
	expect_silence(prompt_of(&c, "(root@master-1-1) "));
	expect_silence(prompt_of(&c, ""));
	c.node = trustgen_id("core-1-1");
	expect_silence(prompt_of(&c, PREFIX));
	c = good_challenge();
	c.hostkey_hash[31] ^= 1;
	expect_silence(prompt_of(&c, PREFIX));
	c = good_challenge();
	c.cluster.b[0] ^= 1;
	expect_silence(prompt_of(&c, PREFIX));
	c = good_challenge();
	challenge_names(&c, "login", "emr-user");
	expect_silence(prompt_of(&c, PREFIX));
	challenge_names(&c, "sshd", "no such/name");
	expect_silence(prompt_of(&c, PREFIX));
	c = good_challenge();
	c.time -= CHALLENGE_AGE_MAX + 10;
	expect_silence(prompt_of(&c, PREFIX));
	c.time += 2 * (CHALLENGE_AGE_MAX + 10);
	expect_silence(prompt_of(&c, PREFIX));
}

/* C6: with a hint ssh wants a human, whatever the text. */
static void test_hints(void **state)
{
	struct challenge c = good_challenge();

	(void)state;
	expect_silence_hint(prompt_of(&c, PREFIX), "confirm");
	expect_silence_hint(prompt_of(&c, PREFIX), "none");
	expect_silence_hint(prompt_of(&c, PREFIX), "");
	expect_silence(NULL);
}

/* C7 */
static void test_injections(void **state)
{
	struct challenge c = good_challenge(), other = good_challenge();
	char line[CHALLENGE_TEXT + 1], line2[CHALLENGE_TEXT + 1];

	(void)state;
	other.nonce[0] ^= 1;
	challenge_text(&c, line);
	challenge_text(&other, line2);
	expect_silence(trustgen_format(home.g, PREFIX "x\n%s\n%s\n" CHALLENGE_PROMPT_END, line2, line));
	expect_silence(trustgen_format(home.g, PREFIX "x\n%s\n%s\n" CHALLENGE_PROMPT_END, line, line));
	expect_silence(trustgen_format(home.g, PREFIX "x\n%s\r\n" CHALLENGE_PROMPT_END, line));
	expect_silence(trustgen_format(home.g, PREFIX "x\n\t%s\n" CHALLENGE_PROMPT_END, line));
	expect_silence(trustgen_format(home.g, PREFIX "x\n %s\n" CHALLENGE_PROMPT_END, line));
	expect_silence(trustgen_format(home.g, PREFIX "x\n%s \n" CHALLENGE_PROMPT_END, line));
	expect_silence(trustgen_format(home.g, PREFIX "x\n%s\ny\n" CHALLENGE_PROMPT_END, line));
	expect_silence(trustgen_format(home.g, PREFIX "x\n%s\n" CHALLENGE_PROMPT_END "\n", line));
	expect_silence(trustgen_format(home.g, PREFIX "x\n%s\n" CHALLENGE_PROMPT_END CHALLENGE_PROMPT_END, line));
	expect_silence(trustgen_format(home.g, PREFIX "x\n%s\nPassword: ", line));
	expect_silence(trustgen_format(home.g, PREFIX "x\n%s", line));
	expect_silence(trustgen_format(home.g, PREFIX "x\n%.*s\n" CHALLENGE_PROMPT_END, CHALLENGE_TEXT - 1, line));
	expect_silence(trustgen_format(home.g, "evil\n" PREFIX "x\n%s\n" CHALLENGE_PROMPT_END, line));
	expect_silence(trustgen_format(home.g, "\n" PREFIX "x\n%s\n" CHALLENGE_PROMPT_END, line));
}

/* C6: what OpenSSH and others ask through the same door. */
static void test_foreign_prompts(void **state)
{
	static const char *const prompts[] = {
		"", " ", "\n", "Password:", "password: ", "Password for alice: ", "(alice@host) Password: ", PREFIX "Password: ", PREFIX,
		"alice@master-1-1's password: ", "root@10.0.0.1's password: ",
		"The authenticity of host 'master-1-1 (10.0.0.1)' can't be established.\nED25519 key fingerprint is SHA256:abc.\nAre you sure you want to continue connecting (yes/no/[fingerprint])? ",
		"Please type 'yes', 'no' or the fingerprint: ", "Are you sure you want to continue connecting (yes/no)? ",
		"Enter passphrase for key '/home/alice/.ssh/id_ed25519': ", "Enter passphrase for /home/alice/.ssh/id_rsa: ", "Enter passphrase (empty for no passphrase): ", "Enter same passphrase again: ",
		"Bad passphrase, try again for /home/alice/.ssh/id_rsa: ", "Enter PIN for ED25519-SK key /home/alice/.ssh/id_ed25519_sk: ", "Enter PIN for authenticator: ", "Enter PIN for 'token': ",
		"Confirm user presence for key ED25519-SK SHA256:abc", "Allow use of key /home/alice/.ssh/id_rsa?\nKey fingerprint SHA256:abc.", "Allow forwarding of agent?", "Add key to agent?",
		PREFIX "Verification code: ", PREFIX "One-time password (OATH) for `alice': ", PREFIX "Duo two-factor login for alice\n\nEnter a passcode or select one of the following options:\n",
		PREFIX "YubiKey for `alice': ", PREFIX "OTP: ", PREFIX "Challenge 123456 response: ", PREFIX "New password: ", PREFIX "Retype new password: ", PREFIX "Current password: ",
		PREFIX "(current) UNIX password: ", PREFIX "Password expired. Change your password now.\nCurrent password: ", "[sudo] password for alice: ", "Username for 'https://git.example': ",
		"Password for 'https://alice@git.example': ", "Enter your OpenVPN password:", "Cluster credential (password): ", PREFIX "Cluster credential (password): ",
		PREFIX "Cluster login to master-1-1 as emr-user.\nCluster credential (password): ", PREFIX "CL1:\nCluster credential (password): ", PREFIX "CL1:AAAA\nCluster credential (password): ",
		PREFIX "CL2:AAAA\nCluster credential (password): ", "CL1:AAAA", "%s%n%s", "\033[2J", "yes", "no", "()", "(", ")", "(@) ", "(a@b)", "(a@b) ", "\xff\xfe",
	};
	size_t i;

	(void)state;
	assert_true(sizeof prompts / sizeof prompts[0] >= 50);
	for (i = 0; i < sizeof prompts / sizeof prompts[0]; i++)
		expect_silence(prompts[i]);
}

static void test_credential_of_no_use(void **state)
{
	struct challenge c = good_challenge();
	char path[PROFILE_PATH_MAX + 32], text[2000];
	struct crypto_key *own = home.cnf;
	struct wallet other;
	size_t n;

	(void)state;
	home_credential(&home, -1);
	expect_silence(prompt_of(&c, PREFIX));
	home_credential(&home, 3600);
	assert_int_equal(ask(prompt_of(&c, PREFIX), NULL, text, sizeof text, &n), 0);
	/* a key that is not the credential's */
	assert_int_equal(profile_key_write(&home.p, PROFILE_CREDENTIAL_KEY, trustgen_key(home.g), NULL), CLUSTER_OK);
	assert_int_equal(wallet_load(&home.p, &other, NULL), CLUSTER_ENOTFOUND);
	expect_silence(prompt_of(&c, PREFIX));
	/* a key that others may read */
	assert_int_equal(profile_key_write(&home.p, PROFILE_CREDENTIAL_KEY, own, NULL), CLUSTER_OK);
	snprintf(path, sizeof path, "%s/" PROFILE_CREDENTIAL_KEY, home.p.dir);
	assert_int_equal(chmod(path, 0644), 0);
	expect_silence(prompt_of(&c, PREFIX));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(ask(prompt_of(&c, PREFIX), NULL, text, sizeof text, &n), 0);
	assert_int_equal(wallet_drop(&home.p, NULL), CLUSTER_OK);
	expect_silence(prompt_of(&c, PREFIX));
	home_credential(&home, 3600);
}

static void test_name(void **state)
{
	(void)state;
	assert_true(askpass_named("askpass"));
	assert_true(askpass_named("/usr/libexec/cluster-login/askpass"));
	assert_true(askpass_named("./cluster-login-askpass"));
	assert_false(askpass_named("cluster-login"));
	assert_false(askpass_named("/askpass/cluster-login"));
	assert_false(askpass_named("ssh-askpass"));
	assert_false(askpass_named(""));
	assert_false(askpass_named(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_mismatches),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_injections),
		cmocka_unit_test(test_foreign_prompts),
		cmocka_unit_test(test_credential_of_no_use),
		cmocka_unit_test(test_name),
	};

	return cmocka_run_group_tests_name("askpass", tests, start, stop);
}
