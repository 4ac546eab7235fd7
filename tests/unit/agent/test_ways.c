/* SPDX-License-Identifier: Apache-2.0 */
/* Which way to the authority comes next, and when: failover, staying, returning, back-off with jitter (PROTOCOL.md 6.6). */
#include "unit.h"

#include <string.h>

#include "ways.h"

#define MOST 15000

static const struct conf_list authority = { .n = 2, .item = { "https://a:1", "https://b:2" } };
static const struct conf_list none = { .n = 0 };
static const struct conf_list relays = { .n = 3, .item = { "r:1", "s:2", "direct" } };

static void expect(const struct ways *w, const char *url, const char *via)
{
	assert_string_equal(ways_now(w)->url, url);
	if (via)
		assert_string_equal(ways_now(w)->via, via);
	else
		assert_null(ways_now(w)->via);
}

static uint64_t failing(struct ways *w, uint64_t random, bool round)
{
	uint64_t pause;
	bool got;

	pause = ways_failed(w, MOST, 1000, random, &got);
	assert_int_equal(got, round);
	return pause;
}

static void test_without_relays(void **state)
{
	struct ways w;

	(void)state;
	ways_init(&w, &authority, &none);
	assert_int_equal(w.n, 2);
	expect(&w, "https://a:1", NULL);
	assert_true(failing(&w, UINT64_MAX, false) <= WAYS_FAILOVER_MS);
	expect(&w, "https://b:2", NULL);
	(void)failing(&w, 0, true);
	expect(&w, "https://a:1", NULL);
}

/* The relay chooses the authority: one way each; directly, all of them. */
static void test_order(void **state)
{
	struct ways w;

	(void)state;
	ways_init(&w, &authority, &relays);
	assert_int_equal(w.n, 4);
	expect(&w, "https://a:1", "r:1");
	(void)failing(&w, 0, false);
	expect(&w, "https://a:1", "s:2");
	(void)failing(&w, 0, false);
	expect(&w, "https://a:1", NULL);
	(void)failing(&w, 0, false);
	expect(&w, "https://b:2", NULL);
	(void)failing(&w, 0, true);
	expect(&w, "https://a:1", "r:1");
}

static void test_stays_and_returns(void **state)
{
	int64_t now = 5000;
	struct ways w;

	(void)state;
	ways_init(&w, &authority, &relays);
	ways_worked(&w, now, 0);
	assert_false(ways_look(&w, INT64_MAX)); /* the best one needs no better */
	(void)failing(&w, 0, false);
	(void)failing(&w, 0, false);
	ways_worked(&w, now, 0);
	expect(&w, "https://a:1", NULL);
	assert_false(ways_look(&w, now + WAYS_LOOK_MS - 1));
	ways_worked(&w, now + 1000, 0); /* what was planned stays planned */
	assert_true(ways_look(&w, now + WAYS_LOOK_MS));
	expect(&w, "https://a:1", "r:1");
	assert_false(ways_look(&w, now + WAYS_LOOK_MS));
	/* in vain: back at once, and later again, after twice the time */
	now += WAYS_LOOK_MS;
	{
		bool round;

		assert_int_equal(ways_failed(&w, MOST, now, 0, &round), 0);
		assert_false(round);
		expect(&w, "https://a:1", "s:2");
		assert_int_equal(ways_failed(&w, MOST, now, 0, &round), 0);
		assert_false(round);
	}
	expect(&w, "https://a:1", NULL);
	ways_worked(&w, now + 10, 0);
	assert_false(ways_look(&w, now + 2 * WAYS_LOOK_MS - 1));
	assert_true(ways_look(&w, now + 2 * WAYS_LOOK_MS));
	/* now the first works: it is stayed with */
	ways_worked(&w, now + 2 * WAYS_LOOK_MS + 10, 0);
	expect(&w, "https://a:1", "r:1");
	assert_false(ways_look(&w, INT64_MAX));
	assert_int_equal(w.looks, 0);
}

/* At the second of three: only the first is looked at. */
static void test_second_works_again(void **state)
{
	struct ways w;
	bool round;

	(void)state;
	ways_init(&w, &authority, &relays);
	(void)failing(&w, 0, false);
	(void)failing(&w, 0, false);
	ways_worked(&w, 0, 0);
	assert_true(ways_look(&w, WAYS_LOOK_MS));
	(void)ways_failed(&w, MOST, WAYS_LOOK_MS, 0, &round);
	ways_worked(&w, WAYS_LOOK_MS, 7);
	expect(&w, "https://a:1", "s:2");
	assert_false(ways_look(&w, 2 * WAYS_LOOK_MS + 6));
	assert_true(ways_look(&w, 2 * WAYS_LOOK_MS + 7));
	expect(&w, "https://a:1", "r:1");
}

static void test_look_is_at_most_hourly(void **state)
{
	struct ways w;
	int64_t now = 1;
	int i;

	(void)state;
	ways_init(&w, &authority, &none);
	(void)failing(&w, 0, false);
	ways_worked(&w, now, 0);
	for (i = 0; i < 40; i++) {
		bool round;

		now = w.look_at;
		assert_true(ways_look(&w, now));
		(void)ways_failed(&w, MOST, now, UINT64_MAX, &round);
		expect(&w, "https://b:2", NULL);
		assert_true(w.look_at - now >= WAYS_LOOK_MS && w.look_at - now < WAYS_LOOK_MOST_MS * 3 / 2);
	}
}

/* Full jitter: every pause from 0 to the limit of its round can come, none above. */
static void test_backoff(void **state)
{
	struct ways w;
	unsigned int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		uint64_t limit = i < 5 ? 500u << i : MOST;

		if (limit > MOST)
			limit = MOST;
		assert_int_equal(ways_backoff(i, MOST, limit), limit);
		assert_int_equal(ways_backoff(i, MOST, limit + 1), 0);
		assert_true(ways_backoff(i, MOST, UINT64_MAX) <= limit);
	}
	/* rounds are counted, and a success forgets them */
	ways_init(&w, &authority, &none);
	for (i = 0; i < 4; i++) {
		(void)failing(&w, 0, false);
		assert_int_equal(failing(&w, 500u << i, true), 500u << i);
	}
	ways_worked(&w, 0, 0);
	(void)failing(&w, 0, false);
	assert_int_equal(failing(&w, 501, true), 0);
}

/* A thousand nodes that lost the authority at the same moment do not come back at the same moment. */
static void test_spread(void **state)
{
	unsigned int slot[10] = { 0 }, i;
	uint64_t x = 88172645463325252u;

	(void)state;
	for (i = 0; i < 1000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		slot[ways_backoff(5, MOST, x) * 10 / (MOST + 1)]++;
	}
	for (i = 0; i < 10; i++)
		assert_true(slot[i] > 50 && slot[i] < 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_relays), cmocka_unit_test(test_order), cmocka_unit_test(test_stays_and_returns), cmocka_unit_test(test_second_works_again),
		cmocka_unit_test(test_look_is_at_most_hourly), cmocka_unit_test(test_backoff), cmocka_unit_test(test_spread),
	};

	return cmocka_run_group_tests_name("ways", tests, NULL, NULL);
}
