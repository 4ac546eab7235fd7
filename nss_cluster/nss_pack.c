/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_pack.h"

#include <stdlib.h>

enum cluster_err nss_pack_grow(const struct nss_gids *list, uint32_t n)
{
	long size = *list->size;
	gid_t *groups;

	size = size < 16 ? 32 : 2 * size;
	if (size < *list->start + (long)n)
		size = *list->start + (long)n;
	if (list->limit > 0 && size > list->limit)
		size = list->limit;
	groups = reallocarray(*list->groups, (size_t)size, sizeof *groups);
	if (!groups)
		return CLUSTER_ENOMEM;
	*list->groups = groups;
	*list->size = size;
	return CLUSTER_OK;
}
