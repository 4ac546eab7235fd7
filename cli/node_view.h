/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_NODE_VIEW_H
#define CLI_NODE_VIEW_H

#include <stdbool.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/enrolled.h"
#include "cluster/err.h"
#include "cluster/node_conf.h"
#include "cluster/trust_snap.h"

/* This machine as a node: configuration, marker, snapshot. What everybody may read. */
struct node_view {
	struct node_conf conf;
	struct enrolled enrolled;
	struct trust trust;
	bool has_trust;
	enum cluster_err trust_error; /* why there is none */
};

/* First member of the commands that look at a node. */
struct node_words {
	const char *conf, *state;
};
#define NODE_OPTIONS(type) \
	{ "conf", 0, COMMAND_TEXT, offsetof(type, node.conf), 0, 0, "FILE", "the node's configuration (/etc/cluster-login/node.conf)" }, \
	{ "state-dir", 0, COMMAND_TEXT, offsetof(type, node.state), 0, 0, "DIR", "where the node's state is (/var/lib/cluster-login)" }

/* CLUSTER_ENOTFOUND: not a node. The snapshot may be missing even on success. The caller calls node_view_done. */
enum cluster_err node_view_open(const struct node_words *w, struct node_view *ret, struct diag *d) CLUSTER_MUST_USE;
void node_view_done(struct node_view *v);

#endif
