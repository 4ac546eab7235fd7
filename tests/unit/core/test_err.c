/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "cluster/err.h"

static void test_names_are_there_and_distinct(void **state)
{
	(void)state;
	for (int a = CLUSTER_OK; a <= CLUSTER_ECONFIG; a++) {
		assert_non_null(err_name((enum cluster_err)a));
		assert_string_not_equal(err_name((enum cluster_err)a), "unknown");
		for (int b = CLUSTER_OK; b < a; b++)
			assert_string_not_equal(err_name((enum cluster_err)a), err_name((enum cluster_err)b));
	}
	assert_string_equal(err_name(CLUSTER_EEXPIRED), "expired");
}

static void test_a_number_outside_has_a_name_too(void **state)
{
	(void)state;
	assert_string_equal(err_name((enum cluster_err)77), "unknown");
	assert_string_equal(err_name((enum cluster_err)-1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_there_and_distinct),
		cmocka_unit_test(test_a_number_outside_has_a_name_too),
	};
	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
