/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/moment.h"
#include "cluster/session.h"
#include "cluster/trust_snap.h"
#include "ending.h"
#include "sessions.h"
#include "trustgen.h"

#define NOW INT64_C(1800000000)
#define MEMBERS 4 /* leader, child, child in a session of its own, grandchild */

/* A login session of processes, not children of this one. */
struct tree {
	pid_t top;            /* stands for sshd: their parent, our child */
	pid_t pid[MEMBERS];
	int fd[MEMBERS];      /* pidfds */
	bool own_audit;
};

static void rest(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

/* A login of its own for the audit subsystem, if this kernel and user can. */
static bool audit_login(void)
{
	int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, "1000", 4) == 4;

	if (fd >= 0)
		close(fd);
	return ok;
}

static void grow_leader(int out, bool audit, bool detach, bool stubborn)
{
	struct { pid_t pid[MEMBERS]; bool own_audit; } m = { .own_audit = audit && audit_login() };
	int ready[2];

	m.pid[0] = getpid();
	if (stubborn) {
		signal(SIGHUP, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
	}
	if ((m.pid[1] = fork()) == 0)
		for (;;)
			pause();
	if (pipe(ready) != 0)
		_exit(1);
	if ((m.pid[2] = fork()) == 0) {
		setsid();
		m.pid[3] = fork();
		if (m.pid[3] == 0)
			for (;;)
				pause();
		(void)!write(ready[1], &m.pid[3], sizeof m.pid[3]);
		if (detach)
			_exit(0); /* the grandchild is init's now */
		for (;;)
			pause();
	}
	(void)!read(ready[0], &m.pid[3], sizeof m.pid[3]);
	if (detach)
		waitpid(m.pid[2], NULL, 0);
	(void)!write(out, &m, sizeof m);
	for (;;)
		pause();
}

static void tree_grow(struct tree *t, bool audit, bool detach, bool stubborn)
{
	struct { pid_t pid[MEMBERS]; bool own_audit; } m;
	int out[2];
	size_t i;

	assert_int_equal(pipe(out), 0);
	t->top = fork();
	assert_true(t->top >= 0);
	if (t->top == 0) {
		signal(SIGCHLD, SIG_IGN); /* children do not stay zombies */
		if (fork() == 0)
			grow_leader(out[1], audit, detach, stubborn);
		rest();
	}
	assert_int_equal(read(out[0], &m, sizeof m), sizeof m);
	memcpy(t->pid, m.pid, sizeof t->pid);
	t->own_audit = m.own_audit;
	close(out[0]);
	close(out[1]);
	for (i = 0; i < MEMBERS; i++)
		t->fd[i] = (int)syscall(SYS_pidfd_open, t->pid[i], 0);
}

static bool lives(const struct tree *t, size_t i)
{
	struct pollfd p = { .fd = t->fd[i], .events = POLLIN };

	return t->fd[i] >= 0 && poll(&p, 1, 0) == 0;
}

static size_t living(const struct tree *t)
{
	size_t i, n = 0;

	for (i = 0; i < MEMBERS; i++)
		n += lives(t, i);
	return n;
}

static void tree_fell(struct tree *t)
{
	size_t i;

	for (i = 0; i < MEMBERS; i++) {
		if (t->fd[i] >= 0) {
			(void)syscall(SYS_pidfd_send_signal, t->fd[i], SIGKILL, NULL, 0);
			close(t->fd[i]);
		}
	}
	kill(t->top, SIGKILL);
	waitpid(t->top, NULL, 0);
}

struct place {
	char dir[64];
	struct sessions *sessions;
	struct trustgen *g;
	struct directory *directory;
	uint8_t *bytes;
	struct trust t;
	struct diag d;
};

static char log_text[4096];

static void log_collect(int level, const char *line)
{
	(void)level;
	strncat(log_text, line, sizeof log_text - strlen(log_text) - 1);
	strncat(log_text, "\n", sizeof log_text - strlen(log_text) - 1);
}

static void judge_by(struct place *x, const char *entries)
{
	struct revoke_list *l = trustgen_revocations_read(x->g, trustgen_revocations(x->g, 1, entries));
	const struct trust_documents from = { .root = &x->g->root, .keyset = &x->g->keyset, .dir = x->directory, .revocations = l };
	struct cluster_id node = trustgen_id("core-1-1");
	size_t n;

	free(x->bytes);
	x->bytes = NULL;
	assert_ok(trust_build(&from, &node, &x->bytes, &n, &x->d));
	assert_ok(trust_parse(x->bytes, n, &x->t));
	revoke_free(l);
}

static void setup(struct place *x)
{
	struct sessions_conf conf = { .owner = geteuid(), .grace_ms = 300, .log = log_collect };

	memset(x, 0, sizeof *x);
	log_text[0] = '\0';
	strcpy(x->dir, "/tmp/sessions-XXXXXX");
	assert_non_null(mkdtemp(x->dir));
	conf.run_dir = x->dir;
	assert_ok(sessions_new(&conf, &x->sessions, &x->d));
	x->g = trustgen_new("prod", NOW);
	x->directory = trustgen_directory_read(x->g, trustgen_directory(x->g, 1, trustgen_sample(x->g)));
	judge_by(x, "[]");
}

static void teardown(struct place *x)
{
	char command[100];

	sessions_free(x->sessions);
	free(x->bytes);
	directory_free(x->directory);
	trustgen_free(x->g);
	snprintf(command, sizeof command, "rm -rf %s", x->dir);
	assert_int_equal(system(command), 0);
}

static const char *revoked(struct place *x, const char *person)
{
	return trustgen_format(x->g, "[{\"iat\":%lld,\"kind\":\"person\",\"seq\":1,\"until\":4102444800,\"value\":\"%s\"}]", (long long)NOW, trustgen_id_text(x->g, person));
}

/* The record that PAM would write for this person's session with this leader. */
static struct session record(struct place *x, const char *person, pid_t leader)
{
	char dir[96], device[32];
	struct session s;
	struct moment m;

	memset(&s, 0, sizeof s);
	assert_ok(moment_now(&m));
	assert_ok(session_process(leader, &s.start, &s.audit));
	s.pid = (uint32_t)leader;
	s.id = trustgen_id(trustgen_format(x->g, "session-%s-%d", person, (int)leader));
	s.person = trustgen_id(person);
	snprintf(device, sizeof device, "%s-laptop", person);
	s.device = trustgen_id(device);
	s.jti = trustgen_id("jti");
	s.boot_id = m.boot_id;
	s.iat = s.auth_time = s.opened = NOW;
	s.exp = NOW + 3600;
	s.kind = SESSION_CREDENTIAL;
	strcpy(s.account, "emr-user");
	strcpy(s.service, "sshd");
	strcpy(s.issuer, "AAAAAAAAAAAAAAAAAAAAAA");
	snprintf(dir, sizeof dir, "%s/sessions", x->dir);
	assert_ok(session_store(dir, &s, &x->d));
	return s;
}

static bool recorded(const struct place *x, const struct session *s)
{
	char name[ID_TEXT + 1], path[160];

	id_text(&s->id, name);
	snprintf(path, sizeof path, "%s/sessions/%s", x->dir, name);
	return access(path, F_OK) == 0;
}

static void store_again(struct place *x, const struct session *s)
{
	char dir[96];

	snprintf(dir, sizeof dir, "%s/sessions", x->dir);
	assert_ok(session_store(dir, s, &x->d));
}

/* H8: alice is revoked: all of hers die, also what runs in a session of its own; bob's under the same account live. */
static void test_revoked_person(void **state)
{
	struct session alice, bob;
	struct tree a, b;
	struct place x;

	(void)state;
	setup(&x);
	tree_grow(&a, false, false, false);
	tree_grow(&b, false, false, false);
	alice = record(&x, "alice", a.pid[0]);
	bob = record(&x, "bob", b.pid[0]);
	sessions_sweep(x.sessions, &x.t);
	assert_int_equal(sessions_live(x.sessions), 2);
	assert_int_equal(living(&a) + living(&b), 2 * MEMBERS);
	judge_by(&x, revoked(&x, "alice"));
	sessions_sweep(x.sessions, &x.t);
	assert_int_equal(living(&a), 0);
	assert_int_equal(living(&b), MEMBERS);
	assert_int_equal(sessions_live(x.sessions), 1);
	assert_int_equal(sessions_ended(x.sessions), 1);
	assert_false(recorded(&x, &alice));
	assert_true(recorded(&x, &bob));
	assert_non_null(strstr(log_text, "revoked_person"));
	/* without anything to judge by nothing ends */
	sessions_sweep(x.sessions, NULL);
	assert_int_equal(living(&b), MEMBERS);
	tree_fell(&a);
	tree_fell(&b);
	teardown(&x);
}

/* Whoever ignores SIGHUP and SIGTERM is killed after the grace time. */
static void test_stubborn(void **state)
{
	struct tree a;
	struct place x;

	(void)state;
	setup(&x);
	tree_grow(&a, false, false, true);
	(void)record(&x, "alice", a.pid[0]);
	judge_by(&x, revoked(&x, "alice"));
	sessions_sweep(x.sessions, &x.t);
	assert_int_equal(living(&a), 0);
	tree_fell(&a);
	teardown(&x);
}

/* H8: what cannot be held cannot be killed: the session is not taken for ended, and the next look ends it. */
static void test_out_of_descriptors(void **state)
{
	struct rlimit before, few;
	struct session alice;
	struct tree a;
	struct place x;
	int next;

	(void)state;
	setup(&x);
	tree_grow(&a, false, false, true);
	alice = record(&x, "alice", a.pid[0]);
	judge_by(&x, revoked(&x, "alice"));
	next = dup(0);
	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)next + 4; /* enough to read a record, and not to hold four processes */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	sessions_sweep(x.sessions, &x.t);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(living(&a) > 0);
	assert_true(!lives(&a, 0) || recorded(&x, &alice));
	assert_non_null(strstr(log_text, "cannot be killed"));
	sessions_sweep(x.sessions, &x.t);
	assert_false(recorded(&x, &alice));
	if (lives(&a, 0))
		fail_msg("the leader lives");
	tree_fell(&a);
	teardown(&x);
}

/* By audit id also what has been left to init dies. Without audit (or without the right to use it) there is nothing to show here but descent. */
static void test_by_audit(void **state)
{
	struct tree a, b;
	struct place x;

	(void)state;
	setup(&x);
	tree_grow(&a, true, true, false);
	tree_grow(&b, true, true, false);
	assert_int_equal(living(&a), MEMBERS - 1);
	(void)record(&x, "alice", a.pid[0]);
	(void)record(&x, "bob", b.pid[0]);
	judge_by(&x, revoked(&x, "alice"));
	sessions_sweep(x.sessions, &x.t);
	assert_false(lives(&a, 0) || lives(&a, 1));
	assert_true(lives(&a, 3) == !a.own_audit);
	assert_int_equal(living(&b), MEMBERS - 1);
	tree_fell(&a);
	tree_fell(&b);
	teardown(&x);
}

/* Warn and keep let it live, and say so once. */
static void test_on_revoke(void **state)
{
	struct session s;
	struct tree a;
	struct place x;

	(void)state;
	setup(&x);
	tree_grow(&a, false, false, false);
	s = record(&x, "alice", a.pid[0]);
	s.on_revoke = DIRECTORY_KEEP;
	store_again(&x, &s);
	judge_by(&x, revoked(&x, "alice"));
	sessions_sweep(x.sessions, &x.t);
	assert_non_null(strstr(log_text, "lives on"));
	log_text[0] = '\0';
	sessions_sweep(x.sessions, &x.t);
	assert_string_equal(log_text, "");
	s.on_revoke = DIRECTORY_WARN;
	s.id = trustgen_id("another");
	store_again(&x, &s);
	sessions_sweep(x.sessions, &x.t);
	assert_non_null(strstr(log_text, "warned"));
	assert_int_equal(living(&a), MEMBERS);
	assert_int_equal(sessions_ended(x.sessions), 0);
	tree_fell(&a);
	teardown(&x);
}

/* A record that names another process (its number was given away), another boot, the agent itself, or that is no record. */
static void test_records_that_do_not_hold(void **state)
{
	struct session s;
	struct tree a;
	struct place x;
	char path[160];
	FILE *f;

	(void)state;
	setup(&x);
	tree_grow(&a, false, false, false);
	judge_by(&x, revoked(&x, "alice"));
	s = record(&x, "alice", a.pid[0]);
	s.start++;
	store_again(&x, &s);
	sessions_sweep(x.sessions, &x.t);
	assert_int_equal(living(&a), MEMBERS);
	assert_false(recorded(&x, &s));
	s.start--;
	s.boot_id.b[0] ^= 1;
	store_again(&x, &s);
	sessions_sweep(x.sessions, &x.t);
	assert_int_equal(living(&a), MEMBERS);
	assert_false(recorded(&x, &s));
	/* this process: its session would be the agent's own */
	s = record(&x, "alice", getpid());
	sessions_sweep(x.sessions, &x.t);
	assert_int_equal(living(&a), MEMBERS);
	snprintf(path, sizeof path, "%s/sessions/AAAAAAAAAAAAAAAAAAAAAA", x.dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("CLSESS1\n", f);
	fclose(f);
	assert_int_equal(chmod(path, 0600), 0);
	log_text[0] = '\0';
	sessions_sweep(x.sessions, &x.t);
	assert_non_null(strstr(log_text, "not a session record"));
	assert_int_equal(living(&a), MEMBERS);
	tree_fell(&a);
	teardown(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_revoked_person),
		cmocka_unit_test(test_stubborn),
		cmocka_unit_test(test_out_of_descriptors),
		cmocka_unit_test(test_by_audit),
		cmocka_unit_test(test_on_revoke),
		cmocka_unit_test(test_records_that_do_not_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
