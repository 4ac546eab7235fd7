/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_LIMIT_H
#define AUTHORITY_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct cluster_id;

/* What somebody may do so many times in LIMIT_SECONDS: give wrong codes and tokens, counted by address (an IPv6 network of 64 bits counts as one); manage the own devices, by person. */
#define LIMIT_TRIES 5
#define LIMIT_OWN 60
#define LIMIT_SECONDS 60
#define LIMIT_SLOTS 4096

struct limit_slot {
	uint64_t key; /* 0: free */
	int64_t since;
	unsigned n;
};
struct limit {
	struct limit_slot slot[LIMIT_SLOTS];
};

/* What an address counts as; never 0. What is none counts as one like all of its kind. */
uint64_t limit_key(const char *address);
/* What a person counts as; never 0. */
uint64_t limit_key_id(const struct cluster_id *id);
/* Has `key`, of `most` times, any left? */
bool limit_ok(const struct limit *l, uint64_t key, unsigned most, int64_t now);
/* That was one. */
void limit_count(struct limit *l, uint64_t key, int64_t now);

#endif
