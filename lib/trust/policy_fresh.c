/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/policy.h"

#include <inttypes.h>

struct policy_age policy_age(const struct trust *t, const struct moment *now, int64_t max_stale)
{
	const struct snap_fresh *f = &t->fresh;
	bool same_boot = id_equal(&f->boot_id, &now->boot_id);

	return (struct policy_age){
		.limit = max_stale > 0 && max_stale < t->self.max_stale ? max_stale : t->self.max_stale,
		.wall = now->wall - f->head_iat,
		.boot = same_boot ? now->boot - f->boot_time : now->boot, /* after a boot the head is at least as old as the boot */
		.behind = f->newest_iat - now->wall,
		.same_boot = same_boot,
	};
}

bool policy_age_warns(const struct policy_age *a)
{
	return a->wall > a->limit / 2 || a->boot > a->limit / 2;
}

enum reason policy_fresh(const struct trust *t, const struct moment *now, int64_t max_stale, struct diag *d)
{
	const struct policy_age a = policy_age(t, now, max_stale);
	const struct snap_fresh *f = &t->fresh;

	if (a.behind > t->self.skew) {
		diag_set(d, reason_err(REASON_CLOCK_BEHIND), "clock %" PRId64 ", newest signed time %" PRId64 ", skew %" PRIu32, now->wall, f->newest_iat, t->self.skew);
		return REASON_CLOCK_BEHIND;
	}
	if (a.wall > a.limit) {
		diag_set(d, reason_err(REASON_STALE_WALL), "head of %" PRId64 ", clock %" PRId64 ", limit %" PRId64, f->head_iat, now->wall, a.limit);
		return REASON_STALE_WALL;
	}
	if (a.boot > a.limit || a.boot < 0) {
		diag_set(d, reason_err(REASON_STALE_BOOT), "by the boot clock %" PRId64 " s old, %s boot, limit %" PRId64, a.boot, a.same_boot ? "same" : "earlier", a.limit);
		return REASON_STALE_BOOT;
	}
	return REASON_OK;
}
