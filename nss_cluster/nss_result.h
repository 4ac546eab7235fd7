/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NSS_RESULT_H
#define NSS_RESULT_H

#include <errno.h>
#include <nss.h>

#include "cluster/err.h"

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
		*errnop = errno == EMFILE || errno == ENFILE || errno == ENOMEM ? errno : EIO;
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

#endif
