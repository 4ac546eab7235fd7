/* SPDX-License-Identifier: Apache-2.0 */
#include "out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/json.h"
#include "exit.h"

#define LINE_MAX_LENGTH 4096

static void put(FILE *f, const char *prefix, const char *fmt, va_list ap) CLUSTER_PRINTF(3, 0);

static bool in_progress;

static void put_text(FILE *f, const char *prefix, const char *fmt, va_list ap) CLUSTER_PRINTF(3, 0);

static void put_text(FILE *f, const char *prefix, const char *fmt, va_list ap)
{
	char text[LINE_MAX_LENGTH], plain[4 * LINE_MAX_LENGTH];

	(void)vsnprintf(text, sizeof text, fmt, ap);
	out_plain(text, plain, sizeof plain);
	fputs(prefix, f);
	fputs(plain, f);
}

/* The bytes of the UTF-8 character at p; 0: none is there. */
static size_t character(const char *p, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)*p;
	size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : (c & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t u = n == 1 ? c : c & (0x7fU >> n);

	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
		u = u << 6 | ((unsigned char)p[i] & 0x3fU);
	}
	if (n == 0 || u < least[n] || u > 0x10ffff || (u >= 0xd800 && u < 0xe000))
		return 0;
	*ret = u;
	return n;
}

/* Control characters, U+009B above all, and those that end lines or turn the order of what is read. */
static bool is_control(uint32_t u)
{
	return u < 0x20 || (u >= 0x7f && u < 0xa0) || u == 0x061c || u == 0x200e || u == 0x200f || (u >= 0x2028 && u <= 0x202e) || (u >= 0x2066 && u <= 0x2069);
}

void out_plain(const char *src, char *dst, size_t size)
{
	size_t at = 0, n;
	uint32_t u = 0;

	for (; *src != '\0' && at + 4 * 4 < size; src += n) {
		bool as_it_is = (n = character(src, &u)) > 0 && !is_control(u);

		if (n == 0)
			n = 1;
		for (size_t i = 0; i < n; i++)
			at += (size_t)snprintf(dst + at, size - at, as_it_is ? "%c" : "\\x%02x", (unsigned char)src[i]);
	}
	dst[at] = '\0';
}

/* JSON, which has the controls below U+0020 escaped already. */
static void put_json(const char *p)
{
	uint32_t u = 0;
	size_t n;

	for (; *p != '\0'; p += n) {
		if ((n = character(p, &u)) == 0)
			return; /* jansson writes no such text */
		if (u >= 0x20 && is_control(u))
			printf("\\u%04X", (unsigned int)u);
		else
			(void)fwrite(p, 1, n, stdout);
	}
}

static void put(FILE *f, const char *prefix, const char *fmt, va_list ap)
{
	out_progress_end();
	if (f == stderr)
		fflush(stdout); /* in the order in which things were said */
	put_text(f, prefix, fmt, ap);
	putc('\n', f);
}

void out_progress(const char *fmt, ...)
{
	va_list ap;

	if (!out_colour(STDERR_FILENO))
		return;
	va_start(ap, fmt);
	put_text(stderr, "\r\033[K", fmt, ap);
	va_end(ap);
	fputs(" ...", stderr);
	fflush(stderr);
	in_progress = true;
}

void out_progress_end(void)
{
	if (in_progress)
		fputs("\r\033[K", stderr);
	in_progress = false;
}

void out_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(stdout, "", fmt, ap);
	va_end(ap);
}

void out_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(stderr, "", fmt, ap);
	va_end(ap);
}

void out_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(stderr, out_colour(2) ? "\033[31mcluster-login:\033[0m " : "cluster-login: ", fmt, ap);
	va_end(ap);
}

void out_try(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(stderr, "  try: ", fmt, ap);
	va_end(ap);
}

int out_failed(const struct diag *d, const char *next)
{
	out_error("%s", d->text[0] != '\0' ? d->text : err_name(d->code));
	if (next != NULL)
		out_try("%s", next);
	return exit_of(d->code);
}

int out_json(struct json *j)
{
	enum cluster_err e;
	char *text = NULL;
	size_t n;

	out_progress_end();
	if ((e = json_pretty(j, &text, &n)) == CLUSTER_OK)
		put_json(text);
	else
		out_error("%s", err_name(e));
	free(text);
	json_free(j);
	return exit_of(e);
}

bool out_colour(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return (no == NULL || *no == '\0') && term != NULL && strcmp(term, "dumb") != 0 && isatty(fd);
}

int out_end(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	out_error("cannot write the output: %s", strerror(errno));
	return status == EXIT_DONE ? EXIT_IO : status;
}
