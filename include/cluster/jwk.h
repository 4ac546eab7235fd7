/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_JWK_H
#define CLUSTER_JWK_H

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/err.h"
#include "cluster/name.h"

struct json;
struct diag;

#define JWK_KID 22        /* characters of our kids */
#define JWK_THUMBPRINT 43 /* characters of a full RFC 7638 thumbprint */

/* JWK_BARE: exactly {crv, kty, x[, y]}. JWK_NAMED: also alg and kid, both mandatory, kid equal to the key's own. (PROTOCOL.md 1.8) */
enum jwk_form { JWK_BARE, JWK_NAMED };

/* Reads and crypto_pub_check()s a public key. A member "d" is refused like any unknown one. CLUSTER_EFORMAT, CLUSTER_ESIGNATURE (bad point). */
enum cluster_err jwk_parse(const struct json *j, enum jwk_form form, struct crypto_pub *ret, struct diag *d) CLUSTER_MUST_USE;
/* A new tree, or NULL when out of memory. */
struct json *jwk_build(const struct crypto_pub *pub, enum jwk_form form);
/* kid: 22 characters and NUL. */
enum cluster_err jwk_kid(const struct crypto_pub *pub, char ret[NAME_KID_MAX + 1]) CLUSTER_MUST_USE;
/* RFC 7638, SHA-256, base64url: 43 characters and NUL. */
enum cluster_err jwk_thumbprint(const struct crypto_pub *pub, char ret[JWK_THUMBPRINT + 1]) CLUSTER_MUST_USE;

#endif
