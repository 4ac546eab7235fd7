/* SPDX-License-Identifier: Apache-2.0 */
/* A login that another node vouches for, check by check: every case changes one thing in a world where everything holds. THREATS.md B9, C4, D2. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "world_hop.h"

#include "cluster/policy.h"
#include "cluster/sshcert_hop.h"

#define NOW INT64_C(1800000000)
#define BOOT INT64_C(50000)

static const struct sshcert_facts facts = { .key_id = "alice via edge-1 aAAAAAAAAAAAAAAAAAAAAQ", .key = "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIJFRK5n7AE0AAA",
	.ca = "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIJFRK5n7AE0AAQ" };

struct scene {
	struct world w;
	struct world_hop h;
	struct credential cred;
	struct moment now;
	struct policy_request q;
	struct policy_answer a;
	struct trust trust;
	uint8_t *bytes;
	size_t n;
};

static void scene_init(struct scene *s)
{
	memset(s, 0, sizeof *s);
	world_init(&s->w, NOW);
	world_hop_init(&s->w, &s->h);
	s->now = (struct moment){ .wall = NOW, .boot = BOOT, .boot_id = world_id('b', 1) };
	s->w.fresh.boot_id = s->now.boot_id;
	s->w.fresh.boot_time = BOOT;
	s->q = (struct policy_request){ .class = POLICY_LOGIN, .account = "emr-user", .now = &s->now, .source = "192.0.2.7", .hop = &s->h.hop, .cert = &facts };
}

static void scene_build(struct scene *s)
{
	s->bytes = world_trust(&s->w, &s->n);
	assert_ok(trust_parse(s->bytes, s->n, &s->trust));
	s->trust.fresh = s->w.fresh;
}

static void scene_done(struct scene *s)
{
	trust_close(&s->trust);
	free(s->bytes);
	world_hop_done(&s->h);
	world_done(&s->w);
}

struct row {
	const char *name;
	void (*change)(struct scene *);
	enum reason want;
};

static enum reason decide(const struct row *row, struct scene *s)
{
	enum reason got;

	scene_init(s);
	if (row->change)
		row->change(s);
	scene_build(s);
	got = policy_decide(&s->trust, &s->q, &s->a);
	if (got != row->want || got != s->a.reason)
		fail_msg("%s: %s (%s), expected %s", row->name, reason_word(got), s->a.detail.text, reason_word(row->want));
	if (got != REASON_OK && s->a.detail.text[0] == '\0')
		fail_msg("%s: a refusal without the facts", row->name);
	return got;
}

/* The record that PAM makes of this hop. */
static struct session record_of(const struct scene *s)
{
	const struct hop *h = &s->h.hop;
	struct session r = { .id = world_id('s', 8), .person = h->person, .device = h->device, .parent = h->session, .source = h->source, .hops = (uint8_t)h->count, .kind = SESSION_HOP,
		.jti = h->machine ? h->jti : h->parent, .iat = h->machine ? h->iat : h->auth_time, .cert = facts };

	memcpy(r.way, h->way, sizeof r.way);
	strcpy(r.account, s->q.account);
	strcpy(r.issuer, h->parent_issuer);
	return r;
}

static enum reason check_session(struct scene *s, const struct session *r)
{
	const struct policy_session session = policy_session_of(r);
	enum reason got = policy_session_check(&s->trust, &session, &s->a);

	assert_int_equal(got, s->a.reason);
	return got;
}

static void run(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct scene s;

		decide(&rows[i], &s);
		scene_done(&s);
	}
}

/* What refuses the login also ends the session that came by it. */
static void run_both(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct session r;
		struct scene s;
		enum reason got;

		decide(&rows[i], &s);
		r = record_of(&s);
		got = check_session(&s, &r);
		if (got != rows[i].want)
			fail_msg("session, %s: %s (%s), expected %s", rows[i].name, reason_word(got), s.a.detail.text, reason_word(rows[i].want));
		scene_done(&s);
	}
}

#define ROWS(r) run(r, sizeof(r) / sizeof(r)[0])
#define ROWS_BOTH(r) run_both(r, sizeof(r) / sizeof(r)[0])

/* ---- what holds ---- */

static void machine(struct scene *s)
{
	world_hop_machine(&s->w, &s->h);
}
static void by_role(struct scene *s)
{
	struct credential c = world_credential(&s->w, WORLD_CAROL);

	s->h.hop.person = c.person;
	s->h.hop.device = c.device;
}
static void personal(struct scene *s)
{
	s->q.account = "alice";
	strcpy(s->h.hop.account, "alice");
}
static void from_this_node(struct scene *s)
{
	s->h.hop.source = s->w.node.id;
}
static void excepted_from_lockdown(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_LOCKDOWN, &s->w.people[WORLD_ALICE].id, 0);
}
static void at_the_edges(struct scene *s)
{
	s->h.hop.iat = NOW + WORLD_SKEW;
	s->h.hop.exp = s->h.hop.iat + HOP_LIFE_MAX;
	s->h.hop.auth_time = s->h.hop.iat + WORLD_SKEW;
}
static void at_the_last_second(struct scene *s)
{
	s->h.hop.exp = NOW + 1;
	s->h.hop.iat = s->h.hop.exp - HOP_LIFE_MAX;
}
/* what was issued since is not meant */
static void revoked_before_that(struct scene *s)
{
	const struct hop *h = &s->h.hop;

	world_revoke_id(&s->w, REVOKE_PERSON, &h->person, h->auth_time);
	world_revoke_id(&s->w, REVOKE_CREDENTIAL, &h->jti, h->auth_time);
	world_revoke_id(&s->w, REVOKE_NODE, &h->source, h->auth_time);
	world_revoke(&s->w, REVOKE_BEFORE, "", h->auth_time);
	world_revoke(&s->w, REVOKE_ISSUER, h->parent_issuer, h->auth_time);
	world_revoke_id(&s->w, REVOKE_SESSION, &h->session, h->auth_time);
}
static void others_are_revoked(struct scene *s)
{
	world_revoke(&s->w, REVOKE_CERT_SERIAL, "0", 0); /* a hop has no serial number */
	world_revoke(&s->w, REVOKE_CERT_ID, "alice via edge-1", 0);
	world_revoke_id(&s->w, REVOKE_PERSON, &s->w.people[WORLD_BOB].id, 0);
	world_revoke(&s->w, REVOKE_ROLE, "ops", 0);
}
static void another_grant(struct scene *s)
{
	s->w.grants[WORLD_GRANT_ALICE].hop = false;
	s->w.people[WORLD_ALICE].n_roles = 1;
	strcpy(s->w.people[WORLD_ALICE].roles[0], "ops");
}
static void ttl_not_over(struct scene *s)
{
	s->w.grants[WORLD_GRANT_ALICE].ttl = WORLD_HOP_SESSION + 1;
}
/* Three sessions before this one, the first and the third on edge-1. */
static void third(struct scene *s)
{
	struct hop *h = &s->h.hop;

	h->count = 3;
	h->way[0] = (struct hop_place){ .node = s->h.nodes[WORLD_HOP_EDGE].id, .session = world_id('s', 1) };
	h->way[1] = (struct hop_place){ .node = s->w.node.id, .session = world_id('s', 2) };
}
/* A session goes on although its credential has expired, unless its grant ends it. */
static void expired_behind(struct scene *s)
{
	s->h.hop.end = NOW;
}
static void ends_later(struct scene *s)
{
	s->w.grants[WORLD_GRANT_ALICE].end_at_expiry = true;
	s->h.hop.end = NOW + 1;
}
static void other_grant_keeps(struct scene *s)
{
	another_grant(s);
	s->w.grants[WORLD_GRANT_ALICE].hop = s->w.grants[WORLD_GRANT_ALICE].end_at_expiry = true;
	expired_behind(s);
}
static void longest_end(struct scene *s)
{
	s->h.hop.end = NOW + CREDENTIAL_LIFE_MAX + WORLD_SKEW;
}
static void shortest_end(struct scene *s)
{
	s->h.hop.end = s->h.hop.auth_time;
}
/* Of renewed sessions: the person acted days ago. */
static void long_ago(struct scene *s)
{
	s->h.hop.auth_time = NOW - 5 * CREDENTIAL_LIFE_MAX;
}

static void test_accepted(void **state)
{
	static const struct row both[] = {
		{ "plain", NULL, REASON_OK }, { "machine", machine, REASON_OK }, { "by role", by_role, REASON_OK }, { "personal account of its owner", personal, REASON_OK },
		{ "from the node itself", from_this_node, REASON_OK }, { "excepted from lockdown", excepted_from_lockdown, REASON_OK },
		{ "last second", at_the_last_second, REASON_OK }, { "within skew", at_the_edges, REASON_OK },
		{ "revoked before that", revoked_before_that, REASON_OK }, { "others revoked", others_are_revoked, REASON_OK }, { "another grant", another_grant, REASON_OK },
		{ "ttl not over", ttl_not_over, REASON_OK }, { "third in a row", third, REASON_OK }, { "credential expired", expired_behind, REASON_OK },
		{ "credential not expired", ends_later, REASON_OK }, { "another grant keeps what has expired", other_grant_keeps, REASON_OK }, { "longest end", longest_end, REASON_OK },
		{ "shortest end", shortest_end, REASON_OK }, { "a long session", long_ago, REASON_OK },
	};

	(void)state;
	ROWS_BOTH(both);
}

static void test_answer(void **state)
{
	static const struct row role = { "by role", by_role, REASON_OK }, none = { "machine", machine, REASON_OK };
	struct scene s;

	(void)state;
	decide(&role, &s);
	assert_string_equal(s.a.person.name, "carol");
	assert_string_equal(s.a.grant_role, "ops");
	assert_true(id_equal(&s.a.grant.id, &s.w.grants[WORLD_GRANT_OPS].id));
	scene_done(&s);
	decide(&none, &s);
	assert_string_equal(s.a.person.name, "");
	assert_string_equal(s.a.grant_role, "");
	assert_true(s.a.grant.hop && !s.a.grant.sudo);
	scene_done(&s);
}

/* ---- the hop's own claims ---- */

static void stale(struct scene *s)
{
	s->w.fresh.head_iat = s->w.fresh.newest_iat = NOW - WORLD_MAX_STALE - 1;
}
static void bad_account(struct scene *s)
{
	s->q.account = "../x";
}
static void as_job(struct scene *s)
{
	s->q.class = POLICY_JOB;
}
static void beside_a_credential(struct scene *s)
{
	s->cred = world_credential(&s->w, WORLD_ALICE);
	s->q.credential = &s->cred;
}
static void other_cluster(struct scene *s)
{
	s->h.hop.cluster = world_id('c', 2);
}
static void other_target(struct scene *s)
{
	s->h.hop.target = s->h.nodes[WORLD_HOP_EDGE].id;
}
static void other_account(struct scene *s)
{
	strcpy(s->h.hop.account, "alice");
}
static void too_long(struct scene *s)
{
	s->h.hop.exp = s->h.hop.iat + HOP_LIFE_MAX + 1;
}
static void no_life(struct scene *s)
{
	s->h.hop.exp = s->h.hop.iat;
}
static void not_yet(struct scene *s)
{
	s->h.hop.iat = NOW + WORLD_SKEW + 1;
	s->h.hop.exp = s->h.hop.iat + 1;
}
static void before_its_credential(struct scene *s)
{
	s->h.hop.auth_time = s->h.hop.iat + WORLD_SKEW + 1;
}
static void end_before_its_time(struct scene *s)
{
	s->h.hop.end = s->h.hop.auth_time - 1;
}
static void end_too_late(struct scene *s)
{
	s->h.hop.end = NOW + CREDENTIAL_LIFE_MAX + WORLD_SKEW + 1;
}
static void over(struct scene *s)
{
	s->h.hop.exp = NOW;
	s->h.hop.iat = NOW - HOP_LIFE_MAX;
}
static void over_for_a_machine(struct scene *s)
{
	machine(s);
	over(s);
}
static void elsewhere_for_a_machine(struct scene *s)
{
	machine(s);
	other_target(s);
}

static void test_claims(void **state)
{
	static const struct row rows[] = {
		{ "stale", stale, REASON_STALE_WALL }, { "bad name", bad_account, REASON_NAME }, { "job", as_job, REASON_SYSTEM }, { "beside a credential", beside_a_credential, REASON_SYSTEM },
		{ "other cluster", other_cluster, REASON_CLUSTER }, { "other node", other_target, REASON_NARROW_NODE }, { "other account", other_account, REASON_NARROW_ACCOUNT },
		{ "too long", too_long, REASON_LIFE }, { "no life", no_life, REASON_LIFE },
		{ "end before its time", end_before_its_time, REASON_LIFE }, { "end too late", end_too_late, REASON_LIFE }, { "not yet", not_yet, REASON_NOT_YET },
		{ "older than its parent", before_its_credential, REASON_NOT_YET },
		{ "over", over, REASON_HOP_AGE }, { "over, machine", over_for_a_machine, REASON_HOP_AGE }, { "other node, machine", elsewhere_for_a_machine, REASON_NARROW_NODE },
	};

	(void)state;
	ROWS(rows);
}

/* ---- revocations ---- */

static void lockdown(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_LOCKDOWN, &s->w.people[WORLD_BOB].id, 0);
}
static void issuer(struct scene *s)
{
	world_revoke(&s->w, REVOKE_ISSUER, s->h.hop.parent_issuer, s->h.hop.auth_time + 1);
}
static void key_id(struct scene *s)
{
	world_revoke(&s->w, REVOKE_CERT_ID, facts.key_id, 0);
}
static void key(struct scene *s)
{
	world_revoke(&s->w, REVOKE_CERT_KEY, facts.key, 0);
}
static void ca(struct scene *s)
{
	world_revoke(&s->w, REVOKE_CERT_CA, facts.ca, 0);
}
static void source(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_NODE, &s->h.hop.source, 0);
}
static void source_before(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_NODE, &s->h.hop.source, s->h.hop.auth_time + 1);
}
static void own_jti(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_CREDENTIAL, &s->h.hop.jti, 0);
}
static void parent(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_CREDENTIAL, &s->h.hop.parent, 0);
}
static void session(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_SESSION, &s->h.hop.session, 0);
}
static void first_session(struct scene *s)
{
	third(s);
	world_revoke_id(&s->w, REVOKE_SESSION, &s->h.hop.way[0].session, 0);
}
static void second_session(struct scene *s)
{
	third(s);
	world_revoke_id(&s->w, REVOKE_SESSION, &s->h.hop.way[1].session, 0);
}
/* the one that vouched stands, one on the way does not */
static void first_node(struct scene *s)
{
	third(s);
	s->h.hop.source = s->w.node.id;
	world_revoke_id(&s->w, REVOKE_NODE, &s->h.hop.way[0].node, 0);
}
static void device(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_DEVICE, &s->h.hop.device, s->h.hop.auth_time + 1);
}
static void person(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_PERSON, &s->h.hop.person, s->h.hop.auth_time + 1);
}
static void account(struct scene *s)
{
	world_revoke(&s->w, REVOKE_ACCOUNT, "emr-user", s->h.hop.auth_time + 1);
}
static void this_node(struct scene *s)
{
	world_revoke_id(&s->w, REVOKE_NODE, &s->w.node.id, 0);
}
static void everything(struct scene *s)
{
	world_revoke(&s->w, REVOKE_BEFORE, "", s->h.hop.auth_time + 1);
}

static void test_revocations(void **state)
{
	static const struct row rows[] = {
		{ "lockdown", lockdown, REASON_LOCKDOWN }, { "issuer", issuer, REASON_REVOKED_ISSUER }, { "key id", key_id, REASON_REVOKED_CERTIFICATE }, { "key", key, REASON_REVOKED_CERTIFICATE },
		{ "CA key", ca, REASON_REVOKED_CERTIFICATE }, { "source", source, REASON_REVOKED_NODE }, { "source, for what was before", source_before, REASON_REVOKED_NODE },
		{ "hop", own_jti, REASON_REVOKED_CREDENTIAL }, { "parent credential", parent, REASON_REVOKED_CREDENTIAL }, { "parent session", session, REASON_REVOKED_SESSION },
		{ "first session of three", first_session, REASON_REVOKED_SESSION }, { "second of three", second_session, REASON_REVOKED_SESSION },
		{ "first node of three", first_node, REASON_REVOKED_NODE },
		{ "device", device, REASON_REVOKED_DEVICE }, { "person", person, REASON_REVOKED_PERSON }, { "account", account, REASON_REVOKED_ACCOUNT },
		{ "this node", this_node, REASON_REVOKED_NODE }, { "everything before", everything, REASON_REVOKED_BEFORE },
	};

	(void)state;
	ROWS_BOTH(rows);
}

static void machine_jti(struct scene *s)
{
	machine(s);
	own_jti(s);
}
static void machine_source(struct scene *s)
{
	machine(s);
	source(s);
}
static void machine_account(struct scene *s)
{
	machine(s);
	world_revoke(&s->w, REVOKE_ACCOUNT, "emr-user", 0);
}
static void machine_node(struct scene *s)
{
	machine(s);
	this_node(s);
}
static void machine_key(struct scene *s)
{
	machine(s);
	key(s);
}
/* nothing is known of it but its own time */
static void machine_before(struct scene *s)
{
	machine(s);
	world_revoke(&s->w, REVOKE_BEFORE, "", s->h.hop.iat + 1);
}
static void machine_without_grant(struct scene *s)
{
	machine(s);
	s->w.dir.n_grants--;
}
static void machine_grant_of_another(struct scene *s)
{
	machine(s);
	s->h.from[0] = world_text(&s->w, "node:master-1-1");
}
static void machine_grant_elsewhere(struct scene *s)
{
	world_hop_machine(&s->w, &s->h)->nodes[0] = world_text(&s->w, "node:edge-1");
}
static void machine_personal(struct scene *s)
{
	machine(s);
	s->q.account = "alice";
	strcpy(s->h.hop.account, "alice");
}
static void machine_other_account(struct scene *s)
{
	machine(s);
	s->q.account = "lonely";
	strcpy(s->h.hop.account, "lonely");
}
static void machine_no_hop(struct scene *s)
{
	world_hop_machine(&s->w, &s->h)->hop = false;
}
static void machine_source_gone(struct scene *s)
{
	machine(s);
	s->w.dir.n_nodes--;
}

static void test_machine(void **state)
{
	static const struct row rows[] = {
		{ "hop", machine_jti, REASON_REVOKED_CREDENTIAL }, { "source", machine_source, REASON_REVOKED_NODE }, { "account", machine_account, REASON_REVOKED_ACCOUNT },
		{ "this node", machine_node, REASON_REVOKED_NODE }, { "key", machine_key, REASON_REVOKED_CERTIFICATE }, { "everything before", machine_before, REASON_REVOKED_BEFORE },
		{ "no grant", machine_without_grant, REASON_NO_GRANT }, { "another node's grant", machine_grant_of_another, REASON_NO_GRANT },
		{ "a grant elsewhere", machine_grant_elsewhere, REASON_NO_GRANT }, { "a personal account", machine_personal, REASON_ACCOUNT_OWNER },
		{ "another account", machine_other_account, REASON_NO_GRANT }, { "a grant without hop", machine_no_hop, REASON_NO_HOP }, { "source gone", machine_source_gone, REASON_HOP_SOURCE },
	};

	(void)state;
	ROWS_BOTH(rows);
}

static void machine_in_lockdown(struct scene *s)
{
	machine(s);
	world_revoke_id(&s->w, REVOKE_LOCKDOWN, &s->w.people[WORLD_ALICE].id, 0);
}

/* No machine logs in during a lockdown; what is open lives on. */
static void test_machine_in_lockdown(void **state)
{
	const struct row row = { "a machine in a lockdown", machine_in_lockdown, REASON_LOCKDOWN };
	struct session r;
	struct scene s;

	(void)state;
	decide(&row, &s);
	r = record_of(&s);
	assert_int_equal(check_session(&s, &r), REASON_OK);
	scene_done(&s);
}

/* ---- who, to what ---- */

static void source_gone(struct scene *s)
{
	s->w.dir.n_nodes--;
}
static void node_on_the_way_gone(struct scene *s)
{
	third(s);
	s->h.hop.source = s->w.node.id;
	s->w.dir.n_nodes--;
}
static void nobody(struct scene *s)
{
	s->h.hop.person = world_id('p', 99);
}
static void disabled(struct scene *s)
{
	s->w.people[WORLD_ALICE].disabled = true;
}
static void others_device(struct scene *s)
{
	s->h.hop.device = s->w.devices[WORLD_BOB].id;
}
static void unknown_account(struct scene *s)
{
	s->q.account = "nobody-here";
	strcpy(s->h.hop.account, "nobody-here");
}
static void no_grant(struct scene *s)
{
	s->q.account = "lonely";
	strcpy(s->h.hop.account, "lonely");
}
static void no_hop(struct scene *s)
{
	s->q.account = "ecs-user";
	strcpy(s->h.hop.account, "ecs-user");
}
static void no_hop_by_role(struct scene *s)
{
	by_role(s);
	s->w.grants[WORLD_GRANT_OPS].hop = false;
}
static void role_revoked(struct scene *s)
{
	by_role(s);
	world_revoke(&s->w, REVOKE_ROLE, "ops", s->h.hop.auth_time + 1);
}
static void machine_grant_only(struct scene *s)
{
	struct hop h = s->h.hop;

	machine(s);
	s->h.hop = h;
	by_role(s);
	s->w.people[WORLD_CAROL].n_roles = 0;
}
static void personal_of_another(struct scene *s)
{
	personal(s);
	s->w.accounts[WORLD_ALICE_ACCOUNT].person = s->w.people[WORLD_BOB].id;
}
static void ends_with_it(struct scene *s)
{
	s->w.grants[WORLD_GRANT_ALICE].end_at_expiry = true;
	expired_behind(s);
}
static void ttl_over(struct scene *s)
{
	s->w.grants[WORLD_GRANT_ALICE].ttl = WORLD_HOP_SESSION;
}

static void test_person_account_grant(void **state)
{
	static const struct row both[] = {
		{ "source gone", source_gone, REASON_HOP_SOURCE }, { "a node on the way gone", node_on_the_way_gone, REASON_HOP_SOURCE },
		{ "nobody", nobody, REASON_PERSON_UNKNOWN }, { "disabled", disabled, REASON_PERSON_DISABLED },
		{ "another's device", others_device, REASON_DEVICE_UNKNOWN }, { "account unknown", unknown_account, REASON_ACCOUNT_UNKNOWN }, { "no grant", no_grant, REASON_NO_GRANT },
		{ "a grant without hop", no_hop, REASON_NO_HOP }, { "a role's grant without hop", no_hop_by_role, REASON_NO_HOP }, { "role revoked", role_revoked, REASON_NO_GRANT },
		{ "only the node has a grant", machine_grant_only, REASON_NO_GRANT }, { "personal account of another", personal_of_another, REASON_ACCOUNT_OWNER },
	}, login[] = {
		{ "ttl over, counted from the authentication", ttl_over, REASON_EXPIRED }, { "a grant that ends with what has expired", ends_with_it, REASON_EXPIRED },
	};

	(void)state;
	ROWS_BOTH(both);
	ROWS(login);
}

/* Which node is revoked is said: it is not the one that refuses. */
static void test_source_is_named(void **state)
{
	static const struct row row = { "source", source, REASON_REVOKED_NODE };
	struct scene s;

	(void)state;
	decide(&row, &s);
	assert_non_null(strstr(s.a.detail.text, "node edge-1, from which the hop came"));
	scene_done(&s);
}

/* The node's addresses are the directory's, not the certificate's: a copy of the hop key opens nothing from elsewhere. */
static char addresses[2][46];
static void at_home(struct scene *s)
{
	struct directory_node *edge = &s->h.nodes[WORLD_HOP_EDGE];

	strcpy(addresses[0], "2001:db8::7");
	strcpy(addresses[1], "192.0.2.7");
	edge->addresses = addresses;
	edge->n_addresses = 2;
}
static void elsewhere(struct scene *s)
{
	at_home(s);
	s->q.source = "192.0.2.70";
}
static void from_nowhere(struct scene *s)
{
	at_home(s);
	s->q.source = NULL;
}
static void said_later(struct scene *s)
{
	from_nowhere(s);
	s->q.source_later = true;
}
static void machine_elsewhere(struct scene *s)
{
	machine(s);
	elsewhere(s);
}
static void not_told(struct scene *s)
{
	s->q.source = NULL;
}

static void test_address(void **state)
{
	static const struct row rows[] = {
		{ "its own", at_home, REASON_OK }, { "another's", elsewhere, REASON_NARROW_SOURCE }, { "a machine's from elsewhere", machine_elsewhere, REASON_NARROW_SOURCE },
		{ "not known", from_nowhere, REASON_NARROW_SOURCE }, { "known to a later gate", said_later, REASON_OK }, { "a node without addresses", not_told, REASON_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct scene s;

		decide(&rows[i], &s);
		scene_done(&s);
	}
}

/* Age and expiry end no session; a session of a hop is ended by its own id too. */
static void test_session(void **state)
{
	static const struct row row = { "plain", NULL, REASON_OK }, aged = { "ttl over", ttl_over, REASON_EXPIRED };
	struct session r;
	struct scene s;

	(void)state;
	decide(&aged, &s);
	r = record_of(&s);
	assert_int_equal(check_session(&s, &r), REASON_OK);
	scene_done(&s);
	scene_init(&s);
	r = record_of(&s);
	world_revoke_id(&s.w, REVOKE_SESSION, &r.id, 0);
	scene_build(&s);
	assert_int_equal(check_session(&s, &r), REASON_REVOKED_SESSION);
	assert_int_equal(policy_decide(&s.trust, &s.q, &s.a), REASON_OK);
	scene_done(&s);
	/* a key id that ends with no id: nothing more is known, and nothing else changes */
	decide(&row, &s);
	r = record_of(&s);
	strcpy(r.cert.key_id, "x");
	assert_int_equal(check_session(&s, &r), REASON_OK);
	scene_done(&s);
}

/* When such a session's time is up: the earlier of what stands behind it and the grant's ttl. */
static void test_end(void **state)
{
	struct hop h = { .iat = NOW, .auth_time = NOW - 100, .end = NOW + 500, .count = 1 };
	struct trust_grant g = { .ttl = 0 };

	(void)state;
	assert_int_equal(policy_session_end_of_hop(&h, &g), NOW + 500);
	g.ttl = 700;
	assert_int_equal(policy_session_end_of_hop(&h, &g), NOW + 500);
	g.ttl = 599;
	assert_int_equal(policy_session_end_of_hop(&h, &g), NOW + 499);
	h = (struct hop){ .machine = true, .iat = NOW };
	g.ttl = 0;
	assert_int_equal(policy_session_end_of_hop(&h, &g), NOW + CREDENTIAL_LIFE_MAX);
}

/* ---- the certificate ---- */

static enum reason certificate(struct scene *s, enum world_hop_node by, struct policy_certificate *ret)
{
	char *line = world_hop_line(&s->h, by);
	enum reason r = policy_certificate(&s->trust, NOW, line, strlen(line), ret, &s->a.detail);

	free(line);
	return r;
}

static void test_certificate(void **state)
{
	static struct policy_certificate c;
	struct scene s;

	(void)state;
	scene_init(&s);
	scene_build(&s);
	assert_int_equal(certificate(&s, WORLD_HOP_EDGE, &c), REASON_OK);
	assert_true(c.is_hop && c.has_facts && id_equal(&c.hop.jti, &s.h.hop.jti) && id_equal(&c.hop.session, &s.h.hop.session));
	assert_string_equal(c.source, "edge-1");
	/* in another node's name */
	assert_int_equal(certificate(&s, WORLD_HOP_HERE, &c), REASON_CERTIFICATE);
	assert_true(c.is_hop && c.has_facts);
	s.h.hop.cluster = world_id('c', 2);
	assert_int_equal(certificate(&s, WORLD_HOP_EDGE, &c), REASON_CERTIFICATE);
	scene_done(&s);
}

static void test_certificate_machine(void **state)
{
	static struct policy_certificate c;
	struct scene s;

	(void)state;
	scene_init(&s);
	machine(&s);
	scene_build(&s);
	assert_int_equal(certificate(&s, WORLD_HOP_EDGE, &c), REASON_OK);
	assert_true(c.is_hop && c.hop.machine);
	s.q.hop = &c.hop;
	s.q.cert = &c.facts;
	assert_int_equal(policy_decide(&s.trust, &s.q, &s.a), REASON_OK);
	scene_done(&s);
}

/* By a key that no node of the directory has: another CA's, as any. */
static void test_certificate_of_nobody(void **state)
{
	static struct policy_certificate c;
	struct crypto_key *keep;
	struct scene s;

	(void)state;
	scene_init(&s);
	source_gone(&s);
	scene_build(&s);
	assert_int_equal(certificate(&s, WORLD_HOP_EDGE, &c), REASON_CERTIFICATE_CA);
	assert_false(c.is_hop);
	/* a CA for people's certificates vouches for no hop */
	keep = s.h.keys[WORLD_HOP_EDGE];
	s.h.keys[WORLD_HOP_EDGE] = s.w.sshca;
	assert_int_equal(certificate(&s, WORLD_HOP_EDGE, &c), REASON_CERTIFICATE_CA);
	s.h.keys[WORLD_HOP_EDGE] = keep;
	scene_done(&s);
}

/* And a node's hop key signs no certificate of a person. */
static void test_hop_key_is_no_ca(void **state)
{
	static struct policy_certificate c;
	struct credential cred;
	char *token, *line = NULL;
	struct scene s;
	struct diag d;

	(void)state;
	scene_init(&s);
	scene_build(&s);
	cred = world_credential(&s.w, WORLD_ALICE);
	token = world_token(&s.w, &cred, NULL);
	assert_ok(sshcert_build(&(struct sshcert_spec){ .credential = token, .claims = &cred, .serial = 1, .key_id = "alice 1" }, s.h.keys[WORLD_HOP_EDGE], &line, &d));
	assert_int_equal(policy_certificate(&s.trust, NOW, line, strlen(line), &c, &d), REASON_CERTIFICATE_CA);
	free(token);
	free(line);
	scene_done(&s);
}

/* ---- damage ---- */

/* One bit at a time, of a decision that must be a refusal: never a pass. */
static void test_damage(void **state)
{
	static struct policy_certificate c;
	struct scene s;
	size_t hits = 0, unknown = 0;
	struct trust t;
	char *line;

	(void)state;
	scene_init(&s);
	source(&s);
	scene_build(&s);
	line = world_hop_line(&s.h, WORLD_HOP_EDGE);
	for (size_t i = 0; i < s.n; i++) {
		enum reason r;

		s.bytes[i] ^= 0x10;
		if (trust_parse(s.bytes, s.n, &t) == CLUSTER_OK) {
			t.fresh = s.w.fresh;
			r = policy_decide(&t, &s.q, &s.a);
			if (r != REASON_REVOKED_NODE && r != REASON_SNAPSHOT_DAMAGED)
				fail_msg("byte %zu of %zu: %s", i, s.n, reason_word(r));
			hits += r == REASON_SNAPSHOT_DAMAGED;
			r = policy_certificate(&t, NOW, line, strlen(line), &c, &s.a.detail);
			if (r != REASON_OK && r != REASON_SNAPSHOT_DAMAGED)
				fail_msg("certificate, byte %zu of %zu: %s", i, s.n, reason_word(r));
			unknown += r == REASON_SNAPSHOT_DAMAGED;
		}
		s.bytes[i] ^= 0x10;
	}
	assert_true(hits > 0 && unknown > 0);
	free(line);
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted), cmocka_unit_test(test_answer), cmocka_unit_test(test_claims), cmocka_unit_test(test_revocations), cmocka_unit_test(test_machine),
		cmocka_unit_test(test_machine_in_lockdown),
		cmocka_unit_test(test_person_account_grant), cmocka_unit_test(test_source_is_named),
		cmocka_unit_test(test_address), cmocka_unit_test(test_session), cmocka_unit_test(test_end), cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_certificate_machine), cmocka_unit_test(test_certificate_of_nobody), cmocka_unit_test(test_hop_key_is_no_ca), cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests_name("policy of hops", tests, NULL, NULL);
}
