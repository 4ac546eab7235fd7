/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_ANSWER_H
#define CLUSTER_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/challenge.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/jwk.h"

/*
 * The answer to a step-up challenge (PROTOCOL.md 4.8): small enough for sudo and su, made by a device's key on the person's own machine. It says which person; whether the key is one of that person's
 * devices is the signed directory's to say.
 */

#define ANSWER_SIZE_MAX 511
#define ANSWER_AGE_MAX 300

/* A plain value: signed by the key whose thumbprint this is. */
struct answer {
	struct cluster_id person;
	int64_t iat;
	uint8_t thumbprint[CRYPTO_SHA256_SIZE]; /* RFC 7638 */
};

/*
 * The signature by the key inside, and that it answers exactly this challenge. CLUSTER_EFORMAT, CLUSTER_ELIMIT; CLUSTER_ESIGNATURE: a bad key, signature, or the answer to another
 * challenge. `iat` is for the log: the challenge's own time and nonce make it fresh. One signature verification is made on every path (THREATS.md G1).
 */
enum cluster_err answer_verify(const char *token, size_t n, const struct challenge *c, struct answer *ret, struct diag *d) CLUSTER_MUST_USE;
/* Claims and key, nothing verified: for the fuzz target. */
enum cluster_err answer_parse(const void *payload, size_t n, struct answer *ret, struct crypto_pub *ret_key, uint8_t ret_challenge[CRYPTO_SHA256_SIZE], struct diag *d) CLUSTER_MUST_USE;
/* Signs. The caller frees *ret with free(). */
enum cluster_err answer_build(const struct challenge *c, const struct cluster_id *person, const struct crypto_key *key, int64_t now, char **ret) CLUSTER_MUST_USE;
struct jws_signer;
enum cluster_err answer_build_by(const struct challenge *c, const struct cluster_id *person, const struct jws_signer *key, int64_t now, char **ret) CLUSTER_MUST_USE;

#endif
