/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_TELLING_H
#define AGENT_TELLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/refusal.h"

/*
 * Refusals on their way to the authority, in fetch (PROTOCOL.md 6.5). Those of proved people are told soon, strangers' at most once a minute or when there is a connection at
 * hand anyway: what the whole internet tries on every node at once must not become a crowd at the authority. Pure: time is an argument.
 */

#define TELLING_MAX 32          /* the oldest goes first */
#define TELLING_PACE_MS 5000    /* between two messages */
#define TELLING_CALM_MS 60000   /* the same for strangers */
#define TELLING_AGAIN_MS 30000  /* after a failure */

struct telling {
	struct refusal one[TELLING_MAX];
	size_t n, proved;         /* in all; not of strangers */
	int64_t not_before, calm; /* for what is proved, for strangers */
};

/* CLUSTER_EFORMAT unless refusal_ok. */
enum cluster_err telling_add(struct telling *t, const struct refusal *x) CLUSTER_MUST_USE;
/* In how many milliseconds a message is due; 0: now, -1: nothing is to be told. `at_hand`: there is a connection that waits for nothing. */
int telling_due(const struct telling *t, int64_t now_ms, bool at_hand);
/* All were told, or could not be. */
void telling_sent(struct telling *t, int64_t now_ms);
void telling_failed(struct telling *t, int64_t now_ms);

#endif
