/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>

#include "cluster/quiet.h"

static void test_once(void **state)
{
	struct quiet q = { 0 };

	(void)state;
	assert_true(quiet_says(&q, "one", 0));
	assert_false(quiet_says(&q, "one", 5));
	assert_true(quiet_says(&q, "other", 5));
	assert_false(quiet_says(&q, "one", QUIET_SECONDS));
	assert_true(quiet_says(&q, "one", QUIET_SECONDS + 1));
	assert_false(quiet_says(&q, "one", QUIET_SECONDS + 2));
}

/* Many lines push out the oldest. */
static void test_many(void **state)
{
	struct quiet q = { 0 };
	char line[24];

	(void)state;
	for (int i = 0; i <= QUIET_LINES; i++) {
		snprintf(line, sizeof line, "line %d", i);
		assert_true(quiet_says(&q, line, i + 1));
	}
	assert_false(quiet_says(&q, line, QUIET_LINES + 2));
	assert_true(quiet_says(&q, "line 0", QUIET_LINES + 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_once), cmocka_unit_test(test_many) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
