/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_ROOT_RENEW_H
#define AUTHORITY_ROOT_RENEW_H

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "config.h"

/* The next version of the root (PROTOCOL.md 3.1): `cluster-authorityd root`. The pin stays; a running daemon, nodes and people take it over by themselves. */
#define ROOT_LIFE (395 * 86400)

struct root_renew {
	const struct config *conf;
	const char *root_key; /* file */
	const char *new_key;  /* file that is made, for another root key in place of that one; NULL: the same goes on */
};

/*
 * *ret_version of the root; with a new key there is a new keyset too, which that key signs. CLUSTER_EDENIED: not the root's key, or new_key is there. On failure
 * nothing has changed, and the file new_key is gone, or the sentence says that it is to be deleted; what fails in the commit or after it may have changed the root,
 * and new_key stays.
 */
enum cluster_err root_renew_run(const struct root_renew *r, int64_t *ret_version, struct diag *d) CLUSTER_MUST_USE;
/* Version, expiry and keys, on stdout. */
enum cluster_err root_list(const struct config *conf, struct diag *d) CLUSTER_MUST_USE;

#endif
