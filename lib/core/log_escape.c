/* SPDX-License-Identifier: Apache-2.0 */
/* Apart from log.c: the PAM module escapes, but has no part of what opens a log and reads the environment. */
#include "cluster/log.h"

#include <stdbool.h>

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
