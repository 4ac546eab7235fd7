/* SPDX-License-Identifier: Apache-2.0 */
/* What a node vouches for: who asks, in which session, to where. DESIGN.md 3.3 (hop); THREATS.md C4, D7, I2. */
#include "hop_ground.h"

#include <stdio.h>

#include "cluster/policy.h"

static struct ground g;
static struct hop_verdict v;
static struct trust_node target;
static struct diag d;

static int setup(void **state)
{
	(void)state;
	ground_init(&g);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ground_done(&g);
	return 0;
}

static enum reason judge(void)
{
	enum reason r = hop_judge_target(&g.view, g.hostkey, g.hostkey_n, &target, &d);

	return r == REASON_OK ? hop_judge(&g.view, &g.caller, &target, &v) : r;
}

static void expect(enum reason want)
{
	assert_string_equal(reason_word(judge()), reason_word(want));
}

/* All that the target judges by comes from the record and the directory. */
static void test_person(void **state)
{
	const struct session *s = &g.caller.session;

	(void)state;
	expect(REASON_OK);
	assert_string_equal(v.person, "alice");
	assert_int_equal(v.n, 2);
	assert_string_equal(v.account[0], "emr-user");
	assert_string_equal(v.account[1], "alice");
	assert_false(v.claims.machine);
	assert_true(id_equal(&v.claims.cluster, &g.w.root.cluster) && id_equal(&v.claims.source, &g.w.node.id) && id_equal(&v.claims.target, &g.h.nodes[WORLD_HOP_EDGE].id));
	assert_true(id_equal(&v.claims.person, &s->person) && id_equal(&v.claims.device, &s->device) && id_equal(&v.claims.parent, &s->jti) && id_equal(&v.claims.session, &s->id));
	assert_int_equal(v.claims.iat, GROUND_NOW);
	assert_int_equal(v.claims.exp, GROUND_NOW + HOP_LIFE_MAX);
	assert_int_equal(v.claims.auth_time, s->auth_time);
	assert_int_equal(v.claims.end, s->exp);
	assert_int_equal(v.claims.count, 1);
	assert_string_equal(v.claims.parent_issuer, s->issuer);
	assert_string_equal(v.claims.parent_source, "198.51.100.4");
}

/* The session's own account stands first; roles count as the person does; no name comes twice, and at most five. */
static void test_accounts(void **state)
{
	struct directory_grant *x = &g.w.grants[WORLD_GRANT_ALICE];

	(void)state;
	strcpy(g.caller.session.account, "alice");
	g.caller.uid = WORLD_UID_ALICE;
	expect(REASON_OK);
	assert_int_equal(v.n, 2);
	assert_string_equal(v.account[0], "alice");
	assert_string_equal(v.account[1], "emr-user");
	/* bob has no grant; with carol's role he has hers */
	g.caller.uid = WORLD_UID_EMR;
	g.caller.session = ground_session(&g);
	g.caller.session.person = g.w.people[WORLD_CAROL].id;
	g.caller.session.device = g.w.devices[WORLD_CAROL].id;
	expect(REASON_OK);
	assert_int_equal(v.n, 1);
	assert_string_equal(v.person, "carol");
	/* a grant that does not hold here still says where to go */
	g.caller.session = ground_session(&g);
	x->hop = false;
	ground_open(&g);
	expect(REASON_NO_HOP);
	assert_int_equal(v.n, 0);
}

static void test_many_accounts(void **state)
{
	struct directory_grant *x = &g.w.grants[WORLD_GRANT_ALICE];

	(void)state;
	free(x->accounts);
	x->accounts = calloc(8, sizeof *x->accounts);
	assert_non_null(x->accounts);
	for (x->n_accounts = 0; x->n_accounts < 7; x->n_accounts++)
		snprintf(x->accounts[x->n_accounts], sizeof *x->accounts, "a%zu", x->n_accounts);
	strcpy(x->accounts[x->n_accounts++], "emr-user");
	ground_open(&g);
	expect(REASON_OK);
	assert_int_equal(v.n, HOP_JUDGE_ACCOUNTS_MAX);
	assert_string_equal(v.account[0], "emr-user");
	assert_string_equal(v.account[4], "a3");
}

static void test_uid(void **state)
{
	(void)state;
	g.caller.uid = 0;
	expect(REASON_ROOT);
	g.caller.uid = WORLD_UID_ALICE; /* sudo -u alice from a session as emr-user */
	expect(REASON_NO_SESSION);
	g.caller.uid = 4711;
	expect(REASON_ACCOUNT_UNKNOWN);
	g.caller.uid = WORLD_UID_ECS; /* the directory's, and not this node's */
	expect(REASON_ACCOUNT_UNKNOWN);
	g.caller.uid = WORLD_UID_EMR;
	expect(REASON_OK);
	g.caller.found = false; /* of uid 0 there is no machine's hop either */
	ground_machine(&g, "emr-user");
	g.caller.uid = 0;
	expect(REASON_ROOT);
}

/* An adopted account has the local uid, whatever the directory says. */
static void test_adopted(void **state)
{
	(void)state;
	strcpy(g.caller.session.account, "ecs-user");
	strcpy(g.caller.adopted, "ecs-user");
	g.caller.uid = 1000;
	expect(REASON_OK);
	assert_int_equal(v.n, 2); /* ecs-user's grant is without hop */
	assert_string_equal(v.account[0], "alice");
	g.w.grants[WORLD_GRANT_ALICE_ECS].hop = true;
	ground_open(&g);
	expect(REASON_OK);
	assert_int_equal(v.n, 3);
	assert_string_equal(v.account[0], "ecs-user");
	strcpy(g.caller.session.account, "emr-user");
	expect(REASON_NO_SESSION);
}

static void test_unknown_caller(void **state)
{
	(void)state;
	ground_machine(&g, "emr-user");
	for (int e = CLUSTER_OK + 1; e <= CLUSTER_ECONFIG; e++) {
		g.caller.err = (enum cluster_err)e;
		expect(REASON_SESSION_RECORD);
		g.caller.found = !g.caller.found;
	}
}

static void test_session(void **state)
{
	struct session *s = &g.caller.session;

	(void)state;
	ground_machine(&g, "emr-user"); /* in nobody's place */
	s->kind = SESSION_ONETIME;
	expect(REASON_HOP_ONETIME);
	*s = ground_session(&g);
	s->narrowed = true;
	expect(REASON_NARROW_ACCOUNT);
	*s = ground_session(&g);
	s->narrowed_nodes = true;
	expect(REASON_NARROW_NODE);
	*s = ground_session(&g);
	g.caller.ended = true;
	expect(REASON_SESSION_CLOSED);
	g.caller.ended = false;
	s->source = world_id('n', 50);
	s->parent = world_id('s', 50);
	for (size_t i = 0; i < HOP_WAY_MAX; i++)
		s->way[i] = (struct hop_place){ .node = world_id('n', (uint8_t)i), .session = world_id('s', (uint8_t)i) };
	for (s->hops = 0; s->hops < HOP_COUNT_MAX; s->hops++) {
		expect(REASON_OK);
		assert_int_equal(v.claims.count, s->hops + 1);
		if (s->hops > 1)
			assert_memory_equal(v.claims.way, s->way, (s->hops - 1U) * sizeof *s->way);
		if (s->hops > 0)
			assert_true(id_equal(&v.claims.way[s->hops - 1].node, &s->source) && id_equal(&v.claims.way[s->hops - 1].session, &s->parent));
	}
	expect(REASON_HOP_COUNT);
	s->hops = 255;
	expect(REASON_HOP_COUNT);
}

/* A revocation of a credential leaves the list some time after the credential has expired: what it did not end must not go on then. */
static void test_revocation_is_forgotten(void **state)
{
	struct session *s = &g.caller.session;
	const enum directory_on_revoke kinds[] = { DIRECTORY_END, DIRECTORY_WARN, DIRECTORY_KEEP };

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		s->on_revoke = kinds[i];
		s->exp = GROUND_NOW + 1;
		expect(REASON_OK);
		s->exp = GROUND_NOW;
		expect(kinds[i] == DIRECTORY_END ? REASON_OK : REASON_EXPIRED);
	}
	s->on_revoke = DIRECTORY_END; /* as long as the session lives; that is not, if its grant ends it then */
	s->end_at_expiry = true;
	expect(REASON_SESSION_EXPIRED);
	s->exp = GROUND_NOW + 1;
	expect(REASON_OK);
}

static void test_revoked(void **state)
{
	const struct session *s = &g.caller.session;
	const struct {
		enum revoke_kind kind;
		const struct cluster_id *id;
		enum reason want;
	} all[] = {
		{ REVOKE_SESSION, &s->id, REASON_REVOKED_SESSION }, { REVOKE_CREDENTIAL, &s->jti, REASON_REVOKED_CREDENTIAL }, { REVOKE_DEVICE, &s->device, REASON_REVOKED_DEVICE },
		{ REVOKE_PERSON, &s->person, REASON_REVOKED_PERSON }, { REVOKE_NODE, &g.w.node.id, REASON_REVOKED_NODE }, { REVOKE_NODE, &g.h.nodes[WORLD_HOP_EDGE].id, REASON_REVOKED_NODE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		g.w.revocations.n = 0;
		world_revoke_id(&g.w, all[i].kind, all[i].id, 0);
		ground_open(&g);
		expect(all[i].want);
	}
	g.w.revocations.n = 0;
	g.w.people[WORLD_ALICE].disabled = true;
	ground_open(&g);
	expect(REASON_PERSON_DISABLED);
}

static void test_target(void **state)
{
	struct directory_node *edge = &g.h.nodes[WORLD_HOP_EDGE], *here = &g.h.nodes[WORLD_HOP_HERE];

	(void)state;
	g.hostkey[g.hostkey_n - 1] ^= 1;
	expect(REASON_HOP_TARGET);
	g.hostkey[g.hostkey_n - 1] ^= 1;
	g.hostkey_n--;
	expect(REASON_HOP_TARGET);
	g.hostkey_n++;
	edge->hostkeys = g.others;
	here->hostkeys = g.hostkeys; /* to itself */
	ground_open(&g);
	expect(REASON_OK);
	assert_true(id_equal(&v.claims.target, &v.claims.source));
}

static void test_fresh(void **state)
{
	(void)state;
	g.view.now.wall = GROUND_NOW + WORLD_MAX_STALE;
	expect(REASON_OK);
	g.view.now.wall++;
	expect(REASON_STALE_WALL);
	g.view.now.wall = GROUND_NOW + 100;
	g.view.max_stale = 99;
	expect(REASON_STALE_WALL);
	g.view.now.wall = GROUND_NOW - WORLD_SKEW - 1;
	expect(REASON_CLOCK_BEHIND);
}

/* Without a session, or in one that no person stands behind: only what a grant gives to this very node, and one account. */
static void test_machine(void **state)
{
	struct directory_grant *x;

	(void)state;
	g.caller.found = false;
	expect(REASON_NO_HOP);
	x = ground_machine(&g, "emr-user");
	expect(REASON_OK);
	assert_true(v.claims.machine);
	assert_int_equal(v.n, 1);
	assert_string_equal(v.account[0], "emr-user");
	assert_string_equal(v.person, "-");
	assert_int_equal(v.claims.auth_time + v.claims.count, 0);
	g.caller.uid = WORLD_UID_ALICE;
	expect(REASON_NO_HOP);
	g.caller.uid = WORLD_UID_EMR;
	g.from[0] = world_text(&g.w, "node:edge-1"); /* another node's grant */
	ground_open(&g);
	expect(REASON_NO_HOP);
	g.from[0] = world_text(&g.w, "role:master");
	ground_open(&g);
	expect(REASON_OK);
	assert_int_equal(x->n_from, 1);
	world_revoke_id(&g.w, REVOKE_NODE, &g.w.node.id, 0); /* no session's judgement says that here */
	ground_open(&g);
	expect(REASON_REVOKED_NODE);
}

/* Started by a machine's hop from somewhere else. */
static void test_machine_session(void **state)
{
	struct session *s = &g.caller.session;
	const struct directory_node *edge = &g.h.nodes[WORLD_HOP_EDGE];
	char *const from[] = { world_text(&g.w, "node:edge-1") }, *const to[] = { world_text(&g.w, "node:master-1-1") };
	struct directory_grant *in;

	(void)state;
	ground_machine(&g, "emr-user");
	in = &g.w.grants[g.w.dir.n_grants++];
	*in = g.w.grants[g.w.dir.n_grants - 2];
	in->id = world_id('g', 99);
	in->accounts = calloc(1, sizeof *in->accounts);
	in->nodes = calloc(1, sizeof *in->nodes);
	assert_true(in->accounts && in->nodes);
	strcpy(in->accounts[0], "emr-user");
	in->nodes[0] = to[0];
	in->from = (char **)(uintptr_t)from;
	ground_open(&g);
	memset(&s->person, 0, sizeof s->person);
	memset(&s->device, 0, sizeof s->device);
	s->kind = SESSION_HOP;
	s->source = edge->id;
	expect(REASON_OK);
	assert_true(v.claims.machine);
	world_revoke_id(&g.w, REVOKE_SESSION, &s->id, 0);
	ground_open(&g);
	expect(REASON_REVOKED_SESSION);
}

/* The address that the session came from, if it is one. */
static void test_parent_source(void **state)
{
	static const char *const other[] = { "", "-", "host.example", "198.51.100.0/24", "fe80::1%eth0", "198.51.100.4.1" };

	(void)state;
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
		strcpy(g.caller.session.rhost, other[i]);
		expect(REASON_OK);
		assert_string_equal(v.claims.parent_source, "");
	}
	memset(g.caller.session.rhost, 'a', sizeof g.caller.session.rhost - 1);
	expect(REASON_OK);
	assert_string_equal(v.claims.parent_source, "");
	strcpy(g.caller.session.rhost, "2001:db8::9");
	expect(REASON_OK);
	assert_string_equal(v.claims.parent_source, "2001:db8::9");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_person), T(test_accounts), T(test_many_accounts), T(test_uid), T(test_adopted), T(test_unknown_caller), T(test_session), T(test_revocation_is_forgotten),
		T(test_revoked), T(test_target), T(test_fresh),
		T(test_machine), T(test_machine_session), T(test_parent_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
