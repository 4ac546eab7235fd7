/* SPDX-License-Identifier: Apache-2.0 */
/* Who is told that a session ends. */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ending.h"

#define LINE "\r\nyour session ends\r\n"

/* A process with a terminal of its own. */
struct user {
	int master, slave;
	pid_t pid;
	struct ending_target target;
};

static void user_start(struct user *u)
{
	struct session_facts f;
	int ready[2];
	char byte;

	u->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	assert_true(u->master >= 0);
	assert_int_equal(unlockpt(u->master), 0);
	u->slave = open(ptsname(u->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(u->slave >= 0);
	assert_int_equal(pipe(ready), 0);
	u->pid = fork();
	assert_true(u->pid >= 0);
	if (u->pid == 0) {
		if (setsid() < 0 || ioctl(u->slave, TIOCSCTTY, 0) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	assert_ok(session_facts_read(u->pid, &f));
	assert_true(f.tty != 0);
	u->target = (struct ending_target){ .leader = u->pid, .start = f.start, .audit = SESSION_NO_AUDIT };
}

static void user_stop(struct user *u)
{
	kill(u->pid, SIGKILL);
	assert_int_equal(waitpid(u->pid, NULL, 0), u->pid);
	close(u->slave);
	close(u->master);
}

static size_t tell(const struct user *u)
{
	struct processes all = { 0 };
	size_t n = ending_tell(&all, &u->target, LINE);

	processes_done(&all);
	return n;
}

static void test_told(void **state)
{
	struct pollfd p = { .events = POLLIN };
	struct user u;
	char text[64];
	ssize_t n;

	(void)state;
	user_start(&u);
	assert_int_equal(tell(&u), 1);
	p.fd = u.master;
	assert_int_equal(poll(&p, 1, 10000), 1); /* the kernel passes it on in its own time */
	n = read(u.master, text, sizeof text);
	assert_true(n >= (ssize_t)strlen("your session ends"));
	assert_non_null(memmem(text, (size_t)n, "your session ends", strlen("your session ends")));
	user_stop(&u);
}

/* The process runs in a container that has a terminal of the same number: the one here is another user's. */
static void test_number_of_another(void **state)
{
	struct user u;
	char byte;

	(void)state;
	if (geteuid() != 0)
		return; /* cannot give a terminal away */
	user_start(&u);
	assert_int_equal(fchown(u.slave, 1, (gid_t)-1), 0);
	assert_int_equal(tell(&u), 0);
	assert_int_equal(read(u.master, &byte, 1), -1);
	user_stop(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_told), cmocka_unit_test(test_number_of_another) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
