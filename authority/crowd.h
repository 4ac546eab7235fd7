/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_CROWD_H
#define AUTHORITY_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "cluster/attr.h"
#include "cluster/err.h"

struct event;
struct event_base;

/*
 * Who may be here, and whose turn it is (PROTOCOL.md 6). A stranger is a connection whose peer has proved nothing yet: a quarter of all places is theirs, and CROWD_ADDRESS of one
 * address. If that quarter is full, the one that has been here longest goes. Known peers never fill it, so whoever has to come in, an administrator say, can. Who has something to
 * do waits for his turn; patient ones (who have waited for a head before) wait until a new head has reached everybody.
 */
#define CROWD_ADDRESS 128
#define CROWD_TURN_US 4000

enum crowd_kind { CROWD_LOCAL, CROWD_STRANGER, CROWD_KNOWN };

struct crowd_one {
	TAILQ_ENTRY(crowd_one) link, turn;
	void *owner;
	uint64_t address; /* 0: not counted by address */
	enum crowd_kind kind;
	bool queued, patient;
};
TAILQ_HEAD(crowd_list, crowd_one);

struct crowd {
	struct crowd_list local, strangers, known; /* oldest first */
	struct crowd_list fresh, regular, patient; /* who has something to do: the newest stranger first, the others in order */
	size_t n_strangers, n_known, max_strangers, max_known;
	struct event *event;
	bool held;
	void (*run)(void *owner);  /* its turn; may remove it */
	void (*drop)(void *owner); /* has to remove it */
};

/* At most `max` connections besides local ones. crowd_done releases, also after failure; nobody may be in it. */
enum cluster_err crowd_init(struct crowd *c, struct event_base *base, size_t max) CLUSTER_MUST_USE;
void crowd_done(struct crowd *c);

/* May one more from this address come in? Drops the oldest stranger if there is no place. */
bool crowd_admits(struct crowd *c, uint64_t address);
/* `one` (the caller's storage; owner, address and kind are set) is in until crowd_leave. */
void crowd_enter(struct crowd *c, struct crowd_one *one);
void crowd_leave(struct crowd *c, struct crowd_one *one);
/* Its peer has proved who he is. False: there is no place to stay; he remains a stranger. */
bool crowd_known(struct crowd *c, struct crowd_one *one);

/* It has something to do: `run` is called once, in its turn. */
void crowd_ready(struct crowd *c, struct crowd_one *one);
/* It will wait for heads: from now on it is patient, if it is known. */
void crowd_patient(struct crowd_one *one);
/* While held, patient ones have no turn. */
void crowd_hold(struct crowd *c, bool held);

#endif
