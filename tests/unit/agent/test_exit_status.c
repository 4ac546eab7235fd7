/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "exit_status.h"

static void test_table(void **state)
{
	static const int want[] = {
		[CLUSTER_OK] = 0, [CLUSTER_ENOMEM] = 75, [CLUSTER_ESYSTEM] = 74, [CLUSTER_ELIMIT] = 65, [CLUSTER_ETRUNC] = 65, [CLUSTER_EFORMAT] = 65,
		[CLUSTER_EVERSION] = 65, [CLUSTER_ECRYPTO] = 70, [CLUSTER_ESIGNATURE] = 77, [CLUSTER_EEXPIRED] = 77, [CLUSTER_EEARLY] = 77, [CLUSTER_EREVOKED] = 77,
		[CLUSTER_EDENIED] = 77, [CLUSTER_ENOTFOUND] = 77, [CLUSTER_EUNAVAIL] = 69, [CLUSTER_EUNTRUSTED] = 77, [CLUSTER_ECONFIG] = 78,
	};
	int e;

	(void)state;
	for (e = CLUSTER_OK; e <= CLUSTER_ECONFIG; e++)
		assert_int_equal(exit_status((enum cluster_err)e), want[e]);
	assert_int_equal(exit_status((enum cluster_err)(CLUSTER_ECONFIG + 1)), 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_table) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
