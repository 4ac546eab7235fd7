/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_ROTATE_H
#define AUTHORITY_ROTATE_H

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "config.h"

/* Changes the keyset under the root key: `cluster-authorityd keyset`. A running daemon takes it over within a second. */
struct rotate {
	const struct config *conf;
	const char *root_key; /* file */
	const char *role;     /* make a new key for this role, or NULL */
	const char *remove;   /* kid to be taken out, or NULL */
};

/* *ret_version of the keyset. CLUSTER_EVERSION: removing it would leave a role without a key. */
enum cluster_err rotate_run(const struct rotate *r, int64_t *ret_version, struct diag *d) CLUSTER_MUST_USE;
struct authority;
/* Opens a zeroed authority as the user to whom its directory belongs, who root becomes for good. The caller calls authority_close in any case. */
enum cluster_err rotate_open(struct authority *a, const struct config *conf, struct diag *d) CLUSTER_MUST_USE;
/* One line for each key, on stdout. */
enum cluster_err rotate_list(const struct config *conf, struct diag *d) CLUSTER_MUST_USE;

#endif
