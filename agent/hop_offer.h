/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_HOP_OFFER_H
#define AGENT_HOP_OFFER_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"

#include "hop_judge.h"

/* One certificate of a hop, as it is offered. */
struct hop_offer {
	char account[NAME_ACCOUNT_MAX + 1];
	struct cluster_id jti;
	uint8_t *blob; /* owned */
	size_t n;
};

/*
 * For account number i of a verdict that is REASON_OK, over the key `cnf`, signed by the node's hop key. It names the node's addresses in the directory; without any, it is good from everywhere.
 * CLUSTER_ENOTFOUND: this node is not in the directory. The caller calls hop_offer_done.
 */
enum cluster_err hop_offer_make(const struct trust *t, const struct hop_verdict *v, size_t i, const struct crypto_pub *cnf, const struct crypto_key *key, struct hop_offer *ret) CLUSTER_MUST_USE;
void hop_offer_done(struct hop_offer *o);

#endif
