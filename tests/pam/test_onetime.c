/* SPDX-License-Identifier: Apache-2.0 */
/* One-time credentials through the real module, and an agent that remembers one use. THREATS.md A1, A4, C1, C4, F4. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pam_app.h"
#include "unit.h"

#include "cluster/agent_msg.h"
#include "cluster/onetime.h"
#include "cluster/session.h"

static struct app a;
static struct onetime o;
static pid_t agent;

static enum cluster_err decide(const struct agent_msg_request *q, struct agent_msg_request *used)
{
	if (q->type == AGENT_MSG_REDEEM && !id_equal(&q->jti, &used->jti) && id_equal(&q->person, &a.cred.person) && q->skew == WORLD_SKEW) {
		*used = *q;
		return CLUSTER_OK;
	}
	if (q->type == AGENT_MSG_CONFIRM && id_equal(&q->jti, &used->jti) && id_equal(&q->receipt, &used->receipt)) {
		memset(&used->receipt, 0, sizeof used->receipt);
		return CLUSTER_OK;
	}
	return CLUSTER_EDENIED;
}

static void serve(int listener)
{
	struct agent_msg_request q, used = { .type = AGENT_MSG_REDEEM };
	uint8_t packet[AGENT_MSG_MAX];
	struct agent_msg_answer m;
	ssize_t got;
	size_t n;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		got = recv(fd, packet, sizeof packet, 0);
		if (got > 0 && agent_msg_request_parse(packet, (size_t)got, &q) == CLUSTER_OK) {
			m = (struct agent_msg_answer){ .type = q.type, .result = decide(&q, &used) };
			if (agent_msg_answer_build(&m, packet, &n) == CLUSTER_OK && send(fd, packet, n, MSG_NOSIGNAL) < 0)
				errno = 0; /* who only tells does not wait */
		}
		close(fd);
	}
	_exit(0);
}

static void agent_start(void)
{
	struct sockaddr_un s = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (mkdir(a.run, 0755) != 0)
		assert_int_equal(chmod(a.run, 0755), 0);
	snprintf(s.sun_path, sizeof s.sun_path, "%.90s/agent.sock", a.run);
	unlink(s.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&s, sizeof s), 0);
	assert_int_equal(listen(fd, 16), 0);
	agent = fork();
	assert_true(agent >= 0);
	if (agent == 0)
		serve(fd);
	close(fd);
}

static void agent_stop(void)
{
	if (agent > 0) {
		kill(agent, SIGKILL);
		waitpid(agent, NULL, 0);
	}
	agent = 0;
}

static int setup(void **state)
{
	(void)state;
	app_init(&a);
	a.w.grants[WORLD_GRANT_ALICE].onetime = true;
	app_store(&a);
	o = (struct onetime){ .cluster = a.cred.cluster, .person = a.cred.person, .device = a.cred.device, .jti = a.cred.jti, .node = a.w.node.id, .iat = a.w.now, .exp = a.w.now + ONETIME_LIFE };
	strcpy(o.account, "emr-user");
	agent_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	agent_stop();
	app_done(&a);
	return 0;
}

/* What is pasted. */
static void paste(const struct crypto_key *issuer)
{
	char *token = NULL;

	assert_ok(onetime_build(&o, issuer ? issuer : a.w.issuer, &token));
	a.reply = APP_TEXT;
	a.text = world_text(&a.w, token);
	free(token);
}

static void expect(const char *user, int code, const char *reason)
{
	int got;

	app_forget(&a);
	got = app_auth(&a, "sshd", user);
	if (got != code || !app_logged(&a, reason))
		fail_msg("%s: code %d, expected %d; log: %s", reason, got, code, a.log);
	assert_int_equal(a.verified, 2); /* G1: as for everybody */
}

static void test_once(void **state)
{
	struct app_login l;
	struct session s;
	struct diag d;
	char name[64], dir[260];

	(void)state;
	paste(NULL);
	l = app_sshd(&a, "emr-user");
	if (l.auth != PAM_SUCCESS || l.account != PAM_SUCCESS || l.open != PAM_SUCCESS)
		fail_msg("%d %d %d: %s", l.auth, l.account, l.open, a.log);
	expect("emr-user", PAM_MAXTRIES, "used");
	/* what its session is */
	o.jti.b[0] ^= 1;
	paste(NULL);
	app_forget(&a);
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	if (geteuid() != 0)
		return;
	assert_int_equal(app_open(&a, "sshd", "emr-user", a.env), PAM_SUCCESS);
	snprintf(dir, sizeof dir, "%s/sessions", a.run);
	assert_int_equal(app_records(&a, name), 1);
	assert_ok(session_load(dir, name, geteuid(), &s, &d));
	assert_true(s.kind == SESSION_ONETIME && s.exp == s.opened + 3600 && id_equal(&s.jti, &o.jti));
}

static void test_refused(void **state)
{
	(void)state;
	paste(NULL);
	expect("alice", PAM_MAXTRIES, "narrowed_account");
	paste(a.w.other);
	expect("emr-user", PAM_MAXTRIES, "issuer_unknown");
	o.node.b[0] ^= 1;
	paste(NULL);
	expect("emr-user", PAM_MAXTRIES, "narrowed_node");
	o.node.b[0] ^= 1;
	o.iat -= 600, o.exp -= 600;
	paste(NULL);
	expect("emr-user", PAM_MAXTRIES, "expired");
	o.iat += 600, o.exp += 600;
	o.device.b[0] ^= 1;
	paste(NULL);
	expect("emr-user", PAM_MAXTRIES, "device_unknown");
	o.device.b[0] ^= 1;
	a.text = "something else";
	expect("emr-user", PAM_MAXTRIES, "answer_format");
}

static void test_only_where_granted(void **state)
{
	(void)state;
	a.w.grants[WORLD_GRANT_ALICE].onetime = false;
	app_store(&a);
	paste(NULL);
	expect("emr-user", PAM_MAXTRIES, "no_onetime_grant");
}

static void test_revoked(void **state)
{
	(void)state;
	world_revoke_id(&a.w, REVOKE_CREDENTIAL, &o.jti, 0);
	app_store(&a);
	paste(NULL);
	expect("emr-user", PAM_MAXTRIES, "revoked_credential");
}

/* No agent, no bearer: never a yes. */
static void test_no_agent(void **state)
{
	(void)state;
	agent_stop();
	paste(NULL);
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "no_agent");
	assert_int_equal(a.env[0], '\0');
}

/* F4: a spent token and a receipt that somebody made up, put into the environment of a login that had another first stage. */
static void test_forged_hand_over(void **state)
{
	char text[1600], *dot;

	(void)state;
	if (geteuid() != 0)
		skip();
	paste(NULL);
	app_forget(&a);
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	snprintf(text, sizeof text, "%s", a.env);
	dot = strrchr(text, '.');
	dot[1] = dot[1] == 'A' ? 'B' : 'A';
	assert_int_equal(app_open(&a, "sshd", "emr-user", text), PAM_SESSION_ERR);
	*dot = '\0';
	assert_int_equal(app_open(&a, "sshd", "emr-user", text), PAM_SESSION_ERR);
	assert_int_equal(app_open(&a, "sshd", "emr-user", a.env), PAM_SUCCESS);
	assert_int_equal(app_open(&a, "sshd", "emr-user", a.env), PAM_SESSION_ERR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_once, setup, teardown), cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_where_granted, setup, teardown), cmocka_unit_test_setup_teardown(test_revoked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_agent, setup, teardown), cmocka_unit_test_setup_teardown(test_forged_hand_over, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
