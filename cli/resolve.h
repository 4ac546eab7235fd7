/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_RESOLVE_H
#define CLI_RESOLVE_H

#include "cluster/directory.h"

/* What people write for a node: name, instance id, address, then a role (its first member in name order), then "leader". NULL: nothing of that kind. */
const struct directory_node *resolve_node(const struct directory *dir, const char *word);
/* The name of a node nearest to the word, or NULL. */
const char *resolve_nearest(const struct directory *dir, const char *word);

#endif
