/* SPDX-License-Identifier: Apache-2.0 */
#include "command_secret.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define WORDS 2

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

static bool ask(const char *what, char *dst, size_t size)
{
	struct termios old, quiet;
	bool got;

	if (tcgetattr(STDIN_FILENO, &old) != 0)
		return read_line(dst, size);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	fprintf(stderr, "%s: ", what);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	got = read_line(dst, size);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &old);
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
