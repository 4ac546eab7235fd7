/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/err.h"

const char *err_name(enum cluster_err e)
{
	switch (e) {
	case CLUSTER_OK:
		return "ok";
	case CLUSTER_ENOMEM:
		return "no-memory";
	case CLUSTER_ESYSTEM:
		return "system";
	case CLUSTER_ELIMIT:
		return "limit";
	case CLUSTER_ETRUNC:
		return "truncated";
	case CLUSTER_EFORMAT:
		return "format";
	case CLUSTER_EVERSION:
		return "version";
	case CLUSTER_ECRYPTO:
		return "crypto";
	case CLUSTER_ESIGNATURE:
		return "signature";
	case CLUSTER_EEXPIRED:
		return "expired";
	case CLUSTER_EEARLY:
		return "early";
	case CLUSTER_EREVOKED:
		return "revoked";
	case CLUSTER_EDENIED:
		return "denied";
	case CLUSTER_ENOTFOUND:
		return "not-found";
	case CLUSTER_EUNAVAIL:
		return "unavailable";
	case CLUSTER_EUNTRUSTED:
		return "untrusted";
	case CLUSTER_ECONFIG:
		return "config";
	}
	return "unknown";
}
