/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_REVIVE_H
#define AGENT_REVIVE_H

#include <stdbool.h>

#include <event2/event.h>

#include "children.h"

/* The processes on which nothing else depends, the relay and the hop process: they are started if this node has them, and again when they end. */
struct revive {
	const struct agent *agent;
	struct children *children;
	int hop_listener;            /* -1: this node does not vouch */
	struct event_base *base;
	event_callback_fn ready;     /* of root's end of a channel */
	void (*say)(int level, const char *line);
	void (*failed)(void *arg);   /* one cannot be started */
	void *arg;                   /* of both */
	struct event *channel[CHILD_N], *due[CHILD_N];
};

/* `r` is filled in but for the events. */
enum cluster_err revive_start(struct revive *r, struct diag *d) CLUSTER_MUST_USE;
void revive_stop(struct revive *r);
/* Is this one of them? */
bool revive_has(enum child c);
/* It has ended: in some seconds it is started again. */
void revive_ended(struct revive *r, enum child c, const char *how);
/* Nothing is read from it any more. */
void revive_mute(struct revive *r, enum child c);

#endif
