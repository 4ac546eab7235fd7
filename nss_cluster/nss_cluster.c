/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_cluster.h"

#include "cluster/snap_quick.h"
#include "nss_pack.h"
#include "nss_result.h"
#include "nss_state.h"
#include "nss_walk.h"

static struct nss_walk accounts, groups;

/* What a view does not answer: by name, or where that is NULL, by uid. */
static enum nss_status held_account(const char *name, uid_t uid, struct passwd *ret, const struct snap_room *room, int *errnop)
{
	struct snap_account a;
	struct snap_table table;
	enum cluster_err e;
	struct nss_hold h;

	e = nss_state_take(&h);
	if (e == CLUSTER_OK) {
		table = nss_hold_table(&h, name ? NSS_BY_NAME : NSS_BY_UID);
		e = name ? snap_copy_account_by_name(&table, name, room, &a) : snap_copy_account_by_uid(&table, uid, room, &a);
		nss_state_drop(&h);
	}
	if (e == CLUSTER_OK)
		nss_pack_account(&a, ret);
	return nss_result(e, errnop);
}

enum nss_status _nss_cluster_getpwnam_r(const char *name, struct passwd *ret, char *buf, size_t n, int *errnop)
{
	const struct snap_room room = nss_pack_room(buf, n);
	enum cluster_err e = CLUSTER_EUNAVAIL;
	struct snap_account a;
	struct nss_view view;
	struct snap_key key;

	if (snap_quick_key(name, &key) && nss_view_begin(&view, NSS_BY_NAME))
		e = nss_view_end(&view, snap_quick_account_by_name(&view.table, &key, &room, &a));
	if (e != CLUSTER_OK && e != CLUSTER_ENOTFOUND)
		return held_account(name, 0, ret, &room, errnop);
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

	if (nss_view_begin(&view, NSS_BY_UID))
		e = nss_view_end(&view, snap_quick_account_by_uid(&view.table, uid, &room, &a));
	if (e != CLUSTER_OK && e != CLUSTER_ENOTFOUND)
		return held_account(NULL, uid, ret, &room, errnop);
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
		table = snap_table(s, SNAP_A_ACCOUNTS, SNAP_A_BY_NAME);
		e = snap_copy_account_each(&table, &next, &room, &a);
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

/* As held_account, by gid where there is no name. */
static enum nss_status held_group(const char *name, gid_t gid, struct group *ret, const struct snap_room *room, int *errnop)
{
	struct snap_group_copy g;
	struct snap_table table;
	enum cluster_err e;
	struct nss_hold h;

	e = nss_state_take(&h);
	if (e == CLUSTER_OK) {
		table = nss_hold_table(&h, name ? NSS_GROUP_BY_NAME : NSS_GROUP_BY_GID);
		e = name ? snap_copy_group_by_name(&table, name, room, &g) : snap_copy_group_by_gid(&table, gid, room, &g);
		nss_state_drop(&h);
	}
	if (e == CLUSTER_OK)
		nss_pack_group(&g, ret);
	return nss_result(e, errnop);
}

enum nss_status _nss_cluster_getgrnam_r(const char *name, struct group *ret, char *buf, size_t n, int *errnop)
{
	const struct snap_room room = nss_pack_room(buf, n);
	enum cluster_err e = CLUSTER_EUNAVAIL;
	struct snap_group_copy g;
	struct nss_view view;

	if (nss_view_begin(&view, NSS_GROUP_BY_NAME))
		e = nss_view_end(&view, snap_quick_group_by_name(&view.table, name, &room, &g));
	if (e != CLUSTER_OK && e != CLUSTER_ENOTFOUND)
		return held_group(name, 0, ret, &room, errnop);
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

	if (nss_view_begin(&view, NSS_GROUP_BY_GID))
		e = nss_view_end(&view, snap_quick_group_by_gid(&view.table, gid, &room, &g));
	if (e != CLUSTER_OK && e != CLUSTER_ENOTFOUND)
		return held_group(NULL, gid, ret, &room, errnop);
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
		table = snap_table(s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_NAME);
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

static enum nss_status held_groups(const char *user, gid_t group, const struct nss_gids *list, int *errnop)
{
	struct snap_table table;
	enum cluster_err e;
	const uint8_t *gids;
	struct nss_hold h;
	uint32_t n;

	e = nss_state_take(&h);
	if (e == CLUSTER_OK) {
		table = nss_hold_table(&h, NSS_MEMBER);
		e = snap_find_member(&table, user, &gids, &n);
		if (e == CLUSTER_OK)
			e = nss_pack_gids(gids, n, group, list);
		nss_state_drop(&h);
	}
	return nss_result(e, errnop);
}

/* As held_groups, from a view; CLUSTER_EUNAVAIL and others: ask that. */
__attribute__((always_inline)) static inline enum cluster_err quick_groups(const char *user, gid_t group, const struct nss_gids *list)
{
	enum cluster_err e = CLUSTER_EUNAVAIL;
	const long before = *list->start;
	struct nss_view view;
	struct snap_key key;
	const uint8_t *gids;
	uint32_t n;

	if (snap_quick_key(user, &key) && nss_view_begin(&view, NSS_MEMBER)) {
		e = snap_quick_member(&view.table, &key, &gids, &n);
		if (e == CLUSTER_OK)
			e = nss_pack_gids(gids, n, group, list);
		e = nss_view_end(&view, e);
	}
	if (e != CLUSTER_OK)
		*list->start = before;
	return e;
}

enum nss_status _nss_cluster_initgroups_dyn(const char *user, gid_t group, long *start, long *size, gid_t **groupsp, long limit, int *errnop)
{
	const struct nss_gids list = { .start = start, .size = size, .groups = groupsp, .limit = limit };
	const enum cluster_err e = quick_groups(user, group, &list);

	return e == CLUSTER_OK || e == CLUSTER_ENOTFOUND ? nss_result(e, errnop) : held_groups(user, group, &list, errnop);
}
