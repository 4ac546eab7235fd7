/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_TALLY_H
#define AUTHORITY_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "call.h"

/*
 * Refusals for the audit trail: of each device (of who has none, of each actor) TALLY_ROWS in TALLY_SECONDS are written, the rest is counted and becomes one record when that time is over. A
 * device that is revoked, and asks on, fills neither the trail nor the disk. Pure but for its own memory; times are those of a clock that only goes up.
 */
#define TALLY_ROWS 5
#define TALLY_SECONDS 600
#define TALLY_SLOTS 256
#define TALLY_WORD_MAX 64

struct tally_one {
	char actor[CALL_ACTOR_MAX], device[ID_TEXT + 1]; /* device: empty if there is none */
	char action[TALLY_WORD_MAX], reason[TALLY_WORD_MAX]; /* of the last that was counted */
	int64_t since;
	unsigned rows;
	uint64_t more; /* that were not written */
};

struct tally {
	struct tally_one slot[TALLY_SLOTS];
};

/* Is this refusal to be written? Else it is counted. Where there is no place to count, it is written. */
bool tally_row(struct tally *t, const struct tally_one *x, int64_t now);
/* Takes one whose time is over by `now` and of which some were not written. False: there is none. */
bool tally_over(struct tally *t, int64_t now, struct tally_one *ret);

#endif
