/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/jwk.h"

#include <stdio.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/diag.h"
#include "cluster/json.h"

#define COORDINATE 32
#define COORDINATE_TEXT 43
#define KID_BYTES 16
#define WORD_MAX 15

/* The fixed table of (alg, kty, crv): THREATS.md B2. */
struct kind {
	enum crypto_alg alg;
	const char *alg_name, *kty, *crv;
	bool has_y;
};

static const struct kind kinds[] = {
	{ CRYPTO_ED25519, "Ed25519", "OKP", "Ed25519", false },
	{ CRYPTO_ES256, "ES256", "EC", "P-256", true },
};

static const struct kind *kind_by_crv(const char *crv)
{
	for (size_t i = 0; crv && i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].crv, crv) == 0)
			return &kinds[i];
	return NULL;
}

static const struct kind *kind_by_alg(enum crypto_alg alg)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].alg == alg)
			return &kinds[i];
	return NULL;
}

/* All members as text; x and y decoded into *ret. */
static enum cluster_err read_members(const struct json *j, const struct kind *k, enum jwk_form form, struct crypto_pub *ret, char kid[NAME_KID_MAX + 1], struct diag *d)
{
	char alg[WORD_MAX + 1], crv[WORD_MAX + 1], kty[WORD_MAX + 1], x[COORDINATE_TEXT + 1], y[COORDINATE_TEXT + 1];
	struct json_field fields[6] = {
		{ .name = "crv", .kind = JSON_KIND_STRING, .dst = crv, .size = sizeof crv },
		{ .name = "kty", .kind = JSON_KIND_STRING, .dst = kty, .size = sizeof kty },
		{ .name = "x", .kind = JSON_KIND_STRING, .dst = x, .size = sizeof x },
	};
	size_t n = 3;
	enum cluster_err e;

	if (k->has_y)
		fields[n++] = (struct json_field){ .name = "y", .kind = JSON_KIND_STRING, .dst = y, .size = sizeof y };
	if (form == JWK_NAMED) {
		fields[n++] = (struct json_field){ .name = "alg", .kind = JSON_KIND_STRING, .dst = alg, .size = sizeof alg };
		fields[n++] = (struct json_field){ .name = "kid", .kind = JSON_KIND_STRING, .dst = kid, .size = NAME_KID_MAX + 1, .ok = name_kid_ok };
	}
	if ((e = json_read(j, fields, n, d)) != CLUSTER_OK)
		return e == CLUSTER_ENOMEM ? e : CLUSTER_EFORMAT;
	if (strcmp(kty, k->kty) != 0 || (form == JWK_NAMED && strcmp(alg, k->alg_name) != 0))
		return diag_set(d, CLUSTER_EFORMAT, "JWK: kty, crv and alg do not belong together");
	if (b64_decode_exact(x, strlen(x), ret->bytes, COORDINATE) != CLUSTER_OK ||
	    (k->has_y && b64_decode_exact(y, strlen(y), ret->bytes + COORDINATE, COORDINATE) != CLUSTER_OK))
		return diag_set(d, CLUSTER_EFORMAT, "JWK: a coordinate is not base64url of 32 bytes");
	return CLUSTER_OK;
}

enum cluster_err jwk_parse(const struct json *j, enum jwk_form form, struct crypto_pub *ret, struct diag *d)
{
	const struct kind *k = kind_by_crv(json_member_text(j, "crv"));
	struct crypto_pub pub = { 0 };
	char kid[NAME_KID_MAX + 1] = "", own[NAME_KID_MAX + 1];
	enum cluster_err e;

	if (!k)
		return diag_set(d, CLUSTER_EFORMAT, "JWK: crv is neither Ed25519 nor P-256");
	pub.alg = k->alg;
	if ((e = read_members(j, k, form, &pub, kid, d)) != CLUSTER_OK)
		return e;
	if ((e = crypto_pub_check(&pub)) != CLUSTER_OK)
		return diag_set(d, e, "JWK: not a point that may be a key");
	if (form == JWK_NAMED) {
		if ((e = jwk_kid(&pub, own)) != CLUSTER_OK)
			return diag_set(d, e, "JWK: cannot compute the kid");
		if (strcmp(kid, own) != 0)
			return diag_set(d, CLUSTER_EFORMAT, "JWK: kid is not the key's own");
	}
	*ret = pub;
	return CLUSTER_OK;
}

/* x and, for a P-256 key, y (else empty) as text. */
static enum cluster_err coordinates(const struct crypto_pub *pub, char x[COORDINATE_TEXT + 1], char y[COORDINATE_TEXT + 1])
{
	enum cluster_err e = b64_encode(pub->bytes, COORDINATE, x, COORDINATE_TEXT + 1);

	y[0] = '\0';
	if (e == CLUSTER_OK && pub->alg == CRYPTO_ES256)
		e = b64_encode(pub->bytes + COORDINATE, COORDINATE, y, COORDINATE_TEXT + 1);
	return e;
}

struct json *jwk_build(const struct crypto_pub *pub, enum jwk_form form)
{
	const struct kind *k = kind_by_alg(pub->alg);
	char x[COORDINATE_TEXT + 1], y[COORDINATE_TEXT + 1], kid[NAME_KID_MAX + 1];

	if (!k || coordinates(pub, x, y) != CLUSTER_OK || jwk_kid(pub, kid) != CLUSTER_OK)
		return NULL;
	return json_make("{s:s, s:s, s:s, s:s*, s:s*, s:s*}", "crv", k->crv, "kty", k->kty, "x", x, "y", k->has_y ? y : NULL,
		"alg", form == JWK_NAMED ? k->alg_name : NULL, "kid", form == JWK_NAMED ? kid : NULL);
}

/* SHA-256 over the members that RFC 7638 names, in its order. */
static enum cluster_err thumbprint(const struct crypto_pub *pub, uint8_t ret[CRYPTO_SHA256_SIZE])
{
	const struct kind *k = kind_by_alg(pub->alg);
	char x[COORDINATE_TEXT + 1], y[COORDINATE_TEXT + 1], text[160];
	enum cluster_err e;
	int n;

	if (!k)
		return CLUSTER_EFORMAT;
	if ((e = coordinates(pub, x, y)) != CLUSTER_OK)
		return e;
	n = snprintf(text, sizeof text, "{\"crv\":\"%s\",\"kty\":\"%s\",\"x\":\"%s\"%s%s%s}", k->crv, k->kty, x, k->has_y ? ",\"y\":\"" : "", y, k->has_y ? "\"" : "");
	if (n < 0 || (size_t)n >= sizeof text)
		return CLUSTER_ELIMIT;
	return crypto_sha256(text, (size_t)n, ret);
}

enum cluster_err jwk_kid(const struct crypto_pub *pub, char ret[NAME_KID_MAX + 1])
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	enum cluster_err e = thumbprint(pub, hash);

	return e != CLUSTER_OK ? e : b64_encode(hash, KID_BYTES, ret, NAME_KID_MAX + 1);
}

enum cluster_err jwk_thumbprint(const struct crypto_pub *pub, char ret[JWK_THUMBPRINT + 1])
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	enum cluster_err e = thumbprint(pub, hash);

	return e != CLUSTER_OK ? e : b64_encode(hash, sizeof hash, ret, JWK_THUMBPRINT + 1);
}
