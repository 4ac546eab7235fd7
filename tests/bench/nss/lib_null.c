/* SPDX-License-Identifier: Apache-2.0 */
/* An NSS module that does nothing: the same answer to everything, but for names that begin with 'x', which are not there. What is left is glibc. */
#include "module.h"

MODULE_DECLARE(null);

static char nobody[] = "nobody", star[] = "*", empty[] = "", *no_members[] = { NULL };
static const struct passwd account = { nobody, star, 1880000000, 1880000000, empty, empty, empty };
static const struct group group = { nobody, star, 1880000000, no_members };

static enum nss_status give_account(struct passwd *ret)
{
	*ret = account;
	return NSS_STATUS_SUCCESS;
}

static enum nss_status give_group(struct group *ret)
{
	*ret = group;
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_null_getpwnam_r(const char *name, struct passwd *ret, char *buf, size_t n, int *errnop)
{
	(void)buf, (void)n;
	return name[0] == 'x' ? module_answer(NSS_STATUS_NOTFOUND, ENOENT, errnop) : give_account(ret);
}

enum nss_status _nss_null_getpwuid_r(uid_t uid, struct passwd *ret, char *buf, size_t n, int *errnop)
{
	(void)uid, (void)buf, (void)n, (void)errnop;
	return give_account(ret);
}

enum nss_status _nss_null_setpwent(int stay)
{
	(void)stay;
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_null_getpwent_r(struct passwd *ret, char *buf, size_t n, int *errnop)
{
	(void)buf, (void)n, (void)errnop;
	return give_account(ret);
}

enum nss_status _nss_null_endpwent(void)
{
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_null_getgrnam_r(const char *name, struct group *ret, char *buf, size_t n, int *errnop)
{
	(void)name, (void)buf, (void)n, (void)errnop;
	return give_group(ret);
}

enum nss_status _nss_null_getgrgid_r(gid_t gid, struct group *ret, char *buf, size_t n, int *errnop)
{
	(void)gid, (void)buf, (void)n, (void)errnop;
	return give_group(ret);
}

enum nss_status _nss_null_setgrent(int stay)
{
	(void)stay;
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_null_getgrent_r(struct group *ret, char *buf, size_t n, int *errnop)
{
	(void)buf, (void)n, (void)errnop;
	return give_group(ret);
}

enum nss_status _nss_null_endgrent(void)
{
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_null_initgroups_dyn(const char *user, gid_t primary, long *start, long *size, gid_t **groups, long limit, int *errnop)
{
	(void)user, (void)primary, (void)start, (void)size, (void)groups, (void)limit, (void)errnop;
	return NSS_STATUS_SUCCESS;
}
