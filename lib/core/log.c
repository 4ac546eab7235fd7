/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define RAW_ROOM 2048
#define LINE_ROOM 4096

static struct {
	const char *program;
	bool to_stderr;
	bool journal;
	enum log_level max;
} state = { .program = "cluster", .to_stderr = true, .max = LOG_LEVEL_INFO };

void log_open(const char *program, int to_stderr, enum log_level max)
{
	state.program = program;
	state.to_stderr = to_stderr != 0;
	state.journal = to_stderr && getenv("JOURNAL_STREAM") != NULL;
	state.max = max;
	if (!to_stderr)
		openlog(program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void log_escape(const char *src, size_t n, char *dst, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0, mark = 0; /* mark: where "..." would stand if the rest does not fit */

	if (!size)
		return;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)src[i];
		bool plain = c >= 0x20 && c < 0x7f && c != '\\';
		size_t need = plain ? 1 : 4;

		if (at + need >= size) {
			at = mark;
			for (size_t dots = 0; dots < 3 && at + 1 < size; dots++)
				dst[at++] = '.';
			break;
		}
		if (plain) {
			dst[at++] = (char)c;
		} else {
			dst[at++] = '\\';
			dst[at++] = 'x';
			dst[at++] = hex[c >> 4];
			dst[at++] = hex[c & 15];
		}
		if (at + 3 < size)
			mark = at;
	}
	dst[at] = '\0';
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char raw[RAW_ROOM], text[LINE_ROOM], line[LINE_ROOM + 64];
	int saved = errno, n;
	va_list ap;

	if (level > state.max)
		return;
	va_start(ap, fmt);
	n = vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	log_escape(raw, (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1, text, sizeof text);
	if (!state.to_stderr) {
		syslog((int)level, "%s", text);
	} else {
		if (state.journal)
			n = snprintf(line, sizeof line, "<%d>%s\n", (int)level, text);
		else
			n = snprintf(line, sizeof line, "%.32s: %s\n", state.program, text);
		if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
			errno = saved; /* nobody is left to be told */
	}
	errno = saved;
}
