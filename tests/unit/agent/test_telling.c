/* SPDX-License-Identifier: Apache-2.0 */
/* When refusals are told to the authority: people's soon, strangers' seldom or with what goes there anyway. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "telling.h"

static void add(struct telling *t, const char *id, const char *person)
{
	struct refusal x = { .time = 1800000000, .stage = "auth", .reason = "no_answer" };

	snprintf(x.id, sizeof x.id, "%s", id);
	snprintf(x.person, sizeof x.person, "%s", person);
	assert_ok(telling_add(t, &x));
}

static void test_pace(void **state)
{
	struct telling t = { .n = 0 };

	(void)state;
	assert_int_equal(telling_due(&t, 0, true), -1);
	add(&t, "a", "");
	assert_int_equal(telling_due(&t, 1000, false), 0); /* the first at once */
	telling_sent(&t, 1000);
	assert_int_equal(telling_due(&t, 1000, true), -1);
	add(&t, "b", "");
	assert_int_equal(telling_due(&t, 1000, false), TELLING_CALM_MS);
	assert_int_equal(telling_due(&t, 1000 + TELLING_PACE_MS, true), 0); /* the connection of the next poll is there anyway */
	add(&t, "c", "alice");
	assert_int_equal(telling_due(&t, 1000, false), TELLING_PACE_MS);
	assert_int_equal(telling_due(&t, 1000 + TELLING_PACE_MS, false), 0);
	telling_failed(&t, 10000);
	assert_int_equal(t.n, 2);
	assert_int_equal(telling_due(&t, 10000, true), TELLING_AGAIN_MS);
}

static void test_bounded(void **state)
{
	struct refusal wrong = { .id = "a b" };
	struct telling t = { .n = 0 };
	char id[16];

	(void)state;
	assert_err(telling_add(&t, &wrong), CLUSTER_EFORMAT); /* what serve says may be anything (I1) */
	add(&t, "mine", "alice");
	for (int i = 0; i < TELLING_MAX; i++) {
		snprintf(id, sizeof id, "s%d", i);
		add(&t, id, "");
	}
	assert_int_equal(t.n, TELLING_MAX);
	assert_int_equal(t.proved, 0);
	assert_string_equal(t.one[0].id, "s0");
	telling_sent(&t, 0);
	assert_int_equal(t.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_pace), cmocka_unit_test(test_bounded) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
