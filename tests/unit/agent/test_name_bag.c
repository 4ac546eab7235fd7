/* SPDX-License-Identifier: Apache-2.0 */
/* Names, counted and in order. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "name_bag.h"

#define MANY 1000

static void test_many(void **state)
{
	struct name_bag b = { .n = 0 };
	char name[20];
	const char *at = "";

	(void)state;
	for (unsigned i = 0; i < MANY; i++) { /* 7 has no divisor in common with MANY: each number comes once; those below 10 once more */
		snprintf(name, sizeof name, "n-%03u", i * 7 % MANY);
		assert_ok(name_bag_add(&b, name));
		if (i < 10) {
			snprintf(name, sizeof name, "n-%03u", i);
			assert_ok(name_bag_add(&b, name));
		}
	}
	name_bag_sort(&b);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "n-%03u", i);
		assert_int_equal(name_bag_count(&b, name), i < 10 ? 2 : 1);
		at = name_bag_after(&b, at);
		assert_string_equal(at, name);
	}
	assert_null(name_bag_after(&b, at));
	assert_int_equal(name_bag_count(&b, "n-"), 0);
	assert_int_equal(name_bag_count(&b, "n-999x"), 0);
	assert_int_equal(name_bag_count(&b, ""), 0);
	name_bag_done(&b);
}

static void test_limits(void **state)
{
	struct name_bag b = { .n = 0 };
	char name[NAME_NODE_MAX + 2];

	(void)state;
	name_bag_sort(&b);
	assert_int_equal(name_bag_count(&b, "x"), 0);
	assert_null(name_bag_after(&b, ""));
	memset(name, 'x', sizeof name);
	name[NAME_NODE_MAX + 1] = '\0';
	assert_err(name_bag_add(&b, name), CLUSTER_ELIMIT);
	assert_int_equal(b.n, 0);
	name[NAME_NODE_MAX] = '\0';
	assert_ok(name_bag_add(&b, name));
	assert_int_equal(name_bag_count(&b, name), 1);
	name_bag_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_many), cmocka_unit_test(test_limits) };

	return cmocka_run_group_tests_name("name_bag", tests, NULL, NULL);
}
