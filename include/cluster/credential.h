/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_CREDENTIAL_H
#define CLUSTER_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/keyring.h"
#include "cluster/name.h"

#define CREDENTIAL_LIFE_MAX 86400
#define CREDENTIAL_ACC_MAX 8
#define CREDENTIAL_NOD_MAX 8
#define CREDENTIAL_SRC_MAX 4
#define CREDENTIAL_AMR_MAX 4
#define CREDENTIAL_SIZE_MAX 900
#define CREDENTIAL_SELECTOR_MAX 69 /* "role:" and a role, "node:" and a node name */

/* The claims of PROTOCOL.md 4.1, a plain value. */
struct credential {
	struct cluster_id cluster;    /* of iss and aud */
	struct cluster_id person, device, jti;
	int64_t iat, nbf, exp, auth_time;
	size_t n_amr, n_acc, n_nod, n_src;
	char amr[CREDENTIAL_AMR_MAX][9];
	char acc[CREDENTIAL_ACC_MAX][NAME_ACCOUNT_MAX + 1];
	char nod[CREDENTIAL_NOD_MAX][CREDENTIAL_SELECTOR_MAX + 1];
	char src[CREDENTIAL_SRC_MAX][50];
	struct crypto_pub cnf;
	char issuer[NAME_KID_MAX + 1]; /* kid of the key that signed */
};

/* Claims only, no signature: for credential_verify, the fuzz target and `show` on the person's own file. */
enum cluster_err credential_parse(const void *payload, size_t n, struct credential *ret, struct diag *d) CLUSTER_MUST_USE;
/*
 * Signature by an issuer key of at->ring in force, then the claims, then at->cluster == iss == aud. The times of the credential itself and everything else are
 * policy's. CLUSTER_ESIGNATURE, CLUSTER_ENOTFOUND (kid unknown), CLUSTER_EEXPIRED or CLUSTER_EEARLY (the key's window), CLUSTER_EDENIED (another cluster's), CLUSTER_EFORMAT, CLUSTER_ELIMIT.
 * When the envelope is bad or the kid unknown, one verification with a fixed key is still made (THREATS.md G1).
 */
enum cluster_err credential_verify(const char *token, size_t n, const struct keyring_at *at, struct credential *ret, struct diag *d) CLUSTER_MUST_USE;
/* The work of one signature verification, spent with a fixed key and no result: for a path that has nothing to verify (THREATS.md G1). */
void credential_verify_nothing(void);
/* crypto_start and everything that is slow the first time, so that the next credential_verify is fast: before a prompt is shown. Errors as crypto_start. */
enum cluster_err credential_warm(void) CLUSTER_MUST_USE;
/* Signs. CLUSTER_ELIMIT if the result exceeds CREDENTIAL_SIZE_MAX. The caller frees *ret with free(). */
enum cluster_err credential_build(const struct credential *c, const struct crypto_key *issuer, char **ret) CLUSTER_MUST_USE;

/* Does the CIDR (or plain address) contain the address? False for anything that does not parse. Text only, no resolver. */
bool credential_source_ok(const char *cidr);
/* Is it written as sshd demands it of a certificate: no bits behind the mask, an IPv4 network as such? */
bool credential_source_exact(const char *cidr);
bool credential_source_contains(const char *cidr, const char *address);

#endif
