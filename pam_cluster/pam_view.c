/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_view.h"

#include <inttypes.h>
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

static enum reason damaged(struct diag *d, enum cluster_err e)
{
	diag_set(d, e, "accounts: %s", err_name(e));
	return REASON_SNAPSHOT_DAMAGED;
}

enum reason pam_view_identity(const struct pam_view *v, const struct pam_facts *f, struct diag *d)
{
	struct trust_account listed;
	struct snap_account account;
	enum cluster_err e;

	if (!name_account_ok(f->user))
		return refuse(d, REASON_NAME, "the account name breaks the grammar");
	if (f->adopted)
		return REASON_OK;
	if (f->local == PAM_LOCAL_YES)
		return refuse(d, REASON_SHADOWED, "a local account that is not adopted");
	if (f->nss == PAM_FACTS_NSS_FOUND && f->nss_uid == 0)
		return refuse(d, REASON_ROOT, "getpwnam gives uid 0");
	if ((e = trust_account_by_name(&v->trust, f->user, &listed)) == CLUSTER_ENOTFOUND)
		return f->nss == PAM_FACTS_NSS_FOUND ? refuse(d, REASON_FOREIGN, "not in the directory") : refuse(d, REASON_ACCOUNT_UNKNOWN, "not in the directory");
	if (e != CLUSTER_OK)
		return damaged(d, e);
	if ((e = snap_account_by_name(&v->accounts, f->user, &account)) == CLUSTER_ENOTFOUND)
		return refuse(d, REASON_SHADOWED, "left out of accounts.snap because it collides with something local");
	if (e != CLUSTER_OK)
		return damaged(d, e);
	if (f->nss == PAM_FACTS_NSS_ERROR)
		return refuse(d, REASON_SYSTEM, "getpwnam failed");
	if (f->nss != PAM_FACTS_NSS_FOUND)
		return refuse(d, REASON_ACCOUNT_UNKNOWN, "getpwnam does not know it: is cluster in nsswitch.conf?");
	if (account.uid != listed.uid || f->nss_uid != listed.uid || !name_id_ok(listed.uid)) {
		diag_set(d, CLUSTER_EDENIED, "uid %lu by getpwnam, %" PRIu32 " in accounts.snap, %" PRIu32 " in trust.snap", (unsigned long)f->nss_uid, account.uid, listed.uid);
		return REASON_SHADOWED;
	}
	return REASON_OK;
}

bool pam_view_foreign(const struct pam_view *v, const struct pam_facts *f, int64_t max_stale)
{
	struct trust_account listed;
	struct snap_account account;
	struct diag d;

	return f->local == PAM_LOCAL_NO && f->nss == PAM_FACTS_NSS_FOUND && v->reason == REASON_OK && policy_fresh(&v->trust, &v->now, max_stale, &d) == REASON_OK &&
	    trust_account_by_name(&v->trust, f->user, &listed) == CLUSTER_ENOTFOUND && snap_account_by_name(&v->accounts, f->user, &account) == CLUSTER_ENOTFOUND;
}
