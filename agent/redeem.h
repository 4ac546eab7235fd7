/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_REDEEM_H
#define AGENT_REDEEM_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/id.h"

/*
 * Which one-time credentials have been used on this node (PROTOCOL.md 4.7, 5.7). In memory only: after a start nothing is accepted that may have been issued before it, by a clock that is
 * ahead of this one by no more than is allowed, so that a restart forgets no use. The time never goes back here: what has once been too old stays so, whatever the clock does. Pure but for
 * its own memory.
 */
struct redeem;

/* `most` uses are known at a time; `now`: the clock, or the newest signed time if that is later. NULL: out of memory. */
struct redeem *redeem_new(size_t most, int64_t now);
void redeem_free(struct redeem *r);
/* A signed time that lies later than the clock: it counts as the time, and as that of the start if nothing has been used yet. */
void redeem_floor(struct redeem *r, int64_t signed_time, int64_t now);

/*
 * The one use. `receipt` is random, and what the session stage shows in redeem_confirm; iat may be ahead of the clock by `skew`. CLUSTER_EDENIED: used already, or perhaps issued before the
 * start; CLUSTER_EEXPIRED; CLUSTER_ELIMIT: too many are known, or too many of this person's, none of them of the past.
 */
#define REDEEM_PERSON_MAX 256
struct redeem_use {
	struct cluster_id jti, receipt, person;
	int64_t iat, exp;
	uint32_t skew;
};
enum cluster_err redeem_take(struct redeem *r, const struct redeem_use *use, int64_t now) CLUSTER_MUST_USE;
/* Was it used with this receipt, at most REDEEM_CONFIRM seconds ago, and never confirmed? True once. CLUSTER_EDENIED otherwise. */
#define REDEEM_CONFIRM 300
enum cluster_err redeem_confirm(struct redeem *r, const struct cluster_id *jti, const struct cluster_id *receipt, int64_t now) CLUSTER_MUST_USE;

#endif
