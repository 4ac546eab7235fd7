/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_pack.h"

#include <stdlib.h>
#include <string.h>

#define PASSWORD_SIZE 2 /* "*" */

static char *put_password(char *p)
{
	p[0] = '*';
	p[1] = '\0';
	return p;
}

enum cluster_err nss_pack_account(const struct snap_account *a, struct passwd *ret, char *buf, size_t n)
{
	/* name, gecos, home and shell stand one behind the other in the record, as they do in the result */
	size_t block = a->name_n + a->gecos_n + a->home_n + a->shell_n + 4;

	if (n < block + PASSWORD_SIZE)
		return CLUSTER_ELIMIT;
	memcpy(buf, a->name, block);
	ret->pw_name = buf;
	ret->pw_gecos = buf + a->name_n + 1;
	ret->pw_dir = ret->pw_gecos + a->gecos_n + 1;
	ret->pw_shell = ret->pw_dir + a->home_n + 1;
	ret->pw_passwd = put_password(buf + block);
	ret->pw_uid = a->uid;
	ret->pw_gid = a->gid;
	return CLUSTER_OK;
}

enum cluster_err nss_pack_group(const struct snap_group *g, struct group *ret, char *buf, size_t n)
{
	size_t pad = -(uintptr_t)buf % _Alignof(char *), array = ((size_t)g->n_members + 1) * sizeof(char *);
	size_t block = g->name_n + 1 + g->members_size;
	char **members, *name;

	if (n < pad + array + block + PASSWORD_SIZE)
		return CLUSTER_ELIMIT;
	members = (char **)(void *)(buf + pad);
	name = buf + pad + array;
	memcpy(name, g->name, block);
	ret->gr_name = name;
	ret->gr_passwd = put_password(name + block);
	ret->gr_gid = g->gid;
	ret->gr_mem = members;
	name += g->name_n + 1;
	for (uint32_t i = 0; i < g->n_members; i++, name += strlen(name) + 1)
		members[i] = name;
	members[g->n_members] = NULL;
	return CLUSTER_OK;
}

/* Room for one more entry. CLUSTER_ELIMIT: the caller wants no more. */
static enum cluster_err make_room(struct nss_gids *list)
{
	long size = *list->size;
	gid_t *groups;

	if (*list->start < size)
		return CLUSTER_OK;
	if (list->limit > 0 && size >= list->limit)
		return CLUSTER_ELIMIT;
	size = size < 16 ? 32 : 2 * size;
	if (list->limit > 0 && size > list->limit)
		size = list->limit;
	groups = reallocarray(*list->groups, (size_t)size, sizeof *groups);
	if (!groups)
		return CLUSTER_ENOMEM;
	*list->groups = groups;
	*list->size = size;
	return CLUSTER_OK;
}

enum cluster_err nss_pack_gids(const uint8_t *gids, uint32_t n, gid_t primary, struct nss_gids *list)
{
	enum cluster_err e;

	for (uint32_t i = 0; i < n; i++) {
		gid_t gid = snap_be32(gids + 4 * (size_t)i);

		if (gid == primary)
			continue;
		e = make_room(list);
		if (e != CLUSTER_OK)
			return e == CLUSTER_ELIMIT ? CLUSTER_OK : e;
		(*list->groups)[(*list->start)++] = gid;
	}
	return CLUSTER_OK;
}
