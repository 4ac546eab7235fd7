/* SPDX-License-Identifier: Apache-2.0 */
#include "known_hosts.h"

#include <stdio.h>

#include "cmd.h"
#include "out.h"
#include "view.h"

int known_hosts_print(const char *host)
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
	status = node != NULL ? EXIT_DONE : EXIT_NO;
	view_free(v);
	return status;
}
