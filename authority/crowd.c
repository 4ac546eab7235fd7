/* SPDX-License-Identifier: Apache-2.0 */
#include "crowd.h"

#include <time.h>

#include <event2/event.h>

#include "cluster/crypto.h"

static int64_t now_us(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The line in which it waits. */
static struct crowd_list *line_of(struct crowd *c, const struct crowd_one *one)
{
	return one->patient ? &c->patient : &c->ready[one->kind];
}

static uint16_t *slot_of(struct crowd *c, uint64_t address)
{
	uint64_t h = (address ^ c->seed) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return &c->by_address[(h ^ h >> 32) % CROWD_SLOTS];
}

static bool unproved(enum crowd_kind kind)
{
	return kind == CROWD_STRANGER || kind == CROWD_EXPECTED;
}

/* By a timer that is due: the loop looks at everything else before. */
static void wake(struct crowd *c)
{
	static const struct timeval at_once = { 0, 0 };
	bool any = !c->held && !TAILQ_EMPTY(&c->patient);

	for (int k = 0; k < CROWD_KIND_N; k++)
		any = any || !TAILQ_EMPTY(&c->ready[k]);
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
	c->running = one;
	c->run(one->owner);
	c->running = NULL;
	return true;
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct crowd *c = ctx;
	int64_t end = now_us() + CROWD_TURN_US;
	bool any;

	(void)fd;
	(void)what;
	do { /* once at least, however little of the machine is ours */
		any = !c->held && run_first(c, &c->patient);
		for (int k = 0; k < CROWD_KIND_N; k++)
			any |= run_first(c, &c->ready[k]);
	} while (any && now_us() < end);
	wake(c);
}

enum cluster_err crowd_init(struct crowd *c, struct event_base *base, size_t max)
{
	for (int k = 0; k < CROWD_KIND_N; k++) {
		TAILQ_INIT(&c->all[k]);
		TAILQ_INIT(&c->ready[k]);
	}
	TAILQ_INIT(&c->patient);
	c->max_strangers = max / 4;
	c->max_known = max - c->max_strangers;
	if (!(c->event = evtimer_new(base, on_turn, c)))
		return CLUSTER_ENOMEM;
	return crypto_random(&c->seed, sizeof c->seed);
}

void crowd_done(struct crowd *c)
{
	if (c->event)
		event_free(c->event);
	c->event = NULL;
}

bool crowd_admits(struct crowd *c, enum crowd_kind kind, uint64_t address)
{
	const bool stranger = kind == CROWD_STRANGER;

	if (address && *slot_of(c, address) >= CROWD_ADDRESS)
		return false;
	if (stranger ? c->n[kind] < c->max_strangers : c->n[CROWD_EXPECTED] + c->n[CROWD_KNOWN] < c->max_known)
		return true;
	if (TAILQ_EMPTY(&c->all[kind]))
		return false; /* the known alone fill it */
	c->drop(TAILQ_FIRST(&c->all[kind])->owner);
	return true;
}

static void count_in(struct crowd *c, struct crowd_one *one)
{
	TAILQ_INSERT_TAIL(&c->all[one->kind], one, link);
	c->n[one->kind]++;
	if (unproved(one->kind) && one->address)
		++*slot_of(c, one->address);
}

void crowd_enter(struct crowd *c, struct crowd_one *one)
{
	one->queued = one->patient = false;
	count_in(c, one);
}

void crowd_leave(struct crowd *c, struct crowd_one *one)
{
	TAILQ_REMOVE(&c->all[one->kind], one, link);
	c->n[one->kind]--;
	if (unproved(one->kind) && one->address)
		--*slot_of(c, one->address);
	if (one->queued)
		TAILQ_REMOVE(line_of(c, one), one, turn);
	one->queued = false;
}

bool crowd_known(struct crowd *c, struct crowd_one *one)
{
	const bool queued = one->queued;

	if (!unproved(one->kind))
		return true;
	if (c->n[CROWD_KNOWN] + c->n[CROWD_EXPECTED] - (one->kind == CROWD_EXPECTED) >= c->max_known)
		return false;
	crowd_leave(c, one);
	one->kind = CROWD_KNOWN;
	count_in(c, one);
	if (queued)
		crowd_ready(c, one);
	return true;
}

void crowd_ready(struct crowd *c, struct crowd_one *one)
{
	if (one->queued)
		return;
	one->queued = true;
	if (unproved(one->kind) && one != c->running)
		TAILQ_INSERT_HEAD(line_of(c, one), one, turn);
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
