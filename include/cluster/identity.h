/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_IDENTITY_H
#define CLUSTER_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

#include "cluster/conf.h"
#include "cluster/diag.h"
#include "cluster/local.h"
#include "cluster/reason.h"
#include "cluster/snap.h"
#include "cluster/trust_snap.h"

/* Whose is an account name on this node? The same rules for PAM and for the principals command. lib/trust/identity.c. */
struct identity {
	const char *user;        /* borrowed */
	enum local_found local;
	uid_t local_uid;
	bool adopted;            /* local, and listed in adopt = */
	enum local_nss nss;      /* what getpwnam says of a name that is not local */
	uid_t nss_uid;
};

/* The local file alone. */
void identity_init(struct identity *i, const char *user, const char *passwd);
/* Then the rest: `adopt` of node.conf, NULL while it cannot be had, and the name service. */
void identity_rest(struct identity *i, const struct conf_list *adopt);

/* Is the account one whose identity is the directory's, or an adopted one? (THREATS.md D7) A reason with its facts in `d` if it is not. */
enum reason identity_check(const struct trust *t, const struct snap *accounts, const struct identity *i, struct diag *d);

#endif
