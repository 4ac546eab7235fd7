/* SPDX-License-Identifier: Apache-2.0 */
#include "node_view.h"

#include <stdio.h>
#include <string.h>

enum cluster_err node_view_open(const struct node_words *w, struct node_view *ret, struct diag *d)
{
	enum cluster_err e;

	memset(ret, 0, sizeof *ret);
	if ((e = node_conf_load(w->conf != NULL ? w->conf : NODE_CONF_PATH, 0, &ret->conf, d)) != CLUSTER_OK)
		return e;
	if (w->state != NULL && snprintf(ret->conf.state, sizeof ret->conf.state, "%s", w->state) >= (int)sizeof ret->conf.state)
		return diag_set(d, CLUSTER_ECONFIG, "--state-dir is too long");
	if ((e = enrolled_read(ret->conf.state, 0, &ret->enrolled, d)) != CLUSTER_OK)
		return e == CLUSTER_ENOTFOUND ? diag_set(d, e, "this machine has not joined a cluster") : e;
	ret->trust_error = trust_open(ret->conf.state, 0, &ret->trust);
	ret->has_trust = ret->trust_error == CLUSTER_OK;
	return CLUSTER_OK;
}

void node_view_done(struct node_view *v)
{
	if (v->has_trust)
		trust_close(&v->trust);
	v->has_trust = false;
}
