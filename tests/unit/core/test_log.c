/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/log.h"

static void test_escape(void **state)
{
	char out[64];

	(void)state;
	log_escape("plain text", 10, out, sizeof out);
	assert_string_equal(out, "plain text");
	log_escape("a\nb\\\x7f\xc3\xa4\0z", 9, out, sizeof out);
	assert_string_equal(out, "a\\x0ab\\x5c\\x7f\\xc3\\xa4\\x00z");
	log_escape("", 0, out, sizeof out);
	assert_string_equal(out, "");
}

static void test_escape_is_bounded(void **state)
{
	char out[64], in[100];

	(void)state;
	memset(in, 'x', sizeof in);
	for (size_t size = 1; size < sizeof out; size++) {
		memset(out, '!', sizeof out);
		log_escape(in, sizeof in, out, size);
		assert_int_equal(strlen(out), size - 1);
		assert_int_equal(out[size], '!');
		if (size > 3)
			assert_string_equal(out + size - 4, "...");
	}
	memset(in, '\n', sizeof in);
	for (size_t size = 1; size < sizeof out; size++) {
		memset(out, '!', sizeof out);
		log_escape(in, sizeof in, out, size);
		assert_true(strlen(out) < size);
		assert_int_equal(out[size], '!');
		if (size > 3)
			assert_string_equal(out + strlen(out) - 3, "...");
	}
	log_escape("abc", 3, out, 4);
	assert_string_equal(out, "abc");
	out[0] = '!';
	log_escape("abc", 3, out, 0);
	assert_int_equal(out[0], '!');
}

/* What one line puts on stderr. */
static void line(char *out, size_t size, enum log_level level, const char *text)
{
	int pipe_fd[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_return_code(pipe(pipe_fd), errno);
	assert_return_code(dup2(pipe_fd[1], STDERR_FILENO), errno);
	close(pipe_fd[1]);
	errno = ENOTTY;
	log_line(level, "%s", text);
	assert_int_equal(errno, ENOTTY);
	assert_return_code(dup2(saved, STDERR_FILENO), errno);
	close(saved);
	n = read(pipe_fd[0], out, size - 1);
	close(pipe_fd[0]);
	assert_true(n >= 0);
	out[n] = '\0';
}

static void test_stderr(void **state)
{
	char out[8192], *longer = calloc(1, 20000);

	(void)state;
	assert_non_null(longer);
	unsetenv("JOURNAL_STREAM");
	log_open("prog", 1, LOG_LEVEL_INFO);
	line(out, sizeof out, LOG_LEVEL_INFO, "hello\nworld");
	assert_string_equal(out, "prog: hello\\x0aworld\n");
	line(out, sizeof out, LOG_LEVEL_DEBUG, "quiet");
	assert_string_equal(out, "");
	memset(longer, '\n', 19999);
	line(out, sizeof out, LOG_LEVEL_INFO, longer);
	assert_string_equal(out + strlen(out) - 4, "...\n");
	free(longer);
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_open("prog", 1, LOG_LEVEL_DEBUG);
	line(out, sizeof out, LOG_LEVEL_DEBUG, "100%s");
	assert_string_equal(out, "<7>100%s\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_is_bounded),
		cmocka_unit_test(test_stderr),
	};
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
