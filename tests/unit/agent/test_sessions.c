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
#include <time.h>
#include <unistd.h>

#include "cluster/moment.h"
#include "cluster/session.h"
#include "cluster/trust_snap.h"
#include "ending.h"
#include "sessions.h"
#include "sessions_part.h"
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
	struct moment now;
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
	struct sessions_conf conf = { .owner = geteuid(), .grace_ms = 300, .notice = 300, .log = log_collect };

	memset(x, 0, sizeof *x);
	log_text[0] = '\0';
	strcpy(x->dir, "/tmp/sessions-XXXXXX");
	assert_non_null(mkdtemp(x->dir));
	conf.run_dir = x->dir;
	assert_ok(moment_now(&x->now));
	x->now.wall = NOW;
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

static void sweep(struct place *x)
{
	diag_clear(&x->d);
	if (sessions_sweep(x->sessions, &x->t, &x->now, &x->d) != CLUSTER_OK)
		fail_msg("%s", x->d.text);
}

static enum cluster_err sweep_fails(struct place *x)
{
	diag_clear(&x->d);
	return sessions_sweep(x->sessions, &x->t, &x->now, &x->d);
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
	sweep(&x);
	assert_int_equal(sessions_live(x.sessions), 2);
	assert_int_equal(living(&a) + living(&b), 2 * MEMBERS);
	judge_by(&x, revoked(&x, "alice"));
	sweep(&x);
	assert_int_equal(living(&a), 0);
	assert_int_equal(living(&b), MEMBERS);
	assert_int_equal(sessions_live(x.sessions), 1);
	assert_int_equal(sessions_ended(x.sessions), 1);
	assert_false(recorded(&x, &alice));
	assert_true(recorded(&x, &bob));
	assert_non_null(strstr(log_text, "revoked_person"));
	/* without anything to judge by nothing ends */
	assert_ok(sessions_sweep(x.sessions, NULL, &x.now, &x.d));
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
	sweep(&x);
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
	assert_err(sweep_fails(&x), CLUSTER_ESYSTEM);
	assert_true(sessions_next_ms(x.sessions, &x.now) <= 1000);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(living(&a) > 0);
	assert_true(!lives(&a, 0) || recorded(&x, &alice));
	assert_non_null(strstr(log_text, "cannot be killed"));
	sweep(&x);
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
	sweep(&x);
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
	sweep(&x);
	assert_non_null(strstr(log_text, "lives on"));
	log_text[0] = '\0';
	sweep(&x);
	assert_string_equal(log_text, "");
	s.on_revoke = DIRECTORY_WARN;
	s.id = trustgen_id("another");
	store_again(&x, &s);
	sweep(&x);
	assert_non_null(strstr(log_text, "warned"));
	assert_int_equal(living(&a), MEMBERS);
	assert_int_equal(sessions_ended(x.sessions), 0);
	tree_fell(&a);
	teardown(&x);
}

/* Another revocation of a session that is kept is told again; the same one is not. Whom an administrator names is ended all the same. */
static void test_told_of_each(void **state)
{
	struct session s;
	struct tree a;
	struct place x;
	char id[ID_TEXT + 1];

	(void)state;
	setup(&x);
	tree_grow(&a, false, false, false);
	s = record(&x, "alice", a.pid[0]);
	s.on_revoke = DIRECTORY_KEEP;
	store_again(&x, &s);
	judge_by(&x, revoked(&x, "alice"));
	sweep(&x);
	log_text[0] = '\0';
	judge_by(&x, trustgen_format(x.g, "[{\"iat\":%lld,\"kind\":\"account\",\"seq\":7,\"until\":4102444800,\"value\":\"emr-user\"}]", (long long)NOW));
	sweep(&x);
	assert_non_null(strstr(log_text, "lives on"));
	log_text[0] = '\0';
	sweep(&x);
	assert_string_equal(log_text, "");
	id_text(&s.id, id);
	judge_by(&x, trustgen_format(x.g, "[{\"iat\":%lld,\"kind\":\"session\",\"seq\":8,\"until\":4102444800,\"value\":\"%s\"}]", (long long)NOW, id));
	sweep(&x);
	assert_int_equal(living(&a), 0);
	assert_non_null(strstr(log_text, "revoked_session"));
	tree_fell(&a);
	teardown(&x);
}

/* A look at one record judges that one, and takes it from the table when it has gone. */
static void test_look(void **state)
{
	struct session alice, bob;
	struct tree a, b;
	struct place x;
	uint64_t change;

	(void)state;
	setup(&x);
	tree_grow(&a, false, false, false);
	tree_grow(&b, false, false, false);
	alice = record(&x, "alice", a.pid[0]);
	bob = record(&x, "bob", b.pid[0]);
	assert_ok(sessions_look(x.sessions, &x.t, &x.now, &bob.id, &x.d));
	assert_int_equal(sessions_live(x.sessions), 1);
	assert_ok(sessions_look(x.sessions, &x.t, &x.now, &alice.id, &x.d));
	assert_int_equal(sessions_live(x.sessions), 2);
	change = sessions_change(x.sessions);
	assert_ok(sessions_look(x.sessions, &x.t, &x.now, &alice.id, &x.d));
	assert_true(sessions_change(x.sessions) == change);
	judge_by(&x, revoked(&x, "alice"));
	assert_ok(sessions_look(x.sessions, &x.t, &x.now, &bob.id, &x.d));
	assert_int_equal(living(&a), MEMBERS);
	assert_ok(sessions_look(x.sessions, &x.t, &x.now, &alice.id, &x.d));
	assert_int_equal(living(&a), 0);
	assert_true(sessions_change(x.sessions) > change);
	assert_ok(session_remove(trustgen_format(x.g, "%s/sessions", x.dir), &bob.id, &x.d));
	assert_ok(sessions_look(x.sessions, &x.t, &x.now, &bob.id, &x.d));
	assert_int_equal(sessions_live(x.sessions), 0);
	assert_true(sessions_next_ms(x.sessions, &x.now) == INT64_MAX);
	tree_fell(&a);
	tree_fell(&b);
	teardown(&x);
}

static void end_member(const struct tree *t, size_t i)
{
	struct pollfd p = { .fd = t->fd[i], .events = POLLIN };

	assert_int_equal(syscall(SYS_pidfd_send_signal, t->fd[i], SIGKILL, NULL, 0), 0);
	assert_int_equal(poll(&p, 1, 10000), 1);
}

/* What a person left running when logging off is kept in mind by its audit id, ended by a later revocation, and forgotten when it has ended by itself. */
static void test_left_behind(void **state)
{
	struct session alice, bob;
	struct tree a, b;
	struct place x;

	(void)state;
	setup(&x);
	tree_grow(&a, true, true, true);
	tree_grow(&b, true, true, true);
	if (!a.own_audit) { /* no audit here: nothing tells what was left from anything else, and nothing is kept in mind */
		alice = record(&x, "alice", a.pid[0]);
		end_member(&a, 0);
		sweep(&x);
		assert_false(recorded(&x, &alice));
		goto out;
	}
	alice = record(&x, "alice", a.pid[0]);
	bob = record(&x, "bob", b.pid[0]);
	sweep(&x);
	assert_int_equal(sessions_live(x.sessions), 2);
	end_member(&a, 0); /* its leader was killed: nobody closed it */
	sweep(&x);
	assert_int_equal(sessions_live(x.sessions), 1);
	assert_int_equal(sessions_closing(x.sessions), 1);
	assert_true(recorded(&x, &alice));
	assert_true(sessions_next_ms(x.sessions, &x.now) < 1000);
	end_member(&b, 0);
	end_member(&b, 1);
	bob.closed = NOW; /* as PAM leaves it */
	store_again(&x, &bob);
	assert_ok(sessions_look(x.sessions, &x.t, &x.now, &bob.id, &x.d));
	assert_int_equal(sessions_closing(x.sessions), 2);
	/* the next agent finds them on disk */
	sessions_free(x.sessions);
	assert_ok(sessions_new(&(struct sessions_conf){ .run_dir = x.dir, .owner = geteuid(), .grace_ms = 100, .log = log_collect }, &x.sessions, &x.d));
	judge_by(&x, revoked(&x, "alice"));
	sweep(&x);
	assert_false(lives(&a, 1) || lives(&a, 3));
	assert_true(lives(&b, 3));
	assert_int_equal(sessions_ended(x.sessions), 1);
	assert_int_equal(sessions_closing(x.sessions), 1);
	end_member(&b, 3);
	sweep(&x);
	assert_int_equal(sessions_closing(x.sessions), 0);
	assert_false(recorded(&x, &bob));
	assert_true(sessions_next_ms(x.sessions, &x.now) == INT64_MAX);
out:
	tree_fell(&a);
	tree_fell(&b);
	teardown(&x);
}

/* Forks and goes on in the child, for ever: no look at a list of processes would still find the same one. */
static void run_ahead(int out, int stop)
{
	bool own = audit_login();
	pid_t pid = getpid();
	char c;

	(void)!write(out, &pid, sizeof pid);
	(void)!write(out, &own, sizeof own);
	if (read(stop, &c, 1) < 0)
		_exit(1);
	if (fork() == 0) {
		struct timespec begin, now;

		clock_gettime(CLOCK_MONOTONIC, &begin);
		for (;;) {
			clock_gettime(CLOCK_MONOTONIC, &now);
			if (now.tv_sec - begin.tv_sec > 20 || fork() != 0)
				_exit(0); /* whatever happens, it does not outlive the test for long */
		}
	}
	for (;;)
		pause();
}

static void test_runner(void **state)
{
	int out[2], stop[2];
	struct session s;
	struct place x;
	pid_t top, pid;
	bool own;

	(void)state;
	setup(&x);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(stop), 0);
	if ((top = fork()) == 0) {
		signal(SIGCHLD, SIG_IGN);
		if (fork() == 0)
			run_ahead(out[1], stop[0]);
		rest();
	}
	assert_int_equal(read(out[0], &pid, sizeof pid), sizeof pid);
	assert_int_equal(read(out[0], &own, sizeof own), sizeof own);
	s = record(&x, "alice", pid);
	sweep(&x);
	assert_int_equal(write(stop[1], "x", 1), 1);
	judge_by(&x, revoked(&x, "alice"));
	sweep(&x);
	assert_false(recorded(&x, &s));
	close(out[1]);
	close(stop[0]);
	close(stop[1]);
	kill(top, SIGKILL);
	waitpid(top, NULL, 0);
	if (own) { /* the last process that held the other end has gone */
		struct pollfd p = { .fd = out[0], .events = POLLIN };

		assert_int_equal(poll(&p, 1, 10000), 1);
		assert_false(session_left(&s));
	}
	close(out[0]);
	teardown(&x);
}

/* The kernel's counter of audit sessions came round: the later session does not die for the earlier one's sake, nor the other way round. */
static void test_same_audit_id(void **state)
{
	struct session older, newer;
	struct ending_target t;
	struct place x;
	struct tree a;

	(void)state;
	setup(&x);
	tree_grow(&a, true, true, false);
	if (!a.own_audit)
		goto out;
	newer = record(&x, "bob", a.pid[0]);
	older = newer;
	older.id = trustgen_id("older");
	older.person = trustgen_id("alice");
	strcpy(older.issuer, "AAAAAAAAAAAAAAAAAAAAAA");
	memset(older.device.b, 0, ID_SIZE);
	older.device = trustgen_id("alice-laptop");
	older.pid = 4194300; /* long gone */
	older.start = newer.start - 1;
	store_again(&x, &older);
	judge_by(&x, revoked(&x, "alice"));
	sweep(&x);
	assert_int_equal(living(&a), MEMBERS - 1);
	assert_false(recorded(&x, &older)); /* nothing of it is left */
	assert_true(recorded(&x, &newer));
	store_again(&x, &older);
	assert_ok(sessions_records_all(x.sessions, &x.now, &x.d));
	t = sessions_target(x.sessions, sessions_records_find(x.sessions, &older.id));
	assert_true(t.by_audit && t.until == newer.start);
	t = sessions_target(x.sessions, sessions_records_find(x.sessions, &newer.id));
	assert_true(t.by_audit && t.until == 0);
	older.start = newer.start;
	store_again(&x, &older);
	assert_ok(sessions_records_all(x.sessions, &x.now, &x.d));
	t = sessions_target(x.sessions, sessions_records_find(x.sessions, &older.id));
	assert_false(t.by_audit);
out:
	tree_fell(&a);
	teardown(&x);
}

/* H: what could not be read has not been applied. What was known before is still judged. */
static void test_unreadable(void **state)
{
	struct session alice;
	struct tree a;
	struct place x;
	char dir[96], away[96];

	(void)state;
	setup(&x);
	tree_grow(&a, false, false, false);
	alice = record(&x, "alice", a.pid[0]);
	sweep(&x);
	snprintf(dir, sizeof dir, "%s/sessions", x.dir);
	snprintf(away, sizeof away, "%s/away", x.dir);
	assert_int_equal(rename(dir, away), 0);
	judge_by(&x, revoked(&x, "alice"));
	assert_err(sweep_fails(&x), CLUSTER_ESYSTEM);
	assert_true(sessions_next_ms(x.sessions, &x.now) <= 1000);
	assert_int_equal(living(&a), 0);
	assert_int_equal(rename(away, dir), 0);
	sweep(&x);
	assert_false(recorded(&x, &alice));
	/* a record of another owner's making is not believed, and not passed over either */
	alice = record(&x, "alice", getpid());
	assert_int_equal(chmod(trustgen_format(x.g, "%s/%s", dir, trustgen_id_text(x.g, trustgen_format(x.g, "session-alice-%d", (int)getpid()))), 0666), 0);
	assert_err(sweep_fails(&x), CLUSTER_EUNTRUSTED);
	tree_fell(&a);
	teardown(&x);
}

/* What a stop in the middle has left is cleared away after a while; what is nobody's record is left alone. */
static void test_leftovers(void **state)
{
	static const char *const names[] = { ".AAAAAAAAAAAAAAAAAAAAAA.0123456789abcdef", ".AAAAAAAAAAAAAAAAAAAAAA.0123456789abcde", "notes" };
	struct place x;
	char path[160];

	(void)state;
	setup(&x);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/sessions/%s", x.dir, names[i]);
		close(open(path, O_CREAT | O_WRONLY, 0600));
	}
	x.now.wall = (int64_t)time(NULL);
	snprintf(path, sizeof path, "%s/sessions/%s", x.dir, names[0]);
	sweep(&x);
	assert_int_equal(access(path, F_OK), 0);
	x.now.wall += 3600;
	sweep(&x);
	assert_int_equal(access(path, F_OK), -1);
	for (size_t i = 1; i < 3; i++) {
		snprintf(path, sizeof path, "%s/sessions/%s", x.dir, names[i]);
		assert_int_equal(access(path, F_OK), 0);
	}
	teardown(&x);
}

/* ---- the end of the credential; the clock is ours ---- */

static struct credential newer_credential(const struct place *x, const struct session *s)
{
	struct credential c;

	memset(&c, 0, sizeof c);
	c.cluster = x->t.snap.cluster;
	c.person = s->person;
	c.device = s->device;
	c.jti = trustgen_id("newer");
	c.iat = c.nbf = c.auth_time = x->now.wall;
	c.exp = s->exp + 3600;
	strcpy(c.issuer, "BBBBBBBBBBBBBBBBBBBBBA");
	return c;
}

static void fresh_now(struct place *x)
{
	x->t.fresh.head_iat = x->t.fresh.newest_iat = x->now.wall;
	x->t.fresh.boot_id = x->now.boot_id;
	x->t.fresh.boot_time = x->now.boot;
}

static void test_expiry(void **state)
{
	struct cluster_id session, jti;
	struct session s;
	struct tree a;
	struct place x;

	(void)state;
	setup(&x);
	tree_grow(&a, false, false, false);
	s = record(&x, "alice", a.pid[0]);
	x.now.wall = s.exp + 100;
	sweep(&x); /* its grant does not say so */
	assert_int_equal(living(&a), MEMBERS);
	s.end_at_expiry = true;
	s.opened = s.exp - 290;
	store_again(&x, &s);
	x.now.wall = s.opened + 1; /* so young that it has no terminal: told a little later */
	sweep(&x);
	assert_string_equal(log_text, "");
	assert_true(sessions_next_ms(x.sessions, &x.now) == 1000);
	s.opened = NOW;
	store_again(&x, &s);
	x.now.wall = s.exp - 301;
	sweep(&x);
	assert_string_equal(log_text, "");
	assert_true(sessions_next_ms(x.sessions, &x.now) == 1000);
	assert_false(sessions_renewal(x.sessions, &x.now, &session, &jti));
	x.now.wall = s.exp - 300;
	sweep(&x);
	assert_non_null(strstr(log_text, "is told that it ends"));
	log_text[0] = '\0';
	sweep(&x);
	assert_string_equal(log_text, ""); /* once */
	assert_true(sessions_renewal(x.sessions, &x.now, &session, &jti));
	assert_true(id_equal(&session, &s.id) && id_equal(&jti, &s.jti));
	assert_false(sessions_renewal(x.sessions, &x.now, &session, &jti));
	assert_true(sessions_next_ms(x.sessions, &x.now) == 20000);
	x.now.wall += 19;
	assert_false(sessions_renewal(x.sessions, &x.now, &session, &jti));
	x.now.wall++;
	assert_true(sessions_renewal(x.sessions, &x.now, &session, &jti));
	x.now.wall = s.exp - 1;
	sweep(&x);
	assert_int_equal(living(&a), MEMBERS);
	x.now.wall = s.exp;
	assert_ok(sessions_sweep(x.sessions, NULL, &x.now, &x.d)); /* it takes no snapshot to know the time */
	assert_int_equal(living(&a), 0);
	assert_non_null(strstr(log_text, "session_expired"));
	assert_false(recorded(&x, &s));
	assert_int_equal(sessions_ended(x.sessions), 1);
	tree_fell(&a);
	teardown(&x);
}

/* Whoever has many sessions that wait for a newer credential keeps nobody else's from being asked for. */
static void test_asking_in_turn(void **state)
{
	struct cluster_id asked[3], jti;
	struct session s;
	struct tree a;
	struct place x;
	size_t i;

	(void)state;
	setup(&x);
	tree_grow(&a, false, false, false);
	s = record(&x, "alice", a.pid[0]);
	s.end_at_expiry = true;
	for (i = 0; i < 3; i++) {
		s.id.b[0] ^= (uint8_t)i;
		store_again(&x, &s);
	}
	x.now.wall = s.exp - 200;
	sweep(&x);
	for (i = 0; i < 3; i++) { /* one each time, as if there were no room for more */
		assert_true(sessions_renewal(x.sessions, &x.now, &asked[i], &jti));
		assert_true(i == 2 || sessions_next_ms(x.sessions, &x.now) == 1000);
		x.now.wall += 20;
	}
	assert_false(id_equal(&asked[0], &asked[1]) || id_equal(&asked[0], &asked[2]) || id_equal(&asked[1], &asked[2]));
	x.now.wall = s.exp - 250; /* set back: asked at once, and then not before its time */
	for (i = 0; i < 3; i++)
		assert_true(sessions_renewal(x.sessions, &x.now, &asked[i], &jti));
	assert_false(sessions_renewal(x.sessions, &x.now, &asked[0], &jti));
	tree_fell(&a);
	teardown(&x);
}

static void test_renewal(void **state)
{
	struct credential c, bad;
	struct session s, again;
	char dir[96], name[ID_TEXT + 1];
	struct tree a;
	struct place x;

	(void)state;
	setup(&x);
	tree_grow(&a, false, false, false);
	s = record(&x, "alice", a.pid[0]);
	s.end_at_expiry = true;
	store_again(&x, &s);
	x.now.wall = s.exp - 10;
	fresh_now(&x);
	sweep(&x);
	c = newer_credential(&x, &s);
#define REFUSED(err, change) \
	do { \
		bad = c; \
		change; \
		assert_err(sessions_renew(x.sessions, &x.t, &x.now, &s.id, &bad, &x.d), err); \
	} while (0)
	REFUSED(CLUSTER_EDENIED, bad.person = trustgen_id("bob"));
	REFUSED(CLUSTER_EDENIED, bad.device = trustgen_id("bob-laptop"));
	REFUSED(CLUSTER_EDENIED, bad.exp = s.exp);
	REFUSED(CLUSTER_EDENIED, bad.cluster.b[0] ^= 1);
	REFUSED(CLUSTER_EDENIED, bad.nbf = x.now.wall + 1000);
	REFUSED(CLUSTER_EDENIED, bad.n_acc = 1; strcpy(bad.acc[0], "hadoop"));
	REFUSED(CLUSTER_EDENIED, bad.n_nod = 1; strcpy(bad.nod[0], "node:elsewhere"));
#undef REFUSED
	s.id.b[0] ^= 1;
	assert_err(sessions_renew(x.sessions, &x.t, &x.now, &s.id, &c, &x.d), CLUSTER_ENOTFOUND);
	s.id.b[0] ^= 1;
	if (sessions_renew(x.sessions, &x.t, &x.now, &s.id, &c, &x.d) != CLUSTER_OK)
		fail_msg("%s", x.d.text);
	snprintf(dir, sizeof dir, "%s/sessions", x.dir);
	id_text(&s.id, name);
	assert_ok(session_load(dir, name, geteuid(), &again, &x.d));
	assert_true(again.exp == c.exp && again.iat == c.iat && id_equal(&again.jti, &c.jti) && again.auth_time == s.auth_time);
	assert_string_equal(again.issuer, c.issuer);
	x.now.wall = s.exp + 1;
	sweep(&x);
	assert_int_equal(living(&a), MEMBERS);
	x.now.wall = c.exp;
	sweep(&x);
	assert_int_equal(living(&a), 0);
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
	sweep(&x);
	assert_int_equal(living(&a), MEMBERS);
	assert_false(recorded(&x, &s));
	s.start--;
	s.boot_id.b[0] ^= 1;
	store_again(&x, &s);
	sweep(&x);
	assert_int_equal(living(&a), MEMBERS);
	assert_false(recorded(&x, &s));
	/* this process: its session would be the agent's own */
	s = record(&x, "alice", getpid());
	sweep(&x);
	assert_int_equal(living(&a), MEMBERS);
	snprintf(path, sizeof path, "%s/sessions/AAAAAAAAAAAAAAAAAAAAAA", x.dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("CLSESS1\n", f);
	fclose(f);
	assert_int_equal(chmod(path, 0600), 0);
	log_text[0] = '\0';
	assert_err(sweep_fails(&x), CLUSTER_ETRUNC); /* whose session it is nobody knows: what this node has applied is not everything */
	assert_non_null(strstr(log_text, "not a session record"));
	assert_int_equal(unlink(path), 0);
	sweep(&x);
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
		cmocka_unit_test(test_told_of_each),
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_left_behind),
		cmocka_unit_test(test_runner),
		cmocka_unit_test(test_same_audit_id),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_leftovers),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_asking_in_turn), cmocka_unit_test(test_renewal),
		cmocka_unit_test(test_records_that_do_not_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
