/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FILTERED 0
#else
#define FILTERED 1
#endif

/* How a child ends that does `act` behind a filter: the signal, or 0. */
static int end_behind(enum cluster_err (*filter)(struct diag *d), void (*act)(void))
{
	const struct sandbox_user stay = { .drop = false };
	pid_t parent = getpid(), pid = fork();
	struct diag d;
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		diag_clear(&d);
		if (sandbox_enter("test", &stay, parent, &d) != CLUSTER_OK || filter(&d) != CLUSTER_OK)
			_exit(2);
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static int end_of(void (*act)(void))
{
	return end_behind(sandbox_filter, act);
}

static void open_file(void)
{
	(void)!open("/etc/passwd", O_RDONLY);
}
static void make_socket(void)
{
	(void)!socket(AF_INET, SOCK_STREAM, 0);
}
static void make_process(void)
{
	if (fork() == 0)
		_exit(0);
}
static void run_program(void)
{
	char *const none[] = { NULL };

	execve("/bin/true", none, none);
}
static void kill_other(void)
{
	kill(getppid(), 0);
}
static void map_code(void)
{
	(void)!mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static void make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)!mprotect(p, 4096, PROT_READ | PROT_EXEC);
}
static void what_it_needs(void)
{
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *p = malloc(1 << 22);

	if (fd < 0 || write(fd, "x", 1) != 1 || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) != 0 || !p || mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		_exit(1);
	free(p);
}

/* I1: behind the filter there is no file, socket, process, program, other process or new code. */
static void test_filter(void **state)
{
	static void (*const forbidden[])(void) = { open_file, make_socket, make_process, run_program, kill_other, map_code, make_code };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
		if (end_of(forbidden[i]) != (FILTERED ? SIGSYS : 0))
			fail_msg("act %zu was not stopped as it should", i);
	}
	assert_int_equal(end_of(what_it_needs), 0);
}

static void write_file(void)
{
	(void)!open("/nonexistent/sandbox", O_WRONLY);
}
static void make_file(void)
{
	(void)!open("/nonexistent/sandbox", O_RDONLY | O_CREAT, 0600);
}
static void make_unix_socket(void)
{
	(void)!socket(AF_UNIX, SOCK_STREAM, 0);
}
static void make_raw_link(void)
{
	(void)!socket(AF_PACKET, SOCK_RAW, 0);
}
static void what_a_relay_needs(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), six = socket(AF_INET6, SOCK_STREAM, 0), hosts = open("/etc/hosts", O_RDONLY | O_CLOEXEC), all = epoll_create1(0), on = 1;
	struct sockaddr_in a = { .sin_family = AF_INET };
	char byte;

	(void)all;
	if (fd < 0 || hosts < 0 || read(hosts, &byte, 1) < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
	    listen(fd, 1) != 0 || (six >= 0 && close(six) != 0))
		_exit(1);
}

/* The relay's: the internet and reading, and again no process, program, other process, new code; nor a file that is written, nor another kind of socket. */
static void test_filter_network(void **state)
{
	static void (*const forbidden[])(void) = { write_file, make_file, make_unix_socket, make_raw_link, make_process, run_program, kill_other, map_code, make_code };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
		if (end_behind(sandbox_filter_network, forbidden[i]) != (FILTERED ? SIGSYS : 0))
			fail_msg("act %zu was not stopped as it should", i);
	}
	assert_int_equal(end_behind(sandbox_filter_network, what_a_relay_needs), 0);
}

static void ask_terminal(void)
{
	struct winsize size;

	(void)!ioctl(0, TIOCGWINSZ, &size);
}
static void connect_somewhere(void)
{
	const struct sockaddr_in a = { .sin_family = AF_INET };

	(void)!connect(0, (const struct sockaddr *)&a, sizeof a);
}
static void bind_somewhere(void)
{
	const struct sockaddr_in a = { .sin_family = AF_INET };

	(void)!bind(0, (const struct sockaddr *)&a, sizeof a);
}
static void what_hops_need(void)
{
	int hosts = open("/etc/hosts", O_RDONLY | O_CLOEXEC), all = epoll_create1(0), self = (int)syscall(SYS_pidfd_open, getpid(), 0), n;
	char byte;

	if (hosts < 0 || pread(hosts, &byte, 1, 0) < 0 || all < 0 || self < 0 || ioctl(hosts, FIONREAD, &n) != 0)
		_exit(1);
}

/* That of the hop process: files are read, processes are named; no socket of its own, of whatever kind, and nothing is written or run. */
static void test_filter_local(void **state)
{
	static void (*const forbidden[])(void) = { write_file, make_file, make_socket, make_unix_socket, connect_somewhere, bind_somewhere, ask_terminal, make_process, run_program, kill_other,
		map_code, make_code };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
		if (end_behind(sandbox_filter_local, forbidden[i]) != (FILTERED ? SIGSYS : 0))
			fail_msg("act %zu was not stopped as it should", i);
	}
	assert_int_equal(end_behind(sandbox_filter_local, what_hops_need), 0);
}

/* Descriptors of the parent do not survive, nor does the environment. */
static void test_descriptors(void **state)
{
	int pair[2], high, status, i;
	struct diag d;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	high = fcntl(pair[1], F_DUPFD, 200);
	assert_true(high >= 200);
	assert_int_equal(setenv("https_proxy", "http://evil", 1), 0);
	pid = fork();
	if (pid == 0) {
		const int keep[] = { high, pair[0] };
		int open_ones = 0;

		diag_clear(&d);
		if (sandbox_descriptors(keep, 2, &d) != CLUSTER_OK || getenv("https_proxy"))
			_exit(1);
		for (i = 3; i < 1024; i++)
			open_ones += fcntl(i, F_GETFD) >= 0;
		_exit(open_ones == 2 && fcntl(high, F_GETFD) >= 0 && fcntl(pair[0], F_GETFD) >= 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	unsetenv("https_proxy");
	close(pair[0]);
	close(pair[1]);
	close(high);
}

/* Root is given up for good; a user that is root or does not exist is refused with a sentence. */
static void test_user(void **state)
{
	struct sandbox_user u;
	pid_t parent = getpid(), pid;
	struct diag d;
	int status;

	(void)state;
	diag_clear(&d);
	assert_err(sandbox_user_find("no-such-user", &u, &d), CLUSTER_ECONFIG);
	assert_non_null(strstr(d.text, "no-such-user"));
	assert_err(sandbox_user_find("root", &u, &d), CLUSTER_ECONFIG);
	assert_ok(sandbox_user_find("nobody", &u, &d));
	assert_true(u.drop && u.uid != 0);
	if (geteuid() != 0)
		return; /* nothing to give up */
	pid = fork();
	if (pid == 0) {
		if (sandbox_enter("test", &u, parent, &d) != CLUSTER_OK)
			_exit(1);
		_exit(geteuid() == u.uid && getegid() == u.gid && setuid(0) != 0 && setgid(0) != 0 && getgroups(0, NULL) == 0 && open("/etc/shadow", O_RDONLY) < 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_filter_network),
		cmocka_unit_test(test_filter_local),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
