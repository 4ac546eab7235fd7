/* SPDX-License-Identifier: Apache-2.0 */
#include "known_hosts.h"

#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "out.h"
#include "view.h"

#define NO_KEY "NONE" /* ssh only asks in which order it shall name the algorithms */

static bool has_key(const struct directory_node *node, const char *key)
{
	const char *space;
	size_t i;

	for (i = 0; i < node->n_hostkeys; i++) {
		if ((space = strchr(node->hostkeys[i], ' ')) != NULL && strcmp(space + 1, key) == 0)
			return true;
	}
	return false;
}

/* ssh breaks off, and its own words are of a known_hosts file that nobody has. */
static void say_stranger(const struct directory_node *node)
{
	out_error("another host answers in place of %s: its key is not the one that the cluster's directory has", node->name);
	if (node->jump != NULL)
		out_try("cluster-login ssh --proxy-ip %s %s (where another network has a host of the same address)", node->jump, node->name);
	out_try("cluster-login get (if %s was installed anew)", node->name);
}

int known_hosts_print(const char *host, const char *key)
{
	const struct directory_node *node;
	struct view *v = NULL;
	struct profile p;
	struct diag d;
	int status;

	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK || view_load(&p, &v, &d) != CLUSTER_OK)
		return out_failed(&d, CMD_TRY_GET);
	/* HostKeyAlias is what ssh asks for. */
	node = directory_node_by_host(v->dir, host);
	for (size_t i = 0; node != NULL && i < node->n_hostkeys; i++)
		printf("%s %s\n", node->name, node->hostkeys[i]);
	if (node != NULL && key != NULL && strcmp(key, NO_KEY) != 0 && !has_key(node, key))
		say_stranger(node);
	status = node != NULL ? EXIT_DONE : EXIT_NO;
	view_free(v);
	return status;
}
