/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_JWS_H
#define CLUSTER_JWS_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/name.h"

/* Types of PROTOCOL.md 2, in that order. */
enum jws_typ {
	JWS_ROOT, JWS_KEYSET, JWS_HEAD, JWS_DIRECTORY, JWS_REVOCATIONS, JWS_CREDENTIAL, JWS_ONETIME, JWS_HOP, JWS_ANSWER, JWS_NODE, JWS_REQUEST, JWS_DPOP,
	JWS_TYP_N
};
const char *jws_typ_name(enum jws_typ t);
size_t jws_typ_cap(enum jws_typ t);

/* An envelope: parsed, not believed. Owns its payload. */
struct jws {
	enum jws_typ typ;
	enum crypto_alg alg;
	char kid[NAME_KID_MAX + 1];   /* empty for JWS_DPOP */
	struct crypto_pub jwk;        /* JWS_DPOP only */
	const char *signing_input;    /* borrowed from the token: must outlive this struct */
	size_t signing_n;
	uint8_t sig[CRYPTO_SIG_SIZE];
	uint8_t *payload;             /* NUL-terminated */
	size_t payload_n;
};

/*
 * The envelope of one compact JWS of type `typ` (PROTOCOL.md 2). CLUSTER_ELIMIT: over the type's cap. CLUSTER_EFORMAT: anything else. The caller calls jws_done
 * after success. `token` need not be terminated and must outlive *ret.
 */
enum cluster_err jws_parse(const char *token, size_t n, enum jws_typ typ, struct jws *ret, struct diag *d) CLUSTER_MUST_USE;
void jws_done(struct jws *j);

/* CLUSTER_ESIGNATURE unless `pub` has the header's algorithm and the signature holds. */
enum cluster_err jws_verify(const struct jws *j, const struct crypto_pub *pub) CLUSTER_MUST_USE;

/* A compact JWS over `payload`; header {alg, kid, typ}, or {alg, jwk, typ} for JWS_DPOP. The caller frees *ret with free(). */
enum cluster_err jws_sign(const struct crypto_key *key, enum jws_typ typ, const void *payload, size_t n, char **ret) CLUSTER_MUST_USE;
/* The same by a key that is elsewhere: `sign` makes the 64 bytes, as crypto_sign does. */
struct jws_signer {
	struct crypto_pub pub;
	enum cluster_err (*sign)(void *ctx, const void *data, size_t n, uint8_t ret[CRYPTO_SIG_SIZE]);
	void *ctx;
};
enum cluster_err jws_sign_by(const struct jws_signer *key, enum jws_typ typ, const void *payload, size_t n, char **ret) CLUSTER_MUST_USE;
/* json_text and jws_sign in one; `payload` stays the caller's, NULL is CLUSTER_ENOMEM. */
struct json;
enum cluster_err jws_sign_json(const struct crypto_key *key, enum jws_typ typ, const struct json *payload, char **ret) CLUSTER_MUST_USE;

#endif
