/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_HITS_H
#define AUTHORITY_HITS_H

#include <stdbool.h>

#include "cluster/report.h"
#include "cluster/revoke.h"

/*
 * Would this revocation end that session of that node? As policy_session.c decides on the node, but for what only the node knows: another grant may carry a session whose
 * role is revoked. Pure.
 */
bool hits_session(const struct revoke_entry *e, const struct report_session *s, const struct cluster_id *node);
/* Is the person one of those that a lockdown's value lists? */
bool hits_spares(const char *list, const struct cluster_id *person);

#endif
