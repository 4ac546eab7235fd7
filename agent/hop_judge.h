/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_HOP_JUDGE_H
#define AGENT_HOP_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/hop.h"
#include "cluster/moment.h"
#include "cluster/reason.h"
#include "cluster/session.h"
#include "cluster/snap.h"
#include "cluster/trust_snap.h"

/* May this node vouch for who asks, and as which accounts (PROTOCOL.md 4.9)? Pure. Whatever is not known is a refusal. */

#define HOP_JUDGE_ACCOUNTS_MAX 5 /* sshd lets a client try six keys */

/* What kernel and root say of who asks. */
struct hop_caller {
	uint32_t uid;
	enum cluster_err err;   /* anything but CLUSTER_OK: root could not tell, or the process has gone */
	bool found;             /* it was started in a session: */
	bool ended;             /* which has been closed, or its leader has gone */
	struct session session;
	char adopted[NAME_ACCOUNT_MAX + 1]; /* the adopted local account that has this uid, or empty */
};

/* What is installed here, now. Borrowed. */
struct hop_view {
	const struct trust *trust;
	const struct snap *accounts;
	struct moment now;
	int64_t max_stale; /* the node's own limit */
};

struct hop_verdict {
	enum reason reason;
	struct diag detail;
	char person[NAME_PERSON_MAX + 1]; /* "-": no person stands behind it */
	struct hop claims;                /* if reason is REASON_OK: all but account, jti and cnf */
	size_t n;
	char account[HOP_JUDGE_ACCOUNTS_MAX][NAME_ACCOUNT_MAX + 1];
};

/* The unrevoked node that has this host key, by a head that is fresh. */
enum reason hop_judge_target(const struct hop_view *v, const void *hostkey, size_t n, struct trust_node *ret, struct diag *d);
/* Returns ret->reason. */
enum reason hop_judge(const struct hop_view *v, const struct hop_caller *c, const struct trust_node *target, struct hop_verdict *ret);

#endif
