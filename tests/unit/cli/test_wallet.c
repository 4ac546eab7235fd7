/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever is killed while a credential takes the place of another leaves one of the two, with its key. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "home.h"

#define STEPS 3 /* renames in one writing */
#define SYNCS 4 /* of files and their directory, before the last of them */
#define KILLED 9

static int steps_left = -1, syncs_left = -1;

/* In place of libc's, for whatever calls them. */
int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	if (steps_left >= 0 && steps_left-- == 0)
		_exit(KILLED);
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int fsync(int fd)
{
	if (syncs_left < 0 || syncs_left-- > 0)
		return (int)syscall(SYS_fsync, fd);
	errno = EIO;
	return -1;
}

static struct home h;

static int start(void **state)
{
	(void)state;
	home_make(&h);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	home_done(&h);
	return 0;
}

/* Another key, which the sample cluster owns. */
static void renew_key(void)
{
	h.cnf = trustgen_key(h.g);
}

/* The process that writes ends before step n of `steps`. */
static void write_until(int n, int steps, int64_t life)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		steps_left = n;
		home_credential(&h, life);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), n < steps ? KILLED : 0);
}

/* When what is in hand ends, which tells one from the other; its key is its own. */
static int64_t in_hand(void)
{
	struct wallet w = { 0 };
	struct crypto_pub pub;
	int64_t exp;

	assert_int_equal(wallet_load(&h.p, &w, NULL), CLUSTER_OK);
	assert_int_equal(crypto_key_pub(w.key, &pub), CLUSTER_OK);
	assert_true(crypto_pub_equal(&pub, &w.claims.cnf));
	exp = w.claims.exp - h.g->now;
	wallet_done(&w);
	return exp;
}

/* Killed twice in a row, wherever that is. */
static void test_killed(void **state)
{
	(void)state;
	for (int first = 0; first <= STEPS; first++) {
		int steps = STEPS + (first == 2); /* to make up for the last one comes first */

		for (int second = 0; second <= steps; second++) {
			int64_t old = first < 2 ? 1000 : 2000;

			home_credential(&h, 1000);
			renew_key();
			write_until(first, STEPS, 2000);
			assert_int_equal(in_hand(), old);
			renew_key();
			write_until(second, steps, 3000);
			assert_int_equal(in_hand(), second < steps - 1 ? old : 3000);
			renew_key();
			home_credential(&h, 1000);
			assert_int_equal(in_hand(), 1000);
			assert_int_equal(wallet_drop(&h.p, NULL), CLUSTER_OK);
		}
	}
}

/* A disk that fails tells so when the credential may have its new name already. */
static void test_not_synced(void **state)
{
	struct wallet old = { 0 };
	int64_t exp;

	(void)state;
	for (int n = 0; n < SYNCS; n++) {
		home_credential(&h, 1000);
		assert_int_equal(wallet_load(&h.p, &old, NULL), CLUSTER_OK);
		renew_key();
		home_credential(&h, 2000);
		syncs_left = n;
		assert_int_equal(wallet_store(&h.p, &old, NULL), CLUSTER_ESYSTEM);
		syncs_left = -1;
		exp = in_hand();
		assert_true(exp == 1000 || exp == 2000);
		wallet_done(&old);
	}
}

/* What was dropped leaves no key behind, an unfinished one neither. */
static void test_dropped(void **state)
{
	char path[PROFILE_PATH_MAX + 32];

	(void)state;
	for (int n = 0; n <= STEPS; n++) {
		home_credential(&h, 1000);
		renew_key();
		write_until(n, STEPS, 2000);
		assert_int_equal(wallet_drop(&h.p, NULL), CLUSTER_OK);
		for (int i = 0; i < 3; i++) {
			(void)snprintf(path, sizeof path, "%s/%s", h.p.dir, i == 0 ? PROFILE_CREDENTIAL : i == 1 ? PROFILE_CREDENTIAL_KEY : PROFILE_CREDENTIAL_KEY_NEXT);
			assert_int_equal(access(path, F_OK), -1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_killed), cmocka_unit_test(test_not_synced), cmocka_unit_test(test_dropped) };

	return cmocka_run_group_tests_name("wallet", tests, start, stop);
}
