/* SPDX-License-Identifier: Apache-2.0 */
/* sudo and su through the real module: who passes without a word, who has to answer, and what is no answer. THREATS.md A1, A4, A8, C1, D8. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pam_app.h"
#include "unit.h"

#include "cluster/answer.h"

#define AUDIT 4711

static struct app a;
static const struct crypto_key *answering;
static enum world_person person;
static bool stale;

/* What `cluster-login answer` prints. */
static void sign(struct app *app, const struct challenge *ch, char *dst, size_t size)
{
	struct challenge other = *ch;
	char *token = NULL;

	other.nonce[0] ^= stale;
	assert_ok(answer_build(&other, &app->w.people[person].id, answering, app->w.now, &token));
	assert_true(strlen(token) < size && strlen(token) <= ANSWER_SIZE_MAX);
	strcpy(dst, token);
	free(token);
}

static int setup(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return 0;
	app_init(&a);
	a.w.grants[WORLD_GRANT_ALICE].sudo = true;
	app_store(&a);
	app_conf(&a, "[node]\nadopt = ecs-user\nsudo_services = sudo, su\n"); /* a root's su is a job, and a test's process is root */
	answering = a.w.device;
	person = WORLD_ALICE;
	stale = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (getuid() != 0 && setreuid(0, 0) != 0)
		return -1;
	app_audit(UINT32_MAX);
	app_done(&a);
	return 0;
}

static void open_session(const char *account)
{
	app_audit(AUDIT);
	a.reply = APP_GOOD;
	assert_int_equal(app_auth(&a, "sshd", account), PAM_SUCCESS);
	assert_int_equal(app_open(&a, "sshd", account, strdupa(a.env)), PAM_SUCCESS);
	a.reply = APP_CUSTOM;
	a.custom = sign;
	a.ruser = account; /* sudo and su say who runs them */
}

static void expect(const char *service, const char *account, int code, const char *reason, int prompts)
{
	int got;

	app_forget(&a);
	got = app_auth(&a, service, account);
	if (got != code || !app_logged(&a, reason) || a.prompts != prompts)
		fail_msg("%s: code %d, expected %d; %d prompts; log: %s", reason, got, code, a.prompts, a.log);
	assert_int_equal(a.env[0], '\0');
}

static void test_personal_and_fresh(void **state)
{
	(void)state;
	open_session("alice");
	expect("sudo", "alice", PAM_SUCCESS, "ok", 0);
	assert_non_null(strstr(a.log, "person=alice account=alice service=sudo"));
	expect("su", "emr-user", PAM_SUCCESS, "ok", 0);
	/* sudo of an account that is not the session's */
	expect("sudo", "emr-user", PAM_MAXTRIES, "no_session", 0);
	/* no grant for su */
	expect("su", "lonely", PAM_MAXTRIES, "no_grant", 0);
}

/*
 * In the session of alice's there are processes of others: a shell after su to a shared account, a daemon that was started there. Whoever else may be that other account does not become
 * alice by them.
 */
static void test_fresh_is_of_the_caller(void **state)
{
	(void)state;
	open_session("alice");
	a.ruser = "emr-user"; /* sudo with targetpw: it asks for the account that it opens */
	expect("sudo", "alice", PAM_SUCCESS, "ok", 1);
	expect("su", "alice", PAM_SUCCESS, "ok", 1);
	a.ruser = NULL; /* root, on whose behalf nobody knows */
	expect("su", "emr-user", PAM_SUCCESS, "ok", 1);
	assert_int_equal(setreuid(WORLD_UID_EMR, 0), 0);
	expect("su", "alice", PAM_SUCCESS, "ok", 1);
	a.ruser = "alice"; /* a user of this uid would have to lie */
	expect("su", "alice", PAM_SUCCESS, "ok", 1);
	answering = a.w.other;
	expect("su", "alice", PAM_MAXTRIES, "device_unknown", 1);
	assert_int_equal(setreuid(WORLD_UID_ALICE, 0), 0);
	expect("su", "emr-user", PAM_SUCCESS, "ok", 0);
}

static void test_shared_always_steps_up(void **state)
{
	(void)state;
	open_session("emr-user");
	expect("sudo", "emr-user", PAM_SUCCESS, "ok", 1);
	assert_non_null(strstr(a.prompt, "Step-up for sudo on master-1-1 as emr-user: on your own machine run \"cluster-login answer\".\nCL1:"));
	expect("su", "alice", PAM_SUCCESS, "ok", 1);
}

/* A step-up tells who it is without a session too: a console, a forgotten screen. */
static void test_without_session(void **state)
{
	(void)state;
	app_audit(AUDIT + 1);
	a.reply = APP_CUSTOM;
	a.custom = sign;
	expect("sudo", "emr-user", PAM_SUCCESS, "ok", 1);
	assert_non_null(strstr(a.log, "person=alice account=emr-user"));
}

static void test_no_answers(void **state)
{
	(void)state;
	open_session("emr-user");
	stale = true;
	expect("sudo", "emr-user", PAM_MAXTRIES, "bad_proof", 1);
	stale = false;
	answering = a.w.other; /* a key that is no device */
	expect("sudo", "emr-user", PAM_MAXTRIES, "device_unknown", 1);
	answering = a.w.device;
	person = WORLD_CAROL; /* she may be emr-user, but this is not her session */
	expect("sudo", "emr-user", PAM_MAXTRIES, "not_the_caller", 1);
	person = WORLD_ALICE;
	a.reply = APP_TEXT;
	a.text = "secret";
	expect("sudo", "emr-user", PAM_MAXTRIES, "answer_format", 1);
	a.text = "";
	expect("sudo", "emr-user", PAM_AUTH_ERR, "no_answer", 1);
	/* a credential with its proof is no step-up */
	a.reply = APP_GOOD;
	expect("sudo", "emr-user", PAM_MAXTRIES, "answer_format", 1);
}

static void test_grants(void **state)
{
	(void)state;
	a.w.grants[WORLD_GRANT_ALICE].sudo = false;
	app_store(&a);
	open_session("alice");
	expect("sudo", "alice", PAM_MAXTRIES, "no_sudo_grant", 0);
	expect("su", "emr-user", PAM_SUCCESS, "ok", 0);
}

static void test_not_fresh(void **state)
{
	(void)state;
	a.cred.auth_time -= 901; /* sudo_fresh is 900 */
	open_session("alice");
	expect("sudo", "alice", PAM_SUCCESS, "ok", 1);
	answering = a.w.other;
	expect("sudo", "alice", PAM_MAXTRIES, "device_unknown", 1);
}

/* A credential that was narrowed to one account opens no other without an answer. */
static void test_narrowed(void **state)
{
	(void)state;
	a.cred.n_acc = 1;
	strcpy(a.cred.acc[0], "alice");
	open_session("alice");
	expect("sudo", "alice", PAM_SUCCESS, "ok", 0);
	expect("su", "emr-user", PAM_SUCCESS, "ok", 1);
}

static void revoke_alice(struct app *app)
{
	world_revoke_id(&app->w, REVOKE_PERSON, &app->w.people[WORLD_ALICE].id, 0);
	app_store(app);
}

/* While the prompt stands, and before it. */
static void test_revoked(void **state)
{
	(void)state;
	open_session("emr-user");
	a.before_answer = revoke_alice;
	expect("sudo", "emr-user", PAM_MAXTRIES, "revoked_person", 1);
	a.before_answer = NULL;
	expect("sudo", "emr-user", PAM_MAXTRIES, "revoked_person", 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_personal_and_fresh), T(test_fresh_is_of_the_caller), T(test_shared_always_steps_up),
		T(test_without_session), T(test_no_answers), T(test_grants), T(test_not_fresh), T(test_narrowed), T(test_revoked),
	};

	if (geteuid() != 0) {
		print_message("session records need root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
