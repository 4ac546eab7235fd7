/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_cluster.h"

#include "nss_pack.h"
#include "nss_result.h"
#include "nss_walk.h"

static struct nss_walk accounts, groups;

enum nss_status _nss_cluster_getpwnam_r(const char *name, struct passwd *ret, char *buf, size_t n, int *errnop)
{
	enum cluster_err e = CLUSTER_EUNAVAIL;
	struct snap_account a;
	struct nss_hold h;

	e = nss_state_take(&h);
	if (e != CLUSTER_OK)
		return nss_result(e, errnop);
	e = snap_account_by_name(h.snap, name, &a);
	if (e == CLUSTER_OK)
		e = nss_pack_account(&a, ret, buf, n);
	nss_state_drop(&h);
	return nss_result(e, errnop);
}

enum nss_status _nss_cluster_getpwuid_r(uid_t uid, struct passwd *ret, char *buf, size_t n, int *errnop)
{
	enum cluster_err e = CLUSTER_EUNAVAIL;
	struct snap_account a;
	struct nss_hold h;

	e = nss_state_take(&h);
	if (e != CLUSTER_OK)
		return nss_result(e, errnop);
	e = snap_account_by_uid(h.snap, uid, &a);
	if (e == CLUSTER_OK)
		e = nss_pack_account(&a, ret, buf, n);
	nss_state_drop(&h);
	return nss_result(e, errnop);
}

enum nss_status _nss_cluster_setpwent(int stayopen)
{
	(void)stayopen;
	nss_walk_reset(&accounts);
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_cluster_getpwent_r(struct passwd *ret, char *buf, size_t n, int *errnop)
{
	enum cluster_err e = CLUSTER_EUNAVAIL;
	uint64_t next = accounts.cursor;
	const struct snap *s;
	struct snap_account a;

	e = nss_walk_snap(&accounts, &s);
	if (e == CLUSTER_OK)
		e = snap_account_each(s, &next, &a);
	if (e == CLUSTER_OK)
		e = nss_pack_account(&a, ret, buf, n);
	return nss_result(nss_walk_done(&accounts, e, next), errnop);
}

enum nss_status _nss_cluster_endpwent(void)
{
	nss_walk_reset(&accounts);
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_cluster_getgrnam_r(const char *name, struct group *ret, char *buf, size_t n, int *errnop)
{
	enum cluster_err e = CLUSTER_EUNAVAIL;
	struct snap_group g;
	struct nss_hold h;

	e = nss_state_take(&h);
	if (e != CLUSTER_OK)
		return nss_result(e, errnop);
	e = snap_group_by_name(h.snap, name, &g);
	if (e == CLUSTER_OK)
		e = nss_pack_group(&g, ret, buf, n);
	nss_state_drop(&h);
	return nss_result(e, errnop);
}

enum nss_status _nss_cluster_getgrgid_r(gid_t gid, struct group *ret, char *buf, size_t n, int *errnop)
{
	enum cluster_err e = CLUSTER_EUNAVAIL;
	struct snap_group g;
	struct nss_hold h;

	e = nss_state_take(&h);
	if (e != CLUSTER_OK)
		return nss_result(e, errnop);
	e = snap_group_by_gid(h.snap, gid, &g);
	if (e == CLUSTER_OK)
		e = nss_pack_group(&g, ret, buf, n);
	nss_state_drop(&h);
	return nss_result(e, errnop);
}

enum nss_status _nss_cluster_setgrent(int stayopen)
{
	(void)stayopen;
	nss_walk_reset(&groups);
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_cluster_getgrent_r(struct group *ret, char *buf, size_t n, int *errnop)
{
	enum cluster_err e = CLUSTER_EUNAVAIL;
	uint64_t next = groups.cursor;
	const struct snap *s;
	struct snap_group g;

	e = nss_walk_snap(&groups, &s);
	if (e == CLUSTER_OK)
		e = snap_group_each(s, &next, &g);
	if (e == CLUSTER_OK)
		e = nss_pack_group(&g, ret, buf, n);
	return nss_result(nss_walk_done(&groups, e, next), errnop);
}

enum nss_status _nss_cluster_endgrent(void)
{
	nss_walk_reset(&groups);
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_cluster_initgroups_dyn(const char *user, gid_t group, long *start, long *size, gid_t **groupsp, long limit, int *errnop)
{
	struct nss_gids list = { .start = start, .size = size, .groups = groupsp, .limit = limit };
	enum cluster_err e = CLUSTER_EUNAVAIL;
	const uint8_t *gids;
	struct nss_hold h;
	uint32_t n;

	e = nss_state_take(&h);
	if (e != CLUSTER_OK)
		return nss_result(e, errnop);
	e = snap_member_groups(h.snap, user, &gids, &n);
	if (e == CLUSTER_OK)
		e = nss_pack_gids(gids, n, group, &list);
	nss_state_drop(&h);
	return nss_result(e, errnop);
}
