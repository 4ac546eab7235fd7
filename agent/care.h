/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_CARE_H
#define AGENT_CARE_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"

#include "publish.h"
#include "sessions.h"

struct event;
struct event_base;

/* Root's care for the live sessions: when they are looked at, what fetch hears of them and asks the authority for, what trust has verified of the answers. */
struct care {
	struct sessions *sessions; /* borrowed, as are the next three */
	struct publish *publish;
	const int *fetch;
	void (*after)(void *arg, bool proved); /* a look by the clock is over; `proved`: it made good what an earlier one had left undone */
	void *arg;
	struct event *due, *tell;
	int64_t told_ms;   /* when fetch was last told */
	uint64_t told;     /* and of which change */
	bool behind;       /* some session could not be looked at, judged or ended: what is installed is not proved */
};

/* Fills in the timers; *c is the caller's and stays where it is. CLUSTER_ENOMEM. */
enum cluster_err care_start(struct care *c, struct event_base *base) CLUSTER_MUST_USE;
void care_stop(struct care *c);

/* Looks at every session; judges by what is installed. Failures are remembered in c->behind and tried again soon. */
void care_sweep(struct care *c);
/* At the one whose record has changed. */
void care_look(struct care *c, const struct cluster_id *session);
/* A newer credential for a session: struct credential in sealed memory, verified by trust. */
void care_renewed(struct care *c, const struct cluster_id *session, const int *fds, size_t n_fds);

#endif
