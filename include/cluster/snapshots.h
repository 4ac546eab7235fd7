/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SNAPSHOTS_H
#define CLUSTER_SNAPSHOTS_H

#include <sys/types.h>

#include "cluster/diag.h"
#include "cluster/moment.h"
#include "cluster/reason.h"
#include "cluster/snap.h"
#include "cluster/trust_snap.h"

/* The present snapshots and the clocks, read together: what a decision looks at. Zeroes where something could not be had. lib/trust/snapshots.c. */
struct snapshots {
	struct moment now;
	struct trust trust;
	struct snap accounts;
	enum reason reason; /* REASON_OK, or why nobody can be let in */
	struct diag detail;
};

/* Never fails: what went wrong is in s->reason. Released by snapshots_close, which is harmless on a zeroed struct and when called twice. */
void snapshots_open(struct snapshots *s, const char *state_dir, uid_t owner);
void snapshots_close(struct snapshots *s);

#endif
