/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_JOIN_H
#define AUTHORITY_JOIN_H

#include "call.h"

/* POST /v1/join (PROTOCOL.md 6.2): a machine becomes a node. */
#define JOIN_NAMESPACE "cluster-login-join"
call_handler join_run;

/* Gives back what only one node may have, when it is removed. `key` is its id. */
struct change;
struct directory_node;
enum cluster_err join_release(struct change *ch, const struct directory_node *node) CLUSTER_MUST_USE;

/* May a node have this name: is it no role's? May a role: is it no node's? CLUSTER_EVERSION. */
enum cluster_err join_node_name(const struct change *ch, const char *name, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err join_role_name(const struct change *ch, const char *role, struct diag *d) CLUSTER_MUST_USE;

#endif
