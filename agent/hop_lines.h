/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_HOP_LINES_H
#define AGENT_HOP_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/quiet.h"

#include "hop_talk.h"

/*
 * Which uses of the hop socket are lines in the log, so that nobody fills it by asking in a loop: of each person and account that is vouched for, and of each user and reason that is refused, the
 * first, and then one in ten minutes. Nothing is left out without being counted. Times are seconds of a clock that only goes forward, from 1. All zero is an empty one.
 */
struct hop_lines {
	struct quiet vouched, refused;
	uint64_t n_vouched, n_refused; /* left out since it was last said how many */
	int64_t since;                 /* when the first of them was; 0: none has been */
};

/* Is this one to be said now? If not, it is counted. */
bool hop_lines_says(struct hop_lines *l, const struct hop_talk_note *x, uint32_t uid, int64_t now);
/* Have lines been left out, the first of them ten minutes ago or more (`now` INT64_MAX: at any time)? Then how many, which begins anew. */
bool hop_lines_left(struct hop_lines *l, int64_t now, uint64_t *ret_vouched, uint64_t *ret_refused);

#endif
