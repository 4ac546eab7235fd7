/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_WAYS_H
#define AGENT_WAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/conf.h"
#include "cluster/node_conf.h"

/* Which authority, and through which relay, comes next, and after what pause (PROTOCOL.md 6.6). Pure: time and randomness are arguments. */

#define WAYS_MAX (2 * CONF_LIST_MAX)
#define WAYS_FAILOVER_MS 500   /* at most, between one way and the next */
#define WAYS_LOOK_MS 300000    /* until an earlier way is tried again, and half as long at random */
#define WAYS_LOOK_MOST_MS 3600000

struct way {
	const char *url, *via; /* via NULL: directly */
};

struct ways {
	struct way way[WAYS_MAX];
	size_t n, at;
	size_t home;               /* looking at earlier ways: the one that works */
	bool looking;
	unsigned int rounds;       /* in which nothing worked */
	unsigned int looks;        /* in vain */
	int64_t look_at;           /* 0: not planned */
};

/* Borrows the lists' texts. Through a relay each authority of the list is the same one: the relay chooses; so it is one way. */
void ways_init(struct ways *w, const struct conf_list *authority, const struct conf_list *relay);
const struct way *ways_now(const struct ways *w);
/* The present way works. */
void ways_worked(struct ways *w, int64_t now_ms, uint64_t random);
/* Is it time to see whether an earlier one works again? Then that is the present one, and the connection that there is must be given up. */
bool ways_look(struct ways *w, int64_t now_ms);
/* The present way has failed; the next is the present one after so many milliseconds. *ret_round: all have been tried. */
uint64_t ways_failed(struct ways *w, uint64_t most_ms, int64_t now_ms, uint64_t random, bool *ret_round);

/* Exponential with full jitter, so that a thousand nodes do not come back at once: 0 to 500 ms, doubling, at most `most_ms`. */
uint64_t ways_backoff(unsigned int failures, uint64_t most_ms, uint64_t random);

#endif
