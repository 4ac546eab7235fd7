/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#define RAW_ROOM 2048
#define LINE_ROOM PIPE_BUF /* what poll says a pipe has room for */
#define PATIENCE_MS 100    /* for a reader that does not read, once: what follows it does not wait for */

static struct {
	const char *program, *socket;
	bool opened, to_stderr, journal;
	enum log_level max;
	int fd;         /* of the socket; -1: none */
	bool stream;    /* the socket is one */
	bool stuck;     /* the last line was lost */
	uint64_t lost;  /* lines, since one got through */
} state = { .program = "cluster", .socket = _PATH_LOG, .to_stderr = true, .max = LOG_LEVEL_INFO, .fd = -1 };

static void hang_up(void)
{
	if (state.fd >= 0)
		close(state.fd);
	state.fd = -1;
}

/* Sets errno. */
static bool dial(int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int err = ENAMETOOLONG;

	if (snprintf(a.sun_path, sizeof a.sun_path, "%s", state.socket) < (int)sizeof a.sun_path) {
		state.fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (state.fd >= 0 && connect(state.fd, (struct sockaddr *)&a, sizeof a) == 0)
			return true;
		err = errno;
	}
	hang_up();
	errno = err;
	return false;
}

static bool connected(void)
{
	if (state.fd >= 0)
		return true;
	state.stream = !dial(SOCK_DGRAM) && errno == EPROTOTYPE;
	return state.stream ? dial(SOCK_STREAM) : state.fd >= 0;
}

void log_open(const char *program, int to_stderr, enum log_level max)
{
	state.program = program;
	state.to_stderr = to_stderr != 0;
	state.journal = to_stderr && getenv("JOURNAL_STREAM") != NULL;
	state.max = max;
	state.opened = true;
	if (!to_stderr)
		(void)connected(); /* if there is nobody yet: at each line */
}

void log_socket(const char *path)
{
	hang_up();
	state.socket = path;
}

/* Whoever has opened the log has more to do than to wait for its reader. */
static bool writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return !state.opened || poll(&p, 1, state.stuck ? 0 : PATIENCE_MS) > 0;
}

/* As syslog(3) does, which would wait for ever; the time is when it is heard. In a stream the NUL ends a line. */
static bool send_line(enum log_level level, const char *text)
{
	char line[LINE_ROOM];
	ssize_t sent;
	int n;

	n = snprintf(line, sizeof line, "<%d>%.32s[%d]: %s", LOG_DAEMON | (int)level, state.program, (int)getpid(), text);
	n = n < (int)sizeof line ? n : (int)sizeof line - 1;
	for (int tries = 0; tries < 2 && connected(); tries++) {
		if (!writable(state.fd))
			return false;
		sent = send(state.fd, line, (size_t)n + state.stream, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent == n + state.stream)
			return true;
		if (sent < 0 && errno == EAGAIN)
			return false;
		hang_up(); /* who listens has started anew; or has a part of a line */
	}
	return false;
}

static bool write_line(enum log_level level, const char *text)
{
	char line[LINE_ROOM];
	int n;

	if (state.journal)
		n = snprintf(line, sizeof line, "<%d>%s\n", (int)level, text);
	else
		n = snprintf(line, sizeof line, "%.32s: %s\n", state.program, text);
	return writable(STDERR_FILENO) && write(STDERR_FILENO, line, (size_t)n) >= 0;
}

static bool put(enum log_level level, const char *text)
{
	bool ok = state.to_stderr ? write_line(level, text) : send_line(level, text);

	state.stuck = !ok;
	return ok;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char raw[RAW_ROOM], text[LINE_ROOM - 128], lost[80];
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
	if (state.lost > 0) {
		snprintf(lost, sizeof lost, "%llu lines before this one were lost: nobody read the log", (unsigned long long)state.lost);
		if (put(LOG_LEVEL_WARNING, lost))
			state.lost = 0;
	}
	if (state.lost > 0 || !put(level, text))
		state.lost++;
	errno = saved;
}
