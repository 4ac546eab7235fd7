/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_EXPECTED_H
#define AUTHORITY_EXPECTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* Where nodes come from: the addresses that the directory gives them, as limit_key makes numbers of them. Begins zeroed. */
struct expected {
	uint64_t *at; /* sorted */
	size_t n, room;
};

/* Reads them again. What cannot be read is not expected until the next time: it is only a matter of turns. */
void expected_load(struct expected *x, struct store *s);
bool expected_has(const struct expected *x, uint64_t address);
void expected_done(struct expected *x);

#endif
