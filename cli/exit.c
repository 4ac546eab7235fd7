/* SPDX-License-Identifier: Apache-2.0 */
#include "exit.h"

int exit_of(enum cluster_err e)
{
	switch (e) {
	case CLUSTER_OK:
		return EXIT_DONE;
	case CLUSTER_ENOMEM:
		return EXIT_LATER;
	case CLUSTER_ESYSTEM:
		return EXIT_IO;
	case CLUSTER_ELIMIT:
	case CLUSTER_ETRUNC:
	case CLUSTER_EFORMAT:
	case CLUSTER_EVERSION:
		return EXIT_DATA;
	case CLUSTER_ECRYPTO:
		return EXIT_BUG;
	case CLUSTER_ESIGNATURE:
	case CLUSTER_EEXPIRED:
	case CLUSTER_EEARLY:
	case CLUSTER_EREVOKED:
	case CLUSTER_EDENIED:
	case CLUSTER_EUNTRUSTED:
		return EXIT_REFUSED;
	case CLUSTER_ENOTFOUND:
		return EXIT_NO;
	case CLUSTER_EUNAVAIL:
		return EXIT_UNREACHABLE;
	case CLUSTER_ECONFIG:
		return EXIT_CONFIG;
	}
	return EXIT_BUG;
}
