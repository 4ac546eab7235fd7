/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "cluster/num.h"

static void test_numbers(void **state)
{
	uint64_t v = 5;
	uint32_t u = 5;

	(void)state;
	assert_ok(num_u64("0", 0, 10, &v));
	assert_int_equal(v, 0);
	assert_ok(num_u64("18446744073709551615", 0, UINT64_MAX, &v));
	assert_true(v == UINT64_MAX);
	assert_ok(num_u32("4294967295", 0, UINT32_MAX, &u));
	assert_true(u == UINT32_MAX);
	assert_ok(num_u32("7", 7, 7, &u));
	assert_int_equal(u, 7);
}

static void test_other_texts_are_refused(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "01", "00", "0x1", "1e3", "1.0", "a", "1s", "\xd9\xa1" };
	uint64_t v = 77;
	uint32_t u = 77;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (num_u64(bad[i], 0, UINT64_MAX, &v) != CLUSTER_EFORMAT || num_u32(bad[i], 0, UINT32_MAX, &u) != CLUSTER_EFORMAT)
			fail_msg("\"%s\" was accepted", bad[i]);
	}
	assert_err(num_u64(NULL, 0, 1, &v), CLUSTER_EFORMAT);
	assert_true(v == 77 && u == 77);
}

static void test_ranges(void **state)
{
	uint64_t v = 77;
	uint32_t u = 77;

	(void)state;
	assert_err(num_u64("18446744073709551616", 0, UINT64_MAX, &v), CLUSTER_ELIMIT);
	assert_err(num_u64("99999999999999999999999999", 0, UINT64_MAX, &v), CLUSTER_ELIMIT);
	assert_err(num_u64("4", 5, 9, &v), CLUSTER_ELIMIT);
	assert_err(num_u64("10", 5, 9, &v), CLUSTER_ELIMIT);
	assert_err(num_u32("4294967296", 0, UINT32_MAX, &u), CLUSTER_ELIMIT);
	assert_true(v == 77 && u == 77);
}

static void test_seconds(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} good[] = { { "0", 0 }, { "90", 90 }, { "90s", 90 }, { "15m", 900 }, { "12h", 43200 }, { "7d", 604800 } };
	static const char *const bad[] = { "", "m", "5 m", "5M", "5ms", "5w", "05m", "-5m", "1h30m" };
	uint64_t v = 77;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_ok(num_seconds(good[i].text, 0, UINT64_MAX, &v));
		assert_true(v == good[i].want);
	}
	v = 77;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_err(num_seconds(bad[i], 0, UINT64_MAX, &v), CLUSTER_EFORMAT);
	assert_err(num_seconds("2m", 0, 119, &v), CLUSTER_ELIMIT);
	assert_err(num_seconds("1s", 2, 119, &v), CLUSTER_ELIMIT);
	assert_err(num_seconds("18446744073709551615d", 0, UINT64_MAX, &v), CLUSTER_ELIMIT);
	assert_err(num_seconds("99999999999999999999999", 0, UINT64_MAX, &v), CLUSTER_ELIMIT);
	assert_true(v == 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_other_texts_are_refused),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_seconds),
	};
	return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}
