/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snapshots.h"

#include <string.h>

#include "cluster/policy.h"

static enum reason open_all(struct snapshots *s, const char *state, uid_t owner)
{
	struct snap_fresh fresh;
	enum cluster_err e;

	if ((e = moment_now(&s->now)) != CLUSTER_OK) {
		diag_set(&s->detail, reason_err(REASON_SYSTEM), "the clocks cannot be read");
		return REASON_SYSTEM;
	}
	if ((e = trust_open(state, owner, &s->trust)) != CLUSTER_OK) {
		diag_set(&s->detail, e, "%s: trust.snap: %s", state, err_name(e));
		return policy_snapshot_reason(e);
	}
	if ((e = snap_open_current(state, owner, SNAP_ACCOUNTS, &s->accounts, &fresh)) != CLUSTER_OK) {
		diag_set(&s->detail, e, "%s: accounts.snap: %s", state, err_name(e));
		return policy_snapshot_reason(e);
	}
	return REASON_OK;
}

void snapshots_open(struct snapshots *s, const char *state_dir, uid_t owner)
{
	memset(s, 0, sizeof *s);
	s->reason = REASON_SYSTEM;
	s->reason = open_all(s, state_dir, owner);
}

void snapshots_close(struct snapshots *s)
{
	trust_close(&s->trust);
	snap_close(&s->accounts);
	memset(&s->accounts, 0, sizeof s->accounts);
}
