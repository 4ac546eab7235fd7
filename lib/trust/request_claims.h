/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_REQUEST_CLAIMS_H
#define TRUST_REQUEST_CLAIMS_H

#include "cluster/json.h"
#include "cluster/jwk.h"
#include "cluster/request.h"

/* What the request files share: the claims that every signed request has (PROTOCOL.md 6.1), read and written. */

#define REQUEST_COMMON_N 4
#define REQUEST_AUD_SIZE (8 + ID_TEXT + 1)

/* Rows for htm, htu, iat and jti; *jti is set by json_read and turned into an id by request_common_end. */
void request_common_fields(struct request_common *c, const char **jti, struct json_field f[REQUEST_COMMON_N]);
enum cluster_err request_common_end(struct request_common *c, const char *jti, struct diag *d) CLUSTER_MUST_USE;

/* {"htm","htu","iat","jti"} with a random jti; NULL when out of memory. */
struct json *request_common_json(const struct request_common *c, int64_t now);

/* "cluster:<id>" and back. */
void request_aud_text(const struct cluster_id *cluster, char dst[REQUEST_AUD_SIZE]);
enum cluster_err request_aud_parse(const char *text, struct cluster_id *ret, struct diag *d) CLUSTER_MUST_USE;

/* Does `kid` name `pub`? CLUSTER_ESIGNATURE otherwise. */
enum cluster_err request_kid_check(const char *kid, const struct crypto_pub *pub, struct diag *d) CLUSTER_MUST_USE;

/* Proof of possession: the key that the request carries made it. CLUSTER_ESIGNATURE otherwise. */
enum cluster_err request_self_verify(const struct jws *jws, const struct crypto_pub *key, struct diag *d) CLUSTER_MUST_USE;

/* Tokens, codes: ^[A-Za-z0-9_-]{1,63}$ */
bool request_token_ok(const char *s);

/* json_set that takes the error of a chain: does nothing but release `item` once *e is not CLUSTER_OK. */
void request_put(struct json *object, const char *name, struct json *item, enum cluster_err *e);
/* A list of strings, `stride` bytes apart, each an array; NULL when out of memory. */
struct json *request_list(const char *first, size_t n, size_t stride);

#endif
