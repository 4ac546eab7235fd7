/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that came from another node: what ends them, and what they are never asked for. THREATS.md C4, D2, H8. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trustgen.h"
#include "unit.h"

#include "cluster/session.h"
#include "sessions.h"

#define NOW INT64_C(1800000000)

struct place {
	char dir[64], log[4096];
	struct sessions *sessions;
	struct trustgen *g;
	struct directory *directory;
	struct trustgen_records records;
	uint8_t *bytes;
	struct trust t;
	struct moment now;
	pid_t top, leader; /* top stands for sshd: the agent spares its own children */
	int fd;            /* of the leader */
	struct session s;
};

static struct place x;

static void log_collect(int level, const char *line)
{
	(void)level;
	strncat(x.log, line, sizeof x.log - strlen(x.log) - 1);
}

/* A snapshot with these revocations. */
static void judge_by(const char *entries)
{
	struct revoke_list *l = trustgen_revocations_read(x.g, trustgen_revocations(x.g, 1, entries));
	const struct trust_documents from = { .root = &x.g->root, .keyset = &x.g->keyset, .dir = x.directory, .revocations = l };
	struct cluster_id node = trustgen_id("core-1-1");
	struct diag d = { .code = CLUSTER_OK };
	size_t n;

	free(x.bytes);
	x.bytes = NULL;
	assert_ok(trust_build(&from, &node, &x.bytes, &n, &d));
	assert_ok(trust_parse(x.bytes, n, &x.t));
	revoke_free(l);
}

static void direct(const char *grants)
{
	if (grants)
		x.records.kind[DIRECTORY_GRANTS] = grants;
	directory_free(x.directory);
	x.directory = trustgen_directory_read(x.g, trustgen_directory(x.g, 1, x.records));
	judge_by("[]");
}

static const char *grants(bool hop, const char *from)
{
	return trustgen_format(x.g, "[{\"accounts\":[\"emr-user\"]%s,\"id\":\"%s\",\"nodes\":[\"any\"],\"role\":\"ops\"},{\"accounts\":[\"emr-user\"],\"from\":[\"%s\"],\"hop\":true,\"id\":\"%s\","
		"\"nodes\":[\"role:core\"]}]", hop ? ",\"hop\":true" : "", trustgen_id_text(x.g, "grant-ops"), from, trustgen_id_text(x.g, "grant-node"));
}

static void store(void)
{
	char dir[96];
	struct diag d;

	snprintf(dir, sizeof dir, "%s/sessions", x.dir);
	assert_ok(session_store(dir, &x.s, &d));
}

static void rest(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void leader_start(void)
{
	int out[2];

	assert_int_equal(pipe(out), 0);
	x.top = fork();
	if (x.top == 0) {
		signal(SIGCHLD, SIG_IGN); /* no zombie is left */
		x.leader = fork();
		if (x.leader > 0 && write(out[1], &x.leader, sizeof x.leader) != sizeof x.leader)
			_exit(1);
		rest();
	}
	assert_int_equal(read(out[0], &x.leader, sizeof x.leader), sizeof x.leader);
	close(out[0]);
	close(out[1]);
	x.fd = (int)syscall(SYS_pidfd_open, x.leader, 0);
	assert_true(x.fd >= 0);
}

static bool leader_lives(void)
{
	struct pollfd p = { .fd = x.fd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

static void leader_gone(void)
{
	if (x.top <= 0)
		return;
	kill(x.top, SIGKILL);
	waitpid(x.top, NULL, 0);
	close(x.fd);
	x.top = 0;
}

/* As PAM would write it, of a leader that lives. */
static void begin(bool machine)
{
	leader_start();
	x.s = (struct session){ .id = trustgen_id("here"), .jti = trustgen_id("jti"), .source = trustgen_id("master-1-1"), .boot_id = x.now.boot_id, .iat = NOW, .auth_time = NOW, .opened = NOW,
		.exp = NOW + 3600, .kind = SESSION_HOP, .pid = (uint32_t)x.leader };
	if (!machine) {
		x.s.person = trustgen_id("alice");
		x.s.device = trustgen_id("alice-laptop");
		x.s.parent = trustgen_id("there");
		x.s.hops = 2;
		x.s.way[0] = (struct hop_place){ .node = trustgen_id("master-1-1"), .session = trustgen_id("first") };
		strcpy(x.s.role, "ops");
	}
	strcpy(x.s.account, "emr-user");
	strcpy(x.s.service, "sshd");
	strcpy(x.s.issuer, "AAAAAAAAAAAAAAAAAAAAAA");
	snprintf(x.s.cert.key_id, sizeof x.s.cert.key_id, "%s via master-1-1 %s", machine ? "-" : "alice", trustgen_id_text(x.g, "hop"));
	strcpy(x.s.cert.key, "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIJFRK5n7AE0AAA");
	strcpy(x.s.cert.ca, "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIJFRK5n7AE0AAQ");
	assert_ok(session_process(x.leader, &x.s.start, &x.s.audit));
	x.s.audit = SESSION_NO_AUDIT;
	store();
}

static void sweep(void)
{
	struct diag d = { .code = CLUSTER_OK };

	x.log[0] = '\0';
	if (sessions_sweep(x.sessions, &x.t, &x.now, &d) != CLUSTER_OK)
		fail_msg("%s", d.text);
}

static void lives(const char *why)
{
	sweep();
	if (sessions_live(x.sessions) != 1 || !leader_lives())
		fail_msg("%s: the session has ended: %s", why, x.log);
}

static void ends(const char *reason)
{
	sweep();
	if (sessions_live(x.sessions) != 0 || leader_lives() || !strstr(x.log, reason))
		fail_msg("%s: the session lives, or ends otherwise: %s", reason, x.log);
	leader_gone();
}

static int setup(void **state)
{
	struct sessions_conf conf = { .owner = geteuid(), .grace_ms = 300, .notice = 300, .log = log_collect };
	struct diag d;

	(void)state;
	memset(&x, 0, sizeof x);
	strcpy(x.dir, "/tmp/sessions-XXXXXX");
	assert_non_null(mkdtemp(x.dir));
	conf.run_dir = x.dir;
	assert_ok(moment_now(&x.now));
	x.now.wall = NOW;
	assert_ok(sessions_new(&conf, &x.sessions, &d));
	x.g = trustgen_new("prod", NOW);
	x.records = trustgen_sample(x.g);
	direct(grants(true, "role:master"));
	return 0;
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	leader_gone();
	sessions_free(x.sessions);
	free(x.bytes);
	directory_free(x.directory);
	trustgen_free(x.g);
	snprintf(command, sizeof command, "rm -rf %s", x.dir);
	return system(command);
}

static const char *revoked(const char *kind, const char *value)
{
	return trustgen_format(x.g, "[{\"iat\":%lld,\"kind\":\"%s\",\"seq\":1,\"until\":4102444800,\"value\":\"%s\"}]", (long long)NOW, kind, value);
}

/* Whatever it rests on: the person, what the person proved, the session that it came from, the node that vouched, the hop. */
static void test_revoked(void **state)
{
	const struct {
		const char *kind, *value, *reason;
	} rows[] = {
		{ "person", trustgen_id_text(x.g, "alice"), "revoked_person" }, { "device", trustgen_id_text(x.g, "alice-laptop"), "revoked_device" },
		{ "credential", trustgen_id_text(x.g, "jti"), "revoked_credential" }, { "credential", trustgen_id_text(x.g, "hop"), "revoked_credential" },
		{ "session", trustgen_id_text(x.g, "there"), "revoked_session" }, { "session", trustgen_id_text(x.g, "here"), "revoked_session" },
		{ "session", trustgen_id_text(x.g, "first"), "revoked_session" },
		{ "node", trustgen_id_text(x.g, "master-1-1"), "revoked_node" }, { "node", trustgen_id_text(x.g, "core-1-1"), "revoked_node" },
		{ "issuer", "AAAAAAAAAAAAAAAAAAAAAA", "revoked_issuer" }, { "cert_key", x.s.cert.key, "revoked_certificate" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		judge_by("[]");
		begin(false);
		lives(rows[i].kind);
		judge_by(revoked(rows[i].kind, rows[i].value));
		ends(rows[i].reason);
	}
	begin(false);
	judge_by(revoked("node", trustgen_id_text(x.g, "task-1-1")));
	lives("another node");
	judge_by(revoked("session", trustgen_id_text(x.g, "elsewhere")));
	lives("another session");
}

static void test_removed(void **state)
{
	(void)state;
	begin(false);
	direct(grants(false, "role:master"));
	ends("no_hop_grant");
	direct(grants(true, "role:master"));
	begin(false);
	lives("with its grant");
	x.s.source = trustgen_id("gone");
	store();
	ends("hop_source");
	assert_non_null(strstr(x.log, "of person "));
	assert_non_null(strstr(x.log, trustgen_id_text(x.g, "gone")));
}

/* Nobody is behind it: what is of people does not touch it, what is of nodes does. */
static void test_machine(void **state)
{
	(void)state;
	begin(true);
	judge_by(revoked("lockdown", ""));
	lives("lockdown");
	direct(grants(false, "role:master"));
	lives("the grant to people is not its");
	judge_by(revoked("credential", trustgen_id_text(x.g, "hop")));
	ends("revoked_credential");
	assert_non_null(strstr(x.log, "of nobody "));
	judge_by("[]");
	begin(true);
	direct(grants(true, "role:task"));
	ends("no_grant");
	direct(grants(true, "role:master"));
	begin(true);
	judge_by(revoked("node", trustgen_id_text(x.g, "master-1-1")));
	ends("revoked_node");
}

/* No newer credential is asked for, and none is taken: the end is announced, and comes. */
static void test_expiry(void **state)
{
	struct cluster_id session, jti;
	struct credential c;
	struct diag d;

	(void)state;
	begin(false);
	x.s.end_at_expiry = true;
	x.s.exp = NOW + 1000;
	store();
	lives("before");
	x.now.wall = NOW + 800;
	x.s.opened = NOW - 1000;
	store();
	lives("announced");
	assert_non_null(strstr(x.log, "is told that it ends"));
	assert_false(sessions_renewal(x.sessions, &x.now, &session, &jti));
	assert_true(sessions_next_ms(x.sessions, &x.now) > 1000);
	c = (struct credential){ .person = x.s.person, .device = x.s.device, .iat = NOW, .nbf = NOW, .exp = NOW + 5000 };
	assert_err(sessions_renew(x.sessions, &x.t, &x.now, &x.s.id, &c, &d), CLUSTER_ENOTFOUND);
	x.now.wall = NOW + 1000;
	ends("session_expired");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { T(test_revoked), T(test_removed), T(test_machine), T(test_expiry) };

	return cmocka_run_group_tests_name("sessions of hops", tests, NULL, NULL);
}
