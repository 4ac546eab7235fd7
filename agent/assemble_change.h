/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_ASSEMBLE_CHANGE_H
#define AGENT_ASSEMBLE_CHANGE_H

#include "assemble.h"
#include "assemble_set.h"

/*
 * Outputs as changes of what is installed (cluster/snap_change.h): made from the records of the shards that differ, so that their cost follows what has changed. For assemble_build.c.
 */

/* Is it worth it: are both sets there, and do they share most of their shards? */
bool assemble_change_small(const struct assemble_set *was, const struct assemble_set *is);
enum cluster_err assemble_change_trust(const struct assemble *a, const struct assemble_set *was, const struct assemble_set *is, struct snap_bytes *ret, struct diag *d) CLUSTER_MUST_USE;
/* *ret stays empty if no record that accounts.snap has anything of is in a shard that differs. `report` as in assemble_build, for those shards. */
enum cluster_err assemble_change_accounts(const struct assemble *a, const struct assemble_set *is, const struct local_report *report, struct snap_bytes *ret, struct diag *d) CLUSTER_MUST_USE;

#endif
