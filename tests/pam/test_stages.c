/* SPDX-License-Identifier: Apache-2.0 */
/* account, session, setcred and passwd through the real module. THREATS.md A2, A4, A6, A7, A8, F4, G8. */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pam_app.h"
#include "unit.h"

#include "cluster/session.h"

#define AUDIT 4711u

static struct app a;

static int setup(void **state)
{
	(void)state;
	app_init(&a);
	app_store(&a);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	app_done(&a);
	return 0;
}

static void revoke_person(void)
{
	world_revoke_id(&a.w, REVOKE_PERSON, &a.cred.person, 0);
	app_store(&a);
}

static void make_stale(void)
{
	a.w.fresh.head_iat -= WORLD_MAX_STALE + 5;
	world_store_fresh(&a.w, a.state);
}

static void expect_login(const char *user, struct app_login want)
{
	struct app_login got;

	app_forget(&a);
	got = app_sshd(&a, user);
	if (memcmp(&got, &want, sizeof got) != 0)
		fail_msg("auth %d account %d setcred %d open %d close %d; log: %s", got.auth, got.account, got.cred, got.open, got.close, a.log);
}

static void expect_account(const char *service, const char *user, int code, const char *reason)
{
	int got;

	app_forget(&a);
	got = app_account(&a, service, user);
	if (got != code || (reason && !app_logged(&a, reason)))
		fail_msg("%s as %s: code %d, expected %d; log: %s", service, user, got, code, a.log);
	assert_int_equal(a.prompts, 0);
}

static void expect_open(const char *handover, int code, const char *reason)
{
	int got;

	app_forget(&a);
	got = app_open(&a, "sshd", "emr-user", handover);
	if (got != code || (reason && !app_logged(&a, reason)))
		fail_msg("code %d, expected %d; log: %s", got, code, a.log);
}

/* ---- a whole login ---- */

static void test_login(void **state)
{
	(void)state;
	expect_login("emr-user", (struct app_login){ 0, 0, 0, 0, 0 });
	assert_int_equal(app_records(&a, NULL), 0); /* closed */
	assert_int_equal(a.prompts, 1);
	expect_login("rescue", (struct app_login){ APP_IGNORED, APP_IGNORED, APP_IGNORED, APP_IGNORED, APP_IGNORED });
	a.reply = APP_TEXT;
	a.text = "x";
	expect_login("emr-user", (struct app_login){ PAM_MAXTRIES, -1, -1, -1, -1 });
}

static void test_adopted_login(void **state)
{
	(void)state;
	app_conf(&a, "[node]\nadopt = ecs-user\n");
	expect_login("ecs-user", (struct app_login){ 0, 0, 0, 0, 0 });
}

static void test_record(void **state)
{
	char name[64], path[300], text[ID_TEXT + 1];
	struct session s;
	struct diag d;
	pam_handle_t *h;
	uint64_t start;
	uint32_t audit;

	(void)state;
	app_audit(AUDIT);
	a.rhost = "gate example";
	a.w.grants[WORLD_GRANT_OPS].on_revoke = DIRECTORY_WARN;
	app_store(&a);
	a.cred = world_credential(&a.w, WORLD_CAROL);
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	h = app_start(&a, "sshd", "emr-user");
	snprintf(a.log, sizeof a.log, "CLUSTER_LOGIN_HANDOVER=%s", a.env);
	pam_putenv(h, a.log);
	assert_int_equal(pam_open_session(h, 0), PAM_SUCCESS);
	assert_null(pam_getenv(h, "CLUSTER_LOGIN_HANDOVER"));
	assert_int_equal(app_records(&a, name), 1);
	snprintf(path, sizeof path, "%s/sessions", a.run);
	assert_ok(session_load(path, name, geteuid(), &s, &d));
	assert_ok(session_process(getpid(), &start, &audit));
	id_text(&s.id, text);
	assert_string_equal(text, name);
	assert_true(id_equal(&s.person, &a.cred.person) && id_equal(&s.device, &a.cred.device) && id_equal(&s.jti, &a.cred.jti));
	assert_true(id_equal(&s.boot_id, &a.w.fresh.boot_id));
	assert_true(s.iat == a.cred.iat && s.exp == a.cred.exp && s.auth_time == a.cred.auth_time && s.opened >= a.w.now);
	assert_int_equal(s.on_revoke, DIRECTORY_WARN);
	assert_int_equal(s.pid, getpid());
	assert_true(s.start == start);
	assert_int_equal(s.audit, AUDIT);
	assert_string_equal(s.account, "emr-user");
	assert_string_equal(s.service, "sshd");
	assert_string_equal(s.tty, "ssh");
	assert_string_equal(s.rhost, "gate?example");
	assert_string_equal(s.role, "ops");
	assert_string_equal(s.issuer, a.cred.issuer);
	assert_int_equal(pam_close_session(h, 0), PAM_SUCCESS);
	assert_int_equal(app_records(&a, NULL), 0);
	app_end(h);
}

/* What was left running keeps the record, marked as closed; without an audit id of its own a session leaves nothing that could be told. */
static void test_left_behind(void **state)
{
	char name[64], dir[300];
	struct session s;
	struct diag d;
	pam_handle_t *h;
	pid_t left;

	(void)state;
	left = fork();
	if (left == 0)
		for (;;)
			pause();
	app_audit(AUDIT);
	a.w.grants[WORLD_GRANT_ALICE].end_at_expiry = true;
	a.w.grants[WORLD_GRANT_ALICE].ttl = 600;
	app_store(&a);
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	expect_open(strdupa(a.env), PAM_SUCCESS, NULL);
	app_audit_also(left);
	h = app_start(&a, "sshd", "emr-user");
	assert_int_equal(pam_close_session(h, 0), PAM_SUCCESS);
	app_end(h);
	assert_int_equal(app_records(&a, name), 1);
	snprintf(dir, sizeof dir, "%s/sessions", a.run);
	assert_ok(session_load(dir, name, geteuid(), &s, &d));
	assert_true(s.closed > 0);
	assert_true(s.end_at_expiry && s.exp == s.iat + 600); /* the grant's ttl, shorter than the credential's life */
	expect_account("sudo", "emr-user", PAM_SUCCESS, NULL);
	revoke_person();
	expect_account("sudo", "emr-user", PAM_PERM_DENIED, "revoked_person");
	kill(left, SIGKILL);
	waitpid(left, NULL, 0);
	h = app_start(&a, "sshd", "emr-user");
	assert_int_equal(pam_close_session(h, 0), PAM_SUCCESS);
	app_end(h);
	assert_int_equal(app_records(&a, NULL), 0);
}

/* The audit id of a shell that started the daemon is nobody's session. */
static void test_shared_audit(void **state)
{
	char name[64], dir[300];
	struct session s;
	struct diag d;

	(void)state;
	app_audit(AUDIT);
	app_audit_also(getppid());
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	expect_open(strdupa(a.env), PAM_SUCCESS, NULL);
	assert_int_equal(app_records(&a, name), 1);
	snprintf(dir, sizeof dir, "%s/sessions", a.run);
	assert_ok(session_load(dir, name, geteuid(), &s, &d));
	assert_true(s.audit == SESSION_NO_AUDIT);
	assert_false(s.end_at_expiry);
}

/* Closed by another handle of the same process: found by pid and start time. */
static void test_close_by_process(void **state)
{
	pam_handle_t *h;

	(void)state;
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	expect_open(a.env[0] ? strdupa(a.env) : NULL, PAM_SUCCESS, NULL);
	assert_int_equal(app_records(&a, NULL), 1);
	h = app_start(&a, "sshd", "emr-user");
	assert_int_equal(pam_close_session(h, 0), PAM_SUCCESS);
	app_end(h);
	assert_int_equal(app_records(&a, NULL), 0);
}

/* A record that an earlier boot left, of a process with our pid and start time, is none of ours. */
static void test_close_of_another_boot(void **state)
{
	char name[64], dir[300];
	struct session s;
	pam_handle_t *h;
	struct diag d;

	(void)state;
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	expect_open(strdupa(a.env), PAM_SUCCESS, NULL);
	assert_int_equal(app_records(&a, name), 1);
	snprintf(dir, sizeof dir, "%s/sessions", a.run);
	assert_ok(session_load(dir, name, geteuid(), &s, &d));
	s.boot_id.b[0] ^= 1;
	assert_ok(session_store(dir, &s, &d));
	h = app_start(&a, "sshd", "emr-user");
	assert_int_equal(pam_close_session(h, 0), PAM_SUCCESS);
	app_end(h);
	assert_int_equal(app_records(&a, NULL), 1);
}

/* ---- the hand-over: what the session stage is given is verified again (F4) ---- */

static void test_no_handover(void **state)
{
	(void)state;
	expect_open(NULL, PAM_SESSION_ERR, "no_credential_login");
	app_conf(&a, "[node]\nstatic_keys = report\n");
	expect_open(NULL, PAM_SUCCESS, "no_credential_login");
	assert_non_null(strstr(a.log, "result=reported"));
	assert_int_equal(app_records(&a, NULL), 0);
	app_conf(&a, "[node]\nstatic_keys = allow\n");
	expect_open(NULL, PAM_SESSION_ERR, "no_credential_login");
}

static void test_forged_handover(void **state)
{
	char good[1600], bad[3000];

	(void)state;
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	memcpy(good, a.env, sizeof good);
	expect_open("x", PAM_SESSION_ERR, "challenge_mismatch");
	memset(bad, 'A', sizeof bad);
	bad[sizeof bad - 1] = '\0';
	expect_open(bad, PAM_SESSION_ERR, "challenge_mismatch");
	for (size_t i = 0; good[i]; i += 37) { /* any byte changed */
		memcpy(bad, good, sizeof good);
		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		expect_open(bad, PAM_SESSION_ERR, NULL);
	}
	memcpy(bad, good, sizeof good);
	bad[strlen(good) - 1] = '\0';
	expect_open(bad, PAM_SESSION_ERR, "answer_format");
	assert_int_equal(app_records(&a, NULL), 0);
	expect_open(good, PAM_SUCCESS, NULL);
}

/* A proof that the credential's holder made over a challenge that this node never sent for this login. */
static const char *handover_for(const struct challenge *ch)
{
	static char text[1600];
	char *token = world_token(&a.w, &a.cred, NULL), answer[CHALLENGE_ANSWER_MAX + 1], challenge[CHALLENGE_TEXT + 1];

	world_answer(&a.w, token, ch, NULL, answer);
	challenge_text(ch, challenge);
	snprintf(text, sizeof text, "%s.%s", challenge, answer);
	free(token);
	return text;
}

static void test_handover_of_something_else(void **state)
{
	struct challenge ch;

	(void)state;
	ch = world_challenge(&a.w, "sshd", "emr-user");
	expect_open(handover_for(&ch), PAM_SUCCESS, NULL);
	ch = world_challenge(&a.w, "sshd", "alice");
	expect_open(handover_for(&ch), PAM_SESSION_ERR, "challenge_mismatch");
	ch = world_challenge(&a.w, "login", "emr-user");
	expect_open(handover_for(&ch), PAM_SESSION_ERR, "challenge_mismatch");
	ch = world_challenge(&a.w, "sshd", "emr-user");
	ch.node = world_id('n', 2);
	expect_open(handover_for(&ch), PAM_SESSION_ERR, "challenge_mismatch");
	ch = world_challenge(&a.w, "sshd", "emr-user");
	ch.hostkey_hash[0] ^= 1;
	expect_open(handover_for(&ch), PAM_SESSION_ERR, "challenge_mismatch");
	ch = world_challenge(&a.w, "sshd", "emr-user");
	ch.cluster = world_id('c', 2);
	expect_open(handover_for(&ch), PAM_SESSION_ERR, "challenge_mismatch");
	ch = world_challenge(&a.w, "sshd", "emr-user");
	ch.time -= CHALLENGE_AGE_MAX + 10;
	expect_open(handover_for(&ch), PAM_SESSION_ERR, "challenge_mismatch");
	ch.time = a.w.now + WORLD_SKEW + 30;
	expect_open(handover_for(&ch), PAM_SESSION_ERR, "challenge_mismatch");
}

/* Between auth and session the world changed (A4). */
static void test_revoked_between_stages(void **state)
{
	char good[1600];
	pam_handle_t *h;

	(void)state;
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	memcpy(good, a.env, sizeof good);
	h = app_start(&a, "sshd", "emr-user");
	assert_int_equal(pam_authenticate(h, 0), PAM_SUCCESS);
	revoke_person();
	app_forget(&a);
	assert_int_equal(pam_acct_mgmt(h, 0), PAM_PERM_DENIED);
	assert_true(app_logged(&a, "revoked_person"));
	app_end(h);
	expect_open(good, PAM_SESSION_ERR, "revoked_person");
	assert_int_equal(app_records(&a, NULL), 0);
}

static void revoke_in_between(struct app *app)
{
	(void)app;
	revoke_person();
}

/* After the decision and before the record: the agent, which looked for records, saw none. The second decision sees it. */
static void test_revoked_before_the_record(void **state)
{
	char good[1600];

	(void)state;
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	memcpy(good, a.env, sizeof good);
	a.before_record = revoke_in_between;
	expect_open(good, PAM_SESSION_ERR, "revoked_person");
	assert_null(a.before_record);
	assert_int_equal(app_records(&a, NULL), 0);
}

static void test_stale_between_stages(void **state)
{
	char good[1600];

	(void)state;
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	memcpy(good, a.env, sizeof good);
	make_stale();
	expect_open(good, PAM_SESSION_ERR, "stale");
}

static void test_record_cannot_be_written(void **state)
{
	char good[1600];

	(void)state;
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	memcpy(good, a.env, sizeof good);
	world_file(a.run, "x", 1, 0644); /* a file where the directory should be */
	expect_open(good, PAM_SESSION_ERR, "session_record");
}

/* ---- account ---- */

static void test_account(void **state)
{
	(void)state;
	strcpy(a.args, "debug");
	expect_account("sshd", "emr-user", PAM_SUCCESS, "ok"); /* after publickey: what is known without a credential */
	expect_account("sshd", "rescue", APP_IGNORED, "local");
	expect_account("sshd", "nobody-here", PAM_PERM_DENIED, "account_unknown");
	world_revoke(&a.w, REVOKE_ACCOUNT, "emr-user", 0);
	app_store(&a);
	expect_account("sshd", "emr-user", PAM_PERM_DENIED, "revoked_account");
	expect_account("cron", "emr-user", PAM_PERM_DENIED, "revoked_account");
	expect_account("sudo", "emr-user", PAM_PERM_DENIED, "revoked_account");
	expect_account("su", "emr-user", PAM_PERM_DENIED, "revoked_account");
}

static void test_account_freshness(void **state)
{
	(void)state;
	make_stale();
	expect_account("sshd", "emr-user", PAM_AUTHINFO_UNAVAIL, "stale");
	expect_account("sudo", "emr-user", PAM_AUTHINFO_UNAVAIL, "stale");
	expect_account("cron", "emr-user", PAM_SUCCESS, NULL); /* jobs outlive the authority */
	expect_account("systemd-user", "emr-user", PAM_SUCCESS, NULL);
	expect_account("sshd", "rescue", APP_IGNORED, NULL);
	/* su by root is a job, by anybody else it is not */
	expect_account("su", "emr-user", getuid() == 0 ? PAM_SUCCESS : PAM_AUTHINFO_UNAVAIL, NULL);
}

static void test_account_without_snapshot(void **state)
{
	char path[300];

	(void)state;
	snprintf(path, sizeof path, "%s/fresh", a.state);
	unlink(path);
	expect_account("sshd", "emr-user", PAM_AUTHINFO_UNAVAIL, "snapshot_missing");
	expect_account("cron", "emr-user", PAM_AUTHINFO_UNAVAIL, "snapshot_missing");
	expect_account("cron", "rescue", APP_IGNORED, NULL);
}

static void test_account_lockdown(void **state)
{
	(void)state;
	world_revoke(&a.w, REVOKE_LOCKDOWN, "", 0);
	app_store(&a);
	expect_account("sshd", "emr-user", PAM_PERM_DENIED, "lockdown");
	expect_account("cron", "emr-user", PAM_SUCCESS, NULL); /* people are locked out; jobs survive */
}

/* ---- sudo: the person behind the shared account ---- */

static void open_session_of_alice(void)
{
	app_audit(AUDIT);
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_SUCCESS);
	expect_open(strdupa(a.env), PAM_SUCCESS, NULL);
	assert_int_equal(app_records(&a, NULL), 1);
}

static void test_sudo_of_a_revoked_person(void **state)
{
	(void)state;
	open_session_of_alice();
	expect_account("sudo", "emr-user", PAM_SUCCESS, NULL);
	revoke_person();
	expect_account("sudo", "emr-user", PAM_PERM_DENIED, "revoked_person");
	expect_account("cron", "emr-user", PAM_SUCCESS, NULL); /* jobs of the account are not the person's */
	app_audit(AUDIT + 1); /* another session: somebody else */
	expect_account("sudo", "emr-user", PAM_SUCCESS, NULL);
	expect_account("su", "emr-user", PAM_SUCCESS, NULL);
	app_audit(UINT32_MAX); /* none is kept: this process descends from the session's leader */
	expect_account("sudo", "emr-user", PAM_PERM_DENIED, "revoked_person");
}

/* Another process without audit session, and not a descendant. */
static void test_sudo_of_somebody_else(void **state)
{
	char name[64], dir[300], path[400];
	struct session s;
	struct diag d;

	(void)state;
	open_session_of_alice();
	app_audit(UINT32_MAX);
	app_records(&a, name);
	snprintf(dir, sizeof dir, "%s/sessions", a.run);
	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_ok(session_load(dir, name, geteuid(), &s, &d));
	s.start++; /* the number was used again */
	assert_ok(session_store(dir, &s, &d));
	revoke_person();
	expect_account("sudo", "emr-user", PAM_SUCCESS, NULL);
	s.start--;
	s.boot_id = world_id('b', 9); /* of an earlier boot */
	assert_ok(session_store(dir, &s, &d));
	expect_account("sudo", "emr-user", PAM_SUCCESS, NULL);
	s.boot_id = a.w.fresh.boot_id;
	assert_ok(session_store(dir, &s, &d));
	expect_account("sudo", "emr-user", PAM_PERM_DENIED, "revoked_person");
}

static void test_sudo_with_a_broken_record(void **state)
{
	char path[300];

	(void)state;
	open_session_of_alice();
	snprintf(path, sizeof path, "%s/sessions/AAAAAAAAAAAAAAAAAAAAAA", a.run);
	world_file(path, "junk", 4, 0600);
	app_audit(AUDIT + 1);
	expect_account("sudo", "emr-user", PAM_AUTHINFO_UNAVAIL, "session_record");
}

/* A8: sudo sets PAM_USER to the target before the session; root is local. */
static void test_sudo_session(void **state)
{
	(void)state;
	assert_int_equal(app_open(&a, "sudo", "root", NULL), APP_IGNORED);
	assert_int_equal(app_open(&a, "sudo", "emr-user", NULL), PAM_SUCCESS);
	assert_int_equal(app_open(&a, "cron", "emr-user", NULL), PAM_SUCCESS);
	assert_int_equal(app_open(&a, "su", "emr-user", NULL), PAM_SUCCESS);
	assert_int_equal(app_records(&a, NULL), 0);
}

/* ---- setcred, passwd, exports ---- */

/* A7: also when another module authenticated */
static void test_setcred(void **state)
{
	pam_handle_t *h;

	(void)state;
	h = app_start(&a, "sshd", "emr-user");
	assert_int_equal(pam_setcred(h, PAM_ESTABLISH_CRED), PAM_SUCCESS);
	app_end(h);
	h = app_start(&a, "sshd", "rescue");
	assert_int_equal(pam_setcred(h, PAM_ESTABLISH_CRED), APP_IGNORED);
	app_end(h);
	unlink(a.passwd);
	h = app_start(&a, "sshd", "rescue");
	assert_int_equal(pam_setcred(h, PAM_ESTABLISH_CRED), PAM_CRED_UNAVAIL);
	app_end(h);
}

static void test_passwd(void **state)
{
	pam_handle_t *h;

	(void)state;
	app_forget(&a);
	h = app_start(&a, "passwd", "emr-user");
	assert_int_equal(pam_chauthtok(h, 0), PAM_AUTHTOK_ERR);
	assert_int_equal(a.infos, 1);
	assert_true(app_logged(&a, "wrong_stage"));
	assert_non_null(strstr(a.message, "cluster-login get"));
	app_end(h);
	h = app_start(&a, "passwd", "rescue");
	assert_int_equal(pam_chauthtok(h, 0), APP_IGNORED);
	app_end(h);
}

static void test_exports(void **state)
{
	static const char *const names[] = { "pam_sm_authenticate", "pam_sm_setcred", "pam_sm_acct_mgmt", "pam_sm_open_session", "pam_sm_close_session", "pam_sm_chauthtok" };
	char path[400];
	void *module;

	(void)state;
	snprintf(path, sizeof path, "%s/pam_cluster.so", getenv("BUILD"));
	module = dlopen(path, RTLD_NOW);
	assert_non_null(module);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_non_null(dlsym(module, names[i]));
	dlclose(module);
}

static void test_not_enrolled(void **state)
{
	char path[300];

	(void)state;
	snprintf(path, sizeof path, "%s/enrolled", a.state);
	unlink(path);
	expect_login("emr-user", (struct app_login){ APP_IGNORED, APP_IGNORED, APP_IGNORED, APP_IGNORED, APP_IGNORED });
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_login), T(test_adopted_login), T(test_record), T(test_close_by_process), T(test_close_of_another_boot), T(test_left_behind), T(test_shared_audit),
		T(test_no_handover), T(test_forged_handover), T(test_handover_of_something_else),
		T(test_revoked_between_stages), T(test_revoked_before_the_record), T(test_stale_between_stages), T(test_record_cannot_be_written), T(test_account), T(test_account_freshness),
		T(test_account_without_snapshot), T(test_account_lockdown), T(test_sudo_of_a_revoked_person), T(test_sudo_of_somebody_else), T(test_sudo_with_a_broken_record), T(test_sudo_session),
		T(test_setcred), T(test_passwd), T(test_exports), T(test_not_enrolled),
	};

	return cmocka_run_group_tests_name("pam stages", tests, NULL, NULL);
}
