/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/hop.h"
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

/* The third node in a row. */
static struct session of_hop(void)
{
	struct session s = with_certificate();

	s.kind = SESSION_HOP;
	s.cert.serial = 0;
	s.hops = 2;
	memset(s.parent.b, 6, ID_SIZE);
	memset(s.source.b, 7, ID_SIZE);
	memset(s.way[0].node.b, 8, ID_SIZE);
	memset(s.way[0].session.b, 9, ID_SIZE);
	return s;
}

static struct session of_machine(void)
{
	struct session s = of_hop();

	s.hops = 0;
	memset(s.way, 0, sizeof s.way);
	memset(&s.person, 0, ID_SIZE);
	memset(&s.device, 0, ID_SIZE);
	memset(&s.parent, 0, ID_SIZE);
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
	s.narrowed = true;
	comes_back(&s);
	s.end_at_expiry = true;
	s.closed = 1700000100;
	comes_back(&s);
	s.narrowed = false;
	s.narrowed_nodes = true;
	comes_back(&s);
	s = with_certificate();
	comes_back(&s);
	assert_ptr_equal(session_cert(&s), &s.cert);
	s = of_hop();
	comes_back(&s);
	assert_ptr_equal(session_cert(&s), &s.cert);
	s.hops = 1;
	memset(s.way, 0, sizeof s.way);
	comes_back(&s);
	s.hops = HOP_COUNT_MAX;
	memset(s.way, 1, sizeof s.way);
	comes_back(&s);
	s = of_machine();
	comes_back(&s);
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
	s.kind = SESSION_HOP;
	s.hops = HOP_COUNT_MAX;
	s.source = s.parent = s.id;
	memset(s.way, 1, sizeof s.way);
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
	bytes[11] = 1;
	assert_err(session_parse(bytes, n, &again), CLUSTER_EFORMAT);
	bytes[11] = 4;
	assert_err(session_parse(bytes, n, &again), CLUSTER_EFORMAT);
	bytes[11] = 3;
	bytes[0] = 'c';
	assert_err(session_parse(bytes, n, &again), CLUSTER_EFORMAT);
}

/* One that the version before has written, and whose session is open still: the same where nothing is to be said of a way. Where something is, nobody knows it. */
static void test_without_way(void **state)
{
	struct session same[4] = { sample(), with_certificate(), of_hop(), of_machine() }, s = of_hop(), again;
	uint8_t bytes[SESSION_SIZE_MAX];
	size_t n;

	(void)state;
	same[2].hops = 1;
	memset(same[2].way, 0, sizeof same[2].way);
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		assert_ok(session_build(&same[i], bytes, &n));
		assert_int_equal(bytes[11], 3);
		bytes[11] = 2;
		assert_ok(session_parse(bytes, n, &again));
		assert_memory_equal(&again, &same[i], sizeof again);
	}
	assert_ok(session_build(&s, bytes, &n));
	bytes[11] = 2;
	assert_err(session_parse(bytes, n, &again), CLUSTER_EFORMAT);
	assert_err(session_parse(bytes, n - sizeof s.way[0], &again), CLUSTER_EFORMAT);
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
	BAD(s.kind = SESSION_HOP);
	BAD(s.hops = 1);
	BAD(s.source.b[0] = 1);
	BAD(s.parent.b[0] = 1);
	BAD(s = of_hop(); s.cert.key[0] = '\0');
	BAD(s = of_hop(); s.hops = HOP_COUNT_MAX + 1; memset(s.way, 1, sizeof s.way));
	BAD(s = of_hop(); s.hops = HOP_COUNT_MAX);
	BAD(s = of_hop(); s.hops = 1);
	BAD(s = of_hop(); memset(&s.way[0].node, 0, ID_SIZE));
	BAD(s = of_hop(); memset(&s.way[0].session, 0, ID_SIZE));
	BAD(s = of_hop(); s.way[1].node.b[0] = 1);
	BAD(s = of_machine(); s.way[0] = of_hop().way[0]);
	BAD(s.way[0] = of_hop().way[0]);
	BAD(s = of_hop(); s.hops = 0);
	BAD(s = of_hop(); memset(&s.source, 0, ID_SIZE));
	BAD(s = of_hop(); memset(&s.person, 0, ID_SIZE));
	BAD(s = of_hop(); memset(&s.device, 0, ID_SIZE));
	BAD(s = of_hop(); memset(&s.parent, 0, ID_SIZE));
	BAD(s = of_machine(); s.hops = 1);
	BAD(s = of_machine(); s.person.b[0] = 1);
	BAD(s = of_machine(); s.device.b[0] = 1);
	BAD(s = of_machine(); s.parent.b[0] = 1);
	BAD(s.closed = -1);
	BAD(s.on_revoke = (enum directory_on_revoke)3);
	BAD(s.iat = -1);
#undef BAD
}

/* When the notice is due, when the end; a clock that is set back takes both back. */
static void test_due(void **state)
{
	static const struct {
		int64_t now;
		enum session_due want;
		int64_t next;
	} rows[] = {
		{ 0, SESSION_DUE_NOTHING, 700 }, { 699, SESSION_DUE_NOTHING, 700 }, { 700, SESSION_DUE_NOTICE, 1000 }, { 999, SESSION_DUE_NOTICE, 1000 },
		{ 1000, SESSION_DUE_END, INT64_MAX }, { INT64_MAX, SESSION_DUE_END, INT64_MAX }, { -5, SESSION_DUE_NOTHING, 700 },
	};
	struct session s = sample();
	int64_t next;

	(void)state;
	s.exp = 1000;
	s.end_at_expiry = true;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(session_due(&s, rows[i].now, 300, &next), rows[i].want);
		assert_true(next == rows[i].next);
	}
	assert_int_equal(session_due(&s, 1, 5000, &next), SESSION_DUE_NOTICE);
	assert_int_equal(session_due(&s, 999, 0, &next), SESSION_DUE_NOTHING);
	assert_true(next == 1000);
	assert_int_equal(session_due(&s, 1000, 0, &next), SESSION_DUE_END);
	s.end_at_expiry = false;
	assert_int_equal(session_due(&s, INT64_MAX, 300, &next), SESSION_DUE_NOTHING);
	assert_true(next == INT64_MAX);
}

/* By what a process belongs to a session, when its leader has gone: another audit session, an older process, the leader itself and a dead one do not. */
static void test_has(void **state)
{
	struct session s = sample();
	const struct session_facts of = { .parent = 1, .start = 120, .audit = 17 };
	struct session_facts f;

	(void)state;
	assert_true(session_has(&s, 5000, &of));
	f = of;
	f.audit = 18;
	assert_false(session_has(&s, 5000, &f));
	f = of;
	f.start = 98;
	assert_false(session_has(&s, 5000, &f));
	f = of;
	f.ended = true;
	assert_false(session_has(&s, 5000, &f));
	f = of;
	f.start = s.start;
	assert_true(session_has(&s, 5000, &f));
	assert_false(session_has(&s, (pid_t)s.pid, &f));
	f = of;
	s.audit = f.audit = SESSION_NO_AUDIT;
	assert_false(session_has(&s, 5000, &f));
	assert_false(session_left(&s));
}

/* A process of a login of its own: its parent has another audit id, its child the same. */
static void test_own_audit(void **state)
{
	uint32_t audit[2] = { SESSION_NO_AUDIT, SESSION_NO_AUDIT };
	struct session_facts mine;
	struct session s = sample();
	int fd[2], go[2];
	pid_t pid;

	(void)state;
	assert_ok(session_facts_read(getpid(), &mine));
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		int login = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

		audit[0] = login >= 0 && write(login, "1000", 4) == 4 ? session_own_audit(getpid()) : SESSION_NO_AUDIT;
		if (fork() == 0) {
			audit[1] = session_own_audit(getpid());
			(void)!write(fd[1], audit, sizeof audit);
			(void)!read(go[0], audit, 1);
			_exit(0);
		}
		(void)!read(go[0], audit, 1);
		_exit(0);
	}
	assert_int_equal(read(fd[0], audit, sizeof audit), sizeof audit);
	assert_int_equal(audit[1], SESSION_NO_AUDIT);
	if (audit[0] != SESSION_NO_AUDIT) { /* a kernel with audit, and the right to begin a login */
		assert_int_not_equal(audit[0], mine.audit);
		s.pid = (uint32_t)pid;
		assert_ok(session_process(pid, &s.start, &s.audit));
		assert_int_equal(s.audit, audit[0]);
		assert_true(session_left(&s));
		(void)!write(go[1], "xx", 2);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	close(go[1]);
	close(go[0]);
	close(fd[0]);
	close(fd[1]);
	kill(pid, SIGKILL);
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
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_largest), cmocka_unit_test(test_due), cmocka_unit_test(test_has), cmocka_unit_test(test_own_audit),
		cmocka_unit_test(test_exact_length),
		cmocka_unit_test(test_without_way),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_process_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
