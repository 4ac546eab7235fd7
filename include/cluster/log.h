/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_LOG_H
#define CLUSTER_LOG_H

#include <stddef.h>

#include "cluster/attr.h"

/* For daemons and programs only; libraries return struct diag. One line per event; foreign text is escaped here and nowhere else. */
enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_NOTICE = 5, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* `to_stderr`: write "program: text" to stderr (a terminal, systemd with the <n> prefix when JOURNAL_STREAM is set); else syslog(3). */
void log_open(const char *program, int to_stderr, enum log_level max);
/* For tests: another socket than /dev/log. `path` is borrowed. */
void log_socket(const char *path);
/*
 * One that has opened the log waits a moment at most for whoever reads it, and then for none until a line gets through again, which is preceded by how many did not: a log that nobody reads
 * holds up nothing else.
 */
void log_line(enum log_level level, const char *fmt, ...) CLUSTER_PRINTF(2, 3);

/* Copies `src` to `dst` so that it is one line of printable ASCII: bytes outside 0x20..0x7e and '\\' become \xHH. Truncates with "...". */
void log_escape(const char *src, size_t n, char *dst, size_t size);

#endif
