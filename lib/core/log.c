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
