/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NSS_CLUSTER_H
#define NSS_CLUSTER_H

#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stddef.h>

#include "cluster/attr.h"

/* What glibc looks up in libnss_cluster.so.2 (glibc manual, "NSS Modules Interface"; initgroups_dyn: nss/initgroups.c). */
CLUSTER_EXPORT enum nss_status _nss_cluster_getpwnam_r(const char *name, struct passwd *ret, char *buf, size_t n, int *errnop);
CLUSTER_EXPORT enum nss_status _nss_cluster_getpwuid_r(uid_t uid, struct passwd *ret, char *buf, size_t n, int *errnop);
CLUSTER_EXPORT enum nss_status _nss_cluster_setpwent(int stayopen);
CLUSTER_EXPORT enum nss_status _nss_cluster_getpwent_r(struct passwd *ret, char *buf, size_t n, int *errnop);
CLUSTER_EXPORT enum nss_status _nss_cluster_endpwent(void);
CLUSTER_EXPORT enum nss_status _nss_cluster_getgrnam_r(const char *name, struct group *ret, char *buf, size_t n, int *errnop);
CLUSTER_EXPORT enum nss_status _nss_cluster_getgrgid_r(gid_t gid, struct group *ret, char *buf, size_t n, int *errnop);
CLUSTER_EXPORT enum nss_status _nss_cluster_setgrent(int stayopen);
CLUSTER_EXPORT enum nss_status _nss_cluster_getgrent_r(struct group *ret, char *buf, size_t n, int *errnop);
CLUSTER_EXPORT enum nss_status _nss_cluster_endgrent(void);
CLUSTER_EXPORT enum nss_status _nss_cluster_initgroups_dyn(const char *user, gid_t group, long *start, long *size, gid_t **groups, long limit,
    int *errnop);

#endif
