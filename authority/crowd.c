/* SPDX-License-Identifier: Apache-2.0 */
#include "crowd.h"

#include <string.h>
#include <time.h>

#include <event2/event.h>

#define BUSY 64

static int64_t now_us(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* By a timer that is due: the loop looks at everything else before. */
static void wake(struct crowd *c)
{
	static const struct timeval at_once = { 0, 0 };

	if ((!TAILQ_EMPTY(&c->ready) || (!c->held && !TAILQ_EMPTY(&c->patient))) && !evtimer_pending(c->event, NULL))
		evtimer_add(c->event, &at_once);
}

static struct crowd_one *take(struct crowd_list *list)
{
	struct crowd_one *one = TAILQ_FIRST(list);

	if (one) {
		TAILQ_REMOVE(list, one, turn);
		one->queued = false;
	}
	return one;
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct crowd *c = ctx;
	int64_t end = now_us() + CROWD_TURN_US;
	bool any = true;

	(void)fd;
	(void)what;
	while (any) {
		struct crowd_one *one = take(&c->ready);

		any = one != NULL;
		if (one)
			c->run(one->owner);
		if (!c->held && (one = take(&c->patient))) {
			any = true;
			c->run(one->owner);
		}
		if (now_us() >= end)
			break;
	}
	wake(c);
}

enum cluster_err crowd_init(struct crowd *c, struct event_base *base, size_t max)
{
	TAILQ_INIT(&c->local);
	TAILQ_INIT(&c->strangers);
	TAILQ_INIT(&c->known);
	TAILQ_INIT(&c->ready);
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
		TAILQ_REMOVE(one->patient ? &c->patient : &c->ready, one, turn);
	one->queued = false;
}

bool crowd_known(struct crowd *c, struct crowd_one *one)
{
	if (one->kind != CROWD_STRANGER)
		return true;
	if (c->n_known >= c->max_known)
		return false;
	crowd_leave(c, one);
	one->kind = CROWD_KNOWN;
	TAILQ_INSERT_TAIL(&c->known, one, link);
	count(c, CROWD_KNOWN, 1);
	return true;
}

void crowd_ready(struct crowd *c, struct crowd_one *one)
{
	if (one->queued)
		return;
	one->queued = true;
	TAILQ_INSERT_TAIL(one->patient ? &c->patient : &c->ready, one, turn);
	wake(c);
}

bool crowd_busy(const struct crowd *c)
{
	const struct crowd_one *one;
	size_t n = 0;

	TAILQ_FOREACH(one, &c->ready, turn) {
		if (++n >= BUSY)
			return true;
	}
	return false;
}

void crowd_hold(struct crowd *c, bool held)
{
	c->held = held;
	wake(c);
}
