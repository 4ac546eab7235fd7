/* SPDX-License-Identifier: Apache-2.0 */
#include "revive.h"

#include <stdio.h>

#include "cluster/log.h"

#define PAUSE_SECONDS 5 /* between the end of one and its next start */

bool revive_has(enum child c)
{
	return c == CHILD_RELAY || c == CHILD_HOP;
}

static bool wanted(const struct revive *r, enum child c)
{
	if (r->agent->once || !revive_has(c))
		return false;
	return c == CHILD_HOP ? r->hop_listener >= 0 : r->agent->conf.relay_listen.n > 0;
}

static enum cluster_err start_one(struct revive *r, enum child c, struct diag *d)
{
	enum cluster_err e = children_start_again(r->children, c, r->agent, c == CHILD_HOP ? r->hop_listener : -1, d);

	if (r->channel[c])
		event_free(r->channel[c]);
	r->channel[c] = e == CLUSTER_OK ? event_new(r->base, r->children->channel[c], EV_READ | EV_PERSIST, r->ready, r->arg) : NULL;
	if (e == CLUSTER_OK && (!r->channel[c] || event_add(r->channel[c], NULL) != 0))
		e = diag_set(d, CLUSTER_ENOMEM, "the %s process cannot be listened to", children_name(c));
	return e;
}

static void due(evutil_socket_t fd, short what, void *arg)
{
	struct revive *r = arg;
	struct diag d;
	int c;

	(void)fd;
	(void)what;
	diag_clear(&d);
	for (c = 0; c < CHILD_N; c++) {
		if (!wanted(r, (enum child)c) || r->children->pid[c] > 0 || event_pending(r->due[c], EV_TIMEOUT, NULL) || start_one(r, (enum child)c, &d) == CLUSTER_OK)
			continue;
		r->say(LOG_LEVEL_ERROR, d.text);
		r->failed(r->arg);
	}
}

enum cluster_err revive_start(struct revive *r, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;
	int c;

	for (c = 0; c < CHILD_N && e == CLUSTER_OK; c++) {
		if (!wanted(r, (enum child)c))
			continue;
		r->due[c] = event_new(r->base, -1, 0, due, r);
		e = r->due[c] ? start_one(r, (enum child)c, d) : diag_set(d, CLUSTER_ENOMEM, "libevent does not start");
	}
	return e;
}

void revive_stop(struct revive *r)
{
	int c;

	for (c = 0; c < CHILD_N; c++) {
		if (r->channel[c])
			event_free(r->channel[c]);
		if (r->due[c])
			event_free(r->due[c]);
		r->channel[c] = r->due[c] = NULL;
	}
}

void revive_mute(struct revive *r, enum child c)
{
	if (r->channel[c])
		event_del(r->channel[c]);
}

void revive_ended(struct revive *r, enum child c, const char *how)
{
	const struct timeval pause = { .tv_sec = PAUSE_SECONDS };
	char line[160];

	revive_mute(r, c);
	snprintf(line, sizeof line, "the %s process has ended (%s): it is started again", children_name(c), how);
	r->say(LOG_LEVEL_ERROR, line);
	if (event_add(r->due[c], &pause) != 0)
		r->failed(r->arg);
}
