/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/identity.h"

#include <inttypes.h>
#include <string.h>

#include "cluster/name.h"
#include "cluster/node_conf.h"

void identity_init(struct identity *i, const char *user, const char *passwd)
{
	memset(i, 0, sizeof *i);
	i->user = user;
	i->local = local_find(passwd, user, &i->local_uid);
}

void identity_rest(struct identity *i, const struct conf_list *adopt)
{
	i->adopted = adopt && i->local == LOCAL_YES && name_id_ok(i->local_uid) && node_conf_listed(adopt, i->user);
	if (i->local != LOCAL_YES)
		i->nss = local_ask_nss(i->user, &i->nss_uid);
}

static enum reason damaged(struct diag *d, enum cluster_err e)
{
	diag_set(d, e, "accounts: %s", err_name(e));
	return REASON_SNAPSHOT_DAMAGED;
}

enum reason identity_check(const struct trust *t, const struct snap *accounts, const struct identity *i, struct diag *d)
{
	struct trust_account listed;
	struct snap_account account;
	enum cluster_err e;

	if (!name_account_ok(i->user))
		return reason_refuse(d, REASON_NAME, "the account name breaks the grammar");
	if (i->adopted)
		return REASON_OK;
	if (i->local == LOCAL_YES)
		return reason_refuse(d, REASON_SHADOWED, "a local account that is not adopted");
	if (i->nss == LOCAL_NSS_FOUND && i->nss_uid == 0)
		return reason_refuse(d, REASON_ROOT, "getpwnam gives uid 0");
	if ((e = trust_account_by_name(t, i->user, &listed)) == CLUSTER_ENOTFOUND)
		return i->nss == LOCAL_NSS_FOUND ? reason_refuse(d, REASON_FOREIGN, "not in the directory") : reason_refuse(d, REASON_ACCOUNT_UNKNOWN, "not in the directory");
	if (e != CLUSTER_OK)
		return damaged(d, e);
	if ((e = snap_account_by_name(accounts, i->user, &account)) == CLUSTER_ENOTFOUND)
		return reason_refuse(d, REASON_SHADOWED, "left out of accounts.snap because it collides with something local");
	if (e != CLUSTER_OK)
		return damaged(d, e);
	if (i->nss == LOCAL_NSS_ERROR)
		return reason_refuse(d, REASON_SYSTEM, "getpwnam failed");
	if (i->nss != LOCAL_NSS_FOUND)
		return reason_refuse(d, REASON_ACCOUNT_UNKNOWN, "getpwnam does not know it: is cluster in nsswitch.conf?");
	if (account.uid != listed.uid || i->nss_uid != listed.uid || !name_id_ok(listed.uid)) {
		diag_set(d, CLUSTER_EDENIED, "uid %lu by getpwnam, %" PRIu32 " in accounts.snap, %" PRIu32 " in trust.snap", (unsigned long)i->nss_uid, account.uid, listed.uid);
		return REASON_SHADOWED;
	}
	return REASON_OK;
}
