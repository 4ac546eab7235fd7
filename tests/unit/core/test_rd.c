/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "cluster/rd.h"

static void test_integers_are_big_endian(void **state)
{
	static const uint8_t in[] = { 1, 0x12, 0x34, 0xfe, 0xdc, 0xba, 0x98, 0x81, 2, 3, 4, 5, 6, 7, 8 };
	struct rd r;
	uint8_t a;
	uint16_t b;
	uint32_t c;
	uint64_t d;

	(void)state;
	rd_init(&r, in, sizeof in);
	assert_int_equal(rd_left(&r), sizeof in);
	assert_ok(rd_u8(&r, &a));
	assert_ok(rd_u16(&r, &b));
	assert_ok(rd_u32(&r, &c));
	assert_ok(rd_u64(&r, &d));
	assert_int_equal(a, 1);
	assert_int_equal(b, 0x1234);
	assert_true(c == 0xfedcba98u);
	assert_true(d == UINT64_C(0x8102030405060708));
	assert_ok(rd_end(&r));
}

static void test_a_failed_get_changes_nothing(void **state)
{
	static const uint8_t in[7] = { 9, 9, 9, 9, 9, 9, 9 };
	uint8_t a = 77, dst[8] = { 55 };
	uint16_t b = 77;
	uint32_t c = 77;
	uint64_t d = 77;
	const uint8_t *view = NULL;
	struct rd r, sub = { NULL, 5 };

	(void)state;
	rd_init(&r, in, sizeof in);
	assert_err(rd_u64(&r, &d), CLUSTER_ETRUNC);
	assert_err(rd_bytes(&r, dst, sizeof dst, 8), CLUSTER_ETRUNC);
	assert_err(rd_bytes(&r, dst, 3, 4), CLUSTER_ELIMIT);
	assert_err(rd_view(&r, 8, &view), CLUSTER_ETRUNC);
	assert_err(rd_sub(&r, SIZE_MAX, &sub), CLUSTER_ETRUNC);
	assert_ptr_equal(r.p, in);
	rd_init(&r, in, 3);
	assert_err(rd_u32(&r, &c), CLUSTER_ETRUNC);
	rd_init(&r, in, 1);
	assert_err(rd_u16(&r, &b), CLUSTER_ETRUNC);
	rd_init(&r, in, 0);
	assert_err(rd_u8(&r, &a), CLUSTER_ETRUNC);
	assert_int_equal(rd_left(&r), 0);
	assert_true(a == 77 && b == 77 && c == 77 && d == 77 && dst[0] == 55 && !view && sub.n == 5);
}

static void test_bytes_views_and_cursors(void **state)
{
	static const char in[] = "abcdefgh";
	const uint8_t *view;
	struct rd r, sub;
	char dst[3];

	(void)state;
	rd_init(&r, in, 8);
	assert_ok(rd_bytes(&r, dst, sizeof dst, 3));
	assert_memory_equal(dst, "abc", 3);
	assert_ok(rd_view(&r, 2, &view));
	assert_memory_equal(view, "de", 2);
	assert_ok(rd_sub(&r, 2, &sub));
	assert_int_equal(rd_left(&sub), 2);
	assert_err(rd_end(&sub), CLUSTER_EFORMAT);
	assert_err(rd_bytes(&sub, dst, sizeof dst, 3), CLUSTER_ETRUNC);
	assert_err(rd_end(&r), CLUSTER_EFORMAT);
	assert_ok(rd_bytes(&r, dst, sizeof dst, 1));
	assert_ok(rd_end(&r));
	assert_ok(rd_bytes(&r, NULL, 0, 0));
	rd_init(&r, NULL, 9);
	assert_int_equal(rd_left(&r), 0);
}

static void test_strings(void **state)
{
	static const uint8_t in[] = { 3, 'a', 'b', 'c', 0, 2, 'd', 'e', 0 };
	struct rd r;
	char dst[4];

	(void)state;
	rd_init(&r, in, sizeof in);
	assert_ok(rd_str8(&r, dst, sizeof dst));
	assert_string_equal(dst, "abc");
	assert_ok(rd_str16(&r, dst, sizeof dst));
	assert_string_equal(dst, "de");
	assert_ok(rd_str8(&r, dst, sizeof dst));
	assert_string_equal(dst, "");
	assert_ok(rd_end(&r));
}

static void test_bad_strings_leave_the_cursor(void **state)
{
	static const uint8_t nul[] = { 3, 'a', 0, 'c' }, cut[] = { 0, 3, 'a', 'b' }, fits[] = { 4, 'a', 'b', 'c', 'd' };
	char dst[4] = "old";
	struct rd r;

	(void)state;
	rd_init(&r, nul, sizeof nul);
	assert_err(rd_str8(&r, dst, sizeof dst), CLUSTER_EFORMAT);
	assert_ptr_equal(r.p, nul);
	rd_init(&r, cut, sizeof cut);
	assert_err(rd_str16(&r, dst, sizeof dst), CLUSTER_ETRUNC);
	assert_ptr_equal(r.p, cut);
	rd_init(&r, fits, sizeof fits);
	assert_err(rd_str8(&r, dst, sizeof dst), CLUSTER_ELIMIT);
	assert_ptr_equal(r.p, fits);
	assert_err(rd_str8(&r, dst, 0), CLUSTER_ELIMIT);
	rd_init(&r, cut, 1);
	assert_err(rd_str16(&r, dst, sizeof dst), CLUSTER_ETRUNC);
	assert_string_equal(dst, "old");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_are_big_endian),
		cmocka_unit_test(test_a_failed_get_changes_nothing),
		cmocka_unit_test(test_bytes_views_and_cursors),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_bad_strings_leave_the_cursor),
	};
	return cmocka_run_group_tests_name("rd", tests, NULL, NULL);
}
