/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_ERR_H
#define CLUSTER_ERR_H

/*
 * The one error enum. Functions that can fail return it, marked CLUSTER_MUST_USE; predicates return bool.
 * It is mapped to a PAM code in pam_result.c, to an NSS status in nss_result.h, to an exit status in cli/exit.c, to an HTTP status in
 * authority/status.c, and nowhere else.
 */
enum cluster_err {
	CLUSTER_OK = 0,
	CLUSTER_ENOMEM,     /* out of memory */
	CLUSTER_ESYSTEM,    /* a system call failed; errno or diag.sys_errno says which way */
	CLUSTER_ELIMIT,     /* larger or more than a documented cap */
	CLUSTER_ETRUNC,     /* input ends too early */
	CLUSTER_EFORMAT,    /* input is not what its format demands */
	CLUSTER_EVERSION,   /* a format version that this build does not know, or a version that went back */
	CLUSTER_ECRYPTO,    /* libcrypto failed for a reason that is not the input's */
	CLUSTER_ESIGNATURE, /* a signature, key or hash does not hold */
	CLUSTER_EEXPIRED,   /* past its time */
	CLUSTER_EEARLY,     /* before its time, or the clock is behind */
	CLUSTER_EREVOKED,   /* named by a revocation */
	CLUSTER_EDENIED,    /* refused by policy */
	CLUSTER_ENOTFOUND,  /* there is no such thing */
	CLUSTER_EUNAVAIL,   /* could not decide: needed data or service is missing */
	CLUSTER_EUNTRUSTED, /* a file or peer with the wrong owner, mode or identity */
	CLUSTER_ECONFIG     /* configuration or usage is wrong */
};

/* The name of `e` as it stands in logs, e.g. "expired". Never NULL; static storage. */
const char *err_name(enum cluster_err e);

#endif
