/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_LIVE_H
#define AUTHORITY_LIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/report.h"

/* The live sessions of one node, as it last said (PROTOCOL.md 6.5). In memory only; what a node says counts for itself alone. */
#define LIVE_NODE_MAX 16384 /* a node's */
#define LIVE_MAX 500000     /* all nodes' */

struct live_one;
struct live {
	bool known; /* there was a full list */
	bool cut;   /* it had more than are kept */
	size_t n, room;
	struct live_one **one; /* in order of id */
};

/*
 * Takes over what a node reports; *total counts over all nodes. Without a full list before it, one that is not full changes nothing. What is more than the limits is
 * left out. CLUSTER_ENOMEM: the list is not known any more.
 */
enum cluster_err live_apply(struct live *l, size_t *total, const struct report *r) CLUSTER_MUST_USE;
void live_done(struct live *l, size_t *total);
/* Number i (below l->n) as it was reported. */
void live_get(const struct live *l, size_t i, struct report_session *ret);

#endif
