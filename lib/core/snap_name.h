/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SNAP_NAME_H
#define CORE_SNAP_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cluster/name.h"
#include "cluster/snap_near.h"

/*
 * name_account_ok and name_*_reserved in a few nanoseconds, for the lookup path. test_snap_account holds them to the originals.
 */

/* The length of `s` if it is a name of an account or group (^[a-z_][a-z0-9_-]{0,31}$), otherwise 0. Looks at NAME_ACCOUNT_MAX + 1 bytes at most. */
static inline size_t snap_name_length(const char *s)
{
	/* 1: may stand anywhere; 2: not in front */
	static const uint8_t class[256] = {
		['-'] = 2, ['0'] = 2, ['1'] = 2, ['2'] = 2, ['3'] = 2, ['4'] = 2, ['5'] = 2, ['6'] = 2, ['7'] = 2, ['8'] = 2, ['9'] = 2, ['_'] = 1,
		['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1,
		['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1,
		['y'] = 1, ['z'] = 1,
	};
	size_t n = 0;

	if (class[(uint8_t)s[0]] != 1)
		return 0;
	while (n <= NAME_ACCOUNT_MAX && class[(uint8_t)s[n]])
		n++;
	return n <= NAME_ACCOUNT_MAX && s[n] == '\0' ? n : 0;
}

static inline bool snap_account_reserved(const char *s, size_t n)
{
	return snap_name_suspect(s, n) && name_account_reserved(s);
}

static inline bool snap_group_reserved(const char *s, size_t n)
{
	return snap_name_suspect(s, n) && name_group_reserved(s);
}

#endif
