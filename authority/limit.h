/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_LIMIT_H
#define AUTHORITY_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* Wrong codes and tokens, counted by address (an IPv6 network of 64 bits counts as one): LIMIT_TRIES a minute. */
#define LIMIT_TRIES 5
#define LIMIT_SECONDS 60
#define LIMIT_SLOTS 4096

struct limit_slot {
	uint64_t key; /* 0: free */
	int64_t since;
	unsigned wrong;
};
struct limit {
	struct limit_slot slot[LIMIT_SLOTS];
};

/* What an address counts as; never 0. */
uint64_t limit_key(const char *address);
/* Has this address any try left? An address that is not one counts as one like all of its kind. */
bool limit_ok(const struct limit *l, const char *address, int64_t now);
/* It gave a wrong one. */
void limit_wrong(struct limit *l, const char *address, int64_t now);

#endif
