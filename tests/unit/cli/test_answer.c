/* SPDX-License-Identifier: Apache-2.0 */
/* `answer` on a terminal: what a hostile node has put behind its challenge, for a person to paste with it, is not the person's word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>

#include "cluster/challenge.h"
#include "cmd.h"
#include "exit.h"
#include "home.h"

#define ASKED "[y/N] "
#define WAIT_MS 20000

static struct home home;

static int start(void **state)
{
	struct crypto_key *device = NULL;

	(void)state;
	home_make(&home);
	assert_int_equal(crypto_key_new(CRYPTO_ED25519, &device), CLUSTER_OK);
	assert_int_equal(profile_key_write(&home.p, PROFILE_DEVICE_KEY, device, NULL), CLUSTER_OK);
	crypto_key_free(device);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	home_done(&home);
	return 0;
}

static const char *challenge(void)
{
	struct challenge c = { .cluster = home.p.cluster, .node = trustgen_id("master-1-1"), .time = time(NULL) };
	struct directory *dir = trustgen_directory_read(home.g, home.directory);
	char text[CHALLENGE_TEXT + 1];

	memcpy(c.hostkey_hash, directory_node_by_id(dir, &c.node)->hostkey_hash, sizeof c.hostkey_hash);
	directory_free(dir);
	challenge_names(&c, "sudo", "emr-user");
	challenge_text(&c, text);
	return trustgen_format(home.g, "%s", text);
}

static void type(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Pastes `pasted`, types `typed` when asked; the exit status. *ret_signed: a token was printed. */
static int answer(const char *pasted, const char *typed, bool *ret_signed)
{
	char *argv[] = { (char *)"answer", NULL }, text[16384] = "";
	bool asked = false;
	int fd, status;
	size_t n = 0;
	pid_t pid = forkpty(&fd, NULL, NULL, NULL);

	assert_true(pid >= 0);
	if (pid == 0) {
		status = cmd_answer.run(&cmd_answer, 1, argv);
		fflush(stdout);
		_exit(status);
	}
	type(fd, pasted);
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t k;

		if (poll(&p, 1, WAIT_MS) != 1 || (k = read(fd, text + n, sizeof text - 1 - n)) <= 0)
			break; /* EIO: the other side has ended */
		n += (size_t)k;
		text[n] = '\0';
		if (!asked && strstr(text, ASKED) != NULL) {
			asked = true;
			type(fd, typed);
		}
	}
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	*ret_signed = strstr(text, "\neyJ") != NULL;
	return WEXITSTATUS(status);
}

static void test_typed(void **state)
{
	const char *line = trustgen_format(home.g, "%s\n", challenge());
	bool made;

	(void)state;
	assert_int_equal(answer(line, "y\n", &made), EXIT_DONE);
	assert_true(made);
	assert_int_equal(answer(line, "n\n", &made), EXIT_NO);
	assert_false(made);
	assert_int_equal(answer(line, "\n", &made), EXIT_NO);
	assert_false(made);
}

static void test_pasted(void **state)
{
	static const char *const behind[] = { "y\n", "y", "\ny\n", "yes\nyes\nyes\n" };
	bool made;

	(void)state;
	for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++) {
		assert_int_equal(answer(trustgen_format(home.g, "Step-up for sudo\n%s\n%s", challenge(), behind[i]), "\n", &made), EXIT_NO);
		assert_false(made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_typed),
		cmocka_unit_test(test_pasted),
	};

	return cmocka_run_group_tests_name("answer", tests, start, stop);
}
