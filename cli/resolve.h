/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_RESOLVE_H
#define CLI_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/directory.h"

/* A node by what the authority has seen to: name, address, then a role (its first member in name order) or "leader". NULL: nothing of that kind. */
const struct directory_node *resolve_named(const struct directory *dir, const char *word);
/* What people write for a node: as above, and if that knows nothing the instance id that exactly one node says it has. */
const struct directory_node *resolve_node(const struct directory *dir, const char *word);
/*
 * What people write for nodes that a credential is narrowed to, as a selector (PROTOCOL.md 3.4): "role:core" and "node:x" are that already; a role stands for all its nodes, anything
 * else that resolve_node knows for that node, and what nobody knows is taken for a node's name. `dir` may be NULL. False: it does not fit.
 */
bool resolve_selector(const struct directory *dir, const char *word, char *dst, size_t size);
/* The name of a node nearest to the word, or NULL. */
const char *resolve_nearest(const struct directory *dir, const char *word);

#endif
