/* SPDX-License-Identifier: Apache-2.0 */
/* A login for which another node vouches, through the real module, and sudo in the session that it opens. THREATS.md B9, C4, D2, D8. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pam_app.h"
#include "unit.h"
#include "world_hop.h"

#include "cluster/answer.h"
#include "cluster/policy.h"
#include "cluster/session.h"

#define AUDIT 4711

static struct app a;
static struct world_hop h;
static enum world_person person;
static char *info;

/* What `cluster-login answer` prints. */
static void sign(struct app *app, const struct challenge *ch, char *dst, size_t size)
{
	char *token = NULL;

	assert_ok(answer_build(ch, &app->w.people[person].id, app->w.device, app->w.now, &token));
	assert_true(strlen(token) < size);
	strcpy(dst, token);
	free(token);
}

static int setup(void **state)
{
	(void)state;
	app_init(&a);
	world_hop_init(&a.w, &h);
	a.w.grants[WORLD_GRANT_ALICE].sudo = a.w.grants[WORLD_GRANT_OPS].sudo = true;
	app_store(&a);
	app_conf(&a, "[node]\nsudo_services = sudo, su\n"); /* a root's su is a job, and a test's process is root */
	app_audit(AUDIT);
	a.custom = sign;
	a.reply = APP_CUSTOM;
	person = WORLD_ALICE;
	info = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(info);
	app_audit(UINT32_MAX);
	app_done(&a);
	world_hop_done(&h);
	return 0;
}

/* As sshd tells it. */
static void show(enum world_hop_node by)
{
	char *line = world_hop_line(&h, by);

	free(info);
	assert_true(asprintf(&info, "publickey %s\n", line) > 0);
	free(line);
	a.authinfo = info;
}

static void expect(int code, const char *reason)
{
	size_t records = app_records(&a, NULL);
	int got;

	app_forget(&a);
	show(WORLD_HOP_EDGE);
	got = app_open(&a, "sshd", h.hop.account, NULL);
	if (got != code || !app_logged(&a, reason))
		fail_msg("code %d, expected %d, %s; log: %s", got, code, reason, a.log);
	assert_int_equal(app_records(&a, NULL), records + (code == PAM_SUCCESS));
}

static struct session record(void)
{
	char name[64], path[300];
	struct session s;
	struct diag d;

	assert_int_equal(app_records(&a, name), 1);
	snprintf(path, sizeof path, "%s/sessions", a.run);
	assert_ok(session_load(path, name, geteuid(), &s, &d));
	return s;
}

static void logged(const char *what)
{
	if (!strstr(a.log, what))
		fail_msg("the log does not say \"%s\": %s", what, a.log);
}

/* ---- the session ---- */

static void test_login(void **state)
{
	char parent[ID_TEXT + 1], sid[ID_TEXT + 1], jti[ID_TEXT + 1], want[200];
	struct session s;

	(void)state;
	h.hop.count = 3;
	h.hop.way[0] = (struct hop_place){ .node = h.nodes[WORLD_HOP_HERE].id, .session = world_id('s', 1) };
	h.hop.way[1] = (struct hop_place){ .node = h.nodes[WORLD_HOP_EDGE].id, .session = world_id('s', 2) };
	a.w.grants[WORLD_GRANT_ALICE].on_revoke = DIRECTORY_WARN;
	app_store(&a);
	expect(PAM_SUCCESS, "ok");
	id_text(&h.hop.parent, parent);
	id_text(&h.hop.session, sid);
	id_text(&h.hop.jti, jti);
	snprintf(want, sizeof want, " jti=%s via=edge-1 from=198.51.100.4 parent=%s sid=%s n=3 serial=0 key_id=alice\\x20via\\x20edge-1\\x20%s ca=SHA256:", jti, parent, sid, jti);
	logged(want);
	logged(" result=accepted reason=ok person=alice account=emr-user service=sshd rhost=192.0.2.7 ");
	s = record();
	assert_int_equal(s.kind, SESSION_HOP);
	assert_true(id_equal(&s.person, &h.hop.person) && id_equal(&s.device, &h.hop.device) && id_equal(&s.jti, &h.hop.parent) && id_equal(&s.parent, &h.hop.session));
	assert_true(id_equal(&s.source, &h.nodes[WORLD_HOP_EDGE].id));
	assert_int_equal(s.hops, 3);
	assert_memory_equal(s.way, h.hop.way, sizeof s.way);
	assert_true(s.iat == h.hop.auth_time && s.auth_time == h.hop.auth_time && s.exp == h.hop.end);
	assert_string_equal(s.issuer, h.hop.parent_issuer);
	assert_int_equal(strlen(s.cert.key), SSHCERT_FINGERPRINT);
	assert_int_equal(s.on_revoke, DIRECTORY_WARN);
	assert_false(s.narrowed || s.narrowed_nodes || s.end_at_expiry);
	assert_int_equal(a.prompts, 0);
}

static void test_expiry(void **state)
{
	struct session s;

	(void)state;
	a.w.grants[WORLD_GRANT_ALICE].ttl = 1800;
	a.w.grants[WORLD_GRANT_ALICE].end_at_expiry = true;
	h.hop.parent_source[0] = '\0';
	app_store(&a);
	expect(PAM_SUCCESS, "ok");
	logged(" from=- ");
	s = record();
	assert_true(s.end_at_expiry && s.exp == h.hop.auth_time + 1800);
}

static void test_machine(void **state)
{
	static const struct cluster_id none;
	struct session s;

	(void)state;
	world_hop_machine(&a.w, &h);
	app_store(&a);
	expect(PAM_SUCCESS, "ok");
	logged(" person=- account=emr-user ");
	logged(" via=edge-1 from=- parent=- sid=- n=0 ");
	s = record();
	assert_true(s.kind == SESSION_HOP && s.hops == 0 && id_equal(&s.person, &none) && id_equal(&s.device, &none) && id_equal(&s.parent, &none));
	assert_true(id_equal(&s.source, &h.nodes[WORLD_HOP_EDGE].id) && id_equal(&s.jti, &h.hop.jti));
	assert_true(s.iat == h.hop.iat && s.auth_time == h.hop.iat && s.exp == h.hop.iat + CREDENTIAL_LIFE_MAX);
	assert_string_not_equal(s.issuer, "");
}

/* The flags that keep a session from going on: what the credential itself was narrowed to. */
static void test_narrowed_is_recorded(void **state)
{
	struct session s;

	(void)state;
	a.cred.n_nod = 1;
	strcpy(a.cred.nod[0], "role:master");
	free(info);
	info = app_certificate(&a, NULL);
	a.authinfo = info;
	assert_int_equal(app_open(&a, "sshd", "emr-user", NULL), PAM_SUCCESS);
	s = record();
	assert_true(s.kind == SESSION_CERTIFICATE && s.narrowed_nodes && !s.narrowed);
}

static void test_source_is_recorded(void **state)
{
	struct session s;

	(void)state;
	a.cred.n_src = 1;
	strcpy(a.cred.src[0], "192.0.2.0/24");
	free(info);
	info = app_certificate(&a, NULL);
	a.authinfo = info;
	assert_int_equal(app_open(&a, "sshd", "emr-user", NULL), PAM_SUCCESS);
	s = record();
	assert_true(s.narrowed_nodes && !s.narrowed);
}

static void test_refused(void **state)
{
	(void)state;
	h.hop.account[0] = 'x'; /* vouched for another account than the one that is opened */
	show(WORLD_HOP_EDGE);
	assert_int_equal(app_open(&a, "sshd", "emr-user", NULL), PAM_SESSION_ERR);
	assert_true(app_logged(&a, "narrowed_account"));
	logged(" via=edge-1 ");
	strcpy(h.hop.account, "lonely");
	expect(PAM_SESSION_ERR, "no_grant");
	strcpy(h.hop.account, "emr-user");
	h.hop.exp = h.hop.iat = a.w.now - 1;
	h.hop.iat -= HOP_LIFE_MAX;
	expect(PAM_SESSION_ERR, "hop_too_old");
	h.hop.iat = a.w.now;
	h.hop.exp = a.w.now + HOP_LIFE_MAX;
	h.hop.target = world_id('n', 9);
	expect(PAM_SESSION_ERR, "narrowed_node");
	h.hop.target = a.w.node.id;
	a.w.grants[WORLD_GRANT_ALICE].hop = false;
	app_store(&a);
	expect(PAM_SESSION_ERR, "no_hop_grant");
	a.w.grants[WORLD_GRANT_ALICE].hop = true;
	world_revoke_id(&a.w, REVOKE_NODE, &h.hop.source, 0);
	app_conf(&a, "[node]\nstatic_keys = report\n");
	app_store(&a);
	expect(PAM_SESSION_ERR, "revoked_node"); /* known, and so judged in any mode */
}

/* By another node than the one that it names. */
static void test_anothers_name(void **state)
{
	(void)state;
	show(WORLD_HOP_HERE);
	assert_int_equal(app_open(&a, "sshd", "emr-user", NULL), PAM_SESSION_ERR);
	assert_true(app_logged(&a, "bad_certificate"));
	assert_int_equal(app_records(&a, NULL), 0);
}

/* Only sshd's word counts, whoever vouches. */
static void test_not_sshd(void **state)
{
	(void)state;
	a.tty = "/dev/tty1";
	expect(PAM_SESSION_ERR, "no_credential_login");
}

static void node_goes(struct app *x)
{
	x->w.dir.n_nodes--;
	app_store(x);
}

/* Removed between decision and record. */
static void test_source_goes_meanwhile(void **state)
{
	(void)state;
	a.before_record = node_goes;
	expect(PAM_SESSION_ERR, "hop_source");
}

/* ---- sudo and su ---- */

static void sudo(const char *service, const char *account, int code, const char *reason, int prompts)
{
	int got;

	app_forget(&a);
	a.ruser = h.hop.account;
	got = app_auth(&a, service, account);
	if (got != code || !app_logged(&a, reason) || a.prompts != prompts)
		fail_msg("%s: code %d, expected %d; %d prompts; log: %s", reason, got, code, a.prompts, a.log);
}

/* Another node's word for who that is, and since when, makes nobody root here: the person's key has to, however fresh it says it is, and for su too. */
static void test_sudo_personal(void **state)
{
	(void)state;
	strcpy(h.hop.account, "alice");
	h.hop.auth_time = a.w.now;
	expect(PAM_SUCCESS, "ok");
	sudo("sudo", "alice", PAM_SUCCESS, "ok", 1);
	sudo("su", "emr-user", PAM_SUCCESS, "ok", 1);
	person = WORLD_CAROL;
	sudo("sudo", "alice", PAM_MAXTRIES, "not_the_caller", 1);
}

static void test_sudo_shared(void **state)
{
	(void)state;
	expect(PAM_SUCCESS, "ok");
	sudo("sudo", "emr-user", PAM_SUCCESS, "ok", 1);
}

/* Nobody stands behind a machine's session: somebody has to answer, and anybody may who could use sudo here. */
static void test_sudo_machine(void **state)
{
	(void)state;
	world_hop_machine(&a.w, &h);
	app_store(&a);
	expect(PAM_SUCCESS, "ok");
	sudo("sudo", "emr-user", PAM_SUCCESS, "ok", 1);
	person = WORLD_CAROL;
	sudo("sudo", "emr-user", PAM_SUCCESS, "ok", 1);
	logged(" person=carol ");
	person = WORLD_BOB;
	sudo("sudo", "emr-user", PAM_MAXTRIES, "no_grant", 1);
	a.reply = APP_TEXT;
	a.text = "";
	sudo("sudo", "emr-user", PAM_AUTH_ERR, "no_answer", 1);
}

/* A session that must end opens nothing more, whoever answers. */
static void test_sudo_ended(void **state)
{
	(void)state;
	expect(PAM_SUCCESS, "ok");
	world_revoke_id(&a.w, REVOKE_SESSION, &h.hop.session, 0);
	app_store(&a);
	sudo("sudo", "emr-user", PAM_MAXTRIES, "revoked_session", 0);
	assert_int_equal(app_account(&a, "sudo", "emr-user"), PAM_PERM_DENIED);
	a.w.revocations.n = 0;
	a.w.dir.n_nodes--;
	app_store(&a);
	sudo("sudo", "emr-user", PAM_MAXTRIES, "hop_source", 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_login), T(test_expiry), T(test_machine), T(test_narrowed_is_recorded), T(test_source_is_recorded),
		T(test_refused), T(test_anothers_name), T(test_not_sshd), T(test_source_goes_meanwhile), T(test_sudo_personal),
		T(test_sudo_shared), T(test_sudo_machine), T(test_sudo_ended),
	};

	if (geteuid() != 0) {
		print_message("session records need root\n");
		return 77;
	}
	return cmocka_run_group_tests_name("pam hop", tests, NULL, NULL);
}
