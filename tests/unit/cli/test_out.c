/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "out.h"

/* What others have written reaches the terminal without any of its control characters. */

static void line_of(const char *text, char *dst, size_t size)
{
	int keep = dup(STDOUT_FILENO), fd = memfd_create("out", MFD_CLOEXEC);
	ssize_t n;

	assert_true(keep >= 0 && fd >= 0);
	fflush(stdout);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	out_line("%s", text);
	fflush(stdout);
	assert_true(dup2(keep, STDOUT_FILENO) >= 0);
	n = pread(fd, dst, size - 1, 0);
	assert_true(n >= 0);
	dst[n] = '\0';
	close(keep);
	close(fd);
}

static void test_controls(void **state)
{
	char got[200];

	(void)state;
	line_of("a\033[2J\r\n\x7f\t", got, sizeof got);
	assert_string_equal(got, "a\\x1b[2J\\x0d\\x0a\\x7f\\x09\n");
	line_of("\xc2\x9b" "31m \xc2\x80 \xc2\x9f", got, sizeof got); /* C1, as UTF-8 has it */
	assert_string_equal(got, "\\xc2\\x9b31m \\xc2\\x80 \\xc2\\x9f\n");
	line_of("Zo\xc3\xab \xc2\xa0 \xc2", got, sizeof got);
	assert_string_equal(got, "Zo\xc3\xab \xc2\xa0 \xc2\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_controls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
