/* SPDX-License-Identifier: Apache-2.0 */
#include "limit.h"

#include <arpa/inet.h>
#include <string.h>

#include "cluster/id.h"

#define WAYS 8

uint64_t limit_key(const char *address)
{
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	unsigned char v4[4], v6[16];
	uint64_t k = 0;

	if (inet_pton(AF_INET, address, v4) == 1) {
		memcpy(&k, v4, sizeof v4);
		return k | UINT64_C(1) << 63;
	}
	if (inet_pton(AF_INET6, address, v6) == 1) {
		if (memcmp(v6, mapped, sizeof mapped) == 0) {
			memcpy(&k, v6 + 12, 4);
			return k | UINT64_C(1) << 63;
		}
		memcpy(&k, v6, sizeof k);
	}
	return k ? k : 1;
}

/* Ids are random. */
uint64_t limit_key_id(const struct cluster_id *id)
{
	uint64_t k;

	memcpy(&k, id->b, sizeof k);
	return k ? k : 1;
}

static size_t first_way(uint64_t key)
{
	uint64_t h = key * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(h >> 40) % (LIMIT_SLOTS / WAYS) * WAYS;
}

bool limit_ok(const struct limit *l, uint64_t key, unsigned most, int64_t now)
{
	size_t at = first_way(key);

	for (size_t i = at; i < at + WAYS; i++) {
		if (l->slot[i].key == key && now - l->slot[i].since < LIMIT_SECONDS)
			return l->slot[i].n < most;
	}
	return true;
}

void limit_count(struct limit *l, uint64_t key, int64_t now)
{
	size_t at = first_way(key), use = at;

	for (size_t i = at; i < at + WAYS; i++) {
		if (l->slot[i].key == key) {
			use = i;
			break;
		}
		if (l->slot[i].since < l->slot[use].since)
			use = i; /* the oldest gives way */
	}
	if (l->slot[use].key != key || now - l->slot[use].since >= LIMIT_SECONDS)
		l->slot[use] = (struct limit_slot){ .key = key, .since = now };
	l->slot[use].n++;
}
