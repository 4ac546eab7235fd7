/* SPDX-License-Identifier: Apache-2.0 */
/* pam_authenticate through the real module: every refusal by its reason. THREATS.md A1-A4, A9, A10, B8, C1, C4, C7, C8, D7, G1, G2, H3, H7, H9. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pam_app.h"
#include "unit.h"

#include "cluster/jws.h"
#include "cluster/reason.h"

static struct app a;

static int setup(void **state)
{
	(void)state;
	app_init(&a);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	app_done(&a);
	return 0;
}

static void expect(const char *user, int code, const char *reason)
{
	int got;

	app_forget(&a);
	got = app_auth(&a, "sshd", user);
	if (got != code || !app_logged(&a, reason))
		fail_msg("%s: code %d, expected %d; log: %s", reason, got, code, a.log);
	assert_int_equal(a.prompts, 1);
	assert_int_equal(a.errors, code == PAM_SUCCESS ? 0 : 1);
	assert_int_equal(a.env[0] != '\0', code == PAM_SUCCESS);
	if (code != PAM_SUCCESS)
		assert_memory_equal(a.message, "Access refused (id ", 19);
}

/* ---- what holds ---- */

static void test_good(void **state)
{
	(void)state;
	app_store(&a);
	expect("emr-user", PAM_SUCCESS, "ok");
	assert_non_null(strstr(a.log, "event=auth result=accepted reason=ok person=alice account=emr-user service=sshd rhost=192.0.2.7 jti="));
	assert_non_null(strstr(a.prompt, "Cluster login to master-1-1 as emr-user.\nCL1:"));
	expect("alice", PAM_SUCCESS, "ok");
	a.cred = world_credential(&a.w, WORLD_CAROL);
	expect("emr-user", PAM_SUCCESS, "ok");
	assert_non_null(strstr(a.log, "person=carol"));
}

static void test_adopted(void **state)
{
	(void)state;
	app_store(&a);
	app_conf(&a, "[node]\nadopt = ecs-user, rescue, daemon\n");
	expect("ecs-user", PAM_SUCCESS, "ok");
	expect("rescue", PAM_MAXTRIES, "account_unknown");
	/* uid below 1000: never adopted */
	app_forget(&a);
	assert_int_equal(app_auth(&a, "sshd", "daemon"), APP_IGNORED);
	assert_int_equal(a.prompts, 0);
}

static void test_source_of_sshd(void **state)
{
	(void)state;
	app_store(&a);
	a.cred.n_src = 1;
	strcpy(a.cred.src[0], "192.0.2.0/24");
	a.rhost = "gate.example"; /* UseDNS yes */
	expect("emr-user", PAM_SUCCESS, "ok");
	a.connection = NULL;
	expect("emr-user", PAM_MAXTRIES, "narrowed_source");
	a.rhost = "192.0.2.9";
	expect("emr-user", PAM_SUCCESS, "ok");
	a.rhost = "192.0.2.9/0";
	expect("emr-user", PAM_MAXTRIES, "narrowed_source");
}

/* ---- not ours (A2) ---- */

static void test_local_is_left_alone(void **state)
{
	(void)state;
	/* also without, and with a damaged, snapshot and configuration: break-glass never reads them */
	for (int round = 0; round < 4; round++) {
		app_forget(&a);
		if (round == 1)
			app_store(&a);
		if (round == 2)
			app_conf(&a, "nonsense");
		if (round == 3)
			strcpy(a.args, "nonsense=1");
		assert_int_equal(app_auth(&a, "sshd", "root"), APP_IGNORED);
		assert_int_equal(app_auth(&a, "sshd", "rescue"), APP_IGNORED);
		assert_int_equal(a.prompts + a.errors, 0);
		assert_int_equal(a.log[0] != '\0', round >= 2); /* said aloud: a list of adopted accounts may be lost */
	}
}

static void test_not_enrolled(void **state)
{
	char path[300];

	(void)state;
	app_forget(&a);
	strcpy(a.args, "debug");
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), APP_IGNORED);
	assert_int_equal(app_auth(&a, "sshd", "nobody-here"), APP_IGNORED);
	assert_true(app_logged(&a, "not_enrolled"));
	/* every error but ENOENT counts as enrolled */
	assert_int_equal(symlink("state", a.state), 0); /* ELOOP */
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "snapshot_owner");
	unlink(a.state);
	assert_int_equal(mkdir(a.state, 0755), 0);
	snprintf(path, sizeof path, "%s/enrolled", a.state);
	assert_int_equal(symlink("nowhere", path), 0);
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "snapshot_missing");
	unlink(path);
	rmdir(a.state);
	world_file(a.state, "x", 1, 0644); /* ENOTDIR */
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "system_error");
}

static void test_passwd_file_unreadable(void **state)
{
	(void)state;
	app_store(&a);
	assert_int_equal(unlink(a.passwd), 0);
	app_nss(&a, "root", 0, 0);
	expect("root", PAM_MAXTRIES, "uid_zero");
	assert_int_equal(mkdir(a.passwd, 0755), 0);
	expect("root", PAM_MAXTRIES, "uid_zero");
	assert_int_equal(rmdir(a.passwd), 0);
}

static void test_foreign(void **state)
{
	(void)state;
	app_store(&a);
	app_nss(&a, "ldap-user", 5000, 0);
	expect("ldap-user", PAM_MAXTRIES, "foreign_account");
	app_conf(&a, "[node]\nforeign = ignore\n");
	app_forget(&a);
	strcpy(a.args, "debug");
	assert_int_equal(app_auth(&a, "sshd", "ldap-user"), APP_IGNORED);
	assert_true(app_logged(&a, "foreign_ignored"));
	assert_int_equal(a.prompts, 0);
	expect("nobody-here", PAM_MAXTRIES, "account_unknown");
	expect("emr-user", PAM_SUCCESS, "ok");
	/* A2: nothing is known to be foreign unless a fresh snapshot says so */
	a.w.fresh.head_iat -= WORLD_MAX_STALE + 5;
	a.w.fresh.newest_iat = a.w.fresh.head_iat;
	world_store_fresh(&a.w, a.state);
	expect("ldap-user", PAM_AUTHINFO_UNAVAIL, "stale");
}

/* ---- snapshots (H9: absent, empty, unreadable, unparsable, expired are five tests) ---- */

static void snap_file(const char *name, char dst[300])
{
	assert_ok(snap_path(dst, 300, a.state, 1, name));
}

static void test_snapshot_absent(void **state)
{
	static const char *const files[] = { "trust.snap", "accounts.snap" };
	char path[300];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		app_store(&a);
		snap_file(files[i], path);
		unlink(path);
		expect("emr-user", PAM_AUTHINFO_UNAVAIL, "snapshot_missing");
		expect("nobody-here", PAM_AUTHINFO_UNAVAIL, "snapshot_missing");
	}
	app_store(&a);
	snprintf(path, sizeof path, "%s/fresh", a.state);
	unlink(path);
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "snapshot_missing");
}

static void test_snapshot_empty_or_cut(void **state)
{
	char path[300];

	(void)state;
	app_store(&a);
	snap_file("trust.snap", path);
	assert_int_equal(truncate(path, 0), 0);
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "snapshot_damaged");
	app_store(&a);
	assert_int_equal(truncate(path, 1000), 0);
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "snapshot_damaged");
}

static void test_snapshot_owner(void **state)
{
	char path[300];

	(void)state;
	app_store(&a);
	snap_file("trust.snap", path);
	assert_int_equal(chmod(path, 0664), 0);
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "snapshot_owner");
	app_store(&a);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 1234, 0), 0);
		expect("emr-user", PAM_AUTHINFO_UNAVAIL, "snapshot_owner");
	}
}

static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	uint8_t b = 0;

	assert_true(fd >= 0 && pread(fd, &b, 1, at) == 1);
	b ^= 1;
	assert_true(pwrite(fd, &b, 1, at) == 1);
	close(fd);
}

static void test_snapshot_unparsable(void **state)
{
	char path[300];

	(void)state;
	app_store(&a);
	snap_file("trust.snap", path);
	flip(path, 0);
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "snapshot_damaged");
	app_store(&a);
	flip(path, 8); /* major */
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "snapshot_version");
	app_store(&a);
	world_file(path, "CLSNAP1\n\0\2\0\0\0\0\0\2", 16, 0644);
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_AUTHINFO_UNAVAIL);
}

static void set_age(int64_t head, int64_t newest, int64_t boot)
{
	struct snap_fresh f = a.w.fresh;

	a.w.fresh.head_iat += head;
	a.w.fresh.newest_iat += newest;
	a.w.fresh.boot_time = f.boot_time > -boot ? f.boot_time + boot : 0;
	world_store_fresh(&a.w, a.state);
	a.w.fresh = f;
}

static void test_snapshot_expired(void **state)
{
	(void)state;
	app_store(&a);
	set_age(-WORLD_MAX_STALE - 5, 0, 0);
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "stale");
	expect("nobody-here", PAM_AUTHINFO_UNAVAIL, "stale");
	set_age(0, WORLD_SKEW + 60, 0); /* H7 */
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "clock_behind");
	set_age(-100, -50, 0);
	expect("emr-user", PAM_SUCCESS, "ok");
	app_conf(&a, "[node]\nmax_stale = 60\n");
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "stale");
	app_conf(&a, "[node]\nmax_stale = 10\n");
	set_age(0, 0, -20);
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "stale_boot");
}

static void test_configuration(void **state)
{
	(void)state;
	app_store(&a);
	app_conf(&a, "[node]\nadopted = x\n");
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "configuration");
	expect("nobody-here", PAM_AUTHINFO_UNAVAIL, "configuration");
	/* local and in the directory: nobody knows any more whether it is adopted, so its own password does not open it; a name that is only local goes on */
	app_forget(&a);
	assert_int_equal(app_auth(&a, "sshd", "ecs-user"), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(app_auth(&a, "cron", "ecs-user"), APP_IGNORED);
	assert_int_equal(app_auth(&a, "sshd", "rescue"), APP_IGNORED);
	app_conf(&a, "");
	assert_int_equal(chmod(a.conf, 0666), 0);
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "configuration");
	app_conf(&a, "");
	strcpy(a.args, "colour=blue");
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "configuration");
	strcpy(a.args, "nullok");
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "configuration");
	strcpy(a.args, "debug");
	expect("emr-user", PAM_SUCCESS, "ok");
}

/* ---- answers ---- */

static void test_no_answer(void **state)
{
	(void)state;
	app_store(&a);
	a.reply = APP_TEXT;
	a.text = "";
	expect("emr-user", PAM_AUTH_ERR, "no_answer"); /* may be tried again, whoever it is */
	expect("nobody-here", PAM_AUTH_ERR, "no_answer");
	a.reply = APP_NO_CONV;
	app_forget(&a);
	assert_int_equal(app_auth(&a, "sshd", "emr-user"), PAM_AUTH_ERR);
}

static void test_junk(void **state)
{
	static const char *const junk[] = { "x", "hunter2", "\b\n\r\177INCORRECT\b\n\r\177", "a.b.c~", "~", "a~b~c" };
	char *huge = malloc(262144);

	(void)state;
	app_store(&a);
	a.reply = APP_TEXT;
	for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++) {
		a.text = junk[i];
		expect("emr-user", PAM_MAXTRIES, "answer_format");
		expect("nobody-here", PAM_MAXTRIES, "answer_format");
	}
	memset(huge, '\b', 262143);
	huge[262143] = '\0';
	a.text = huge;
	expect("emr-user", PAM_MAXTRIES, "answer_format");
	free(huge);
}

static void cut(struct app *app, const struct challenge *ch, char *dst, size_t size)
{
	char *token = world_token(&app->w, &app->cred, NULL);

	(void)size;
	world_answer(&app->w, token, ch, NULL, dst);
	dst[strlen(dst) - 1] = '\0';
	free(token);
}

static char first_answer[CHALLENGE_ANSWER_MAX + 1];

static void replay(struct app *app, const struct challenge *ch, char *dst, size_t size)
{
	char *token = world_token(&app->w, &app->cred, NULL);

	if (!first_answer[0])
		world_answer(&app->w, token, ch, NULL, first_answer);
	snprintf(dst, size, "%s", first_answer);
	free(token);
}

static void relay_from_another_node(struct app *app, const struct challenge *ch, char *dst, size_t size)
{
	char *token = world_token(&app->w, &app->cred, NULL);
	struct challenge other = *ch;

	(void)size;
	other.node = world_id('n', 2);
	memset(other.hostkey_hash, 1, sizeof other.hostkey_hash);
	world_answer(&app->w, token, &other, NULL, dst);
	free(token);
}

static void bare_credential(struct app *app, const struct challenge *ch, char *dst, size_t size)
{
	char *token = world_token(&app->w, &app->cred, NULL);

	(void)ch;
	snprintf(dst, size, "%s", token);
	free(token);
}

static void zero_proof(struct app *app, const struct challenge *ch, char *dst, size_t size)
{
	char *token = world_token(&app->w, &app->cred, NULL);

	(void)ch;
	snprintf(dst, size, "%s~%086d", token, 0);
	memset(dst + strlen(token) + 1, 'A', 86);
	free(token);
}

static void test_proof(void **state)
{
	struct crypto_key *thief = NULL;

	(void)state;
	app_store(&a);
	a.reply = APP_CUSTOM;
	a.custom = cut; /* C8 */
	expect("emr-user", PAM_MAXTRIES, "answer_format");
	a.custom = bare_credential;
	expect("emr-user", PAM_MAXTRIES, "answer_format");
	a.custom = zero_proof;
	expect("emr-user", PAM_MAXTRIES, "bad_proof");
	a.custom = relay_from_another_node; /* C2 as the node sees it */
	expect("emr-user", PAM_MAXTRIES, "bad_proof");
	first_answer[0] = '\0';
	a.custom = replay; /* C1 */
	expect("emr-user", PAM_SUCCESS, "ok");
	expect("emr-user", PAM_MAXTRIES, "bad_proof");
	a.reply = APP_GOOD;
	assert_ok(crypto_key_new(CRYPTO_ED25519, &thief));
	a.prover = thief;
	expect("emr-user", PAM_MAXTRIES, "bad_proof");
	crypto_key_free(thief);
}

static void test_issuer(void **state)
{
	struct crypto_key *stranger = NULL;

	(void)state;
	app_store(&a);
	assert_ok(crypto_key_new(CRYPTO_ED25519, &stranger));
	a.signer = stranger;
	expect("emr-user", PAM_MAXTRIES, "issuer_unknown");
	crypto_key_free(stranger);
	a.signer = a.w.other; /* the directory's key */
	expect("emr-user", PAM_MAXTRIES, "issuer_unknown");
	a.signer = NULL;
	a.w.keyset.ring.key[0].exp = a.w.now - 1;
	app_store(&a);
	expect("emr-user", PAM_MAXTRIES, "issuer_window");
}

static void broken_signature(struct app *app, const struct challenge *ch, char *dst, size_t size)
{
	char *token = world_token(&app->w, &app->cred, NULL), *sig = strrchr(token, '.') + 5;

	(void)size;
	*sig = *sig == 'A' ? 'B' : 'A';
	world_answer(&app->w, token, ch, NULL, dst);
	free(token);
}

static void test_signature(void **state)
{
	(void)state;
	app_store(&a);
	a.reply = APP_CUSTOM;
	a.custom = broken_signature;
	expect("emr-user", PAM_MAXTRIES, "bad_signature");
}

/* The node was joined again while the prompt stood. */
static void rejoin(struct app *app)
{
	app->w.node.id = world_id('n', 9);
	app_store(app);
}

static void test_challenge_of_another_node(void **state)
{
	(void)state;
	app_store(&a);
	a.before_answer = rejoin;
	expect("emr-user", PAM_MAXTRIES, "challenge_mismatch");
}

static void revoke_now(struct app *app)
{
	world_revoke_id(&app->w, REVOKE_PERSON, &app->cred.person, 0);
	app->w.fresh.generation = 2;
	app_store(app);
}

static void test_revoked_while_the_prompt_stood(void **state)
{
	(void)state;
	app_store(&a);
	a.before_answer = revoke_now;
	expect("emr-user", PAM_MAXTRIES, "revoked_person");
}

/* ---- policy through the module: one row per reason ---- */

static void test_policy_reasons(void **state)
{
	static const struct {
		enum revoke_kind kind;
		const char *reason;
	} revoked[] = {
		{ REVOKE_CREDENTIAL, "revoked_credential" }, { REVOKE_DEVICE, "revoked_device" }, { REVOKE_PERSON, "revoked_person" }, { REVOKE_ACCOUNT, "revoked_account" },
		{ REVOKE_NODE, "revoked_node" }, { REVOKE_ISSUER, "revoked_issuer" }, { REVOKE_BEFORE, "revoked_before" }, { REVOKE_LOCKDOWN, "lockdown" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof revoked / sizeof revoked[0]; i++) {
		const struct cluster_id *ids[] = { NULL, &a.cred.jti, &a.cred.device, &a.cred.person, NULL, &a.w.node.id };
		enum revoke_kind k = revoked[i].kind;

		a.w.revocations.n = 0;
		if (k < sizeof ids / sizeof ids[0] && ids[k])
			world_revoke_id(&a.w, k, ids[k], 0);
		else
			world_revoke(&a.w, k, k == REVOKE_ACCOUNT ? "emr-user" : k == REVOKE_ISSUER ? a.cred.issuer : "", k == REVOKE_BEFORE ? a.w.now + 1 : 0);
		app_store(&a);
		expect("emr-user", PAM_MAXTRIES, revoked[i].reason);
	}
}

static void test_claims(void **state)
{
	struct credential good;

	(void)state;
	app_store(&a);
	good = a.cred;
	a.cred.exp = a.w.now - 1;
	a.cred.iat = a.cred.nbf = a.w.now - 100;
	expect("emr-user", PAM_MAXTRIES, "expired");
	a.cred = good;
	a.cred.nbf = a.w.now + WORLD_SKEW + 100;
	expect("emr-user", PAM_MAXTRIES, "not_yet_valid");
	a.cred = good;
	a.cred.exp = a.cred.iat + 86401;
	expect("emr-user", PAM_MAXTRIES, "life_too_long");
	a.cred = good;
	a.cred.cluster = world_id('c', 2); /* C4 */
	expect("emr-user", PAM_MAXTRIES, "other_cluster");
	a.cred = good;
	a.cred.n_acc = 1;
	strcpy(a.cred.acc[0], "alice");
	expect("emr-user", PAM_MAXTRIES, "narrowed_account");
	a.cred = good;
	a.cred.n_nod = 1;
	strcpy(a.cred.nod[0], "node:core-1-1");
	expect("emr-user", PAM_MAXTRIES, "narrowed_node");
	a.cred = good;
	a.cred.person = world_id('p', 77);
	expect("emr-user", PAM_MAXTRIES, "person_unknown");
	a.cred = good;
	a.cred.device = world_id('d', 77);
	expect("emr-user", PAM_MAXTRIES, "device_unknown");
	a.cred = world_credential(&a.w, WORLD_DAVE);
	expect("emr-user", PAM_MAXTRIES, "person_disabled");
	a.cred = world_credential(&a.w, WORLD_BOB);
	expect("emr-user", PAM_MAXTRIES, "no_grant");
	a.w.grants[WORLD_GRANT_ALICE].person = a.cred.person;
	app_store(&a);
	expect("alice", PAM_MAXTRIES, "account_owner");
}

/* ---- identity (D7) ---- */

static void test_identity(void **state)
{
	(void)state;
	app_store(&a);
	a.n_nss = 0;
	expect("emr-user", PAM_MAXTRIES, "account_unknown"); /* nsswitch.conf does not have us */
	app_nss(&a, "emr-user", WORLD_UID_EMR + 1, 0);
	expect("emr-user", PAM_MAXTRIES, "shadowed");
	a.nss[0].uid = 0;
	expect("emr-user", PAM_MAXTRIES, "uid_zero");
	a.nss[0].err = ENOMEM;
	expect("emr-user", PAM_AUTHINFO_UNAVAIL, "system_error");
	/* in the directory, left out of accounts.snap, and known to another name service */
	a.n_nss = 0;
	app_nss(&a, "ecs-user", WORLD_UID_ECS, 0);
	app_passwd(&a, "root:x:0:0::/:/bin/sh\n");
	expect("ecs-user", PAM_MAXTRIES, "shadowed");
}

static void test_names(void **state)
{
	static const char *const bad[] = { "Emr-user", "emr user", "-emr", "../../etc", "emr-user\n", "a23456789012345678901234567890xyz", "\xc3\xbcser", "root:x" };
	char *huge = malloc(120001);

	(void)state;
	app_store(&a);
	memset(huge, 'a', 120000);
	huge[120000] = '\0';
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		a.reply = APP_TEXT;
		a.text = "x";
		expect(bad[i], PAM_MAXTRIES, "answer_format");
		a.reply = APP_GOOD;
		expect(bad[i], PAM_MAXTRIES, "bad_name");
		assert_null(strchr(strstr(a.log, "event=auth"), '\n')[1] ? a.log : NULL); /* one line, whatever the name holds */
	}
	expect(huge, PAM_MAXTRIES, "bad_name");
	assert_true(strlen(a.log) < 2000);
	assert_non_null(strstr(a.prompt, "as ?.\nCL1:"));
	free(huge);
}

static void test_log_cannot_be_forged(void **state)
{
	(void)state;
	app_store(&a);
	a.rhost = "x result=accepted reason=ok person=alice\nfoo\"";
	a.connection = NULL;
	a.reply = APP_TEXT;
	a.text = "x";
	expect("root result=accepted", PAM_MAXTRIES, "answer_format");
	assert_null(strstr(a.log, "result=accepted"));
	assert_null(strstr(a.log, "\nfoo"));
}

/* ---- G1: valid, revoked, unknown, over-long: one prompt of one type and length, the same work, the same code ---- */

static void test_names_are_indistinguishable(void **state)
{
	char *longest = malloc(5001);
	const char *users[] = { "emr-user", "alice", "lonely", "nobody-here", "Bad-name", longest, "ecs-use0" };
	size_t length = 0;
	static const char *const texts[] = { "", "x", NULL };

	(void)state;
	memset(longest, 'z', 5000);
	longest[5000] = '\0';
	world_revoke(&a.w, REVOKE_ACCOUNT, "lonely", 0);
	app_store(&a);
	a.cred = world_credential(&a.w, WORLD_BOB); /* without any grant */
	for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
		int first = -1;

		a.reply = texts[t] ? APP_TEXT : APP_GOOD;
		a.text = texts[t];
		for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
			const char *challenge;
			int code;

			app_forget(&a);
			code = app_auth(&a, "sshd", users[i]);
			if (i == 0)
				first = code;
			assert_int_equal(code, first);
			assert_int_equal(a.prompts, 1);
			assert_int_equal(a.errors, 1);
			assert_int_equal(a.verified, 2); /* one credential, one proof */
			challenge = strstr(a.prompt, "\nCL1:");
			assert_non_null(challenge);
			if (!length)
				length = strlen(challenge);
			assert_int_equal(strlen(challenge), length);
		}
	}
	free(longest);
}

/* ---- services that cannot take a credential ---- */

static void test_sudo_and_su(void **state)
{
	static const char *const services[] = { "sudo", "sudo-i", "cron" };

	(void)state;
	app_store(&a);
	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
		app_forget(&a);
		assert_int_equal(app_auth(&a, services[i], "emr-user"), PAM_MAXTRIES);
		assert_true(app_logged(&a, i < 2 ? "answer_format" : "sudo_refused")); /* a credential is no answer to a step-up */
		assert_int_equal(a.prompts, i < 2 ? 1 : 0);
		assert_int_equal(app_auth(&a, services[i], "rescue"), APP_IGNORED);
	}
	app_conf(&a, "[node]\nlogin_services = console\nsudo_services = doas\n");
	app_forget(&a);
	assert_int_equal(app_auth(&a, "console", "emr-user"), PAM_SUCCESS);
	assert_int_equal(app_auth(&a, "sudo", "emr-user"), PAM_SUCCESS);
	assert_int_equal(app_auth(&a, "doas", "emr-user"), PAM_MAXTRIES);
}

static void test_silent(void **state)
{
	pam_handle_t *h;

	(void)state;
	app_store(&a);
	a.reply = APP_TEXT;
	a.text = "x";
	app_forget(&a);
	h = app_start(&a, "sshd", "emr-user");
	assert_int_equal(pam_authenticate(h, (int)PAM_SILENT), PAM_MAXTRIES);
	assert_int_equal(a.errors, 0);
	app_end(h);
}

/* A hand-over of an earlier try does not survive a later one that failed. */
static void test_second_try(void **state)
{
	pam_handle_t *h;

	(void)state;
	app_store(&a);
	h = app_start(&a, "sshd", "emr-user");
	assert_int_equal(pam_authenticate(h, 0), PAM_SUCCESS);
	assert_non_null(pam_getenv(h, "CLUSTER_LOGIN_HANDOVER"));
	a.reply = APP_TEXT;
	a.text = "x";
	assert_int_equal(pam_authenticate(h, 0), PAM_MAXTRIES);
	assert_null(pam_getenv(h, "CLUSTER_LOGIN_HANDOVER"));
	app_end(h);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_good), T(test_adopted), T(test_source_of_sshd), T(test_local_is_left_alone), T(test_not_enrolled), T(test_passwd_file_unreadable), T(test_foreign),
		T(test_snapshot_absent), T(test_snapshot_empty_or_cut), T(test_snapshot_owner), T(test_snapshot_unparsable), T(test_snapshot_expired), T(test_configuration),
		T(test_no_answer), T(test_junk), T(test_proof), T(test_issuer), T(test_signature), T(test_challenge_of_another_node), T(test_revoked_while_the_prompt_stood),
		T(test_policy_reasons), T(test_claims), T(test_identity), T(test_names), T(test_log_cannot_be_forged), T(test_names_are_indistinguishable), T(test_sudo_and_su),
		T(test_silent), T(test_second_try),
	};

	return cmocka_run_group_tests_name("pam auth", tests, NULL, NULL);
}
