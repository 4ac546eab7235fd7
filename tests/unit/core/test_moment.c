/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cluster/moment.h"

static void test_now(void **state)
{
	struct moment a, b;

	(void)state;
	assert_ok(moment_now(&a));
	assert_ok(moment_now(&b));
	assert_true(a.wall > MOMENT_MIN && a.wall < MOMENT_MAX && b.wall >= a.wall && b.boot >= a.boot && a.boot >= 0);
	assert_false(id_is_zero(&a.boot_id));
	assert_true(id_equal(&a.boot_id, &b.boot_id));
}

static void test_known_texts(void **state)
{
	static const struct {
		int64_t wall;
		const char *text;
	} v[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 951782399, "2000-02-28T23:59:59Z" },
		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 951868800, "2000-03-01T00:00:00Z" },
		{ 1577836800, "2020-01-01T00:00:00Z" },
		{ 1795220520, "2026-11-21T00:22:00Z" },
		{ INT64_C(2147483648), "2038-01-19T03:14:08Z" },
		{ INT64_C(4102444800), "2100-01-01T00:00:00Z" },
		{ INT64_C(4107542400), "2100-03-01T00:00:00Z" },
		{ INT64_C(253402300799), "9999-12-31T23:59:59Z" },
	};
	char text[MOMENT_TEXT];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		moment_text(v[i].wall, text);
		assert_string_equal(text, v[i].text);
		assert_ok(moment_parse(text, &back));
		assert_true(back == v[i].wall);
	}
	moment_text(-1, text);
	assert_string_equal(text, "-");
	moment_text(INT64_C(253402300800), text);
	assert_string_equal(text, "-");
	moment_text(INT64_MAX, text);
	assert_string_equal(text, "-");
}

/* libc's calendar is the reference, a day at a time through the range that signed data may name. */
static void test_every_day_agrees_with_libc(void **state)
{
	(void)state;
	for (int64_t wall = MOMENT_MIN; wall <= MOMENT_MAX; wall += 86400 + 61) {
		char text[MOMENT_TEXT], want[64];
		time_t t = (time_t)wall;
		struct tm tm;
		int64_t back;

		assert_non_null(gmtime_r(&t, &tm));
		snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		moment_text(wall, text);
		assert_string_equal(text, want);
		assert_ok(moment_parse(text, &back));
		assert_true(back == wall);
	}
}

static void test_other_texts_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "-", "2026-11-21T00:22:00", "2026-11-21T00:22:00z", "2026-11-21 00:22:00Z", "2026-11-21T00:22:00Z ", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z",
		"2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "1969-12-31T23:59:59Z", "+026-01-01T00:00:00Z",
		"2026-01-01T00:00:0aZ", "2026-01-01T00:00:00+00:00",
	};
	int64_t v = 77;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (moment_parse(bad[i], &v) != CLUSTER_EFORMAT)
			fail_msg("\"%s\" was accepted", bad[i]);
	assert_err(moment_parse(NULL, &v), CLUSTER_EFORMAT);
	assert_true(v == 77);
}

static void test_span(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} v[] = { { 0, "0s" }, { 47, "47s" }, { 60, "1m 0s" }, { 845, "14m 5s" }, { 7380, "2h 3m" }, { 86399, "23h 59m" }, { 273600, "3d 4h" }, { -5, "-5s" },
		  { INT64_MIN, "-106751991167300d 15h" } };
	char text[64], small[3];

	(void)state;
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		moment_span(v[i].seconds, text, sizeof text);
		assert_string_equal(text, v[i].text);
	}
	moment_span(845, small, sizeof small);
	assert_string_equal(small, "14");
}

/* Where a clock may land: the ends of 32 bits, and before and after what people write. */
static void test_edges(void **state)
{
	static const struct { int64_t at; const char *text; } v[] = {
		{ 0, "1970-01-01T00:00:00Z" }, { INT64_C(2147483647), "2038-01-19T03:14:07Z" }, { INT64_C(2147483648), "2038-01-19T03:14:08Z" },
		{ INT64_C(4294967295), "2106-02-07T06:28:15Z" }, { INT64_C(4294967296), "2106-02-07T06:28:16Z" }, { -1, "-" }, { INT64_MAX, "-" }, { INT64_MIN, "-" },
	};
	char text[MOMENT_TEXT];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		moment_text(v[i].at, text);
		assert_string_equal(text, v[i].text);
		if (text[0] != '-') {
			assert_ok(moment_parse(text, &back));
			assert_true(back == v[i].at);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_now),
		cmocka_unit_test(test_known_texts),
		cmocka_unit_test(test_every_day_agrees_with_libc),
		cmocka_unit_test(test_other_texts_are_refused),
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_edges),
	};
	return cmocka_run_group_tests_name("moment", tests, NULL, NULL);
}
