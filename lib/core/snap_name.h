/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SNAP_NAME_H
#define CORE_SNAP_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cluster/name.h"

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

/* 11 bits made of the length and four of the characters. */
static inline uint32_t snap_name_bit(const char *s, size_t n)
{
	const uint8_t *c = (const uint8_t *)s;
	uint32_t mixed = c[0] | (uint32_t)c[1] << 8 | (uint32_t)c[n / 2] << 16 | (uint32_t)c[n - 1] << 24;

	return mixed * UINT32_C(0x9e3779b1) >> 21 ^ (uint32_t)n;
}

/* False: the name of `n` bytes is on neither reserved list. True, as for one in sixteen of all others: ask name.c. */
static inline bool snap_name_suspect(const char *s, size_t n)
{
	/* A bit for each reserved name: printed by test_snap_account --print. */
	static const uint32_t seen[64] = {
		0x20000008, 0x00009010, 0x00000080, 0x00001000, 0x00008020, 0x40000000, 0x20002000, 0x04200100,
		0x02000000, 0x20000822, 0x22008200, 0x00002044, 0x00082008, 0x00000014, 0x00101080, 0x00020020,
		0x01000000, 0x80000000, 0x00024000, 0x00004000, 0x08000000, 0x02000002, 0x00009000, 0x100c0000,
		0x00400000, 0x00000000, 0x00110008, 0x02010020, 0x00000000, 0x00100400, 0x00200000, 0x00000004,
		0x00000480, 0x00200040, 0x00200001, 0x00000020, 0x00800000, 0x00402880, 0x02000000, 0x00000000,
		0x80000101, 0x00000000, 0x00100018, 0x00020000, 0x04058000, 0x02000220, 0x40000414, 0x00800000,
		0x00000108, 0x00000030, 0x01020002, 0x00001004, 0x00002000, 0x00400000, 0x00004010, 0x00000000,
		0x10000040, 0x00000020, 0x00000004, 0x05080000, 0x29080400, 0x00020000, 0x00020040, 0x00000200,
	};
	uint32_t bit = snap_name_bit(s, n);

	return seen[bit / 32] >> bit % 32 & 1 || (n >= 8 && memcmp(s, "systemd-", 8) == 0);
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
