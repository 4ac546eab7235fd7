/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/wr.h"

static void test_exact_bytes(void **state)
{
	static const uint8_t want[] = {
		1, 0x12, 0x34, 0xfe, 0xdc, 0xba, 0x98, 0x81, 2, 3, 4, 5, 6, 7, 8, 2, 'a', 'b', 0, 1, 'c', 'd', 'e', '4', '2', 0, 0, 0,
	};
	uint8_t out[sizeof want];
	struct wr w;

	(void)state;
	wr_init(&w, out, sizeof out);
	wr_u8(&w, 1);
	wr_u16(&w, 0x1234);
	wr_u32(&w, 0xfedcba98u);
	wr_u64(&w, UINT64_C(0x8102030405060708));
	wr_str8(&w, "ab");
	wr_str16(&w, "c");
	wr_text(&w, "de");
	wr_printf(&w, "%d", 42);
	wr_align(&w, 4);
	wr_align(&w, 4);
	assert_ok(wr_end(&w));
	assert_int_equal(w.n, sizeof want);
	assert_memory_equal(out, want, sizeof want);
	wr_done(&w);
	wr_done(&w);
}

static void test_the_first_failure_sticks(void **state)
{
	uint8_t out[4] = { 0, 0, 0, 99 };
	struct wr w;

	(void)state;
	wr_init(&w, out, 3);
	wr_u16(&w, 0x0102);
	wr_u16(&w, 0x0304);
	assert_err(wr_end(&w), CLUSTER_ELIMIT);
	wr_u8(&w, 5);
	wr_printf(&w, "x");
	wr_zero(&w, 1);
	wr_patch_u32(&w, 0, 1);
	wr_terminate(&w);
	assert_err(wr_end(&w), CLUSTER_ELIMIT);
	assert_int_equal(w.n, 2);
	assert_int_equal(out[2], 0);
	assert_int_equal(out[3], 99);
}

static void test_strings_longer_than_their_length_field(void **state)
{
	char longest[257], *huge = malloc(65537);
	struct wr w;

	(void)state;
	assert_non_null(huge);
	memset(longest, 'x', 256);
	longest[255] = '\0';
	wr_grow(&w, 1 << 20);
	wr_str8(&w, longest);
	assert_ok(wr_end(&w));
	longest[255] = 'x';
	longest[256] = '\0';
	wr_str8(&w, longest);
	assert_err(wr_end(&w), CLUSTER_ELIMIT);
	wr_done(&w);
	memset(huge, 'x', 65536);
	huge[65536] = '\0';
	wr_grow(&w, 1 << 20);
	wr_str16(&w, huge + 1);
	assert_ok(wr_end(&w));
	wr_str16(&w, huge);
	assert_err(wr_end(&w), CLUSTER_ELIMIT);
	wr_done(&w);
	free(huge);
}

static void test_growing_up_to_the_limit(void **state)
{
	struct wr w;
	uint8_t *p = NULL;
	size_t n = 0;

	(void)state;
	wr_grow(&w, 1000);
	for (unsigned i = 0; i < 1000; i++)
		wr_u8(&w, (uint8_t)i);
	assert_ok(wr_end(&w));
	assert_ok(wr_take(&w, &p, &n));
	assert_int_equal(n, 1000);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(p[i], (uint8_t)i);
	free(p);
	assert_int_equal(w.n, 0);
	wr_zero(&w, 1000);
	assert_ok(wr_end(&w));
	wr_u8(&w, 1);
	assert_err(wr_end(&w), CLUSTER_ELIMIT);
	p = NULL;
	assert_err(wr_take(&w, &p, &n), CLUSTER_ELIMIT);
	assert_null(p);
	wr_done(&w);
}

static void test_take_of_nothing_and_of_an_array(void **state)
{
	uint8_t out[4], *p = NULL;
	struct wr w;
	size_t n = 7;

	(void)state;
	wr_grow(&w, 10);
	assert_ok(wr_take(&w, &p, &n));
	assert_non_null(p);
	assert_int_equal(n, 0);
	free(p);
	wr_done(&w);
	wr_init(&w, out, sizeof out);
	p = NULL;
	assert_int_not_equal(wr_take(&w, &p, &n), CLUSTER_OK);
	assert_null(p);
}

static void test_patch_and_terminate(void **state)
{
	uint8_t out[9];
	struct wr w;

	(void)state;
	wr_init(&w, out, sizeof out);
	wr_u32(&w, 0);
	wr_text(&w, "body");
	wr_patch_u32(&w, 0, 0x01020304);
	wr_terminate(&w);
	assert_ok(wr_end(&w));
	assert_int_equal(w.n, 8);
	assert_memory_equal(out, "\1\2\3\4body\0", 9);
	wr_patch_u32(&w, 5, 1);
	assert_err(wr_end(&w), CLUSTER_ELIMIT);
	wr_init(&w, out, 4);
	wr_text(&w, "full");
	wr_terminate(&w);
	assert_err(wr_end(&w), CLUSTER_ELIMIT);
	wr_init(&w, out, 3);
	wr_patch_u32(&w, 0, 1);
	assert_err(wr_end(&w), CLUSTER_ELIMIT);
}

static void test_printf_fills_the_room_exactly(void **state)
{
	char out[4] = "????";
	struct wr w;

	(void)state;
	wr_init(&w, out, 3);
	wr_printf(&w, "%s", "abc");
	assert_ok(wr_end(&w));
	assert_memory_equal(out, "abc?", 4);
	wr_init(&w, out, 3);
	wr_printf(&w, "%s", "abcd");
	assert_err(wr_end(&w), CLUSTER_ELIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_bytes),
		cmocka_unit_test(test_the_first_failure_sticks),
		cmocka_unit_test(test_strings_longer_than_their_length_field),
		cmocka_unit_test(test_growing_up_to_the_limit),
		cmocka_unit_test(test_take_of_nothing_and_of_an_array),
		cmocka_unit_test(test_patch_and_terminate),
		cmocka_unit_test(test_printf_fills_the_room_exactly),
	};
	return cmocka_run_group_tests_name("wr", tests, NULL, NULL);
}
