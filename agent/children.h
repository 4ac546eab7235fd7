/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_CHILDREN_H
#define AGENT_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "agent.h"
#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* The unprivileged processes and root's ends of the channels to them. Not every node has the last two. */
enum child { CHILD_TRUST, CHILD_FETCH, CHILD_SERVE, CHILD_RELAY, CHILD_HOP, CHILD_N };

struct children {
	pid_t pid[CHILD_N];     /* 0: not there */
	int channel[CHILD_N];   /* non-blocking; -1: none */
};

void children_init(struct children *c);
const char *children_name(enum child c);
/* Forks the first three. On failure those that run already are children_stop's. */
enum cluster_err children_start(struct children *c, const struct agent *a, int listener, const struct assemble_floor *floor, struct diag *d) CLUSTER_MUST_USE;
/* Forks one of the others, at the start and after its end: nothing else depends on it. `listener` is the hop process's. */
enum cluster_err children_start_again(struct children *c, enum child which, const struct agent *a, int listener, struct diag *d) CLUSTER_MUST_USE;
/* One that has ended, with how ("status 70", "signal 31"); false: none. */
bool children_reap(struct children *c, enum child *ret, char *how, size_t size);
/* Ends one at once; it is reaped as any other. */
void children_kill(const struct children *c, enum child which);
/* SIGTERM, and SIGKILL to those that are there still after so many seconds; closes the channels. */
void children_stop(struct children *c, unsigned int seconds);

#endif
