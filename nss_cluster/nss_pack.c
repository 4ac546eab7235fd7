/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_pack.h"

#include <stdlib.h>

#include "cluster/snap_near.h"

/* Room for n more entries, or as many as the caller wants, if it has a limit. */
static enum cluster_err make_room(const struct nss_gids *list, uint32_t n)
{
	long size = *list->size;
	gid_t *groups;

	if (size - *list->start >= (long)n || (list->limit > 0 && size >= list->limit))
		return CLUSTER_OK;
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

enum cluster_err nss_pack_gids(const uint8_t *gids, uint32_t n, gid_t primary, const struct nss_gids *list)
{
	enum cluster_err e = make_room(list, n);
	long at = *list->start, size = *list->size;
	gid_t *groups, last = 0;
	bool ok = true;

	if (e != CLUSTER_OK)
		return e;
	groups = *list->groups;
	for (uint32_t i = 0; i < n; i++, gids += 4) {
		gid_t gid = snap_be32(gids);

		ok &= snap_id_ok(gid) & (gid > last);
		last = gid;
		if (at >= size)
			continue;
		groups[at] = gid;
		at += gid != primary;
	}
	if (!ok)
		return CLUSTER_EFORMAT;
	*list->start = at;
	return CLUSTER_OK;
}
