/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/request.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/moment.h"
#include "request_claims.h"

#define AUD "cluster:"
#define AUD_SIZE (sizeof AUD - 1)

static bool method_ok(const char *s)
{
	return strcmp(s, "GET") == 0 || strcmp(s, "POST") == 0;
}

static bool path_ok(const char *s)
{
	size_t n = 0;

	for (; s[n]; n++) {
		if (n >= REQUEST_PATH_MAX || s[n] <= 0x20 || s[n] >= 0x7f)
			return false;
	}
	return s[0] == '/';
}

bool request_token_ok(const char *s)
{
	size_t n = strnlen(s, 64);

	return n > 0 && n < 64 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

void request_common_fields(struct request_common *c, const char **jti, struct json_field f[REQUEST_COMMON_N])
{
	f[0] = (struct json_field){ .name = "htm", .kind = JSON_KIND_STRING, .dst = c->htm, .size = sizeof c->htm, .ok = method_ok };
	f[1] = (struct json_field){ .name = "htu", .kind = JSON_KIND_STRING, .dst = c->htu, .size = sizeof c->htu, .ok = path_ok };
	f[2] = (struct json_field){ .name = "iat", .kind = JSON_KIND_INT, .dst = &c->iat, .min = MOMENT_MIN, .max = MOMENT_MAX };
	f[3] = (struct json_field){ .name = "jti", .kind = JSON_KIND_TEXT, .dst = jti, .max = ID_TEXT };
}

enum cluster_err request_common_end(struct request_common *c, const char *jti, struct diag *d)
{
	if (id_parse(jti, &c->jti) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "jti is not 22 characters of base64url");
	return CLUSTER_OK;
}

struct json *request_common_json(const struct request_common *c, int64_t now)
{
	struct cluster_id jti;
	char text[ID_TEXT + 1];

	if (crypto_random(jti.b, sizeof jti.b) != CLUSTER_OK)
		return NULL;
	id_text(&jti, text);
	return json_make("{s:s, s:s, s:I, s:s}", "htm", c->htm, "htu", c->htu, "iat", (long long)now, "jti", text);
}

void request_aud_text(const struct cluster_id *cluster, char dst[REQUEST_AUD_SIZE])
{
	memcpy(dst, AUD, AUD_SIZE);
	id_text(cluster, dst + AUD_SIZE);
}

enum cluster_err request_aud_parse(const char *text, struct cluster_id *ret, struct diag *d)
{
	if (strncmp(text, AUD, AUD_SIZE) != 0 || id_parse(text + AUD_SIZE, ret) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "aud is not \"cluster:<id>\"");
	return CLUSTER_OK;
}

enum cluster_err request_kid_check(const char *kid, const struct crypto_pub *pub, struct diag *d)
{
	char own[NAME_KID_MAX + 1];
	enum cluster_err e = jwk_kid(pub, own);

	if (e != CLUSTER_OK)
		return diag_set(d, e, "key: %s", err_name(e));
	return strcmp(own, kid) == 0 ? CLUSTER_OK : diag_set(d, CLUSTER_ESIGNATURE, "the kid is not that of the key in the request");
}

void request_put(struct json *object, const char *name, struct json *item, enum cluster_err *e)
{
	if (*e == CLUSTER_OK)
		*e = json_set(object, name, item);
	else
		json_free(item);
}

struct json *request_list(const char *first, size_t n, size_t stride)
{
	struct json *list = json_list();

	for (size_t i = 0; list && i < n; i++) {
		if (json_append(list, json_make("s", first + i * stride)) != CLUSTER_OK) {
			json_free(list);
			list = NULL;
		}
	}
	return list;
}

/* ---- cluster-node+jwt of a poll or fetch ---- */

enum cluster_err request_node_build(const struct request_node *r, int64_t now, const struct crypto_key *node_key, char **ret)
{
	char aud[REQUEST_AUD_SIZE], sub[ID_TEXT + 1];
	struct json *j = request_common_json(&r->c, now);
	enum cluster_err e = j ? CLUSTER_OK : CLUSTER_ENOMEM;

	request_aud_text(&r->cluster, aud);
	id_text(&r->node, sub);
	request_put(j, "aud", json_make("s", aud), &e);
	request_put(j, "sub", json_make("s", sub), &e);
	request_put(j, "applied", json_make("I", (long long)r->applied), &e);
	request_put(j, "ended", json_make("I", (long long)r->ended), &e);
	if (e == CLUSTER_OK)
		e = jws_sign_json(node_key, JWS_NODE, j, ret);
	json_free(j);
	return e;
}

static enum cluster_err node_claims(const struct jws *jws, struct request_node *r, struct diag *d)
{
	const char *jti = NULL, *aud = NULL, *sub = NULL;
	struct json_field f[REQUEST_COMMON_N + 4] = {
		[REQUEST_COMMON_N] = { .name = "aud", .kind = JSON_KIND_TEXT, .dst = &aud, .max = REQUEST_AUD_SIZE },
		{ .name = "sub", .kind = JSON_KIND_TEXT, .dst = &sub, .max = ID_TEXT },
		{ .name = "applied", .kind = JSON_KIND_INT, .dst = &r->applied, .min = 0, .max = INT64_C(1) << 53 },
		{ .name = "ended", .kind = JSON_KIND_INT, .dst = &r->ended, .min = 0, .max = INT64_C(1) << 53 },
	};
	struct json *j = NULL;
	enum cluster_err e;

	request_common_fields(&r->c, &jti, f);
	if ((e = json_parse((const char *)jws->payload, jws->payload_n, jws_typ_cap(JWS_NODE), &j, d)) != CLUSTER_OK)
		return e;
	if ((e = json_read(j, f, sizeof f / sizeof *f, d)) == CLUSTER_OK && (e = request_common_end(&r->c, jti, d)) == CLUSTER_OK &&
	    (e = request_aud_parse(aud, &r->cluster, d)) == CLUSTER_OK && (e = id_parse(sub, &r->node)) != CLUSTER_OK)
		e = diag_set(d, e, "sub is not a node id");
	json_free(j);
	return e;
}

enum cluster_err request_node_parse(const char *token, size_t n, struct jws *ret_jws, struct request_node *ret, struct diag *d)
{
	struct request_node r = { 0 };
	struct jws jws;
	enum cluster_err e;

	if ((e = jws_parse(token, n, JWS_NODE, &jws, d)) != CLUSTER_OK)
		return e;
	if ((e = node_claims(&jws, &r, d)) != CLUSTER_OK) {
		jws_done(&jws);
		return e;
	}
	*ret_jws = jws;
	*ret = r;
	return CLUSTER_OK;
}

/* ---- dpop+jwt (RFC 9449) ---- */

static enum cluster_err ath_text(const char *credential, char dst[B64_LEN(CRYPTO_SHA256_SIZE) + 1])
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	enum cluster_err e = crypto_sha256(credential, strlen(credential), hash);

	return e != CLUSTER_OK ? e : b64_encode(hash, sizeof hash, dst, B64_LEN(CRYPTO_SHA256_SIZE) + 1);
}

enum cluster_err request_dpop_build(const char *method, const char *path, const char *credential, int64_t now, const struct crypto_key *key, char **ret)
{
	char ath[B64_LEN(CRYPTO_SHA256_SIZE) + 1];
	struct request_common c = { 0 };
	struct json *j = NULL;
	enum cluster_err e;

	if (strlen(method) >= sizeof c.htm || strlen(path) >= sizeof c.htu)
		return CLUSTER_ELIMIT;
	memcpy(c.htm, method, strlen(method));
	memcpy(c.htu, path, strlen(path));
	if ((e = ath_text(credential, ath)) != CLUSTER_OK)
		return e;
	if (!(j = request_common_json(&c, now)))
		return CLUSTER_ENOMEM;
	request_put(j, "ath", json_make("s", ath), &e);
	if (e == CLUSTER_OK)
		e = jws_sign_json(key, JWS_DPOP, j, ret);
	json_free(j);
	return e;
}

static enum cluster_err dpop_claims(const struct jws *jws, const char *credential, struct request_common *c, struct diag *d)
{
	char own[B64_LEN(CRYPTO_SHA256_SIZE) + 1], ath[B64_LEN(CRYPTO_SHA256_SIZE) + 1];
	const char *jti = NULL;
	struct json_field f[REQUEST_COMMON_N + 1] = {
		[REQUEST_COMMON_N] = { .name = "ath", .kind = JSON_KIND_STRING, .dst = ath, .size = sizeof ath },
	};
	struct json *j = NULL;
	enum cluster_err e;

	request_common_fields(c, &jti, f);
	if ((e = json_parse((const char *)jws->payload, jws->payload_n, jws_typ_cap(JWS_DPOP), &j, d)) != CLUSTER_OK)
		return e;
	if ((e = json_read(j, f, sizeof f / sizeof *f, d)) == CLUSTER_OK && (e = request_common_end(c, jti, d)) == CLUSTER_OK && (e = ath_text(credential, own)) == CLUSTER_OK &&
	    (strlen(ath) != strlen(own) || !crypto_equal(ath, own, strlen(own))))
		e = diag_set(d, CLUSTER_ESIGNATURE, "the proof is for another credential");
	json_free(j);
	return e;
}

enum cluster_err request_dpop_verify(const char *token, size_t n, const char *credential, const struct crypto_pub *cnf, struct request_common *ret, struct diag *d)
{
	struct request_common c = { 0 };
	struct jws jws;
	enum cluster_err e;

	if ((e = jws_parse(token, n, JWS_DPOP, &jws, d)) != CLUSTER_OK)
		return e;
	if (!crypto_pub_equal(&jws.jwk, cnf))
		e = diag_set(d, CLUSTER_ESIGNATURE, "the proof is by another key than the credential's");
	else if ((e = jws_verify(&jws, cnf)) != CLUSTER_OK)
		e = diag_set(d, e, "the proof's signature does not hold");
	else
		e = dpop_claims(&jws, credential, &c, d);
	jws_done(&jws);
	if (e == CLUSTER_OK)
		*ret = c;
	return e;
}

enum cluster_err request_common_check(const struct request_common *c, const char *method, const char *path, int64_t now, struct diag *d)
{
	if (strcmp(c->htm, method) != 0 || strcmp(c->htu, path) != 0)
		return diag_set(d, CLUSTER_EDENIED, "signed for another method or path");
	if (c->iat < now - REQUEST_WINDOW)
		return diag_set(d, CLUSTER_EEXPIRED, "signed %lld s ago: compare the clocks", (long long)(now - c->iat));
	if (c->iat > now + REQUEST_WINDOW)
		return diag_set(d, CLUSTER_EEARLY, "signed %lld s ahead: compare the clocks", (long long)(c->iat - now));
	return CLUSTER_OK;
}
