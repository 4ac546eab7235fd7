/* SPDX-License-Identifier: Apache-2.0 */
/* A login by ssh certificate through the real module: what sshd has proved is judged again, in full. THREATS.md A2, B9, C4, F4, H8. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pam_app.h"
#include "unit.h"

#include "cluster/authinfo.h"
#include "cluster/jwk.h"
#include "cluster/session.h"
#include "cluster/sshcert.h"

static struct app a;
static char *info;

static int setup(void **state)
{
	(void)state;
	app_init(&a);
	app_store(&a);
	info = app_certificate(&a, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(info);
	app_done(&a);
	return 0;
}

static void expect(const char *user, const char *authinfo, int code, const char *reason)
{
	size_t records = app_records(&a, NULL);
	int got;

	app_forget(&a);
	a.authinfo = authinfo;
	got = app_open(&a, "sshd", user, NULL);
	if (got != code || (reason && !app_logged(&a, reason)))
		fail_msg("%s: code %d, expected %d, %s; log: %s", user, got, code, reason ? reason : "", a.log);
	if (code != PAM_SUCCESS)
		assert_int_equal(app_records(&a, NULL), records);
}

static void refused(const char *authinfo, const char *reason)
{
	expect("emr-user", authinfo, PAM_SESSION_ERR, reason);
}

static void expect_account(const char *authinfo, int code, const char *reason)
{
	int got;

	app_forget(&a);
	a.authinfo = authinfo;
	got = app_account(&a, "sshd", "emr-user");
	if (got != code || (reason && !app_logged(&a, reason)))
		fail_msg("account: code %d, expected %d; log: %s", got, code, a.log);
}

static void renew(void)
{
	free(info);
	info = app_certificate(&a, NULL);
}

/* ---- what holds ---- */

static void test_login(void **state)
{
	char name[64], path[300];
	struct session s;
	pam_handle_t *h;
	struct diag d;

	(void)state;
	expect_account(NULL, PAM_SUCCESS, NULL); /* as sshd does it: nothing is known yet */
	expect_account("", PAM_SUCCESS, NULL);
	a.authinfo = info;
	app_forget(&a);
	h = app_start(&a, "sshd", "emr-user");
	assert_int_equal(pam_setcred(h, PAM_ESTABLISH_CRED), PAM_SUCCESS);
	assert_int_equal(pam_open_session(h, 0), PAM_SUCCESS);
	assert_non_null(strstr(a.log, " person=alice account=emr-user "));
	assert_non_null(strstr(a.log, " serial=77 key_id=alice\\x201 ca=SHA256:"));
	assert_int_equal(app_records(&a, name), 1);
	snprintf(path, sizeof path, "%s/sessions", a.run);
	assert_ok(session_load(path, name, geteuid(), &s, &d));
	assert_int_equal(s.kind, SESSION_CERTIFICATE);
	assert_int_equal(s.cert.serial, 77);
	assert_string_equal(s.cert.key_id, "alice 1");
	assert_int_equal(strlen(s.cert.key), SSHCERT_FINGERPRINT);
	assert_int_equal(strlen(s.cert.ca), SSHCERT_FINGERPRINT);
	assert_true(id_equal(&s.person, &a.cred.person) && id_equal(&s.device, &a.cred.device) && id_equal(&s.jti, &a.cred.jti) && s.exp == a.cred.exp);
	assert_string_equal(s.issuer, a.cred.issuer);
	assert_int_equal(a.prompts, 0);
	assert_int_equal(pam_close_session(h, 0), PAM_SUCCESS);
	assert_int_equal(app_records(&a, NULL), 0);
	app_end(h);
}

static void test_other_accounts(void **state)
{
	(void)state;
	expect("alice", info, PAM_SUCCESS, NULL);
	expect("rescue", info, APP_IGNORED, NULL);
	expect("root", info, APP_IGNORED, NULL);
	expect("ecs-user", info, APP_IGNORED, NULL); /* local, not adopted: its own affair */
	app_conf(&a, "[node]\nadopt = ecs-user\n");
	expect("ecs-user", info, PAM_SUCCESS, NULL);
}

static void test_other_account_refused(void **state)
{
	(void)state;
	expect("lonely", info, PAM_SESSION_ERR, "no_grant");
	expect("nobody-here", info, PAM_SESSION_ERR, "account_unknown");
	a.cred = world_credential(&a.w, WORLD_CAROL);
	renew();
	expect("alice", info, PAM_SESSION_ERR, "no_grant");
	expect("emr-user", info, PAM_SUCCESS, NULL);
}

/* With AuthenticationMethods publickey,keyboard-interactive:pam it is seen before the session. */
static void test_account_stage(void **state)
{
	(void)state;
	expect_account(info, PAM_SUCCESS, NULL);
	expect_account("publickey ssh-ed25519 AAAA\n", PAM_SUCCESS, NULL);
	world_revoke(&a.w, REVOKE_CERT_SERIAL, "77", 0);
	app_store(&a);
	expect_account(info, PAM_PERM_DENIED, "revoked_certificate");
	expect_account(NULL, PAM_SUCCESS, NULL);
	expect("emr-user", info, PAM_SESSION_ERR, "revoked_certificate");
}

/* ---- what sshd says it has proved ---- */

static void test_authinfo(void **state)
{
	char *text = malloc(AUTHINFO_MAX + 4096);

	(void)state;
	assert_non_null(text);
	refused("publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE\n", "no_credential_login");
	refused("keyboard-interactive/pam\n", "no_credential_login");
	sprintf(text, "hostbased %s", info + strlen("publickey "));
	refused(text, "no_credential_login");
	sprintf(text, "%s%s", info, info);
	refused(text, "bad_certificate");
	sprintf(text, "%s\t", info);
	refused(text, "bad_certificate");
	sprintf(text, "publickey ssh-ed25519-cert-v01@openssh.com AAAA\n");
	refused(text, "bad_certificate");
	sprintf(text, "%.60s%s", info, info + 61);
	refused(text, "bad_certificate");
	memset(text, 'A', AUTHINFO_MAX + 10);
	text[AUTHINFO_MAX + 10] = '\0';
	refused(text, "bad_certificate");
	sprintf(text, "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE\n%skeyboard-interactive/pam\n", info);
	expect("emr-user", text, PAM_SUCCESS, NULL);
	free(text);
}

/* Only sshd's word counts: another application's environment may be the user's. */
static void test_not_sshd(void **state)
{
	(void)state;
	a.tty = "/dev/tty1";
	refused(info, "no_credential_login");
	a.tty = NULL;
	refused(info, "no_credential_login");
}

static void test_static_keys_report(void **state)
{
	char *foreign = app_certificate(&a, a.w.other);

	(void)state;
	refused(foreign, "foreign_certificate");
	app_conf(&a, "[node]\nstatic_keys = report\n");
	expect("emr-user", foreign, PAM_SUCCESS, "foreign_certificate");
	assert_non_null(strstr(a.log, "result=reported"));
	assert_int_equal(app_records(&a, NULL), 0);
	expect("emr-user", "publickey ssh-ed25519 AAAA\n", PAM_SUCCESS, "no_credential_login");
	world_revoke(&a.w, REVOKE_CERT_SERIAL, "77", 0);
	app_store(&a);
	refused(info, "revoked_certificate"); /* one of ours is judged in any mode */
	free(foreign);
}

/* A key of another role is no CA: not the issuer's, not the directory's. */
static void test_other_signers(void **state)
{
	char *by_issuer = app_certificate(&a, a.w.issuer), *unsound;

	(void)state;
	refused(by_issuer, "foreign_certificate");
	free(by_issuer);
	a.signer = a.w.other;
	unsound = app_certificate(&a, NULL);
	refused(unsound, "foreign_certificate"); /* what it carries is by no issuer */
	free(unsound);
}

/* The hand-over of our own prompt decides where there is one. */
static void test_handover_first(void **state)
{
	(void)state;
	a.authinfo = info;
	app_forget(&a);
	assert_int_equal(app_open(&a, "sshd", "emr-user", "x"), PAM_SESSION_ERR);
	assert_true(app_logged(&a, "challenge_mismatch"));
}

/* ---- the policy ---- */

static void test_claims(void **state)
{
	const struct credential good = a.cred;

	(void)state;
	a.cred.n_nod = 1;
	strcpy(a.cred.nod[0], "node:core-1-1");
	renew();
	refused(info, "narrowed_node");
	a.cred = good;
	a.cred.n_acc = 1;
	strcpy(a.cred.acc[0], "alice");
	renew();
	refused(info, "narrowed_account");
	a.cred = good;
	a.cred.n_src = 1;
	strcpy(a.cred.src[0], "198.51.100.0/24");
	renew();
	refused(info, "narrowed_source");
	a.connection = "198.51.100.9 50000 192.0.2.1 22";
	expect("emr-user", info, PAM_SUCCESS, NULL);
	a.cred = good;
	a.cred.iat = a.cred.nbf = a.w.now - 3600;
	a.cred.exp = a.w.now - 1;
	renew();
	refused(info, "expired");
	a.cred = good;
	a.cred.device = world_id('d', 99);
	renew();
	refused(info, "device_unknown");
	a.cred = world_credential(&a.w, WORLD_DAVE);
	renew();
	refused(info, "person_disabled");
	a.cred = good;
	renew();
	a.w.fresh.head_iat -= WORLD_MAX_STALE + 5;
	world_store_fresh(&a.w, a.state);
	refused(info, "stale");
}

static const char *fingerprint(bool ca)
{
	static char text[2][SSHCERT_FINGERPRINT + 1];
	uint8_t room[SSHCERT_BLOB_MAX];
	struct sshcert cert;
	struct diag d;

	assert_ok(sshcert_parse_text(info + strlen("publickey "), strlen(info) - strlen("publickey \n"), room, &cert, &d));
	assert_ok(sshcert_key_fingerprint(&cert, text[0]));
	assert_ok(sshcert_ca_fingerprint(&cert, text[1]));
	return text[ca];
}

static void test_revocations(void **state)
{
	char jti[ID_TEXT + 1], device[ID_TEXT + 1], person[ID_TEXT + 1], node[ID_TEXT + 1];
	const struct {
		enum revoke_kind kind;
		const char *value, *reason;
	} rows[] = {
		{ REVOKE_CREDENTIAL, jti, "revoked_credential" }, { REVOKE_DEVICE, device, "revoked_device" }, { REVOKE_PERSON, person, "revoked_person" },
		{ REVOKE_ACCOUNT, "emr-user", "revoked_account" }, { REVOKE_NODE, node, "revoked_node" }, { REVOKE_ISSUER, a.cred.issuer, "revoked_issuer" },
		{ REVOKE_CERT_SERIAL, "77", "revoked_certificate" }, { REVOKE_CERT_ID, "alice 1", "revoked_certificate" },
		{ REVOKE_CERT_KEY, fingerprint(false), "revoked_certificate" }, { REVOKE_CERT_CA, fingerprint(true), "revoked_certificate" },
	};

	(void)state;
	id_text(&a.cred.jti, jti);
	id_text(&a.cred.device, device);
	id_text(&a.cred.person, person);
	id_text(&a.w.node.id, node);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		a.w.revocations.n = 0;
		world_revoke(&a.w, rows[i].kind, rows[i].value, 0);
		app_store(&a);
		refused(info, rows[i].reason);
	}
	a.w.revocations.n = 0;
	app_store(&a);
	expect("emr-user", info, PAM_SUCCESS, NULL);
}

static void revoke_serial(struct app *x)
{
	world_revoke(&x->w, REVOKE_CERT_SERIAL, "77", 0);
	app_store(x);
}

/* Revoked between decision and record: seen by whichever looks last. */
static void test_revoked_meanwhile(void **state)
{
	(void)state;
	a.before_record = revoke_serial;
	refused(info, "revoked_certificate");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_login), T(test_other_accounts), T(test_other_account_refused), T(test_account_stage), T(test_authinfo), T(test_not_sshd), T(test_static_keys_report),
		T(test_other_signers), T(test_handover_first), T(test_claims), T(test_revocations), T(test_revoked_meanwhile),
	};

	return cmocka_run_group_tests_name("pam certificate", tests, NULL, NULL);
}
