/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cluster/json.h"
#include "out.h"

/* What others have written reaches the terminal without any of its control characters. */

static void written(const char *text, bool json, char *dst, size_t size)
{
	int keep = dup(STDOUT_FILENO), fd = memfd_create("out", MFD_CLOEXEC);
	ssize_t n;

	assert_true(keep >= 0 && fd >= 0);
	fflush(stdout);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	if (json)
		(void)out_json(json_make("{s:s}", "x", text));
	else
		out_line("%s", text);
	fflush(stdout);
	assert_true(dup2(keep, STDOUT_FILENO) >= 0);
	n = pread(fd, dst, size - 1, 0);
	assert_true(n >= 0);
	dst[n] = '\0';
	close(keep);
	close(fd);
}

static void line_of(const char *text, char *dst, size_t size)
{
	written(text, false, dst, size);
}

static void json_of(const char *text, char *dst, size_t size)
{
	written(text, true, dst, size);
}

static void test_controls(void **state)
{
	char got[200];

	(void)state;
	line_of("a\033[2J\r\n\x7f\t", got, sizeof got);
	assert_string_equal(got, "a\\x1b[2J\\x0d\\x0a\\x7f\\x09\n");
	line_of("\xc2\x9b" "31m \xc2\x80 \xc2\x9f", got, sizeof got); /* C1, as UTF-8 has it */
	assert_string_equal(got, "\\xc2\\x9b31m \\xc2\\x80 \\xc2\\x9f\n");
	line_of("Zo\xc3\xab \xc2\xa0 \xe2\x82\xac \xf0\x9f\x90\xa7", got, sizeof got);
	assert_string_equal(got, "Zo\xc3\xab \xc2\xa0 \xe2\x82\xac \xf0\x9f\x90\xa7\n");
	line_of("\x9b" "31m \xc2 \xe2\x82 \xc1\x9b \xe0\x82\x9b \xed\xa0\x80 \xff \xc2", got, sizeof got); /* no UTF-8: a terminal of one byte a character reads C1 there */
	assert_string_equal(got, "\\x9b31m \\xc2 \\xe2\\x82 \\xc1\\x9b \\xe0\\x82\\x9b \\xed\\xa0\\x80 \\xff \\xc2\n");
	line_of("a\xe2\x80\xae" "b\xe2\x81\xa6 \xe2\x80\xa8 \xe2\x80\xa7", got, sizeof got); /* what turns the order round */
	assert_string_equal(got, "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6 \\xe2\\x80\\xa8 \xe2\x80\xa7\n");
}

static void test_json(void **state)
{
	char got[200];

	(void)state;
	json_of("a\033\xc2\x9b" "31m\x7f\xe2\x80\xae\xc3\xab", got, sizeof got);
	assert_string_equal(got, "{\n  \"x\": \"a\\u001B\\u009B31m\\u007F\\u202E\xc3\xab\"\n}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
