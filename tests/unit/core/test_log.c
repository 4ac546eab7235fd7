/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "cluster/log.h"
#include "scratch.h"

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

/* Fills what stands behind `fd` until there is no room for more; *ret_n: the bytes. */
static void fill(int fd, size_t *ret_n)
{
	char byte[1024] = "";
	ssize_t n;

	assert_return_code(fcntl(fd, F_SETFL, O_NONBLOCK), errno);
	for (*ret_n = 0; (n = write(fd, byte, sizeof byte)) > 0; *ret_n += (size_t)n)
		;
	while (write(fd, byte, 1) > 0)
		*ret_n += 1;
	assert_return_code(fcntl(fd, F_SETFL, 0), errno);
}

static void drain(int fd, size_t n)
{
	char bytes[1024];
	ssize_t part;

	for (; n > 0; n -= (size_t)part) {
		part = read(fd, bytes, n < sizeof bytes ? n : sizeof bytes);
		assert_true(part > 0);
	}
}

/* Nobody reads: the lines are lost, counted, and hold up nothing. */
static void test_stuck_stderr(void **state)
{
	int fds[2], saved = dup(STDERR_FILENO);
	char out[4096];
	size_t n;
	ssize_t got;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_open("prog", 1, LOG_LEVEL_INFO);
	assert_return_code(pipe(fds), errno);
	fill(fds[1], &n);
	assert_return_code(dup2(fds[1], STDERR_FILENO), errno);
	alarm(60);
	for (int i = 0; i < 1000; i++)
		log_line(LOG_LEVEL_INFO, "nobody hears of %d", i);
	alarm(0);
	drain(fds[0], n);
	log_line(LOG_LEVEL_INFO, "again");
	log_line(LOG_LEVEL_INFO, "and again");
	assert_return_code(dup2(saved, STDERR_FILENO), errno);
	got = read(fds[0], out, sizeof out - 1);
	assert_true(got > 0);
	out[got] = '\0';
	assert_string_equal(out, "prog: 1000 lines before this one were lost: nobody read the log\nprog: again\nprog: and again\n");
	close(fds[0]);
	close(fds[1]);
	close(saved);
}

static int listen_at(const char *path, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(a.sun_path, path);
	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && (type == SOCK_DGRAM || listen(fd, 1) == 0));
	return fd;
}

static void assert_heard(int fd, const char *want)
{
	char got[4096], form[200];
	ssize_t n = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);

	assert_true(n > 0);
	got[n] = '\0';
	snprintf(form, sizeof form, "<30>prog[%d]: %s", (int)getpid(), want); /* daemon, info */
	assert_string_equal(got, form);
}

/* The same of /dev/log; who listens there may go and come. */
static void test_syslog(void **state)
{
	char dir[SCRATCH_SIZE], path[SCRATCH_SIZE + 10], got[4096];
	unsigned heard = 0;
	int fd;

	(void)state;
	assert_int_equal(scratch_make(dir, "test-log"), 0);
	snprintf(path, sizeof path, "%s/log", dir);
	fd = listen_at(path, SOCK_DGRAM);
	log_socket(path);
	log_open("prog", 0, LOG_LEVEL_INFO);
	log_line(LOG_LEVEL_INFO, "hello\nworld");
	assert_heard(fd, "hello\\x0aworld");
	alarm(60);
	for (int i = 0; i < 5000; i++)
		log_line(LOG_LEVEL_INFO, "nobody hears of %d", i);
	alarm(0);
	while (recv(fd, got, sizeof got, MSG_DONTWAIT) > 0)
		heard++;
	assert_in_range(heard, 1, 4999);
	log_line(LOG_LEVEL_INFO, "again");
	snprintf(got, sizeof got, "%u lines before this one were lost: nobody read the log", 5000 - heard);
	assert_true(recv(fd, got + 200, 1000, MSG_DONTWAIT) > 0);
	assert_non_null(strstr(got + 200, got));
	assert_heard(fd, "again");
	close(fd);
	assert_int_equal(remove(path), 0);
	log_line(LOG_LEVEL_INFO, "nobody there");
	fd = listen_at(path, SOCK_DGRAM);
	log_line(LOG_LEVEL_INFO, "somebody else");
	assert_true(recv(fd, got, sizeof got, MSG_DONTWAIT) > 0);
	assert_heard(fd, "somebody else");
	close(fd);
	log_socket(_PATH_LOG);
	assert_int_equal(scratch_remove(dir), 0);
}

static int caller(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	assert_return_code(fd, errno);
	return fd;
}

/* Some listen for connections there; each line ends with its NUL. */
static void test_syslog_stream(void **state)
{
	char dir[SCRATCH_SIZE], path[SCRATCH_SIZE + 10], got[4096], want[100];
	int fd, conn, n;

	(void)state;
	assert_int_equal(scratch_make(dir, "test-log"), 0);
	snprintf(path, sizeof path, "%s/log", dir);
	fd = listen_at(path, SOCK_STREAM);
	log_socket(path);
	log_open("prog", 0, LOG_LEVEL_INFO);
	log_line(LOG_LEVEL_INFO, "one");
	log_line(LOG_LEVEL_INFO, "two");
	conn = caller(fd);
	n = snprintf(want, sizeof want, "<30>prog[%d]: one%c<30>prog[%d]: two", (int)getpid(), '\0', (int)getpid()) + 1;
	assert_int_equal(recv(conn, got, sizeof got, MSG_DONTWAIT), n);
	assert_memory_equal(got, want, (size_t)n);
	close(conn);
	log_line(LOG_LEVEL_INFO, "three");
	conn = caller(fd);
	assert_heard(conn, "three");
	alarm(60);
	for (int i = 0; i < 5000; i++)
		log_line(LOG_LEVEL_INFO, "nobody hears of %d", i);
	alarm(0);
	close(conn);
	close(fd);
	log_socket(_PATH_LOG);
	log_open("prog", 1, LOG_LEVEL_INFO);
	assert_int_equal(scratch_remove(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_is_bounded),
		cmocka_unit_test(test_stderr),
		cmocka_unit_test(test_stuck_stderr),
		cmocka_unit_test(test_syslog),
		cmocka_unit_test(test_syslog_stream),
	};
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
