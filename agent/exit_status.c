/* SPDX-License-Identifier: Apache-2.0 */
#include "exit_status.h"

int exit_status(enum cluster_err e)
{
	switch (e) {
	case CLUSTER_OK:
		return 0;
	case CLUSTER_ELIMIT:
	case CLUSTER_ETRUNC:
	case CLUSTER_EFORMAT:
	case CLUSTER_EVERSION:
		return 65;
	case CLUSTER_EUNAVAIL:
		return 69;
	case CLUSTER_ECRYPTO:
		return 70;
	case CLUSTER_ESYSTEM:
		return 74;
	case CLUSTER_ENOMEM:
		return 75;
	case CLUSTER_ESIGNATURE:
	case CLUSTER_EEXPIRED:
	case CLUSTER_EEARLY:
	case CLUSTER_EREVOKED:
	case CLUSTER_EDENIED:
	case CLUSTER_ENOTFOUND:
	case CLUSTER_EUNTRUSTED:
		return 77;
	case CLUSTER_ECONFIG:
		return 78;
	}
	return 70;
}
