/* SPDX-License-Identifier: Apache-2.0 */
/* What root says of who asks for a hop: facts of a process that lives, from records that are all readable. THREATS.md I2, I3. */
#include "unit.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/moment.h"
#include "hop_answer.h"

static char run[64], dir[96], passwd[96];
static struct sessions *sessions;
static struct node_conf conf;
static struct hop_caller got;
static int pidfd;
static struct diag d;

static void quiet(int level, const char *line)
{
	(void)level;
	(void)line;
}

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static int setup(void **state)
{
	const struct sessions_conf c = { .run_dir = run, .owner = geteuid(), .log = quiet };

	(void)state;
	strcpy(run, "/tmp/hop-answer-XXXXXX");
	if (!mkdtemp(run))
		return 1;
	snprintf(dir, sizeof dir, "%s/sessions", run);
	snprintf(passwd, sizeof passwd, "%s/passwd", run);
	node_conf_init(&conf);
	strcpy(conf.passwd, passwd);
	pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	return pidfd < 0 || sessions_new(&c, &sessions, &d) != CLUSTER_OK;
}

static int teardown(void **state)
{
	(void)state;
	close(pidfd);
	sessions_free(sessions);
	return nftw(run, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A record of this boot that the given process leads, told by the chain of parents. */
static struct session record(uint8_t id, pid_t leader)
{
	struct session s = { .id.b = { id }, .kind = SESSION_CREDENTIAL, .account = "emr-user", .service = "sshd", .issuer = "AAAAAAAAAAAAAAAAAAAAAA", .pid = (uint32_t)leader,
		.iat = 1800000000, .exp = 1800000001, .auth_time = 1800000000, .opened = 1800000000 };
	struct moment now;
	uint32_t audit;

	assert_ok(moment_now(&now));
	s.boot_id = now.boot_id;
	assert_ok(session_process(leader, &s.start, &audit));
	s.audit = SESSION_NO_AUDIT;
	return s;
}

static void store(const struct session *s)
{
	assert_ok(session_store(dir, s, &d));
}

static void ask_of(pid_t pid, int fd)
{
	const struct ipc_hop_ask q = { .client = 1, .uid = 4711, .pid = pid };

	memset(&got, 0xff, sizeof got);
	hop_answer(sessions, &conf, &q, fd, &got);
	assert_int_equal(got.uid, 4711);
}

static void ask(void)
{
	ask_of(getpid(), pidfd);
}

static void test_session(void **state)
{
	struct session s = record(1, getpid()), other = record(2, getpid());
	struct moment now;

	(void)state;
	ask();
	assert_true(got.err == CLUSTER_OK && !got.found);
	other.start++;
	store(&other);
	store(&s);
	ask();
	assert_true(got.err == CLUSTER_OK && got.found && !got.ended);
	assert_true(id_equal(&got.session.id, &s.id));
	/* known from before, and changed since: what counts is the file */
	assert_ok(moment_now(&now));
	(void)!sessions_sweep(sessions, NULL, &now, &d);
	store(&s);
	strcpy(s.tty, "pts/9");
	s.closed = 1800000009;
	store(&s);
	ask();
	assert_true(got.err == CLUSTER_OK && got.found && got.ended);
	assert_string_equal(got.session.tty, "pts/9");
	assert_ok(session_remove(dir, &s.id, &d));
	ask();
	assert_true(got.err == CLUSTER_OK && !got.found);
}

static void test_other_boot(void **state)
{
	struct session s = record(1, getpid());

	(void)state;
	s.boot_id.b[0] ^= 1;
	store(&s);
	ask();
	assert_true(got.err == CLUSTER_OK && !got.found);
}

/* Two records that both say so, one that cannot be read, a directory that is not there: nobody knows. */
static void test_unknown(void **state)
{
	struct session s = record(1, getpid()), second = record(2, getpid());
	char path[200], name[ID_TEXT + 1];
	FILE *f;

	(void)state;
	store(&s);
	store(&second);
	ask();
	assert_true(got.err == CLUSTER_ELIMIT && !got.found);
	assert_ok(session_remove(dir, &second.id, &d));
	ask();
	assert_true(got.err == CLUSTER_OK && got.found);
	id_text(&second.id, name);
	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	fputs("rubbish", f);
	fclose(f);
	ask();
	assert_true(got.err != CLUSTER_OK && !got.found);
	assert_int_equal(unlink(path), 0);
	assert_ok(session_remove(dir, &s.id, &d));
	assert_int_equal(rmdir(dir), 0);
	ask();
	assert_int_equal(got.err, CLUSTER_ESYSTEM);
	assert_int_equal(mkdir(dir, 0700), 0);
}

/* Whose leader has gone is a session that has ended, whatever its record says. */
static void test_leader_gone(void **state)
{
	struct session s = record(1, getpid());
	struct session_facts f;
	int pipes[2];
	pid_t pid;
	char byte;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		close(pipes[1]);
		(void)!read(pipes[0], &byte, 1);
		_exit(0);
	}
	assert_ok(session_facts_read(getpid(), &f));
	s = record(1, pid);
	if (f.audit == SESSION_NO_AUDIT)
		s.audit = 0; /* then there is nothing to tell it by but the chain, and that has no place for who has gone */
	else
		s.audit = f.audit;
	store(&s);
	ask();
	assert_true(got.err == CLUSTER_OK && got.found == (f.audit != SESSION_NO_AUDIT) && !got.ended);
	close(pipes[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	ask();
	assert_true(got.err == CLUSTER_OK && got.ended == (f.audit != SESSION_NO_AUDIT));
	close(pipes[0]);
}

static void test_gone(void **state)
{
	pid_t pid = fork();
	int fd;

	(void)state;
	if (pid == 0)
		for (;;)
			pause();
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_true(fd >= 0);
	ask_of(pid, fd);
	assert_int_equal(got.err, CLUSTER_OK);
	ask_of(pid, -1);
	assert_int_equal(got.err, CLUSTER_ENOTFOUND);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	ask_of(pid, fd); /* it can still be looked at, and has ended */
	assert_int_equal(got.err, CLUSTER_ENOTFOUND);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	ask_of(pid, fd);
	assert_int_equal(got.err, CLUSTER_ENOTFOUND);
	ask_of(getpid(), fd); /* another process has the number now */
	assert_int_equal(got.err, CLUSTER_ENOTFOUND);
	ask_of(0, pidfd);
	assert_int_equal(got.err, CLUSTER_EFORMAT);
	ask_of(-1, pidfd);
	assert_int_equal(got.err, CLUSTER_EFORMAT);
	close(fd);
}

static void test_adopted(void **state)
{
	FILE *f = fopen(passwd, "we");

	(void)state;
	assert_non_null(f);
	fputs("ecs-user:x:4711:4711::/:/bin/sh\nother:x:4712:1::/:/bin/sh\n", f);
	fclose(f);
	ask();
	assert_string_equal(got.adopted, ""); /* local, and not adopted */
	conf.adopt.n = 2;
	strcpy(conf.adopt.item[0], "other");
	strcpy(conf.adopt.item[1], "ecs-user");
	ask();
	assert_string_equal(got.adopted, "ecs-user");
	assert_int_equal(got.err, CLUSTER_OK);
	assert_int_equal(unlink(passwd), 0);
	ask();
	assert_int_equal(got.err, CLUSTER_EUNAVAIL);
	conf.adopt.n = 0;
	ask();
	assert_int_equal(got.err, CLUSTER_OK);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { T(test_session), T(test_other_boot), T(test_unknown), T(test_leader_gone), T(test_gone), T(test_adopted) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
