/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_NSS_MODULE_H
#define BENCH_NSS_MODULE_H

#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stddef.h>

#include "cluster/attr.h"

/* What both modules of the bench export, under the name of their service: null, map. */
#define MODULE_DECLARE(service) \
	CLUSTER_EXPORT enum nss_status _nss_##service##_getpwnam_r(const char *, struct passwd *, char *, size_t, int *); \
	CLUSTER_EXPORT enum nss_status _nss_##service##_getpwuid_r(uid_t, struct passwd *, char *, size_t, int *); \
	CLUSTER_EXPORT enum nss_status _nss_##service##_setpwent(int); \
	CLUSTER_EXPORT enum nss_status _nss_##service##_getpwent_r(struct passwd *, char *, size_t, int *); \
	CLUSTER_EXPORT enum nss_status _nss_##service##_endpwent(void); \
	CLUSTER_EXPORT enum nss_status _nss_##service##_getgrnam_r(const char *, struct group *, char *, size_t, int *); \
	CLUSTER_EXPORT enum nss_status _nss_##service##_getgrgid_r(gid_t, struct group *, char *, size_t, int *); \
	CLUSTER_EXPORT enum nss_status _nss_##service##_setgrent(int); \
	CLUSTER_EXPORT enum nss_status _nss_##service##_getgrent_r(struct group *, char *, size_t, int *); \
	CLUSTER_EXPORT enum nss_status _nss_##service##_endgrent(void); \
	CLUSTER_EXPORT enum nss_status _nss_##service##_initgroups_dyn(const char *, gid_t, long *, long *, gid_t **, long, int *)

static inline enum nss_status module_answer(enum nss_status status, int code, int *errnop)
{
	*errnop = code;
	return status;
}

#endif
