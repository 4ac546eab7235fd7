/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NSS_PACK_H
#define NSS_PACK_H

#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/snap_near.h"

/*
 * A result into the caller's buffer of n bytes at any address: every string and array lies inside it. The password is "*" (FACTS of glibc and
 * pam_unix: nothing else is neither a password nor a question to shadow).
 */
#define NSS_PASSWORD_SIZE 2

/* What of the buffer the strings and arrays may take. */
static inline struct snap_room nss_pack_room(char *buf, size_t n)
{
	return (struct snap_room){ .p = buf, .n = n < NSS_PASSWORD_SIZE ? 0 : n - NSS_PASSWORD_SIZE };
}

/* From what was copied into nss_pack_room's room. */
static inline void nss_pack_account(const struct snap_account *a, struct passwd *ret)
{
	ret->pw_name = (char *)(uintptr_t)a->name;
	ret->pw_gecos = (char *)(uintptr_t)a->gecos;
	ret->pw_dir = (char *)(uintptr_t)a->home;
	ret->pw_shell = (char *)(uintptr_t)a->shell;
	ret->pw_passwd = memcpy(ret->pw_shell + a->shell_n + 1, "*", NSS_PASSWORD_SIZE);
	ret->pw_uid = a->uid;
	ret->pw_gid = a->gid;
}

static inline void nss_pack_group(const struct snap_group_copy *g, struct group *ret)
{
	ret->gr_name = g->name;
	ret->gr_passwd = memcpy(g->end, "*", NSS_PASSWORD_SIZE);
	ret->gr_mem = g->members;
	ret->gr_gid = g->gid;
}

/* The list that glibc's initgroups fills: `start` entries of `size` in *groups, at most `limit` if that is positive. */
struct nss_gids {
	long *start, *size;
	gid_t **groups;
	long limit;
};

/* Room for n more entries, or as many as the caller wants, if it has a limit. CLUSTER_ENOMEM: there is none. */
enum cluster_err nss_pack_grow(const struct nss_gids *list, uint32_t n) CLUSTER_MUST_USE;

/*
 * Appends the n gids (u32 big-endian) but for `primary`, growing with realloc. CLUSTER_EFORMAT: they do not ascend, or one may not be given (THREATS.md D4).
 * CLUSTER_ENOMEM: no room. *start is as it was then, and what is behind it means nothing.
 */
__attribute__((always_inline)) static inline enum cluster_err nss_pack_gids(const uint8_t *gids, uint32_t n, gid_t primary, const struct nss_gids *list)
{
	const uint8_t *const end = gids + 4 * (size_t)n;
	gid_t *to, *full, last = 0;
	bool ok = true;

	if (*list->size - *list->start < (long)n && (list->limit <= 0 || *list->size < list->limit) && nss_pack_grow(list, n) != CLUSTER_OK)
		return CLUSTER_ENOMEM;
	to = *list->groups + *list->start;
	full = *list->groups + *list->size;
	for (; gids < end; gids += 4) {
		const gid_t gid = snap_be32(gids);

		ok &= snap_id_ok(gid) & (gid > last);
		last = gid;
		if (to >= full)
			continue;
		*to = gid;
		to += gid != primary;
	}
	if (!ok)
		return CLUSTER_EFORMAT;
	*list->start = to - *list->groups;
	return CLUSTER_OK;
}

#endif
