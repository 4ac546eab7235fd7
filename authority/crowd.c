/* SPDX-License-Identifier: Apache-2.0 */
#include "crowd.h"

#include <string.h>
#include <time.h>

#include <event2/event.h>

static int64_t now_us(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The list in which it waits. */
static struct crowd_list *line_of(struct crowd *c, const struct crowd_one *one)
{
	return one->patient ? &c->patient : one->kind == CROWD_KNOWN ? &c->regular : &c->fresh;
}

/* By a timer that is due: the loop looks at everything else before. */
static void wake(struct crowd *c)
{
	static const struct timeval at_once = { 0, 0 };
	const bool any = !TAILQ_EMPTY(&c->fresh) || !TAILQ_EMPTY(&c->regular) || (!c->held && !TAILQ_EMPTY(&c->patient));

	if (any && !evtimer_pending(c->event, NULL))
		evtimer_add(c->event, &at_once);
}

static bool run_first(struct crowd *c, struct crowd_list *list)
{
	struct crowd_one *one = TAILQ_FIRST(list);

	if (!one)
		return false;
	TAILQ_REMOVE(list, one, turn);
	one->queued = false;
	c->run(one->owner);
	return true;
}

/* One of each kind in turn. */
static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct crowd *c = ctx;
	int64_t end = now_us() + CROWD_TURN_US;
	bool any = true;

	(void)fd;
	(void)what;
	while (any && now_us() < end) {
		any = run_first(c, &c->fresh);
		any |= run_first(c, &c->regular);
		if (!c->held)
			any |= run_first(c, &c->patient);
	}
	wake(c);
}

enum cluster_err crowd_init(struct crowd *c, struct event_base *base, size_t max)
{
	TAILQ_INIT(&c->local);
	TAILQ_INIT(&c->strangers);
	TAILQ_INIT(&c->known);
	TAILQ_INIT(&c->fresh);
	TAILQ_INIT(&c->regular);
	TAILQ_INIT(&c->patient);
	c->max_strangers = max / 4;
	c->max_known = max - c->max_strangers;
	return (c->event = evtimer_new(base, on_turn, c)) ? CLUSTER_OK : CLUSTER_ENOMEM;
}

void crowd_done(struct crowd *c)
{
	if (c->event)
		event_free(c->event);
	c->event = NULL;
}

bool crowd_admits(struct crowd *c, uint64_t address)
{
	const struct crowd_one *one;
	size_t same = 0;

	if (address) {
		TAILQ_FOREACH(one, &c->strangers, link) {
			if (one->address == address && ++same >= CROWD_ADDRESS)
				return false;
		}
	}
	if (c->n_strangers >= c->max_strangers)
		c->drop(TAILQ_FIRST(&c->strangers)->owner);
	return true;
}

static struct crowd_list *list_of(struct crowd *c, enum crowd_kind kind)
{
	return kind == CROWD_LOCAL ? &c->local : kind == CROWD_STRANGER ? &c->strangers : &c->known;
}

static void count(struct crowd *c, enum crowd_kind kind, size_t by)
{
	if (kind == CROWD_STRANGER)
		c->n_strangers += by;
	else if (kind == CROWD_KNOWN)
		c->n_known += by;
}

void crowd_enter(struct crowd *c, struct crowd_one *one)
{
	one->queued = one->patient = false;
	TAILQ_INSERT_TAIL(list_of(c, one->kind), one, link);
	count(c, one->kind, 1);
}

void crowd_leave(struct crowd *c, struct crowd_one *one)
{
	TAILQ_REMOVE(list_of(c, one->kind), one, link);
	count(c, one->kind, (size_t)-1);
	if (one->queued)
		TAILQ_REMOVE(line_of(c, one), one, turn);
	one->queued = false;
}

bool crowd_known(struct crowd *c, struct crowd_one *one)
{
	const bool queued = one->queued;

	if (one->kind != CROWD_STRANGER)
		return true;
	if (c->n_known >= c->max_known)
		return false;
	crowd_leave(c, one);
	one->kind = CROWD_KNOWN;
	TAILQ_INSERT_TAIL(&c->known, one, link);
	count(c, CROWD_KNOWN, 1);
	if (queued)
		crowd_ready(c, one);
	return true;
}

void crowd_ready(struct crowd *c, struct crowd_one *one)
{
	if (one->queued)
		return;
	one->queued = true;
	/* when more come than can be served, those who came last have not given up yet */
	if (line_of(c, one) == &c->fresh)
		TAILQ_INSERT_HEAD(&c->fresh, one, turn);
	else
		TAILQ_INSERT_TAIL(line_of(c, one), one, turn);
	wake(c);
}

void crowd_patient(struct crowd_one *one)
{
	if (!one->queued && one->kind == CROWD_KNOWN)
		one->patient = true;
}

void crowd_hold(struct crowd *c, bool held)
{
	c->held = held;
	wake(c);
}
