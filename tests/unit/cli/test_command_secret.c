/* SPDX-License-Identifier: Apache-2.0 */
/* A secret that is asked for on a terminal: without echo, and with echo again whatever ends it. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "command_secret.h"

static bool echo(int fd)
{
	struct termios t;

	assert_return_code(tcgetattr(fd, &t), errno);
	return t.c_lflag & ECHO;
}

/* A process that asks on the terminal `slave`; status 0: it was told "word". */
static pid_t asks(const char *slave, int *ret_prompt)
{
	char dash[] = "-";
	int fds[2], fd;
	pid_t pid;

	assert_return_code(pipe(fds), errno);
	pid = fork();
	if (pid == 0) {
		setsid();
		fd = open(slave, O_RDWR);
		if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0 || dup2(fd, 0) < 0 || dup2(fds[1], 2) < 0)
			_exit(2);
		const char *got = command_secret("code", dash);
		_exit(got && strcmp(got, "word") == 0 ? 0 : 1);
	}
	assert_return_code(pid, errno);
	close(fds[1]);
	*ret_prompt = fds[0];
	return pid;
}

/* What is typed, and how the process ends. */
static int typed(const char *text)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, prompt, status;
	char line[16];
	pid_t pid;

	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0 && echo(slave));
	pid = asks(ptsname(master), &prompt);
	assert_int_equal(read(prompt, line, sizeof line), 6); /* "code: " */
	assert_false(echo(slave));
	assert_int_equal(write(master, text, strlen(text)), strlen(text));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(echo(slave));
	close(prompt);
	close(slave);
	close(master);
	return status;
}

static void test_word(void **state)
{
	int status = typed("word\n");

	(void)state;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_interrupted(void **state)
{
	int status = typed("wo\003");

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

static void test_taken(void **state)
{
	char word[] = "word", longest[COMMAND_SECRET_MAX + 2];

	(void)state;
	assert_string_equal(command_secret("code", word), "word");
	assert_string_equal(word, "xxxx");
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_null(command_secret("code", longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_word), cmocka_unit_test(test_interrupted), cmocka_unit_test(test_taken) };

	return cmocka_run_group_tests_name("command_secret", tests, NULL, NULL);
}
