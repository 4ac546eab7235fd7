/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_view.h"

#include <string.h>

#include "cluster/policy.h"

static enum reason refuse(struct diag *d, enum reason r, const char *what)
{
	diag_set(d, reason_err(r), "%s", what);
	return r;
}

static enum reason open_all(struct pam_view *v, const struct pam_conf *conf)
{
	const char *state = pam_conf_state(conf);
	uid_t owner = (uid_t)conf->args.owner;
	struct snap_fresh fresh;
	enum cluster_err e;

	if (conf->diag.code != CLUSTER_OK) {
		v->detail = conf->diag;
		return conf->diag.code == CLUSTER_ENOMEM ? REASON_SYSTEM : REASON_CONFIG;
	}
	if ((e = moment_now(&v->now)) != CLUSTER_OK)
		return refuse(&v->detail, REASON_SYSTEM, "the clocks cannot be read");
	if ((e = trust_open(state, owner, &v->trust)) != CLUSTER_OK) {
		diag_set(&v->detail, e, "%s: trust.snap: %s", state, err_name(e));
		return policy_snapshot_reason(e);
	}
	if ((e = snap_open_current(state, owner, SNAP_ACCOUNTS, &v->accounts, &fresh)) != CLUSTER_OK) {
		diag_set(&v->detail, e, "%s: accounts.snap: %s", state, err_name(e));
		return policy_snapshot_reason(e);
	}
	return REASON_OK;
}

void pam_view_open(struct pam_view *v, const struct pam_conf *conf)
{
	memset(v, 0, sizeof *v);
	v->reason = REASON_SYSTEM;
	v->reason = open_all(v, conf);
}

void pam_view_close(struct pam_view *v)
{
	trust_close(&v->trust);
	snap_close(&v->accounts);
	memset(&v->accounts, 0, sizeof v->accounts);
}

bool pam_view_foreign(const struct pam_view *v, const struct pam_facts *f, int64_t max_stale)
{
	struct trust_account listed;
	struct snap_account account;
	struct diag d;

	return f->who.local == LOCAL_NO && f->who.nss == LOCAL_NSS_FOUND && v->reason == REASON_OK && policy_fresh(&v->trust, &v->now, max_stale, &d) == REASON_OK &&
	    trust_account_by_name(&v->trust, f->user, &listed) == CLUSTER_ENOTFOUND && snap_account_by_name(&v->accounts, f->user, &account) == CLUSTER_ENOTFOUND;
}
