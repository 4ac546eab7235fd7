/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_cluster.h"

#include "cluster/snap_seen.h"
#include "nss_pack.h"
#include "nss_result.h"
#include "nss_state.h"
#include "nss_walk.h"

static struct nss_walk accounts, groups;

enum nss_status _nss_cluster_getpwnam_r(const char *name, struct passwd *ret, char *buf, size_t n, int *errnop)
{
	const struct snap_room room = nss_pack_room(buf, n);
	enum cluster_err e = CLUSTER_EUNAVAIL;
	struct snap_account a;
	struct nss_view view;

	nss_view_init(&view);
	do {
		e = nss_view_begin(&view, NSS_BY_NAME);
		if (e == CLUSTER_OK)
			e = snap_seen_account_by_name(&view.table, name, &view.seen, &room, &a);
	} while (!nss_view_end(&view));
	if (e == CLUSTER_OK)
		nss_pack_account(&a, ret);
	return nss_result(e, errnop);
}

enum nss_status _nss_cluster_getpwuid_r(uid_t uid, struct passwd *ret, char *buf, size_t n, int *errnop)
{
	const struct snap_room room = nss_pack_room(buf, n);
	enum cluster_err e = CLUSTER_EUNAVAIL;
	struct snap_account a;
	struct nss_view view;

	nss_view_init(&view);
	do {
		e = nss_view_begin(&view, NSS_BY_UID);
		if (e == CLUSTER_OK)
			e = snap_seen_account_by_uid(&view.table, uid, &view.seen, &room, &a);
	} while (!nss_view_end(&view));
	if (e == CLUSTER_OK)
		nss_pack_account(&a, ret);
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
	const struct snap_room room = nss_pack_room(buf, n);
	enum cluster_err e = CLUSTER_EUNAVAIL;
	uint64_t next = accounts.cursor;
	struct snap_table table;
	const struct snap *s;
	struct snap_account a;

	e = nss_walk_snap(&accounts, &s);
	if (e == CLUSTER_OK) {
		table = nss_table_of(s, NSS_BY_NAME);
		e = snap_near_account_each(&table, &next, &room, &a);
	}
	if (e == CLUSTER_OK)
		nss_pack_account(&a, ret);
	return nss_result(nss_walk_done(&accounts, e, next), errnop);
}

enum nss_status _nss_cluster_endpwent(void)
{
	nss_walk_reset(&accounts);
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_cluster_getgrnam_r(const char *name, struct group *ret, char *buf, size_t n, int *errnop)
{
	const struct snap_room room = nss_pack_room(buf, n);
	enum cluster_err e = CLUSTER_EUNAVAIL;
	struct snap_group_copy g;
	struct nss_view view;

	nss_view_init(&view);
	do {
		e = nss_view_begin(&view, NSS_GROUP_BY_NAME);
		if (e == CLUSTER_OK)
			e = snap_seen_group_by_name(&view.table, name, &view.seen, &room, &g);
	} while (!nss_view_end(&view));
	if (e == CLUSTER_OK)
		nss_pack_group(&g, ret);
	return nss_result(e, errnop);
}

enum nss_status _nss_cluster_getgrgid_r(gid_t gid, struct group *ret, char *buf, size_t n, int *errnop)
{
	const struct snap_room room = nss_pack_room(buf, n);
	enum cluster_err e = CLUSTER_EUNAVAIL;
	struct snap_group_copy g;
	struct nss_view view;

	nss_view_init(&view);
	do {
		e = nss_view_begin(&view, NSS_GROUP_BY_GID);
		if (e == CLUSTER_OK)
			e = snap_seen_group_by_gid(&view.table, gid, &view.seen, &room, &g);
	} while (!nss_view_end(&view));
	if (e == CLUSTER_OK)
		nss_pack_group(&g, ret);
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
	const struct snap_room room = nss_pack_room(buf, n);
	enum cluster_err e = CLUSTER_EUNAVAIL;
	uint64_t next = groups.cursor;
	struct snap_table table;
	const struct snap *s;
	struct snap_group_copy g;

	e = nss_walk_snap(&groups, &s);
	if (e == CLUSTER_OK) {
		table = nss_table_of(s, NSS_GROUP_BY_NAME);
		e = snap_copy_group_each(&table, &next, &room, &g);
	}
	if (e == CLUSTER_OK)
		nss_pack_group(&g, ret);
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
	const long before = *start;
	struct nss_view view;
	const uint8_t *gids;
	uint32_t n;

	nss_view_init(&view);
	do {
		*start = before;
		e = nss_view_begin(&view, NSS_MEMBER);
		if (e == CLUSTER_OK)
			e = snap_seen_member(&view.table, user, &view.seen, &gids, &n);
		if (e == CLUSTER_OK)
			e = nss_pack_gids(gids, n, group, &list);
	} while (!nss_view_end(&view));
	return nss_result(e, errnop);
}
