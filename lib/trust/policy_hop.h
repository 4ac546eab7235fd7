/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_POLICY_HOP_H
#define TRUST_POLICY_HOP_H

#include "policy_check.h"

/* A login that another node vouches for (PROTOCOL.md 4.9), and what of it the check of open sessions shares. Each as in policy_check.h. */

/* The whole decision on q->hop but for name and freshness. */
enum reason policy_hop_decide(const struct trust *t, const struct policy_request *q, struct policy_answer *a);
/* What counts as the time of issue: the person's authentication; of a machine's its own. */
int64_t policy_hop_issued(const struct hop *h);
/* The node that vouched: in the directory, and not revoked for what was issued then. */
enum reason policy_hop_source(const struct trust *t, const struct cluster_id *node, int64_t issued, struct trust_node *ret, struct diag *d);
/* The session there. */
enum reason policy_hop_parent(const struct trust *t, const struct cluster_id *session, int64_t issued, struct diag *d);
/* Where that one came from: each node as the last one, each session. */
enum reason policy_hop_way(const struct trust *t, const struct hop_place *way, size_t n, int64_t issued, struct diag *d);

#endif
