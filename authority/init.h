/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_INIT_H
#define AUTHORITY_INIT_H

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "config.h"

/* Makes a cluster: keys, store, first documents. */
struct init {
	const struct config *conf;
	const char *name, *url;
	const char *root_key; /* NULL: root.key in the directory */
	const char *user;     /* who will serve; NULL: cluster-authority if there is such a user, else who we are */
};

struct init_made {
	struct cluster_id cluster;
	uint8_t pin[32];
	char root_key[600];
};

/* Nothing that exists is overwritten (CLUSTER_EDENIED); after a failure nothing of it is left. */
enum cluster_err init_run(const struct init *in, struct init_made *ret, struct diag *d) CLUSTER_MUST_USE;

#endif
