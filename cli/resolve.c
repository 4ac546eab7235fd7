/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/conf.h"

static bool has_role(const struct directory_node *n, const char *role)
{
	size_t i;

	for (i = 0; i < n->n_roles; i++) {
		if (strcmp(n->roles[i], role) == 0)
			return true;
	}
	return n->leader && strcmp(role, "leader") == 0;
}

const struct directory_node *resolve_named(const struct directory *dir, const char *word)
{
	const struct directory_node *found = directory_node_by_host(dir, word);
	size_t i;

	if (found != NULL)
		return found;
	for (i = 0; i < dir->n_nodes; i++) {
		const struct directory_node *n = &dir->nodes[i];

		if (has_role(n, word) && (found == NULL || strcmp(n->name, found->name) < 0))
			found = n;
	}
	return found;
}

/* A node tells its instance id itself when it joins: of two that say the same neither is believed. */
static const struct directory_node *by_instance(const struct directory *dir, const char *word)
{
	const struct directory_node *found = NULL;

	for (size_t i = 0; i < dir->n_nodes; i++) {
		const struct directory_node *n = &dir->nodes[i];

		if (n->instance == NULL || strcmp(n->instance, word) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = n;
	}
	return found;
}

const struct directory_node *resolve_node(const struct directory *dir, const char *word)
{
	const struct directory_node *found = resolve_named(dir, word);

	return found != NULL ? found : by_instance(dir, word);
}

bool resolve_selector(const struct directory *dir, const char *word, char *dst, size_t size)
{
	const struct directory_node *named = dir != NULL ? directory_node_by_host(dir, word) : NULL, *any = dir != NULL ? resolve_node(dir, word) : NULL;
	const char *kind = "node:";
	int n;

	if (strchr(word, ':') != NULL && named == NULL)
		kind = "";
	else if (named != NULL || (any != NULL && (strcmp(word, "leader") == 0 || !has_role(any, word))))
		word = any->name;
	else if (any != NULL)
		kind = "role:";
	n = snprintf(dst, size, "%s%s", kind, word);
	return n >= 0 && (size_t)n < size;
}

const char *resolve_nearest(const struct directory *dir, const char *word)
{
	struct row { const char *name; } *rows;
	const char *near = NULL;
	size_t i;

	if (dir->n_nodes == 0 || (rows = calloc(dir->n_nodes, sizeof *rows)) == NULL)
		return NULL;
	for (i = 0; i < dir->n_nodes; i++)
		rows[i].name = dir->nodes[i].name;
	near = conf_nearest(word, rows, dir->n_nodes, sizeof *rows);
	free(rows);
	return near;
}
