/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NSS_PACK_H
#define NSS_PACK_H

#include <grp.h>
#include <pwd.h>
#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/snap.h"

/*
 * A result into the caller's buffer of n bytes at any address: every string and array lies inside it. The password is "*" (FACTS of glibc and
 * pam_unix: nothing else is neither a password nor a question to shadow). CLUSTER_ELIMIT: too small, *ret and the buffer are as they were.
 */
enum cluster_err nss_pack_account(const struct snap_account *a, struct passwd *ret, char *buf, size_t n) CLUSTER_MUST_USE;
enum cluster_err nss_pack_group(const struct snap_group *g, struct group *ret, char *buf, size_t n) CLUSTER_MUST_USE;

/* The list that glibc's initgroups fills: `start` entries of `size` in *groups, at most `limit` if that is positive. */
struct nss_gids {
	long *start, *size;
	gid_t **groups;
	long limit;
};

/* Appends the n gids (u32 big-endian) but for `primary`, growing with realloc. CLUSTER_ENOMEM: those appended so far stay. */
enum cluster_err nss_pack_gids(const uint8_t *gids, uint32_t n, gid_t primary, struct nss_gids *list) CLUSTER_MUST_USE;

#endif
