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
 * Who may be here, and whose turn it is (PROTOCOL.md 6). A stranger is a connection whose peer has proved nothing yet; one from an address that the directory gives to a node is
 * expected. A quarter of all places is the strangers', the rest is for the known and the expected, so neither can shut the others out: if there is no place, the stranger, or the
 * expected one, that has been here longest goes. CROWD_ADDRESS of one address may be either. Who has something to do waits for his turn: one of each kind in turn; of strangers
 * and of the expected the newest first, because when more come than can be served, those who came last have not given up yet; who has more to do at the end of his turn stands
 * behind them all. Patient ones (who have waited for a head before) wait until a new head has reached everybody.
 */
#define CROWD_ADDRESS 128
#define CROWD_TURN_US 4000
#define CROWD_SLOTS 65536

enum crowd_kind { CROWD_LOCAL, CROWD_STRANGER, CROWD_EXPECTED, CROWD_KNOWN, CROWD_KIND_N };

struct crowd_one {
	TAILQ_ENTRY(crowd_one) link, turn;
	void *owner;
	uint64_t address; /* 0: not counted by address */
	enum crowd_kind kind;
	bool queued, patient;
};
TAILQ_HEAD(crowd_list, crowd_one);

struct crowd {
	struct crowd_list all[CROWD_KIND_N];   /* oldest first */
	struct crowd_list ready[CROWD_KIND_N]; /* who has something to do, but for the patient */
	struct crowd_list patient;
	size_t n[CROWD_KIND_N], max_strangers, max_known;
	uint16_t by_address[CROWD_SLOTS]; /* strangers and expected ones; addresses of one slot count as one */
	uint64_t seed;
	struct event *event;
	const struct crowd_one *running; /* whose turn it is; may be gone already */
	bool held;
	void (*run)(void *owner);  /* its turn; may remove it */
	void (*drop)(void *owner); /* has to remove it */
};

/* At most `max` connections besides local ones. crowd_done releases, also after failure; nobody may be in it. */
enum cluster_err crowd_init(struct crowd *c, struct event_base *base, size_t max) CLUSTER_MUST_USE;
void crowd_done(struct crowd *c);

/* May one more of this kind come in from this address? Drops the oldest if there is no place. */
bool crowd_admits(struct crowd *c, enum crowd_kind kind, uint64_t address);
/* `one` (the caller's storage; owner, address and kind are set) is in until crowd_leave. */
void crowd_enter(struct crowd *c, struct crowd_one *one);
void crowd_leave(struct crowd *c, struct crowd_one *one);
/* Its peer has proved who he is. False: there is no place to stay; he remains what he was. */
bool crowd_known(struct crowd *c, struct crowd_one *one);

/* It has something to do: `run` is called once, in its turn. */
void crowd_ready(struct crowd *c, struct crowd_one *one);
/* It will wait for heads: from now on it is patient, if it is known. */
void crowd_patient(struct crowd_one *one);
/* While held, patient ones have no turn. */
void crowd_hold(struct crowd *c, bool held);

#endif
