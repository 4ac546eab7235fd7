/* SPDX-License-Identifier: Apache-2.0 */
#include "command_secret.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define WORDS 2

static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define ENDS (sizeof ends / sizeof ends[0])

static struct termios terminal; /* as it was found */

/* Byte by byte: what follows the line is another program's. */
static bool read_line(char *dst, size_t size)
{
	size_t n = 0;
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1) {
		if (c == '\n')
			break;
		if (n + 1 >= size)
			return false;
		dst[n++] = c;
	}
	if (n > 0 && dst[n - 1] == '\r')
		n--;
	dst[n] = '\0';
	return n > 0;
}

/* Of a signal that ends the process, which is what it does when this returns. */
static void end_quiet(int number)
{
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
	(void)raise(number);
}

static bool ask(const char *what, char *dst, size_t size)
{
	const struct sigaction once = { .sa_handler = end_quiet, .sa_flags = (int)SA_RESETHAND };
	struct sigaction before[ENDS];
	struct termios quiet;
	bool got;

	if (tcgetattr(STDIN_FILENO, &terminal) != 0)
		return read_line(dst, size);
	for (size_t i = 0; i < ENDS; i++)
		if (sigaction(ends[i], &once, &before[i]) == 0 && before[i].sa_handler == SIG_IGN)
			(void)sigaction(ends[i], &before[i], NULL);
	quiet = terminal;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fprintf(stderr, "%s: ", what);
	got = read_line(dst, size);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
	for (size_t i = 0; i < ENDS; i++)
		(void)sigaction(ends[i], &before[i], NULL);
	fputc('\n', stderr);
	return got;
}

const char *command_secret(const char *what, char *word)
{
	static char room[WORDS][COMMAND_SECRET_MAX + 1];
	static size_t used;
	char *dst = room[used++ % WORDS];
	size_t n = strlen(word);

	if (strcmp(word, "-") == 0)
		return ask(what, dst, sizeof room[0]) ? dst : NULL;
	if (n > COMMAND_SECRET_MAX)
		return NULL;
	memcpy(dst, word, n + 1);
	memset(word, 'x', n);
	return dst;
}
