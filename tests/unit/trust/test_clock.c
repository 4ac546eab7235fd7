/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The matrix of clocks (THREATS.md H3, H7, D "Clock"): the wall clock jumps, at one of several moments, while the authority's does not. What the node then says to people, to a
 * challenge of its own, to keys in their windows and to the next head stands in one table.
 */
#include <stdlib.h>
#include <string.h>

#include "trustgen.h"
#include "unit.h"
#include "world.h"

#include "cluster/challenge.h"
#include "cluster/moment.h"
#include "cluster/policy.h"

#define NOW INT64_C(1800000000)
#define BOOT INT64_C(50000)
#define SKEW TRUSTGEN_SKEW
#define LIMIT 900
#define HOUR INT64_C(3600)
#define DAY INT64_C(86400)
#define YEAR (365 * DAY)
#define FETCH 60   /* seconds from one head to the next */
#define OFF 120    /* seconds for which a machine that boots was off and starting */
#define TYPING 5   /* seconds from challenge to response */

#define TO(t) ((t) - NOW)

struct row {
	const char *jump;
	int64_t by;               /* seconds, as of NOW */
	enum reason boot;         /* people, when it jumped before a boot: another boot id, OFF seconds after the head */
	enum reason between;      /* people, when it jumped between two fetches: FETCH seconds after the head */
	bool challenge;           /* a challenge that was made before the jump holds TYPING seconds later */
	enum cluster_err head;    /* the next head, signed by the authority's clock, as document_head_verify sees it */
	enum cluster_err retired; /* a key that was replaced at NOW and holds an hour longer */
	enum cluster_err brought; /* the key that replaces it, valid from NOW for a year */
};

#define OK REASON_OK
#define BEHIND REASON_CLOCK_BEHIND
#define STALE REASON_STALE_WALL
#define E_OK CLUSTER_OK
#define EARLY CLUSTER_EEARLY
#define PAST CLUSTER_EEXPIRED

static const struct row rows[] = {
	/* jump            by               boot    between challenge head   retired brought */
	{ "-10 y",         -10 * YEAR,      BEHIND, BEHIND, false,    EARLY, EARLY,  EARLY },
	{ "-1 d",          -DAY,            BEHIND, BEHIND, false,    EARLY, E_OK,   EARLY },
	{ "-1 h",          -HOUR,           BEHIND, BEHIND, false,    EARLY, E_OK,   EARLY },
	/* 60 s after the head a clock that is 90 s late still stands within skew of it */
	{ "-skew-60-1",    -SKEW - 61,      OK,     BEHIND, false,    EARLY, E_OK,   EARLY },
	{ "-skew-60",      -SKEW - 60,      OK,     OK,     false,    EARLY, E_OK,   EARLY },
	{ "-skew-6",       -SKEW - 6,       OK,     OK,     false,    EARLY, E_OK,   EARLY },
	{ "-skew-1",       -SKEW - 1,       OK,     OK,     true,     EARLY, E_OK,   EARLY },
	{ "-skew",         -SKEW,           OK,     OK,     true,     E_OK,  E_OK,   E_OK },
	{ "none",          0,               OK,     OK,     true,     E_OK,  E_OK,   E_OK },
	{ "+skew",         SKEW,            OK,     OK,     true,     E_OK,  E_OK,   E_OK },
	{ "+skew+1",       SKEW + 1,        OK,     OK,     true,     E_OK,  E_OK,   E_OK },
	{ "+295",          295,             OK,     OK,     true,     E_OK,  E_OK,   E_OK },
	{ "+296",          296,             OK,     OK,     false,    E_OK,  E_OK,   E_OK },
	{ "+780",          LIMIT - OFF,     OK,     OK,     false,    E_OK,  E_OK,   E_OK },
	{ "+781",          LIMIT - OFF + 1, STALE,  OK,     false,    E_OK,  E_OK,   E_OK },
	{ "+840",          LIMIT - FETCH,   STALE,  OK,     false,    E_OK,  E_OK,   E_OK },
	{ "+841",          LIMIT - FETCH + 1, STALE, STALE, false,    E_OK,  E_OK,   E_OK },
	{ "+900",          LIMIT,           STALE,  STALE,  false,    PAST,  E_OK,   E_OK },
	{ "+1 h",          HOUR,            STALE,  STALE,  false,    PAST,  PAST,   E_OK },
	{ "+1 d",          DAY,             STALE,  STALE,  false,    PAST,  PAST,   E_OK },
	{ "+10 y",         10 * YEAR,       STALE,  STALE,  false,    PAST,  PAST,   PAST },
	{ "to 0",          TO(0),           BEHIND, BEHIND, false,    EARLY, EARLY,  EARLY },
	{ "to 2^31-1",     TO(INT64_C(2147483647)), STALE, STALE, false, PAST, PAST, PAST },
	{ "to 2^31",       TO(INT64_C(2147483648)), STALE, STALE, false, PAST, PAST, PAST },
	{ "to 2^32",       TO(INT64_C(4294967296)), STALE, STALE, false, PAST, PAST, PAST },
};
#define ROWS (sizeof rows / sizeof rows[0])

/* A node that installed a head at NOW. */
static struct trust node(void)
{
	struct trust t;

	memset(&t, 0, sizeof t);
	t.self.max_stale = LIMIT;
	t.self.skew = SKEW;
	t.fresh = (struct snap_fresh){ .generation = 1, .head_version = 1, .head_iat = NOW, .newest_iat = NOW, .boot_time = BOOT, .boot_id = world_id('b', 1) };
	return t;
}

static struct moment at(int64_t wall, int64_t boot, uint8_t boot_id)
{
	return (struct moment){ .wall = wall, .boot = boot, .boot_id = world_id('b', boot_id) };
}

static void expect(const char *jump, const char *when, const struct trust *t, struct moment now, enum reason want)
{
	enum reason got;
	struct diag d;

	diag_clear(&d);
	got = policy_fresh(t, &now, 0, &d);
	if (got != want)
		fail_msg("%s %s: %s (%s), expected %s", jump, when, reason_word(got), d.text, reason_word(want));
	if (got != REASON_OK && d.text[0] == '\0')
		fail_msg("%s %s: a refusal without the facts", jump, when);
}

static void test_before_boot(void **state)
{
	const struct trust t = node();

	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		expect(rows[i].jump, "before boot", &t, at(NOW + OFF + rows[i].by, 20, 2), rows[i].boot);
}

static void test_between_fetches(void **state)
{
	const struct trust t = node();

	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		expect(rows[i].jump, "between fetches", &t, at(NOW + FETCH + rows[i].by, BOOT + FETCH, 1), rows[i].between);
}

static void test_between_challenge_and_response(void **state)
{
	const struct challenge c = { .time = NOW };

	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		if (challenge_time_ok(&c, NOW + TYPING + rows[i].by, SKEW) != rows[i].challenge)
			fail_msg("%s: the challenge", rows[i].jump);
}

static void test_during_rotation(void **state)
{
	struct keyring ring = { .n = 0 };
	const struct keyring_key retired = { .kid = "retired", .role = KEYRING_HEAD, .nbf = NOW - 90 * DAY, .exp = NOW + HOUR };
	const struct keyring_key brought = { .kid = "brought", .role = KEYRING_HEAD, .nbf = NOW, .exp = NOW + YEAR };
	const struct keyring_key *key;

	(void)state;
	assert_ok(keyring_add(&ring, &retired));
	assert_ok(keyring_add(&ring, &brought));
	for (size_t i = 0; i < ROWS; i++) {
		const struct keyring_at when = { .ring = &ring, .now = NOW + rows[i].by, .skew = SKEW };

		if (keyring_find(&when, "retired", KEYRING_HEAD, &key) != rows[i].retired)
			fail_msg("%s: the retired key", rows[i].jump);
		if (keyring_find(&when, "brought", KEYRING_HEAD, &key) != rows[i].brought)
			fail_msg("%s: the new key", rows[i].jump);
	}
}

/* The next head is signed a minute later by a clock that did not jump. */
static void test_next_head(void **state)
{
	struct trustgen *g = trustgen_new("prod", NOW);
	const char *root = trustgen_root_text(g), *keyset = trustgen_keyset_text(g);
	struct trustgen_directory *dir = trustgen_directory(g, 1, trustgen_sample(g));
	const char *revocations = trustgen_revocations(g, 1, "[]"), *text;

	(void)state;
	g->now += FETCH;
	text = trustgen_head(g, 2, root, keyset, dir, revocations, 1);
	for (size_t i = 0; i < ROWS; i++) {
		struct keyring_at when = trustgen_at(g);
		struct document_head h;
		enum cluster_err e;
		struct diag d;

		diag_clear(&d);
		when.now = NOW + FETCH + rows[i].by;
		e = document_head_verify(text, strlen(text), &when, &h, &d);
		if (e != rows[i].head)
			fail_msg("%s: %s (%s), expected %s", rows[i].jump, err_name(e), d.text, err_name(rows[i].head));
	}
	trustgen_free(g);
}

/* What the node refuses for its clock it takes again once the clock is right: nothing of the jump stays. */
static void test_clock_put_right(void **state)
{
	const struct trust t = node();

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		expect(rows[i].jump, "jumped", &t, at(NOW + FETCH + rows[i].by, BOOT + FETCH, 1), rows[i].between);
		expect(rows[i].jump, "and back", &t, at(NOW + FETCH, BOOT + FETCH, 1), REASON_OK);
	}
}

/* Suspended for twice the limit: whatever the wall clock says afterwards, CLOCK_BOOTTIME has counted. */
static void test_suspend(void **state)
{
	const struct trust t = node();
	static const struct { const char *wall; int64_t by; enum reason want; } walls[] = {
		{ "went on", 2 * LIMIT, STALE }, { "stood still", 0, REASON_STALE_BOOT }, { "stands within skew", -SKEW, REASON_STALE_BOOT },
		{ "went back", -SKEW - 1, BEHIND }, { "was set to just within the limit", LIMIT, REASON_STALE_BOOT }, { "just above", LIMIT + 1, STALE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof walls / sizeof walls[0]; i++)
		expect("suspend", walls[i].wall, &t, at(NOW + walls[i].by, BOOT + 2 * LIMIT, 1), walls[i].want);
	expect("suspend", "for just the limit", &t, at(NOW, BOOT + LIMIT, 1), OK);
	expect("suspend", "for a second more", &t, at(NOW, BOOT + LIMIT + 1, 1), REASON_STALE_BOOT);
}

/* After a boot the head is as old as the boot, at least; a boot clock before the installation is another machine's, or a copy of this one. */
static void test_other_boot(void **state)
{
	const struct trust t = node();

	(void)state;
	expect("boot", "now", &t, at(NOW, 0, 2), OK);
	expect("boot", "limit ago", &t, at(NOW, LIMIT, 2), OK);
	expect("boot", "longer ago, wall clock frozen", &t, at(NOW, LIMIT + 1, 2), REASON_STALE_BOOT);
	expect("boot", "the same, and its clock went back", &t, at(NOW, BOOT - 1, 1), REASON_STALE_BOOT);
	expect("boot", "the same second", &t, at(NOW, BOOT, 1), OK);
}

/* A head that came late: what counts is the newest signed time, whichever head it was. */
static void test_newest_signed_time(void **state)
{
	struct trust t = node();

	(void)state;
	t.fresh.newest_iat = NOW + 200;
	expect("newest", "ahead by skew", &t, at(NOW + 200 - SKEW, BOOT + 200, 1), OK);
	expect("newest", "ahead by more", &t, at(NOW + 200 - SKEW - 1, BOOT + 200, 1), BEHIND);
}

/* A node may tighten, never widen; and so may a service. */
static void test_tightening(void **state)
{
	const struct trust t = node();
	struct moment now = at(NOW + 300, BOOT + 300, 1);
	static const struct { int64_t limit; enum reason want; int64_t holds; } limits[] = {
		{ 0, OK, LIMIT }, { -1, OK, LIMIT }, { 300, OK, 300 }, { 299, STALE, 299 }, { 1, STALE, 1 }, { LIMIT * 100, OK, LIMIT }, { INT64_MAX, OK, LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		assert_int_equal(policy_fresh(&t, &now, limits[i].limit, NULL), limits[i].want);
		assert_int_equal(policy_age(&t, &now, limits[i].limit).limit, limits[i].holds);
	}
}

/* The warning comes after half of the limit, by either clock. */
static void test_warning(void **state)
{
	const struct trust t = node();
	static const struct { int64_t wall, boot; bool want; } ages[] = {
		{ 0, 0, false }, { LIMIT / 2, LIMIT / 2, false }, { LIMIT / 2 + 1, 0, true }, { 0, LIMIT / 2 + 1, true }, { LIMIT, LIMIT, true }, { -SKEW, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++) {
		struct moment now = at(NOW + ages[i].wall, BOOT + ages[i].boot, 1);
		struct policy_age a = policy_age(&t, &now, 0);

		assert_int_equal(policy_age_warns(&a), ages[i].want);
	}
}

/* Batch work and the account's own state do not ask for the time: jobs outlive the authority and the clock. */
static void test_jobs_do_not_care(void **state)
{
	struct policy_answer a;
	struct world w;
	struct trust t;
	uint8_t *bytes;
	size_t n;

	(void)state;
	world_init(&w, NOW);
	bytes = world_trust(&w, &n);
	assert_ok(trust_parse(bytes, n, &t));
	t.fresh = node().fresh;
	for (size_t i = 0; i < ROWS; i++) {
		struct moment now = at(NOW + FETCH + rows[i].by, BOOT + FETCH, 1);
		struct policy_request q = { .class = POLICY_JOB, .account = "emr-user", .now = &now };

		assert_int_equal(policy_decide(&t, &q, &a), REASON_OK);
		q.class = POLICY_SUDO;
		assert_int_equal(policy_decide(&t, &q, &a), rows[i].between);
	}
	trust_close(&t);
	free(bytes);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before_boot), cmocka_unit_test(test_between_fetches), cmocka_unit_test(test_between_challenge_and_response), cmocka_unit_test(test_during_rotation),
		cmocka_unit_test(test_next_head), cmocka_unit_test(test_clock_put_right), cmocka_unit_test(test_suspend), cmocka_unit_test(test_other_boot),
		cmocka_unit_test(test_newest_signed_time), cmocka_unit_test(test_tightening), cmocka_unit_test(test_warning), cmocka_unit_test(test_jobs_do_not_care),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
