/* SPDX-License-Identifier: Apache-2.0 */
/* The latest refusals: found by id, bounded, and not to be made useless by whoever is refused all day. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "cluster/refusals.h"

static struct refusals *r;

static int setup(void **state)
{
	(void)state;
	return refusals_new(16, 4, &r) == CLUSTER_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	refusals_free(r);
	r = NULL;
	return 0;
}

static struct refusal make(const char *id, const char *person, const char *rhost)
{
	struct refusal x = { .time = 1800000000, .stage = "auth", .reason = "no_answer" };

	snprintf(x.id, sizeof x.id, "%s", id);
	snprintf(x.person, sizeof x.person, "%s", person);
	snprintf(x.rhost, sizeof x.rhost, "%s", rhost);
	return x;
}

static void add(const char *id, const char *person, const char *rhost)
{
	const struct refusal x = make(id, person, rhost);

	assert_ok(refusals_add(r, &x, NULL));
}

static bool has(const char *id)
{
	struct refusal x;
	size_t at = 0;

	return refusals_find(r, id, &at, &x, NULL) && strcmp(x.id, id) == 0;
}

/* `n` refusals with ids <prefix>0 ...; a '#' in the address is replaced by the number. */
static void storm(const char *prefix, const char *address, unsigned int n)
{
	int stem = (int)strcspn(address, "#");
	char id[16], rhost[64];

	for (unsigned int i = 0; i < n; i++) {
		snprintf(id, sizeof id, "%s%u", prefix, i);
		snprintf(rhost, sizeof rhost, address[stem] ? "%.*s%u" : "%.*s", stem, address, i);
		add(id, "", rhost);
	}
}

static void test_found(void **state)
{
	const struct cluster_id one = { .b = { 1 } }, two = { .b = { 2 } };
	struct refusal x = make("same", "", "192.0.2.1"), got;
	struct cluster_id node;
	size_t at = 0;

	(void)state;
	assert_false(has("same"));
	assert_ok(refusals_add(r, &x, &one));
	assert_ok(refusals_add(r, &x, &two));
	strcpy(x.reason, "no_grant"); /* the first word counts */
	assert_ok(refusals_add(r, &x, &two));
	assert_true(refusals_find(r, "same", &at, &got, &node));
	assert_true(id_equal(&node, &one));
	assert_true(refusals_find(r, "same", &at, &got, &node));
	assert_true(id_equal(&node, &two));
	assert_string_equal(got.reason, "no_answer");
	assert_false(refusals_find(r, "same", &at, &got, &node));
	at = 0;
	assert_false(refusals_find(r, "sam", &at, &got, &node));
	strcpy(x.reason, "no grant");
	assert_err(refusals_add(r, &x, &one), CLUSTER_EFORMAT);
}

static void test_oldest_goes(void **state)
{
	(void)state;
	storm("a", "192.0.2.#", 17);
	assert_false(has("a0"));
	assert_true(has("a1") && has("a16"));
}

/* One noisy address, one neighbour in an IPv6 network, and one machine's own: each has its share and no more. */
static void test_share(void **state)
{
	(void)state;
	add("first", "", "198.51.100.9");
	storm("n", "203.0.113.7", 100);
	assert_true(has("first"));
	assert_true(has("n96") && has("n99"));
	assert_false(has("n95"));
	storm("v", "2001:db8::#", 100);
	assert_true(has("first") && has("n96") && has("v99"));
	assert_false(has("v95"));
	storm("l", "", 100);
	assert_true(has("first") && has("n96") && has("v96") && has("l96"));
	assert_false(has("l95"));
}

/* Strangers from everywhere take no more than half from people who have proved who they are. */
static void test_strangers(void **state)
{
	char id[16], rhost[32];

	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		snprintf(id, sizeof id, "p%u", i);
		snprintf(rhost, sizeof rhost, "198.51.100.%u", i);
		add(id, "alice", rhost);
	}
	storm("s", "203.0.113.#", 200);
	for (unsigned int i = 0; i < 8; i++) {
		snprintf(id, sizeof id, "p%u", i);
		assert_true(has(id));
	}
	assert_true(has("s199") && has("s192"));
	assert_false(has("s191"));
	add("p8", "alice", "198.51.100.8"); /* people take of the strangers' half while that is more than theirs, and then their own oldest */
	assert_true(has("p8"));
}

/* The same within one source: bots behind somebody's gateway do not push his own refusal out. */
static void test_strangers_of_a_source(void **state)
{
	(void)state;
	add("mine", "alice", "192.0.2.1");
	storm("s", "192.0.2.1", 50);
	assert_true(has("mine") && has("s49"));
}

static void next_is(const char *id)
{
	struct refusal x;

	if (!refusals_next(r, &x))
		fail_msg("%s was to be told", id);
	assert_string_equal(x.id, id);
}

static void test_told(void **state)
{
	struct refusal x;

	(void)state;
	assert_false(refusals_next(r, &x));
	storm("n", "203.0.113.7", 3);
	add("rare", "", "192.0.2.1");
	add("mine", "alice", "203.0.113.7");
	next_is("mine"); /* a person first, then sources by turns */
	next_is("n0");
	next_is("rare");
	next_is("n1");
	add("late", "", "192.0.2.2");
	next_is("late");
	next_is("n2");
	assert_false(refusals_next(r, &x));
	assert_true(has("n0")); /* told is not forgotten */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_found, setup, teardown), cmocka_unit_test_setup_teardown(test_oldest_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_share, setup, teardown), cmocka_unit_test_setup_teardown(test_strangers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strangers_of_a_source, setup, teardown), cmocka_unit_test_setup_teardown(test_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
