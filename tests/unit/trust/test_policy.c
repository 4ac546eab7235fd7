/* SPDX-License-Identifier: Apache-2.0 */
/* The decision, check by check: every case changes one thing in a world where everything holds. THREATS.md A4, C4, H3, H7. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "world.h"

#include "cluster/policy.h"
#include "cluster/trust_snap.h"

#define NOW INT64_C(1800000000)
#define BOOT INT64_C(50000)

struct scene {
	struct world w;
	struct credential cred;
	struct moment now;
	struct policy_request q;
	struct policy_answer a;
	struct trust trust;
	uint8_t *bytes;
};

static void scene_init(struct scene *s)
{
	memset(s, 0, sizeof *s);
	world_init(&s->w, NOW);
	s->now = (struct moment){ .wall = NOW, .boot = BOOT, .boot_id = world_id('b', 1) };
	s->w.fresh.boot_id = s->now.boot_id;
	s->w.fresh.boot_time = BOOT;
	s->cred = world_credential(&s->w, WORLD_ALICE);
	s->q = (struct policy_request){ .class = POLICY_LOGIN, .account = "emr-user", .now = &s->now, .source = "192.0.2.7", .credential = &s->cred };
}

static void scene_build(struct scene *s)
{
	size_t n;

	s->bytes = world_trust(&s->w, &n);
	assert_ok(trust_parse(s->bytes, n, &s->trust));
	s->trust.fresh = s->w.fresh;
}

static void scene_done(struct scene *s)
{
	trust_close(&s->trust);
	free(s->bytes);
	world_done(&s->w);
}

struct row {
	const char *name;
	void (*change)(struct scene *);
	enum reason want;
};

static void run(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct scene s;
		enum reason got;

		scene_init(&s);
		if (rows[i].change)
			rows[i].change(&s);
		scene_build(&s);
		got = policy_decide(&s.trust, &s.q, &s.a);
		if (got != rows[i].want || got != s.a.reason)
			fail_msg("%s: %s (%s), expected %s", rows[i].name, reason_word(got), s.a.detail.text, reason_word(rows[i].want));
		if (got != REASON_OK && got != REASON_NAME && s.a.detail.text[0] == '\0')
			fail_msg("%s: a refusal without the facts", rows[i].name);
		scene_done(&s);
	}
}

#define ROWS(r) run(r, sizeof(r) / sizeof(r)[0])

/* ---- a login that holds ---- */

static void by_role(struct scene *s)
{
	s->cred = world_credential(&s->w, WORLD_CAROL);
}
static void personal(struct scene *s)
{
	s->q.account = "alice";
}
static void adopted(struct scene *s)
{
	s->q.account = "ecs-user";
}
static void narrowed_to_this(struct scene *s)
{
	s->cred.n_acc = 2;
	strcpy(s->cred.acc[0], "root");
	strcpy(s->cred.acc[1], "emr-user");
	s->cred.n_nod = 2;
	strcpy(s->cred.nod[0], "role:core");
	strcpy(s->cred.nod[1], "node:master-1-1");
	s->cred.n_src = 2;
	strcpy(s->cred.src[0], "2001:db8::/32");
	strcpy(s->cred.src[1], "192.0.2.0/29");
}
static void narrowed_to_role(struct scene *s)
{
	s->cred.n_nod = 1;
	strcpy(s->cred.nod[0], "role:master");
}
static void at_the_last_second(struct scene *s)
{
	s->cred.exp = NOW + 1;
	s->cred.iat = s->cred.exp - CREDENTIAL_LIFE_MAX;
	s->cred.nbf = NOW + WORLD_SKEW;
}
static void iat_within_skew(struct scene *s)
{
	s->cred.iat = s->cred.nbf = NOW + WORLD_SKEW;
}
static void as_stale_as_allowed(struct scene *s)
{
	s->w.fresh.head_iat = s->w.fresh.newest_iat = NOW - WORLD_MAX_STALE;
	s->w.fresh.boot_time = BOOT - WORLD_MAX_STALE;
}
static void clock_within_skew(struct scene *s)
{
	s->w.fresh.newest_iat = NOW + WORLD_SKEW;
}
static void excepted_from_lockdown(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_LOCKDOWN, &s->w.people[WORLD_ALICE].id, 0);
}
static void issued_after_before(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_PERSON, &s->cred.person, NOW);
	world_revoke(&s->w, REVOKE_BEFORE, "", NOW);
}
static void others_are_revoked(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_PERSON, &s->w.people[WORLD_BOB].id, 0);
	world_revoke(&s->w, REVOKE_ACCOUNT, "lonely", 0);
	world_revoke(&s->w, REVOKE_ROLE, "ops", 0);
}
static void ttl_not_over(struct scene *s)
{
	s->w.grants[WORLD_GRANT_ALICE].ttl = 600;
	s->cred.iat = NOW - 599;
}

static void test_accepted(void **state)
{
	static const struct row rows[] = {
		{ "plain", NULL, REASON_OK }, { "by role", by_role, REASON_OK }, { "personal account of its owner", personal, REASON_OK },
		{ "adopted account", adopted, REASON_OK }, { "narrowed to this", narrowed_to_this, REASON_OK }, { "narrowed to a role of nodes", narrowed_to_role, REASON_OK },
		{ "last second", at_the_last_second, REASON_OK }, { "iat within skew", iat_within_skew, REASON_OK }, { "as stale as allowed", as_stale_as_allowed, REASON_OK },
		{ "clock within skew", clock_within_skew, REASON_OK }, { "excepted from lockdown", excepted_from_lockdown, REASON_OK },
		{ "issued after `before`", issued_after_before, REASON_OK }, { "others revoked", others_are_revoked, REASON_OK }, { "ttl not over", ttl_not_over, REASON_OK },
	};

	(void)state;
	ROWS(rows);
}

static void test_answer_names_person_and_grant(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	by_role(&s);
	s.w.grants[WORLD_GRANT_OPS].on_revoke = DIRECTORY_KEEP;
	s.w.grants[WORLD_GRANT_OPS].end_at_expiry = true;
	scene_build(&s);
	assert_int_equal(policy_decide(&s.trust, &s.q, &s.a), REASON_OK);
	assert_string_equal(s.a.person.name, "carol");
	assert_string_equal(s.a.grant_role, "ops");
	assert_int_equal(s.a.grant.on_revoke, DIRECTORY_KEEP);
	assert_true(s.a.grant.end_at_expiry && !s.a.grant.sudo);
	assert_true(id_equal(&s.a.grant.id, &s.w.grants[WORLD_GRANT_OPS].id));
	scene_done(&s);
}

/* ---- freshness and clocks (H3, H7) ---- */

static void stale_wall(struct scene *s)
{
	s->w.fresh.head_iat = s->w.fresh.newest_iat = NOW - WORLD_MAX_STALE - 1;
}
static void stale_boot(struct scene *s)
{
	s->w.fresh.boot_time = BOOT - WORLD_MAX_STALE - 1;
}
static void boot_clock_went_back(struct scene *s)
{
	s->w.fresh.boot_time = BOOT + 1;
}
static void booted_long_ago(struct scene *s)
{
	s->w.fresh.boot_id = world_id('b', 2);
	s->now.boot = WORLD_MAX_STALE + 1;
}
static void booted_just_now(struct scene *s)
{
	s->w.fresh.boot_id = world_id('b', 2);
	s->now.boot = 10;
}
static void clock_behind(struct scene *s)
{
	s->w.fresh.newest_iat = NOW + WORLD_SKEW + 1;
}
static void clock_ten_years_back(struct scene *s)
{
	s->now.wall = NOW - INT64_C(315360000);
}
static void clock_zero(struct scene *s)
{
	s->now.wall = 0;
}
static void tightened(struct scene *s)
{
	s->q.max_stale = 60;
	s->w.fresh.head_iat = s->w.fresh.newest_iat = NOW - 61;
}
static void widened(struct scene *s)
{
	s->q.max_stale = WORLD_MAX_STALE + 1000;
	stale_wall(s);
}
static void sudo_stale(struct scene *s)
{
	stale_wall(s);
	s->q.class = POLICY_SUDO;
	s->q.credential = NULL;
}
static void job_stale(struct scene *s)
{
	stale_wall(s);
	stale_boot(s);
	s->q.class = POLICY_JOB;
	s->q.credential = NULL;
}

static void test_freshness(void **state)
{
	static const struct row rows[] = {
		{ "head too old", stale_wall, REASON_STALE_WALL }, { "head too old by the boot clock", stale_boot, REASON_STALE_BOOT },
		{ "boot clock went back", boot_clock_went_back, REASON_STALE_BOOT }, { "no head since a boot long ago", booted_long_ago, REASON_STALE_BOOT },
		{ "fresh head before a boot just now", booted_just_now, REASON_OK }, { "clock behind", clock_behind, REASON_CLOCK_BEHIND },
		{ "clock ten years back", clock_ten_years_back, REASON_CLOCK_BEHIND }, { "clock at zero", clock_zero, REASON_CLOCK_BEHIND },
		{ "tightened by the node", tightened, REASON_STALE_WALL },
		{ "a node cannot widen", widened, REASON_STALE_WALL }, { "sudo needs freshness", sudo_stale, REASON_STALE_WALL }, { "a job does not", job_stale, REASON_OK },
	};

	(void)state;
	ROWS(rows);
}

/* ---- the credential ---- */

static void another_cluster(struct scene *s)
{
	s->cred.cluster = world_id('c', 2);
}
static void expired(struct scene *s)
{
	s->cred.exp = NOW;
	s->cred.iat = NOW - 3600;
}
static void iat_ahead(struct scene *s)
{
	s->cred.iat = NOW + WORLD_SKEW + 1;
}
static void nbf_ahead(struct scene *s)
{
	s->cred.nbf = NOW + WORLD_SKEW + 1;
}
static void life_too_long(struct scene *s)
{
	s->cred.exp = s->cred.iat + CREDENTIAL_LIFE_MAX + 1;
}
static void life_backwards(struct scene *s)
{
	s->cred.iat = s->cred.exp = NOW + 10;
}
static void other_account(struct scene *s)
{
	s->cred.n_acc = 1;
	strcpy(s->cred.acc[0], "emr-use");
}
static void other_node(struct scene *s)
{
	s->cred.n_nod = 2;
	strcpy(s->cred.nod[0], "node:master-1-2");
	strcpy(s->cred.nod[1], "role:core");
}
static void other_source(struct scene *s)
{
	s->cred.n_src = 1;
	strcpy(s->cred.src[0], "192.0.2.8/29");
}
static void unknown_source(struct scene *s)
{
	s->cred.n_src = 1;
	strcpy(s->cred.src[0], "0.0.0.0/0");
	s->q.source = NULL;
}
static void bad_account(struct scene *s)
{
	s->q.account = "Emr-user";
}

static void test_credential(void **state)
{
	static const struct row rows[] = {
		{ "another cluster's (C4)", another_cluster, REASON_CLUSTER }, { "expired", expired, REASON_EXPIRED }, { "iat ahead", iat_ahead, REASON_NOT_YET },
		{ "nbf ahead", nbf_ahead, REASON_NOT_YET }, { "life too long", life_too_long, REASON_LIFE }, { "no life", life_backwards, REASON_LIFE },
		{ "narrowed to another account", other_account, REASON_NARROW_ACCOUNT }, { "narrowed to other nodes", other_node, REASON_NARROW_NODE },
		{ "narrowed to another source", other_source, REASON_NARROW_SOURCE }, { "narrowed, source unknown", unknown_source, REASON_NARROW_SOURCE },
		{ "bad name", bad_account, REASON_NAME },
	};

	(void)state;
	ROWS(rows);
}

/* ---- person, account, grant ---- */

static void nobody(struct scene *s)
{
	s->cred.person = world_id('p', 99);
}
static void disabled(struct scene *s)
{
	s->cred = world_credential(&s->w, WORLD_DAVE);
}
static void others_device(struct scene *s)
{
	s->cred.device = s->w.devices[WORLD_BOB].id;
}
static void without_grant(struct scene *s)
{
	s->cred = world_credential(&s->w, WORLD_BOB);
}
static void grant_elsewhere(struct scene *s)
{
	s->w.grants[WORLD_GRANT_ALICE].nodes[0] = world_text(&s->w, "node:core-1-1");
}
static void grant_other_account(struct scene *s)
{
	s->q.account = "lonely";
}
static void role_revoked(struct scene *s)
{
	by_role(s);
	world_revoke(&s->w, REVOKE_ROLE, "ops", 0);
}
static void role_of_another(struct scene *s)
{
	by_role(s);
	strcpy(s->w.people[WORLD_CAROL].roles[0], "dev");
}
static void ttl_over(struct scene *s)
{
	s->w.grants[WORLD_GRANT_ALICE].ttl = 600;
	s->cred.iat = NOW - 600;
}
static void owned_by_another(struct scene *s)
{
	s->q.account = "alice";
	s->w.grants[WORLD_GRANT_ALICE].person = s->w.people[WORLD_BOB].id;
	s->cred = world_credential(&s->w, WORLD_BOB);
}
static void unknown_account(struct scene *s)
{
	s->q.account = "nobody-here";
	strcpy(s->w.grants[WORLD_GRANT_ALICE].accounts[0], "nobody-here");
}

static void test_person_account_grant(void **state)
{
	static const struct row rows[] = {
		{ "person unknown", nobody, REASON_PERSON_UNKNOWN }, { "person disabled", disabled, REASON_PERSON_DISABLED },
		{ "another person's device", others_device, REASON_DEVICE_UNKNOWN }, { "no grant", without_grant, REASON_NO_GRANT },
		{ "grant on another node", grant_elsewhere, REASON_NO_GRANT }, { "grant for another account", grant_other_account, REASON_NO_GRANT },
		{ "role revoked", role_revoked, REASON_NO_GRANT }, { "role not the person's", role_of_another, REASON_NO_GRANT }, { "grant's ttl over", ttl_over, REASON_EXPIRED },
		{ "personal account of another", owned_by_another, REASON_ACCOUNT_OWNER }, { "account not in the directory", unknown_account, REASON_ACCOUNT_UNKNOWN },
	};

	(void)state;
	ROWS(rows);
}

/* ---- revocations ---- */

static void revoke_jti(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_CREDENTIAL, &s->cred.jti, 0);
}
static void revoke_device(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_DEVICE, &s->cred.device, 0);
}
static void revoke_person(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_PERSON, &s->cred.person, 0);
}
static void revoke_person_before(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_PERSON, &s->cred.person, NOW + 1);
}
static void revoke_account(struct scene *s)
{
	world_revoke(&s->w, REVOKE_ACCOUNT, "emr-user", 0);
}
static void revoke_node(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_NODE, &s->w.node.id, 0);
}
static void revoke_issuer(struct scene *s)
{
	world_revoke(&s->w, REVOKE_ISSUER, s->cred.issuer, 0);
}
static void revoke_before(struct scene *s)
{
	world_revoke(&s->w, REVOKE_BEFORE, "", NOW + 1);
}
static void lockdown(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_LOCKDOWN, &s->w.people[WORLD_BOB].id, 0);
}

static const struct row revocations[] = {
	{ "credential revoked", revoke_jti, REASON_REVOKED_CREDENTIAL }, { "device revoked", revoke_device, REASON_REVOKED_DEVICE },
	{ "person revoked", revoke_person, REASON_REVOKED_PERSON }, { "person revoked before", revoke_person_before, REASON_REVOKED_PERSON },
	{ "account revoked", revoke_account, REASON_REVOKED_ACCOUNT }, { "node revoked", revoke_node, REASON_REVOKED_NODE },
	{ "issuer revoked", revoke_issuer, REASON_REVOKED_ISSUER }, { "everything before revoked", revoke_before, REASON_REVOKED_BEFORE },
	{ "lockdown", lockdown, REASON_LOCKDOWN },
};

static void test_revocations(void **state)
{
	(void)state;
	ROWS(revocations);
}

/* ---- without a credential ---- */

static void nobody_shown(struct scene *s)
{
	s->q.credential = NULL;
}
static void nobody_lockdown(struct scene *s)
{
	nobody_shown(s);
	world_revoke(&s->w, REVOKE_LOCKDOWN, "", 0);
}
static void nobody_lockdown_except(struct scene *s)
{
	nobody_shown(s);
	lockdown(s);
}
static void nobody_account(struct scene *s)
{
	nobody_shown(s);
	revoke_account(s);
	s->q.class = POLICY_JOB;
}
/* what was issued before is void; the account itself goes on */
static void nobody_account_before(struct scene *s)
{
	nobody_shown(s);
	world_revoke(&s->w, REVOKE_ACCOUNT, s->q.account, s->q.now->wall - 10);
	s->q.class = POLICY_JOB;
}
static void nobody_node(struct scene *s)
{
	nobody_shown(s);
	revoke_node(s);
	s->q.class = POLICY_JOB;
}
static void nobody_unknown(struct scene *s)
{
	nobody_shown(s);
	s->q.account = "nobody-here";
}
static void nobody_owner_disabled(struct scene *s)
{
	nobody_shown(s);
	s->q.account = "alice";
	s->w.people[WORLD_ALICE].disabled = true;
}
static void nobody_owner_revoked(struct scene *s)
{
	nobody_shown(s);
	s->q.account = "alice";
	revoke_person(s);
}
static void nobody_owner_locked_out(struct scene *s)
{
	nobody_shown(s);
	s->q.account = "alice";
	lockdown(s);
}
static void nobody_owner_gone(struct scene *s)
{
	nobody_shown(s);
	s->q.account = "alice";
	s->w.accounts[WORLD_ALICE_ACCOUNT].person = world_id('p', 99);
}

static void test_without_credential(void **state)
{
	static const struct row rows[] = {
		{ "plain", nobody_shown, REASON_OK }, { "lockdown of all", nobody_lockdown, REASON_LOCKDOWN }, { "lockdown with exceptions", nobody_lockdown_except, REASON_OK },
		{ "account revoked, job", nobody_account, REASON_REVOKED_ACCOUNT }, { "node revoked, job", nobody_node, REASON_REVOKED_NODE },
		{ "account revoked for what was issued before, job", nobody_account_before, REASON_OK },
		{ "account unknown", nobody_unknown, REASON_ACCOUNT_UNKNOWN }, { "owner disabled", nobody_owner_disabled, REASON_PERSON_DISABLED },
		{ "owner revoked", nobody_owner_revoked, REASON_REVOKED_PERSON }, { "owner locked out", nobody_owner_locked_out, REASON_LOCKDOWN },
		{ "owner gone", nobody_owner_gone, REASON_PERSON_UNKNOWN },
	};

	(void)state;
	ROWS(rows);
}

/* ---- sessions that are open ---- */

static enum reason check_session(void (*change)(struct scene *))
{
	struct policy_session session;
	struct scene s;
	enum reason r;

	scene_init(&s);
	if (change)
		change(&s);
	scene_build(&s);
	session = (struct policy_session){
		.person = s.cred.person, .device = s.cred.device, .jti = s.cred.jti, .iat = s.cred.iat, .account = s.q.account, .issuer = s.cred.issuer,
	};
	r = policy_session_check(&s.trust, &session, &s.a);
	assert_int_equal(r, s.a.reason);
	scene_done(&s);
	return r;
}

static void test_sessions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof revocations / sizeof revocations[0]; i++)
		if (check_session(revocations[i].change) != revocations[i].want)
			fail_msg("%s does not end a session", revocations[i].name);
	assert_int_equal(check_session(NULL), REASON_OK);
	assert_int_equal(check_session(nobody), REASON_PERSON_UNKNOWN);
	assert_int_equal(check_session(disabled), REASON_PERSON_DISABLED);
	assert_int_equal(check_session(others_device), REASON_DEVICE_UNKNOWN);
	assert_int_equal(check_session(without_grant), REASON_NO_GRANT);
	assert_int_equal(check_session(role_revoked), REASON_NO_GRANT);
	assert_int_equal(check_session(unknown_account), REASON_ACCOUNT_UNKNOWN);
	assert_int_equal(check_session(owned_by_another), REASON_ACCOUNT_OWNER);
	assert_int_equal(check_session(excepted_from_lockdown), REASON_OK);
	/* age and expiry end no session */
	assert_int_equal(check_session(stale_wall), REASON_OK);
	assert_int_equal(check_session(clock_behind), REASON_OK);
	assert_int_equal(check_session(expired), REASON_OK);
	assert_int_equal(check_session(ttl_over), REASON_OK);
}

/* `sessions --end`: that session and no other, and no login. */
static void test_session_ended(void **state)
{
	struct cluster_id id = world_id('s', 1), other = world_id('s', 2);
	struct policy_session session;
	struct scene s;

	(void)state;
	scene_init(&s);
	world_revoke_id(&s.w, REVOKE_SESSION, &id, 0);
	scene_build(&s);
	session = (struct policy_session){
		.session = id, .person = s.cred.person, .device = s.cred.device, .jti = s.cred.jti, .iat = s.cred.iat, .account = s.q.account, .issuer = s.cred.issuer,
	};
	assert_int_equal(policy_session_check(&s.trust, &session, &s.a), REASON_REVOKED_SESSION);
	session.session = other;
	assert_int_equal(policy_session_check(&s.trust, &session, &s.a), REASON_OK);
	assert_int_equal(policy_decide(&s.trust, &s.q, &s.a), REASON_OK);
	scene_done(&s);
}

/* A certificate: each of its four facts, revoked, stops a login and ends a session, and nothing else does. */
static void test_certificate(void **state)
{
	static const struct sshcert_facts cert = { .serial = UINT64_C(18446744073709551615), .key_id = "alice J0dQe3bWm0r5m9cQpF8gAA",
		.key = "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIJFRK5n7AE0AAA", .ca = "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIJFRK5n7AE0AAQ" };
	static const struct {
		enum revoke_kind kind;
		const char *value;
		bool ends;
	} rows[] = {
		{ REVOKE_CERT_SERIAL, "18446744073709551615", true }, { REVOKE_CERT_SERIAL, "0", false }, { REVOKE_CERT_SERIAL, "1844674407370955161", false },
		{ REVOKE_CERT_ID, "alice J0dQe3bWm0r5m9cQpF8gAA", true }, { REVOKE_CERT_ID, "alice", false },
		{ REVOKE_CERT_KEY, "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIJFRK5n7AE0AAA", true }, { REVOKE_CERT_KEY, "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIJFRK5n7AE0AAQ", false },
		{ REVOKE_CERT_CA, "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIJFRK5n7AE0AAQ", true }, { REVOKE_CERT_CA, "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIJFRK5n7AE0AAA", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct policy_session session;
		struct scene s;

		scene_init(&s);
		world_revoke(&s.w, rows[i].kind, rows[i].value, 0);
		scene_build(&s);
		session = (struct policy_session){
			.person = s.cred.person, .device = s.cred.device, .jti = s.cred.jti, .iat = s.cred.iat, .account = s.q.account, .issuer = s.cred.issuer,
		};
		assert_int_equal(policy_session_check(&s.trust, &session, &s.a), REASON_OK); /* opened without one */
		session.cert = &cert;
		if (policy_session_check(&s.trust, &session, &s.a) != (rows[i].ends ? REASON_REVOKED_CERTIFICATE : REASON_OK))
			fail_msg("%s %s: %s", revoke_kind_name(rows[i].kind), rows[i].value, reason_word(s.a.reason));
		assert_int_equal(policy_decide(&s.trust, &s.q, &s.a), REASON_OK); /* without a certificate */
		s.q.cert = &cert;
		if (policy_decide(&s.trust, &s.q, &s.a) != (rows[i].ends ? REASON_REVOKED_CERTIFICATE : REASON_OK))
			fail_msg("login: %s %s: %s", revoke_kind_name(rows[i].kind), rows[i].value, reason_word(s.a.reason));
		s.cred.iat = s.cred.nbf = NOW - 60;
		s.cred.exp = NOW; /* the certificate's own revocation is the reason, whatever else is wrong with the credential */
		assert_int_equal(policy_decide(&s.trust, &s.q, &s.a), rows[i].ends ? REASON_REVOKED_CERTIFICATE : REASON_EXPIRED);
		scene_done(&s);
	}
}

/* Before the address can be known, `src` is left to the later gate, and only `src`. */
static void test_source_later(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	s.cred.n_src = 1;
	strcpy(s.cred.src[0], "198.51.100.0/24");
	scene_build(&s);
	assert_int_equal(policy_decide(&s.trust, &s.q, &s.a), REASON_NARROW_SOURCE);
	s.q.source = NULL;
	assert_int_equal(policy_decide(&s.trust, &s.q, &s.a), REASON_NARROW_SOURCE);
	s.q.source_later = true;
	assert_int_equal(policy_decide(&s.trust, &s.q, &s.a), REASON_OK);
	s.cred.n_nod = 1;
	strcpy(s.cred.nod[0], "node:elsewhere");
	assert_int_equal(policy_decide(&s.trust, &s.q, &s.a), REASON_NARROW_NODE);
	scene_done(&s);
}

/* ---- damage ---- */

/* One bit of a record or bucket at a time: either nothing that matters was hit, or the answer is "damaged". Never another yes or no than before. */
static void test_damage_is_never_a_pass(void **state)
{
	struct scene s;
	size_t n, hits = 0;
	struct trust t;

	(void)state;
	scene_init(&s);
	revoke_person(&s);
	scene_build(&s);
	n = s.trust.snap.size;
	for (size_t i = 0; i < n; i++) {
		enum reason r;

		s.bytes[i] ^= 0x10;
		if (trust_parse(s.bytes, n, &t) == CLUSTER_OK) {
			t.fresh = s.w.fresh;
			r = policy_decide(&t, &s.q, &s.a);
			if (r != REASON_REVOKED_PERSON && r != REASON_SNAPSHOT_DAMAGED)
				fail_msg("byte %zu of %zu: %s", i, n, reason_word(r));
			hits += r == REASON_SNAPSHOT_DAMAGED;
		}
		s.bytes[i] ^= 0x10;
	}
	assert_true(hits > 0);
	scene_done(&s);
}

/* ---- explain ---- */

static enum reason explain(struct scene *s, const char *person, const char *check)
{
	struct policy_step steps[POLICY_STEPS_MAX];
	struct trust_person p;
	enum reason first, of_check = REASON_N;
	size_t n = 0;

	scene_build(s);
	first = policy_explain(&s->trust, &s->q, trust_person_by_name(&s->trust, person, &p) == CLUSTER_OK ? &p : NULL, steps, &n);
	assert_true(n >= 1 && n <= POLICY_STEPS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (check && strcmp(steps[i].check, check) == 0)
			of_check = steps[i].reason;
		if (steps[i].reason != REASON_OK) {
			assert_int_equal(steps[i].reason, first);
			break;
		}
		assert_true(i + 1 < n || first == REASON_OK);
	}
	scene_done(s);
	return check ? of_check : first;
}

static void test_explain(void **state)
{
	static const struct {
		void (*change)(struct scene *);
		const char *person;
		enum reason want;
	} rows[] = {
		{ NULL, "alice", REASON_OK }, { NULL, "carol", REASON_OK }, { NULL, "bob", REASON_NO_GRANT }, { NULL, "dave", REASON_PERSON_DISABLED },
		{ NULL, "zoe", REASON_PERSON_UNKNOWN }, { stale_wall, "alice", REASON_STALE_WALL }, { lockdown, "alice", REASON_LOCKDOWN }, { lockdown, "bob", REASON_NO_GRANT },
		{ revoke_person, "alice", REASON_REVOKED_PERSON }, { revoke_device, "alice", REASON_REVOKED_DEVICE }, { revoke_account, "alice", REASON_REVOKED_ACCOUNT },
		{ revoke_node, "alice", REASON_REVOKED_NODE }, { unknown_account, "alice", REASON_ACCOUNT_UNKNOWN }, { bad_account, "alice", REASON_NAME },
		{ owned_by_another, "bob", REASON_ACCOUNT_OWNER }, { role_revoked, "carol", REASON_NO_GRANT },
	};
	struct scene s;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum reason got;

		scene_init(&s);
		if (rows[i].change)
			rows[i].change(&s);
		got = explain(&s, rows[i].person, NULL);
		if (got != rows[i].want)
			fail_msg("row %zu: %s, expected %s", i, reason_word(got), reason_word(rows[i].want));
	}
	scene_init(&s);
	assert_int_equal(explain(&s, "alice", "snapshot fresh"), REASON_OK);
}

/* ---- the maps of errors ---- */

static void test_maps(void **state)
{
	(void)state;
	for (int e = CLUSTER_OK; e <= CLUSTER_ECONFIG; e++) {
		enum reason snapshot = policy_snapshot_reason((enum cluster_err)e), credential = policy_credential_reason((enum cluster_err)e);

		assert_int_equal(snapshot == REASON_OK, e == CLUSTER_OK);
		assert_int_equal(credential == REASON_OK, e == CLUSTER_OK);
		if (e != CLUSTER_OK)
			assert_int_equal(reason_err(snapshot), CLUSTER_EUNAVAIL);
	}
	assert_int_equal(policy_snapshot_reason(CLUSTER_ENOTFOUND), REASON_SNAPSHOT_MISSING);
	assert_int_equal(policy_snapshot_reason(CLUSTER_EVERSION), REASON_SNAPSHOT_VERSION);
	assert_int_equal(policy_snapshot_reason(CLUSTER_EUNTRUSTED), REASON_SNAPSHOT_OWNER);
	assert_int_equal(policy_snapshot_reason(CLUSTER_ETRUNC), REASON_SNAPSHOT_DAMAGED);
	assert_int_equal(policy_snapshot_reason(CLUSTER_ESYSTEM), REASON_SYSTEM);
	assert_int_equal(policy_credential_reason(CLUSTER_ESIGNATURE), REASON_SIGNATURE);
	assert_int_equal(policy_credential_reason(CLUSTER_ENOTFOUND), REASON_ISSUER_UNKNOWN);
	assert_int_equal(policy_credential_reason(CLUSTER_EEARLY), REASON_ISSUER_WINDOW);
	assert_int_equal(policy_credential_reason(CLUSTER_EDENIED), REASON_CLUSTER);
	assert_int_equal(policy_credential_reason(CLUSTER_EFORMAT), REASON_ANSWER_FORMAT);
	assert_int_equal(policy_credential_reason(CLUSTER_ENOMEM), REASON_SYSTEM);
	assert_int_equal(policy_certificate_reason(CLUSTER_OK), REASON_OK);
	assert_int_equal(policy_certificate_reason(CLUSTER_ENOTFOUND), REASON_CERTIFICATE_CA);
	assert_int_equal(policy_certificate_reason(CLUSTER_ESIGNATURE), REASON_CERTIFICATE);
	assert_int_equal(policy_certificate_reason(CLUSTER_EDENIED), REASON_CERTIFICATE);
	assert_int_equal(policy_certificate_reason(CLUSTER_EEXPIRED), REASON_ISSUER_WINDOW);
	assert_int_equal(policy_certificate_reason(CLUSTER_ENOMEM), REASON_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_answer_names_person_and_grant),
		cmocka_unit_test(test_freshness),
		cmocka_unit_test(test_credential),
		cmocka_unit_test(test_person_account_grant),
		cmocka_unit_test(test_revocations),
		cmocka_unit_test(test_without_credential),
		cmocka_unit_test(test_sessions), cmocka_unit_test(test_certificate), cmocka_unit_test(test_session_ended), cmocka_unit_test(test_source_later),
		cmocka_unit_test(test_damage_is_never_a_pass),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_maps),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
