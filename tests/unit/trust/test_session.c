/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/session.h"

static struct session sample(void)
{
	struct session s;

	memset(&s, 0, sizeof s);
	memset(s.id.b, 1, ID_SIZE);
	memset(s.person.b, 2, ID_SIZE);
	memset(s.device.b, 3, ID_SIZE);
	memset(s.jti.b, 4, ID_SIZE);
	memset(s.boot_id.b, 5, ID_SIZE);
	s.iat = 1700000000;
	s.exp = 1700003600;
	s.auth_time = 1699999999;
	s.opened = 1700000001;
	s.on_revoke = DIRECTORY_WARN;
	s.kind = SESSION_CREDENTIAL;
	strcpy(s.account, "emr-user");
	strcpy(s.service, "sshd");
	strcpy(s.tty, "pts/3");
	strcpy(s.rhost, "2001:db8::1");
	strcpy(s.issuer, "AAAAAAAAAAAAAAAAAAAAAA");
	strcpy(s.role, "analysts");
	s.pid = 4711;
	s.start = 99;
	s.audit = 17;
	return s;
}

static struct session with_certificate(void)
{
	struct session s = sample();

	s.kind = SESSION_CERTIFICATE;
	s.cert.serial = UINT64_C(18446744073709551615);
	strcpy(s.cert.key_id, "alice J0dQe3bWm0r5m9cQpF8gAA");
	strcpy(s.cert.key, "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIJFRK5n7AE0AAA");
	strcpy(s.cert.ca, "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIJFRK5n7AE0AAQ");
	return s;
}

static void comes_back(const struct session *s)
{
	uint8_t bytes[SESSION_SIZE_MAX];
	struct session again;
	size_t n;

	memset(&again, 0, sizeof again);
	assert_ok(session_build(s, bytes, &n));
	assert_ok(session_parse(bytes, n, &again));
	assert_memory_equal(s, &again, sizeof again);
}

static void test_round_trip(void **state)
{
	struct session s = sample();

	(void)state;
	comes_back(&s);
	assert_null(session_cert(&s));
	s.kind = SESSION_HOP;
	s.end_at_expiry = true;
	s.closed = 1700000100;
	memset(s.parent.b, 6, ID_SIZE);
	comes_back(&s);
	s = with_certificate();
	comes_back(&s);
	assert_ptr_equal(session_cert(&s), &s.cert);
}

/* The longest of everything fits. */
static void test_largest(void **state)
{
	struct session s = with_certificate();

	(void)state;
	memset(s.account, 'a', sizeof s.account - 1);
	memset(s.service, 'a', sizeof s.service - 1);
	memset(s.tty, 'a', sizeof s.tty - 1);
	memset(s.rhost, 'a', sizeof s.rhost - 1);
	memset(s.role, 'a', sizeof s.role - 1);
	memset(s.cert.key_id, 'a', sizeof s.cert.key_id - 1);
	comes_back(&s);
}

/* Every cut is an error, and so is every byte too many. */
static void test_exact_length(void **state)
{
	struct session s = sample(), again;
	uint8_t bytes[SESSION_SIZE_MAX + 1];
	size_t n, i;

	(void)state;
	assert_ok(session_build(&s, bytes, &n));
	for (i = 0; i < n; i++)
		assert_int_not_equal(session_parse(bytes, i, &again), CLUSTER_OK);
	bytes[n] = 0;
	assert_err(session_parse(bytes, n + 1, &again), CLUSTER_EFORMAT);
	assert_err(session_parse(bytes, SESSION_SIZE_MAX + 1, &again), CLUSTER_ELIMIT);
	bytes[9] = 2;
	assert_err(session_parse(bytes, n, &again), CLUSTER_EVERSION);
	bytes[9] = 1;
	bytes[11] = 0;
	assert_err(session_parse(bytes, n, &again), CLUSTER_EFORMAT);
	bytes[11] = 2;
	assert_err(session_parse(bytes, n, &again), CLUSTER_EFORMAT);
	bytes[11] = 1;
	bytes[0] = 'c';
	assert_err(session_parse(bytes, n, &again), CLUSTER_EFORMAT);
}

/* A record that would make the agent signal init, everything (pid 0) or a process group (negative) is not a record. */
static void test_values(void **state)
{
	uint8_t bytes[SESSION_SIZE_MAX];
	struct session s;
	size_t n;

	(void)state;
#define BAD(assignment) \
	do { \
		s = sample(); \
		assignment; \
		assert_err(session_build(&s, bytes, &n), CLUSTER_EFORMAT); \
	} while (0)
	BAD(s.pid = 0);
	BAD(s.pid = 1);
	BAD(s.pid = UINT32_C(0x80000000));
	BAD(s.pid = UINT32_MAX);
	BAD(s.start = 0);
	BAD(strcpy(s.account, "Root"));
	BAD(s.account[0] = '\0');
	BAD(strcpy(s.service, ".x"));
	BAD(strcpy(s.tty, "a b"));
	BAD(strcpy(s.rhost, "a\nb"));
	BAD(strcpy(s.issuer, "?"));
	BAD(strcpy(s.role, "A"));
	BAD(s.kind = (enum session_kind)0);
	BAD(s.kind = (enum session_kind)5);
	BAD(s.kind = SESSION_CERTIFICATE);
	BAD(s.cert.serial = 1);
	BAD(strcpy(s.cert.key_id, "alice x"));
	BAD(s = with_certificate(); strcpy(s.cert.key_id, "a\nb"));
	BAD(s = with_certificate(); s.cert.ca[0] = '\0');
	BAD(s.closed = -1);
	BAD(s.on_revoke = (enum directory_on_revoke)3);
	BAD(s.iat = -1);
#undef BAD
}

static void test_files(void **state)
{
	char dir[] = "/tmp/session-XXXXXX", name[ID_TEXT + 1], path[128], other[128];
	struct session s = sample(), again;
	struct stat st;
	struct diag d;

	(void)state;
	diag_clear(&d);
	assert_non_null(mkdtemp(dir));
	id_text(&s.id, name);
	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_ok(session_store(dir, &s, &d));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_ok(session_load(dir, name, geteuid(), &again, &d));
	assert_int_equal(again.pid, s.pid);
	assert_err(session_load(dir, name, geteuid() + 1, &again, &d), CLUSTER_EUNTRUSTED);
	assert_err(session_load(dir, "../x", geteuid(), &again, &d), CLUSTER_EFORMAT);
	/* a record under another's name is refused */
	snprintf(other, sizeof other, "%s/BBBBBBBBBBBBBBBBBBBBBA", dir);
	assert_int_equal(rename(path, other), 0);
	assert_err(session_load(dir, "BBBBBBBBBBBBBBBBBBBBBA", geteuid(), &again, &d), CLUSTER_EFORMAT);
	assert_err(session_load(dir, name, geteuid(), &again, &d), CLUSTER_ENOTFOUND);
	assert_int_equal(rename(other, path), 0);
	assert_ok(session_remove(dir, &s.id, &d));
	assert_int_equal(access(path, F_OK), -1);
	assert_ok(session_remove(dir, &s.id, &d));
	rmdir(dir);
}

/* A process chooses its own name: ") R 1 1 1" in it must not move the fields. */
static void test_process_facts(void **state)
{
	struct session_facts f;
	uint64_t start, again;
	uint32_t audit;
	int status;
	pid_t pid;

	(void)state;
	assert_ok(session_process(getpid(), &start, &audit));
	assert_true(start > 0);
	assert_int_equal(prctl(PR_SET_NAME, "x) R 1 1 (1 1"), 0);
	assert_ok(session_process(getpid(), &again, &audit));
	assert_true(start == again);
	assert_ok(session_facts_read(getpid(), &f));
	assert_int_equal(f.parent, getppid());
	assert_true(f.start == start && f.audit == audit);
	assert_false(f.ended);
	prctl(PR_SET_NAME, "test");
	pid = fork();
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_err(session_process(pid, &start, &audit), CLUSTER_ENOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_largest),
		cmocka_unit_test(test_exact_length),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_process_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
