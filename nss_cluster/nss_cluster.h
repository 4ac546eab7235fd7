/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NSS_CLUSTER_H
#define NSS_CLUSTER_H

#include <grp.h>
#include <netdb.h>
#include <nss.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

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

/* hosts (nss_hosts.c; sysdeps/posix/getaddrinfo.c, inet/gethst*_r.c). The last parameters of 3, 4 and addr2 may be NULL. */
struct gaih_addrtuple;
CLUSTER_EXPORT enum nss_status _nss_cluster_gethostbyname_r(const char *name, struct hostent *ret, char *buf, size_t n, int *errnop, int *h_errnop);
CLUSTER_EXPORT enum nss_status _nss_cluster_gethostbyname2_r(const char *name, int af, struct hostent *ret, char *buf, size_t n, int *errnop, int *h_errnop);
CLUSTER_EXPORT enum nss_status _nss_cluster_gethostbyname3_r(const char *name, int af, struct hostent *ret, char *buf, size_t n, int *errnop, int *h_errnop,
    int32_t *ttlp, char **canonp);
CLUSTER_EXPORT enum nss_status _nss_cluster_gethostbyname4_r(const char *name, struct gaih_addrtuple **ret, char *buf, size_t n, int *errnop, int *h_errnop,
    int32_t *ttlp);
CLUSTER_EXPORT enum nss_status _nss_cluster_gethostbyaddr_r(const void *addr, socklen_t len, int af, struct hostent *ret, char *buf, size_t n, int *errnop,
    int *h_errnop);
CLUSTER_EXPORT enum nss_status _nss_cluster_gethostbyaddr2_r(const void *addr, socklen_t len, int af, struct hostent *ret, char *buf, size_t n, int *errnop,
    int *h_errnop, int32_t *ttlp);
CLUSTER_EXPORT enum nss_status _nss_cluster_sethostent(int stayopen);
CLUSTER_EXPORT enum nss_status _nss_cluster_gethostent_r(struct hostent *ret, char *buf, size_t n, int *errnop, int *h_errnop);
CLUSTER_EXPORT enum nss_status _nss_cluster_endhostent(void);

#endif
