/* SPDX-License-Identifier: Apache-2.0 */
/* Several at one wallet: nobody's newer credential is overwritten, and nobody waits for other people's timeouts. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cluster/file.h"
#include "home.h"
#include "renewal.h"
#include "view.h"

static int setup(void **state)
{
	static struct home h;

	home_make(&h);
	h.g->keyset.n_tls = 1;
	home_documents(&h, 6);
	HOME_MUST(profile_key_write(&h.p, PROFILE_DEVICE_KEY, h.cnf, NULL) == CLUSTER_OK);
	*state = &h;
	return 0;
}

static int teardown(void **state)
{
	home_done(*state);
	return 0;
}

static char *token_now(const struct home *h)
{
	struct wallet w = { 0 };
	char *token = NULL;

	if (wallet_load(&h->p, &w, NULL) == CLUSTER_OK) {
		token = strdup(w.token);
		assert_non_null(token);
		wallet_done(&w);
	}
	return token;
}

/* A renewal that was begun before another `get`, or before `drop`, changes nothing after it. */
static void test_replace(void **state)
{
	struct home *h = *state;
	struct wallet first = { 0 }, second = { 0 };
	char *token;

	assert_int_equal(wallet_load(&h->p, &first, NULL), CLUSTER_OK);
	home_credential(h, 1800);
	assert_int_equal(wallet_load(&h->p, &second, NULL), CLUSTER_OK);
	assert_string_not_equal(first.token, second.token);
	assert_int_equal(wallet_replace(&h->p, first.token, &first, NULL), CLUSTER_EDENIED);
	token = token_now(h);
	assert_string_equal(token, second.token);
	free(token);
	home_write(h, PROFILE_CREDENTIAL, second.token); /* an editor that leaves out the newline changes nothing */
	assert_int_equal(wallet_replace(&h->p, second.token, &first, NULL), CLUSTER_OK);
	token = token_now(h);
	assert_string_equal(token, first.token);
	free(token);
	assert_int_equal(wallet_drop(&h->p, NULL), CLUSTER_OK);
	assert_int_equal(wallet_replace(&h->p, first.token, &second, NULL), CLUSTER_EDENIED);
	assert_null(token_now(h));
	wallet_done(&first);
	wallet_done(&second);
}

/* An authority that takes no connection off its queue. */
static int silent_authority(struct home *h)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	snprintf(h->p.url, sizeof h->p.url, "https://127.0.0.1:%u", (unsigned)ntohs(a.sin_port));
	return fd;
}

static int tell = -1;

/* Says that somebody is about to wait. */
int flock(int fd, int how)
{
	if (tell >= 0 && how == LOCK_EX && write(tell, "", 1) != 1)
		return -1;
	return (int)syscall(SYS_flock, fd, how);
}

/* One that finds the lock taken, while whoever has it fails: what he is told. */
static enum cluster_err second_of_two(struct home *h, const char *noted)
{
	int lock = profile_lock(&h->p, PROFILE_RENEWAL_LOCK, LOCK_EX), status, waiting[2];
	struct wallet w = { 0 };
	struct view *v = NULL;
	struct diag d;
	pid_t pid;
	char c;

	assert_true(lock >= 0);
	assert_int_equal(pipe2(waiting, O_CLOEXEC), 0);
	if ((pid = fork()) == 0) {
		file_close(lock);
		close(waiting[0]);
		tell = waiting[1];
		alarm(20);
		diag_clear(&d);
		_exit((int)renewal_ensure(&h->p, &w, &v, &d));
	}
	assert_true(pid > 0);
	close(waiting[1]);
	assert_int_equal(read(waiting[0], &c, 1), 1);
	close(waiting[0]);
	assert_int_equal(pwrite(lock, noted, 1, 0), 1);
	file_close(lock);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? (enum cluster_err)WEXITSTATUS(status) : CLUSTER_ESYSTEM;
}

static void test_vain(void **state)
{
	struct home *h = *state;
	int fd = silent_authority(h);

	home_credential(h, -5);
	assert_int_equal(second_of_two(h, "-"), CLUSTER_EUNAVAIL);
	assert_int_equal(accept(fd, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	/* what is in hand serves on */
	h->g->now -= 100;
	home_credential(h, 130);
	h->g->now += 100;
	assert_int_equal(second_of_two(h, "-"), CLUSTER_OK);
	assert_int_equal(accept(fd, NULL, NULL), -1);
	close(fd);
	/* whoever was first did not say that it was in vain: one's own try (nobody listens any more) */
	home_credential(h, -5);
	assert_int_equal(second_of_two(h, "\n"), CLUSTER_EUNAVAIL);
}

static char noted(const struct home *h)
{
	int fd = profile_lock(&h->p, PROFILE_RENEWAL_LOCK, LOCK_SH);
	char c = 0;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, 0), 1);
	file_close(fd);
	return c;
}

/* The note that the others go by is left by whoever tries. */
static void test_noted(void **state)
{
	struct home *h = *state;
	struct wallet w = { 0 };
	struct view *v = NULL;
	struct diag d;

	home_credential(h, -5);
	diag_clear(&d);
	assert_int_equal(renewal_ensure(&h->p, &w, &v, &d), CLUSTER_EUNAVAIL);
	assert_int_equal(noted(h), '-');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_noted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
