/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/jws.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/json.h"
#include "cluster/jwk.h"

#define HEADER_MAX 512 /* bytes, decoded: a dpop+jwt header with a P-256 key has about 200 */
#define SIG_TEXT B64_LEN(CRYPTO_SIG_SIZE)
#define ALG_MAX 15
#define TYP_MAX 63
#define KIB ((size_t)1 << 10)

/* PROTOCOL.md 2. */
static const struct {
	const char *name;
	size_t cap;
} types[JWS_TYP_N] = {
	[JWS_ROOT] = { "cluster-root+jwt", 64 * KIB },
	[JWS_KEYSET] = { "cluster-keyset+jwt", 64 * KIB },
	[JWS_HEAD] = { "cluster-head+jwt", 8 * KIB },
	[JWS_DIRECTORY] = { "cluster-directory+jwt", 1024 * KIB },
	[JWS_REVOCATIONS] = { "cluster-revocations+jwt", 16 * 1024 * KIB },
	[JWS_CREDENTIAL] = { "cluster-credential+jwt", 1000 },
	[JWS_ONETIME] = { "cluster-onetime+jwt", 511 },
	[JWS_HOP] = { "cluster-hop+jwt", 1280 },
	[JWS_ANSWER] = { "cluster-answer+jwt", 511 },
	[JWS_NODE] = { "cluster-node+jwt", 4 * KIB },
	[JWS_REQUEST] = { "cluster-request+jwt", 4 * KIB },
	[JWS_DPOP] = { "dpop+jwt", 4 * KIB },
};

static bool typ_ok(enum jws_typ t)
{
	return (unsigned)t < JWS_TYP_N;
}

const char *jws_typ_name(enum jws_typ t)
{
	return typ_ok(t) ? types[t].name : "?";
}

size_t jws_typ_cap(enum jws_typ t)
{
	return typ_ok(t) ? types[t].cap : 0;
}

/* The closed set of algorithms (THREATS.md B1). */
static enum cluster_err alg_parse(const char *word, enum crypto_alg *ret)
{
	if (strcmp(word, "Ed25519") == 0 || strcmp(word, "EdDSA") == 0)
		*ret = CRYPTO_ED25519;
	else if (strcmp(word, "ES256") == 0)
		*ret = CRYPTO_ES256;
	else
		return CLUSTER_EFORMAT;
	return CLUSTER_OK;
}

/* The members alg, typ, and kid or (dpop+jwt) jwk; any other is refused (THREATS.md B3). */
static enum cluster_err read_header(const struct json *header, struct jws *jws, struct diag *d)
{
	char alg[ALG_MAX + 1] = "", typ[TYP_MAX + 1] = "";
	const struct json *jwk = NULL;
	struct json_field fields[3] = {
		{ .name = "alg", .kind = JSON_KIND_STRING, .dst = alg, .size = sizeof alg },
		{ .name = "typ", .kind = JSON_KIND_STRING, .dst = typ, .size = sizeof typ },
		{ .name = "kid", .kind = JSON_KIND_STRING, .dst = jws->kid, .size = sizeof jws->kid, .ok = name_kid_ok },
	};
	enum cluster_err e;

	if (jws->typ == JWS_DPOP)
		fields[2] = (struct json_field){ .name = "jwk", .kind = JSON_KIND_OBJECT, .dst = &jwk };
	if ((e = json_read(header, fields, 3, d)) != CLUSTER_OK)
		return e;
	if (alg_parse(alg, &jws->alg) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "alg is neither Ed25519 nor ES256");
	if (strcmp(typ, types[jws->typ].name) != 0)
		return diag_set(d, CLUSTER_EFORMAT, "typ is \"%s\"", typ);
	if (!jwk)
		return CLUSTER_OK;
	if ((e = jwk_parse(jwk, JWK_BARE, &jws->jwk, d)) != CLUSTER_OK)
		return e;
	if (jws->jwk.alg != jws->alg)
		return diag_set(d, CLUSTER_EFORMAT, "alg is not the key's");
	return CLUSTER_OK;
}

static enum cluster_err parse_header(const char *text, size_t n, struct jws *jws, struct diag *d)
{
	char json[HEADER_MAX];
	size_t json_n = 0;
	struct json *header = NULL;
	enum cluster_err e = CLUSTER_EFORMAT;

	if (b64_decode(text, n, json, sizeof json, &json_n) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "header is not base64url of at most %d bytes", HEADER_MAX);
	if ((e = json_parse(json, json_n, sizeof json, &header, d)) == CLUSTER_OK)
		e = read_header(header, jws, d);
	json_free(header);
	return e == CLUSTER_OK || e == CLUSTER_ENOMEM || e == CLUSTER_ECRYPTO ? e : CLUSTER_EFORMAT;
}

static enum cluster_err parse_payload(const char *text, size_t n, struct jws *jws, struct diag *d)
{
	size_t size = n / 4 * 3 + 3;

	if (!(jws->payload = malloc(size + 1)))
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if (b64_decode(text, n, jws->payload, size, &jws->payload_n) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "payload is not base64url");
	jws->payload[jws->payload_n] = '\0';
	return CLUSTER_OK;
}

/* The parts between exactly two dots, none of them empty (THREATS.md B5). */
static enum cluster_err split(const char *token, size_t n, const char *ret_dot[2])
{
	const char *end = token + n, *a = memchr(token, '.', n), *b = a ? memchr(a + 1, '.', (size_t)(end - a - 1)) : NULL;

	if (!b || memchr(b + 1, '.', (size_t)(end - b - 1)) || a == token || b == a + 1 || b + 1 == end)
		return CLUSTER_EFORMAT;
	ret_dot[0] = a;
	ret_dot[1] = b;
	return CLUSTER_OK;
}

enum cluster_err jws_parse(const char *token, size_t n, enum jws_typ typ, struct jws *ret, struct diag *d)
{
	struct jws jws = { .typ = typ };
	const char *dot[2], *sig;
	enum cluster_err e;

	if (!typ_ok(typ))
		return diag_set(d, CLUSTER_EFORMAT, "JWS: no such type");
	if (n > types[typ].cap) {
		e = diag_set(d, CLUSTER_ELIMIT, "%zu bytes, the limit is %zu", n, types[typ].cap);
		goto out;
	}
	if (n == 0 || split(token, n, dot) != CLUSTER_OK) {
		e = diag_set(d, CLUSTER_EFORMAT, "not three parts with two dots");
		goto out;
	}
	sig = dot[1] + 1;
	if ((e = parse_header(token, (size_t)(dot[0] - token), &jws, d)) != CLUSTER_OK)
		goto out;
	if (b64_decode_exact(sig, (size_t)(token + n - sig), jws.sig, sizeof jws.sig) != CLUSTER_OK) {
		e = diag_set(d, CLUSTER_EFORMAT, "signature is not base64url of %d bytes", CRYPTO_SIG_SIZE);
		goto out;
	}
	if ((e = parse_payload(dot[0] + 1, (size_t)(dot[1] - dot[0] - 1), &jws, d)) != CLUSTER_OK)
		goto out;
	jws.signing_input = token;
	jws.signing_n = (size_t)(dot[1] - token);
	*ret = jws;
	jws.payload = NULL;
	e = CLUSTER_OK;
out:
	jws_done(&jws);
	if (e != CLUSTER_OK && d) {
		(void)diag_prefix(d, "%s", types[typ].name);
		d->code = e;
	}
	return e;
}

void jws_done(struct jws *j)
{
	free(j->payload);
	j->payload = NULL;
	j->payload_n = 0;
}

enum cluster_err jws_verify(const struct jws *j, const struct crypto_pub *pub)
{
	if (j->alg != pub->alg)
		return CLUSTER_ESIGNATURE;
	return crypto_verify(pub, j->signing_input, j->signing_n, j->sig);
}

/* The header as canonical text. */
static enum cluster_err build_header(const struct crypto_pub *pub, enum jws_typ typ, char **ret, size_t *ret_n)
{
	char kid[NAME_KID_MAX + 1] = "";
	struct json *header = NULL;
	const char *alg;
	enum cluster_err e;

	if ((e = jwk_kid(pub, kid)) != CLUSTER_OK)
		return e;
	alg = pub->alg == CRYPTO_ED25519 ? "Ed25519" : "ES256";
	if (typ == JWS_DPOP)
		header = json_make("{s:s, s:o, s:s}", "alg", alg, "jwk", jwk_build(pub, JWK_BARE), "typ", types[typ].name);
	else
		header = json_make("{s:s, s:s, s:s}", "alg", alg, "kid", kid, "typ", types[typ].name);
	e = json_text(header, ret, ret_n);
	json_free(header);
	return e;
}

enum cluster_err jws_sign_by(const struct jws_signer *key, enum jws_typ typ, const void *payload, size_t n, char **ret)
{
	char *header = NULL, *token = NULL, *p;
	size_t header_n = 0, size;
	uint8_t sig[CRYPTO_SIG_SIZE];
	enum cluster_err e = CLUSTER_EFORMAT;

	if (!typ_ok(typ) || n == 0)
		goto out;
	e = CLUSTER_ELIMIT;
	if (n > types[typ].cap)
		goto out;
	if ((e = build_header(&key->pub, typ, &header, &header_n)) != CLUSTER_OK)
		goto out;
	size = B64_LEN(header_n) + 1 + B64_LEN(n) + 1 + SIG_TEXT;
	e = size > types[typ].cap ? CLUSTER_ELIMIT : CLUSTER_ENOMEM;
	if (size > types[typ].cap || !(token = malloc(size + 1)))
		goto out;
	p = token;
	if ((e = b64_encode(header, header_n, p, size + 1)) != CLUSTER_OK)
		goto out;
	p += B64_LEN(header_n);
	*p++ = '.';
	if ((e = b64_encode(payload, n, p, size + 1 - (size_t)(p - token))) != CLUSTER_OK)
		goto out;
	p += B64_LEN(n);
	if ((e = key->sign(key->ctx, token, (size_t)(p - token), sig)) != CLUSTER_OK)
		goto out;
	*p++ = '.';
	if ((e = b64_encode(sig, sizeof sig, p, size + 1 - (size_t)(p - token))) != CLUSTER_OK)
		goto out;
	*ret = token;
	token = NULL;
	e = CLUSTER_OK;
out:
	free(token);
	free(header);
	return e;
}

static enum cluster_err sign_here(void *ctx, const void *data, size_t n, uint8_t ret[CRYPTO_SIG_SIZE])
{
	return crypto_sign(ctx, data, n, ret);
}

enum cluster_err jws_sign(const struct crypto_key *key, enum jws_typ typ, const void *payload, size_t n, char **ret)
{
	struct jws_signer signer = { .sign = sign_here, .ctx = (void *)(uintptr_t)key };
	enum cluster_err e = crypto_key_pub(key, &signer.pub);

	return e != CLUSTER_OK ? e : jws_sign_by(&signer, typ, payload, n, ret);
}

enum cluster_err jws_sign_json(const struct crypto_key *key, enum jws_typ typ, const struct json *payload, char **ret)
{
	char *text = NULL;
	size_t n = 0;
	enum cluster_err e = json_text(payload, &text, &n);

	if (e == CLUSTER_OK)
		e = jws_sign(key, typ, text, n, ret);
	free(text);
	return e;
}
