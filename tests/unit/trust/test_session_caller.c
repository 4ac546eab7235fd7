/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/session.h"

/* Whose session a process is in is what the kernel says, not the process (THREATS.md I2). */

static struct session record(uint32_t audit, uint32_t pid, uint64_t start)
{
	struct session s;

	memset(&s, 0, sizeof s);
	s.audit = audit;
	s.pid = pid;
	s.start = start;
	return s;
}

static void test_by_audit(void **state)
{
	struct session_caller c = { .audit = 7, .n = 2, .chain = { { 10, 100 }, { 20, 90 } } };
	struct session s;

	(void)state;
	s = record(7, 99, 1);
	assert_true(session_caller_in(&c, &s));
	s = record(8, 20, 90); /* where both have one, the chain says nothing */
	assert_false(session_caller_in(&c, &s));
}

static void test_by_chain(void **state)
{
	struct session_caller c = { .audit = 7, .n = 2, .chain = { { 10, 100 }, { 20, 90 }, { 30, 80 } } };
	struct session s;

	(void)state;
	s = record(SESSION_NO_AUDIT, 20, 90);
	assert_true(session_caller_in(&c, &s));
	s = record(SESSION_NO_AUDIT, 20, 91); /* a process number that is used again */
	assert_false(session_caller_in(&c, &s));
	s = record(SESSION_NO_AUDIT, 30, 80); /* behind its end */
	assert_false(session_caller_in(&c, &s));
	c.audit = SESSION_NO_AUDIT;
	s = record(7, 10, 100);
	assert_true(session_caller_in(&c, &s));
	s = record(SESSION_NO_AUDIT, 99, 1); /* no audit on either side is nothing in common */
	assert_false(session_caller_in(&c, &s));
}

static void test_own_chain(void **state)
{
	struct session_facts self, parent;
	struct session_caller c;

	(void)state;
	assert_ok(session_facts_read(getpid(), &self));
	assert_ok(session_facts_read(getppid(), &parent));
	assert_ok(session_caller_read(getpid(), &c));
	assert_int_equal(c.audit, self.audit);
	assert_true(c.n >= 2);
	assert_int_equal(c.chain[0].pid, getpid());
	assert_int_equal(c.chain[0].start, self.start);
	assert_int_equal(c.chain[1].pid, getppid());
	assert_int_equal(c.chain[1].start, parent.start);
}

static void test_gone(void **state)
{
	struct session_caller c = { .audit = 3, .n = 5 };
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_err(session_caller_read(pid, &c), CLUSTER_ENOTFOUND);
	assert_err(session_caller_read(INT_MAX, &c), CLUSTER_ENOTFOUND);
}

/* Each forks the next; the last says what the reading of its own chain gives. */
static int chain_of(unsigned int n)
{
	static struct session_caller c;
	int status = 0;
	pid_t pid;

	if (n == 0)
		_exit((int)session_caller_read(getpid(), &c));
	pid = fork();
	if (pid == 0)
		_exit(chain_of(n - 1));
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void test_too_long(void **state)
{
	(void)state;
	assert_int_equal(chain_of(10), CLUSTER_OK);
	assert_int_equal(chain_of(SESSION_CHAIN_MAX), CLUSTER_ELIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_audit), cmocka_unit_test(test_by_chain), cmocka_unit_test(test_own_chain), cmocka_unit_test(test_gone), cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
