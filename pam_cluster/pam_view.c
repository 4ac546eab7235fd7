/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_view.h"

#include <string.h>

#include "cluster/policy.h"

void pam_view_open(struct snapshots *v, const struct pam_conf *conf)
{
	if (conf->diag.code == CLUSTER_OK) {
		snapshots_open(v, pam_conf_state(conf), (uid_t)conf->args.owner);
		return;
	}
	memset(v, 0, sizeof *v);
	v->detail = conf->diag;
	v->reason = conf->diag.code == CLUSTER_ENOMEM ? REASON_SYSTEM : REASON_CONFIG;
}

bool pam_view_foreign(const struct snapshots *v, const struct pam_facts *f, int64_t max_stale)
{
	struct trust_account listed;
	struct snap_account account;
	struct diag d;

	return f->who.local == LOCAL_NO && f->who.nss == LOCAL_NSS_FOUND && v->reason == REASON_OK && policy_fresh(&v->trust, &v->now, max_stale, &d) == REASON_OK &&
	    trust_account_by_name(&v->trust, f->user, &listed) == CLUSTER_ENOTFOUND && snap_account_by_name(&v->accounts, f->user, &account) == CLUSTER_ENOTFOUND;
}
