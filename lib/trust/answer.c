/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/answer.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/credential.h"
#include "cluster/jws.h"
#include "json_field.h"

#define HASH_TEXT B64_LEN(CRYPTO_SHA256_SIZE)

static enum cluster_err challenge_hash(const struct challenge *c, uint8_t ret[CRYPTO_SHA256_SIZE])
{
	uint8_t data[CHALLENGE_SIZE];

	challenge_build(c, data);
	return crypto_sha256(data, sizeof data, ret);
}

enum cluster_err answer_parse(const void *payload, size_t n, struct answer *ret, struct crypto_pub *ret_key, uint8_t ret_challenge[CRYPTO_SHA256_SIZE], struct diag *d)
{
	const char *chal = NULL, *sub = NULL;
	const struct json *jwk = NULL;
	struct answer out = { .iat = 0 };
	const struct json_field fields[] = {
		FIELD_TEXT("chal", chal, HASH_TEXT, NULL),
		FIELD_TIME("iat", out.iat),
		FIELD_OBJECT("jwk", jwk),
		FIELD_TEXT("sub", sub, ID_TEXT, NULL),
	};
	char jkt[JWK_THUMBPRINT + 1];
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct crypto_pub key;
	struct json *j = NULL;
	enum cluster_err e;

	if ((e = json_parse(payload, n, ANSWER_SIZE_MAX, &j, d)) != CLUSTER_OK || (e = json_read(j, fields, FIELD_COUNT(fields), d)) != CLUSTER_OK ||
	    (e = jwk_parse(jwk, JWK_BARE, &key, d)) != CLUSTER_OK)
		goto out;
	if (id_parse(sub, &out.person) != CLUSTER_OK || b64_decode_exact(chal, strlen(chal), hash, sizeof hash) != CLUSTER_OK) {
		e = diag_set(d, CLUSTER_EFORMAT, "sub or chal is not what it should be");
		goto out;
	}
	if ((e = jwk_thumbprint(&key, jkt)) != CLUSTER_OK || (e = b64_decode_exact(jkt, strlen(jkt), out.thumbprint, sizeof out.thumbprint)) != CLUSTER_OK)
		goto out;
	*ret = out;
	*ret_key = key;
	memcpy(ret_challenge, hash, sizeof hash);
	e = CLUSTER_OK;
out:
	json_free(j);
	return e;
}

/* The key says who it is, in the header too; then signature and challenge. */
static enum cluster_err check(const struct jws *j, const struct challenge *c, struct answer *ret, struct diag *d)
{
	uint8_t wanted[CRYPTO_SHA256_SIZE], said[CRYPTO_SHA256_SIZE];
	char kid[NAME_KID_MAX + 1];
	struct crypto_pub key;
	enum cluster_err e;

	if ((e = answer_parse(j->payload, j->payload_n, ret, &key, said, d)) != CLUSTER_OK || (e = jwk_kid(&key, kid)) != CLUSTER_OK) {
		credential_verify_nothing();
		return e;
	}
	if ((e = jws_verify(j, &key)) != CLUSTER_OK)
		return diag_set(d, e, "signature: %s", err_name(e));
	if (strcmp(kid, j->kid) != 0)
		return diag_set(d, CLUSTER_ESIGNATURE, "kid is not the key's");
	if ((e = challenge_hash(c, wanted)) != CLUSTER_OK)
		return e;
	return crypto_equal(wanted, said, sizeof wanted) ? CLUSTER_OK : diag_set(d, CLUSTER_ESIGNATURE, "the answer to another challenge");
}

enum cluster_err answer_verify(const char *token, size_t n, const struct challenge *c, struct answer *ret, struct diag *d)
{
	struct answer a;
	struct jws j;
	enum cluster_err e;

	if ((e = jws_parse(token, n, JWS_ANSWER, &j, d)) != CLUSTER_OK) {
		credential_verify_nothing();
		return e;
	}
	if ((e = check(&j, c, &a, d)) == CLUSTER_OK)
		*ret = a;
	jws_done(&j);
	return e;
}

static enum cluster_err claims_text(const struct challenge *c, const struct cluster_id *person, const struct crypto_pub *key, int64_t now, char **ret, size_t *ret_n)
{
	char chal[HASH_TEXT + 1], sub[ID_TEXT + 1];
	uint8_t hash[CRYPTO_SHA256_SIZE];
	enum cluster_err e;
	struct json *j;

	if ((e = challenge_hash(c, hash)) != CLUSTER_OK || (e = b64_encode(hash, sizeof hash, chal, sizeof chal)) != CLUSTER_OK)
		return e;
	id_text(person, sub);
	j = json_make("{s:s, s:s, s:I, s:o}", "chal", chal, "sub", sub, "iat", (long long)now, "jwk", jwk_build(key, JWK_BARE));
	e = json_text(j, ret, ret_n);
	json_free(j);
	return e;
}

enum cluster_err answer_build_by(const struct challenge *c, const struct cluster_id *person, const struct jws_signer *key, int64_t now, char **ret)
{
	enum cluster_err e;
	char *text = NULL;
	size_t n = 0;

	if ((e = claims_text(c, person, &key->pub, now, &text, &n)) == CLUSTER_OK)
		e = jws_sign_by(key, JWS_ANSWER, text, n, ret);
	free(text);
	return e;
}

enum cluster_err answer_build(const struct challenge *c, const struct cluster_id *person, const struct crypto_key *key, int64_t now, char **ret)
{
	struct crypto_pub pub;
	enum cluster_err e;
	char *text = NULL;
	size_t n = 0;

	if ((e = crypto_key_pub(key, &pub)) == CLUSTER_OK && (e = claims_text(c, person, &pub, now, &text, &n)) == CLUSTER_OK)
		e = jws_sign(key, JWS_ANSWER, text, n, ret);
	free(text);
	return e;
}
