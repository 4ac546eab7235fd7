/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exit.h"

/* Every error has the status of DESIGN.md 3.9, and none but CLUSTER_OK has 0. */
static void test_map(void **state)
{
	static const struct { enum cluster_err e; int want; } rows[] = {
		{ CLUSTER_OK, 0 }, { CLUSTER_ENOMEM, 75 }, { CLUSTER_ESYSTEM, 74 }, { CLUSTER_ELIMIT, 65 }, { CLUSTER_ETRUNC, 65 }, { CLUSTER_EFORMAT, 65 }, { CLUSTER_EVERSION, 65 },
		{ CLUSTER_ECRYPTO, 70 }, { CLUSTER_ESIGNATURE, 77 }, { CLUSTER_EEXPIRED, 77 }, { CLUSTER_EEARLY, 77 }, { CLUSTER_EREVOKED, 77 }, { CLUSTER_EDENIED, 77 },
		{ CLUSTER_ENOTFOUND, 1 }, { CLUSTER_EUNAVAIL, 69 }, { CLUSTER_EUNTRUSTED, 77 }, { CLUSTER_ECONFIG, 78 },
	};
	size_t i;

	(void)state;
	assert_int_equal(sizeof rows / sizeof rows[0], CLUSTER_ECONFIG + 1);
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(rows[i].e, i);
		assert_int_equal(exit_of(rows[i].e), rows[i].want);
	}
	assert_int_equal(exit_of((enum cluster_err)99), 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_map) };

	return cmocka_run_group_tests_name("exit", tests, NULL, NULL);
}
