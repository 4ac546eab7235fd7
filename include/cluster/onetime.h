/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_ONETIME_H
#define CLUSTER_ONETIME_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/credential.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/keyring.h"

/*
 * The one-time credential (PROTOCOL.md 4.7): for places that can only paste a password. A bearer token for one account on one node, for minutes, good once: who accepts it must have
 * the node's agent say that it has not been used.
 */

#define ONETIME_SIZE_MAX 511   /* what sudo takes for an answer, PAM_MAX_RESP_SIZE less its NUL */
#define ONETIME_LIFE 120
#define ONETIME_LIFE_MAX 600

/* A plain value. */
struct onetime {
	struct cluster_id cluster, person, device, jti, node;
	int64_t iat, exp;
	char account[NAME_ACCOUNT_MAX + 1];
	char issuer[NAME_KID_MAX + 1]; /* kid of the key that signed */
};

/* Claims only, for the fuzz target. */
enum cluster_err onetime_parse(const void *payload, size_t n, struct onetime *ret, struct diag *d) CLUSTER_MUST_USE;
/* As credential_verify, with its errors; one signature verification is made on every path (THREATS.md G1). Times, node and use are the caller's to judge. */
enum cluster_err onetime_verify(const char *token, size_t n, const struct keyring_at *at, struct onetime *ret, struct diag *d) CLUSTER_MUST_USE;
/* Signs. CLUSTER_ELIMIT above ONETIME_SIZE_MAX. The caller frees *ret with free(). */
enum cluster_err onetime_build(const struct onetime *o, const struct crypto_key *issuer, char **ret) CLUSTER_MUST_USE;

/* The same as a credential narrowed to its account, for the policy: nbf and auth_time are iat, no cnf, no amr. */
struct credential onetime_credential(const struct onetime *o);

#endif
