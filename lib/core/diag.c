/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Copies `src`, control bytes as \xHH: an argument must not start a new line or drive a terminal. Text that is too long is cut. */
static void copy_printable(char dst[DIAG_TEXT_MAX], const char *src)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (; *src && n + 1 < DIAG_TEXT_MAX; src++) {
		unsigned char c = (unsigned char)*src;

		if (c >= 0x20 && c != 0x7f) {
			dst[n++] = (char)c;
			continue;
		}
		if (n + 5 > DIAG_TEXT_MAX)
			break;
		dst[n++] = '\\';
		dst[n++] = 'x';
		dst[n++] = hex[c >> 4];
		dst[n++] = hex[c & 15];
	}
	dst[n] = '\0';
}

static void format(struct diag *d, const char *fmt, va_list ap) CLUSTER_PRINTF(2, 0);

static void format(struct diag *d, const char *fmt, va_list ap)
{
	char raw[DIAG_TEXT_MAX];

	if (vsnprintf(raw, sizeof raw, fmt, ap) < 0)
		raw[0] = '\0';
	copy_printable(d->text, raw);
}

/* Appends ": more". */
static void append(struct diag *d, const char *more)
{
	size_t n = strlen(d->text);

	if (snprintf(d->text + n, sizeof d->text - n, ": %s", more) < 0)
		d->text[n] = '\0';
}

void diag_clear(struct diag *d)
{
	if (d)
		memset(d, 0, sizeof *d);
}

enum cluster_err diag_set(struct diag *d, enum cluster_err code, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return code;
	d->code = code;
	d->sys_errno = 0;
	va_start(ap, fmt);
	format(d, fmt, ap);
	va_end(ap);
	return code;
}

enum cluster_err diag_errno(struct diag *d, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;
	char message[128];

	if (!d)
		return CLUSTER_ESYSTEM;
	d->code = CLUSTER_ESYSTEM;
	d->sys_errno = saved;
	va_start(ap, fmt);
	format(d, fmt, ap);
	va_end(ap);
	append(d, strerror_r(saved, message, sizeof message));
	errno = saved;
	return CLUSTER_ESYSTEM;
}

enum cluster_err diag_prefix(struct diag *d, const char *fmt, ...)
{
	char old[DIAG_TEXT_MAX];
	va_list ap;

	if (!d)
		return CLUSTER_OK;
	memcpy(old, d->text, sizeof old);
	old[sizeof old - 1] = '\0';
	va_start(ap, fmt);
	format(d, fmt, ap);
	va_end(ap);
	if (old[0])
		append(d, old);
	return d->code;
}
