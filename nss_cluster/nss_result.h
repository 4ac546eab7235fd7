/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NSS_RESULT_H
#define NSS_RESULT_H

#include <errno.h>
#include <netdb.h>
#include <nss.h>
#include <stdbool.h>

#include "cluster/err.h"

/* What the process lacks, perhaps for a moment only. EAGAIN is what mmap says where all memory is to be locked and no more may be. */
static inline bool nss_is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN;
}

/*
 * The one map from our errors to glibc's answer. CLUSTER_ELIMIT means that the caller's buffer is too small and nothing else, CLUSTER_ESYSTEM that the
 * process lacks what errno names. Whatever else went wrong is UNAVAIL, never NOTFOUND: a wrong "no such user" opens doors (DenyUsers, DenyGroups).
 * *errnop is left alone on success; it is ERANGE only together with TRYAGAIN, and never 0 otherwise.
 */
static inline enum nss_status nss_result(enum cluster_err e, int *errnop)
{
	switch (e) {
	case CLUSTER_OK:
		return NSS_STATUS_SUCCESS;
	case CLUSTER_ENOTFOUND:
		*errnop = ENOENT;
		return NSS_STATUS_NOTFOUND;
	case CLUSTER_ELIMIT:
		*errnop = ERANGE;
		return NSS_STATUS_TRYAGAIN;
	case CLUSTER_ENOMEM:
		*errnop = ENOMEM;
		return NSS_STATUS_TRYAGAIN;
	case CLUSTER_ESYSTEM:
		*errnop = nss_is_shortage(errno) ? errno : EIO;
		return *errnop == EIO ? NSS_STATUS_UNAVAIL : NSS_STATUS_TRYAGAIN;
	case CLUSTER_ETRUNC:
	case CLUSTER_EFORMAT:
	case CLUSTER_EVERSION:
	case CLUSTER_ECRYPTO:
	case CLUSTER_ESIGNATURE:
	case CLUSTER_EEXPIRED:
	case CLUSTER_EEARLY:
	case CLUSTER_EREVOKED:
	case CLUSTER_EDENIED:
	case CLUSTER_EUNAVAIL:
	case CLUSTER_EUNTRUSTED:
	case CLUSTER_ECONFIG:
		break;
	}
	*errnop = EIO;
	return NSS_STATUS_UNAVAIL;
}

/*
 * The same with what hosts say in addition. NETDB_INTERNAL sends glibc to errno: with ERANGE, for a larger buffer; else getaddrinfo ends in EAI_SYSTEM
 * unless the next service knows better.
 */
static inline enum nss_status nss_result_host(enum cluster_err e, int *errnop, int *h_errnop)
{
	*h_errnop = e == CLUSTER_OK ? NETDB_SUCCESS : e == CLUSTER_ENOTFOUND ? HOST_NOT_FOUND : NETDB_INTERNAL;
	return nss_result(e, errnop);
}

/* The name is known, and has no address of the family asked for. */
static inline enum nss_status nss_result_no_data(int *errnop, int *h_errnop)
{
	*h_errnop = NO_DATA;
	return nss_result(CLUSTER_ENOTFOUND, errnop);
}

#endif
