/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_USER_H
#define AUTHORITY_USER_H

#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* Who the daemon is. Without root there is nothing to become. */
struct user {
	uid_t uid;
	gid_t gid;
};

/* By name. CLUSTER_ENOTFOUND. */
enum cluster_err user_find(const char *name, struct user *ret, struct diag *d) CLUSTER_MUST_USE;
/* Who a directory belongs to. CLUSTER_ENOTFOUND: it is not there. */
enum cluster_err user_of(const char *dir, struct user *ret, struct diag *d) CLUSTER_MUST_USE;
/* Becomes `u` for good, with no group but its own; nothing happens if we are that already. */
enum cluster_err user_become(const struct user *u, struct diag *d) CLUSTER_MUST_USE;

#endif
