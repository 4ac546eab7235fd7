/* SPDX-License-Identifier: Apache-2.0 */
#include "out.h"

#include <errno.h>
#include <stdarg.h>
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
	char text[LINE_MAX_LENGTH];
	const char *p;

	(void)vsnprintf(text, sizeof text, fmt, ap);
	fputs(prefix, f);
	for (p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f)
			fprintf(f, "\\x%02x", c);
		else if (c == 0xc2 && (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xa0) /* a control character too, U+009B above all */
			fprintf(f, "\\x%02x\\x%02x", c, (unsigned char)*++p);
		else
			putc(c, f);
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
		(void)fwrite(text, 1, n, stdout);
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
