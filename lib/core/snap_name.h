/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SNAP_NAME_H
#define CORE_SNAP_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/name.h"

/*
 * name_account_ok and name_*_reserved in a few nanoseconds, for the lookup path. test_snap_account holds them to the originals; when
 * the lists of name.c grow it prints the table anew.
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

/* False: the name of `n` bytes is on neither reserved list. True: ask name.c. `s` is of the grammar. */
static inline bool snap_name_suspect(const char *s, size_t n)
{
	/* By first character from '_' on: second characters (bit: its low five bits) and lengths (bit: length - 1) of reserved names. */
	static const uint32_t seen[28][2] = {
		{ 0x000c004a, 0x000000c8 }, { 0x00000000, 0x00000000 }, { 0x00600014, 0x0000101c }, { 0x00001202, 0x00000124 }, { 0x00049110, 0x00031270 },
		{ 0x0000c306, 0x0000006c }, { 0x00000000, 0x00000000 }, { 0x00301002, 0x0000002c }, { 0x00004032, 0x00040054 }, { 0x00000002, 0x00000008 },
		{ 0x00044000, 0x00000414 }, { 0x00000000, 0x00000000 }, { 0x00402000, 0x0000000c }, { 0x01010200, 0x0000284e }, { 0x00008022, 0x0000020c },
		{ 0x00508020, 0x0004006c }, { 0x00010000, 0x00000080 }, { 0x00249a08, 0x00000bf8 }, { 0x00000000, 0x00000000 }, { 0x00118020, 0x0000007c },
		{ 0x023d01aa, 0xfffffffc }, { 0x0018800a, 0x0000004c }, { 0x00384000, 0x000000f8 }, { 0x00008204, 0x00000130 }, { 0x00800300, 0x00000190 },
		{ 0x00000000, 0x00000000 }, { 0x00000000, 0x00000000 }, { 0x00000000, 0x00000000 },
	};
	const uint32_t *row = seen[(uint8_t)s[0] - '_'];

	return row[0] >> ((uint8_t)s[1] & 31) & row[1] >> (n - 1) & 1;
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
