/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_NSS_MAP_H
#define BENCH_NSS_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * The floor of what a mapped file can do: one head, a table for each kind of key, records. Native byte order, no checksums, no checks, no renewal.
 * A table has a power of two of entries, at most half of them used; collisions go to the next entry.
 */
#define MAP_PATH "/var/lib/nss-bench/map"

enum map_table { MAP_ACCOUNT_NAME, MAP_ACCOUNT_UID, MAP_GROUP_NAME, MAP_GROUP_GID, MAP_MEMBER, MAP_TABLES };

struct map_entry {
	uint32_t tag;    /* high half of the hash; 0 is a value like others */
	uint32_t record; /* offset / 8; 0: the entry is free */
};

struct map_head {
	uint64_t table[MAP_TABLES]; /* offset */
	uint64_t mask[MAP_TABLES];  /* number of entries - 1 */
	uint64_t accounts, end;     /* where the account records, which stand one behind the other, begin and end */
};

/* Then name, gecos, home, shell, each with its NUL. */
struct map_account {
	uint32_t uid, gid;
	uint8_t name_n, gecos_n, home_n, shell_n;
};

/* Then the name and the members, each with its NUL. */
struct map_group {
	uint32_t gid, members, size; /* size: of all the strings */
	uint32_t name_n;
};

/* Then the gids, then the name. */
struct map_member {
	uint32_t gids, name_n;
};

static inline uint64_t map_hash(const void *key, size_t n)
{
	const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
	const char *p = key;
	uint64_t h = n * k, word;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * k;
		h ^= h >> 32;
	}
	if (n >= 4) {
		uint32_t a, b;

		memcpy(&a, p, 4);
		memcpy(&b, p + n - 4, 4);
		word = (uint64_t)a << 32 | b;
	} else {
		word = n ? (uint64_t)(uint8_t)p[0] << 16 | (uint64_t)(uint8_t)p[n / 2] << 8 | (uint8_t)p[n - 1] : 0;
	}
	h = (h ^ word) * k;
	return h ^ h >> 29;
}

#endif
