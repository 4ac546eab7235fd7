/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include <event2/event.h>

#include "crowd.h"

/* Nobody can shut others out by connecting (THREATS.md H6), and everybody has his turn. */

#define MAX 40
#define N 300

static struct event_base *base;
static struct crowd c;
static struct crowd_one one[N];
static char order[N + 1];
static size_t n_run, n_dropped;
static struct crowd_one *greedy; /* has always more to do */

static void run(void *owner)
{
	struct crowd_one *o = owner;

	assert_true(n_run < N);
	order[n_run++] = (char)('a' + (o - one));
	if (o == greedy && n_run < 6)
		crowd_ready(&c, o);
}

static void drop(void *owner)
{
	n_dropped++;
	crowd_leave(&c, owner);
	memset(owner, 0, sizeof(struct crowd_one));
}

static int set_up(void **state)
{
	(void)state;
	memset(&c, 0, sizeof c);
	memset(one, 0, sizeof one);
	memset(order, 0, sizeof order);
	n_run = n_dropped = 0;
	greedy = NULL;
	c.run = run;
	c.drop = drop;
	base = event_base_new();
	return base && crowd_init(&c, base, MAX) == CLUSTER_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	crowd_done(&c);
	event_base_free(base);
	return 0;
}

static bool enter(size_t i, enum crowd_kind kind, uint64_t address)
{
	if (kind != CROWD_LOCAL && !crowd_admits(&c, kind, address))
		return false;
	one[i] = (struct crowd_one){ .owner = &one[i], .kind = kind, .address = address };
	crowd_enter(&c, &one[i]);
	return true;
}

static void turns(void)
{
	event_base_loop(base, 0); /* until nothing is due */
}

static void test_strangers(void **state)
{
	(void)state;
	assert_true(enter(20, CROWD_KNOWN, 1));
	assert_true(enter(21, CROWD_EXPECTED, 2));
	for (size_t i = 0; i < 10; i++)
		assert_true(enter(i, CROWD_STRANGER, 100 + i));
	assert_int_equal(n_dropped, 0);
	assert_true(enter(10, CROWD_STRANGER, 110)); /* a quarter of 40 is full: the oldest stranger goes, and nobody else */
	assert_int_equal(n_dropped, 1);
	assert_null(one[0].owner);
	assert_non_null(one[1].owner);
	assert_non_null(one[20].owner);
	assert_non_null(one[21].owner);
	assert_true(crowd_known(&c, &one[1])); /* who has proved who he is makes room */
	assert_int_equal(one[1].kind, CROWD_KNOWN);
	assert_true(enter(11, CROWD_STRANGER, 111));
	assert_int_equal(n_dropped, 1);
}

/* Those who are known never fill the strangers' places, and strangers never theirs. */
static void test_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < 30; i++)
		assert_true(enter(i, CROWD_KNOWN, 1));
	assert_true(enter(30, CROWD_STRANGER, 2));
	assert_false(crowd_known(&c, &one[30]));
	assert_int_equal(one[30].kind, CROWD_STRANGER);
	assert_false(enter(31, CROWD_EXPECTED, 3));
	crowd_leave(&c, &one[0]);
	assert_true(enter(31, CROWD_EXPECTED, 3));
	assert_true(crowd_known(&c, &one[31])); /* its place was its own already */
	crowd_leave(&c, &one[1]);
	assert_true(crowd_known(&c, &one[30]));
	assert_int_equal(n_dropped, 0);
}

static void test_expected_oldest(void **state)
{
	(void)state;
	for (size_t i = 0; i < 30; i++)
		assert_true(enter(i, CROWD_EXPECTED, 1 + i));
	assert_true(enter(30, CROWD_EXPECTED, 77));
	assert_int_equal(n_dropped, 1);
	assert_null(one[0].owner);
}

static void test_address(void **state)
{
	(void)state;
	crowd_done(&c);
	memset(&c, 0, sizeof c);
	c.drop = drop;
	assert_int_equal(crowd_init(&c, base, 4000), CLUSTER_OK);
	for (size_t i = 0; i < CROWD_ADDRESS; i++)
		assert_true(enter(i, i % 2 ? CROWD_STRANGER : CROWD_EXPECTED, 7));
	assert_false(enter(200, CROWD_STRANGER, 7));
	assert_false(enter(200, CROWD_EXPECTED, 7));
	assert_true(enter(200, CROWD_STRANGER, 8));
	assert_true(crowd_known(&c, &one[0]));
	assert_true(enter(201, CROWD_STRANGER, 7));
	assert_false(enter(202, CROWD_STRANGER, 7));
	crowd_leave(&c, &one[201]);
	assert_true(enter(202, CROWD_STRANGER, 7));
	for (size_t i = 0; i < CROWD_ADDRESS + 1; i++) /* 0: through a proxy, not counted */
		assert_true(enter(i % 100, CROWD_STRANGER, 0));
	assert_int_equal(n_dropped, 0);
}

/* H6: a stranger who sends request behind request has a turn, and then those who wait have theirs; also when he came last. */
static void test_greedy(void **state)
{
	static const enum crowd_kind kinds[] = { CROWD_STRANGER, CROWD_EXPECTED, CROWD_KNOWN };

	(void)state;
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		n_run = 0;
		memset(order, 0, sizeof order);
		for (size_t i = 0; i < 3; i++)
			assert_true(enter(3 * k + i, kinds[k], 1 + i));
		for (size_t i = 0; i < 3; i++)
			crowd_ready(&c, &one[3 * k + i]);
		greedy = &one[3 * k + 2];
		turns();
		assert_in_range(n_run, 6, 8);
		greedy = NULL;
		for (size_t i = 0; i < 2; i++) {
			const char *turn = strchr(order, 'a' + (int)(3 * k + i));

			assert_non_null(turn);
			assert_true(turn - order < 3);
		}
	}
}

static void test_turns(void **state)
{
	static const enum crowd_kind kinds[] = { CROWD_STRANGER, CROWD_STRANGER, CROWD_STRANGER, CROWD_KNOWN, CROWD_KNOWN, CROWD_EXPECTED, CROWD_EXPECTED, CROWD_LOCAL };

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		assert_true(enter(i, kinds[i], 1 + i));
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		crowd_ready(&c, &one[i]);
		crowd_ready(&c, &one[i]); /* once is enough */
	}
	turns();
	assert_string_equal(order, "hcgdbfea"); /* of each kind one; strangers c b a, expected g f, known d e */
}

static void test_patience(void **state)
{
	(void)state;
	assert_true(enter(0, CROWD_KNOWN, 1));
	assert_true(enter(1, CROWD_KNOWN, 1));
	assert_true(enter(2, CROWD_STRANGER, 2));
	crowd_patient(&one[0]);
	crowd_patient(&one[2]); /* a stranger has not waited for anything */
	crowd_hold(&c, true);
	for (size_t i = 0; i < 3; i++)
		crowd_ready(&c, &one[i]);
	turns();
	assert_string_equal(order, "cb");
	crowd_hold(&c, false);
	turns();
	assert_string_equal(order, "cba");
}

/* Whoever leaves or changes his kind while he waits is not run as what he was. */
static void test_leaving(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(enter(i, CROWD_STRANGER, 1));
		crowd_ready(&c, &one[i]);
	}
	crowd_leave(&c, &one[1]);
	assert_true(crowd_known(&c, &one[0]));
	turns();
	assert_string_equal(order, "ca");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_strangers, set_up, tear_down), cmocka_unit_test_setup_teardown(test_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_expected_oldest, set_up, tear_down), cmocka_unit_test_setup_teardown(test_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_greedy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_turns, set_up, tear_down), cmocka_unit_test_setup_teardown(test_patience, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_leaving, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
