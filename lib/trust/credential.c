/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/credential.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/json.h"
#include "cluster/jwk.h"
#include "cluster/jws.h"
#include "cluster/moment.h"

#include "credential_part.h"
#include "request_claims.h"

#define N(a) (sizeof(a) / sizeof(a)[0])

/* What json_read fills before anything is converted. */
struct claims {
	const char *iss, *aud;
	char sub[ID_TEXT + 1], dev[ID_TEXT + 1], jti[ID_TEXT + 1];
	const struct json *cnf, *amr, *acc, *nod, *src;
};

static bool amr_ok(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n >= 1 && n <= 8 && s[n] == '\0';
}

static bool selector_ok(const char *s)
{
	if (strncmp(s, "role:", 5) == 0)
		return name_role_ok(s + 5);
	return strncmp(s, "node:", 5) == 0 && name_node_ok(s + 5);
}

/* An optional array of words, the grammar of each, and the char[most][size] and count that take them. */
struct words {
	const char *name;
	const struct json *array;
	bool (*ok)(const char *);
	char *dst;
	size_t size, most, *ret_n;
};

/* json_read has judged the number of elements. */
static enum cluster_err read_words(const struct words *w, struct diag *d)
{
	size_t n = w->array ? json_count(w->array) : 0;

	if (n > w->most)
		return diag_set(d, CLUSTER_EFORMAT, "%s: more than %zu", w->name, w->most);
	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_at(w->array, i);

		if (!s || strlen(s) >= w->size || !w->ok(s))
			return diag_set(d, CLUSTER_EFORMAT, "%s: element %zu", w->name, i);
		memcpy(w->dst + i * w->size, s, strlen(s) + 1);
	}
	*w->ret_n = n;
	return CLUSTER_OK;
}

static enum cluster_err read_cnf(const struct json *cnf, struct crypto_pub *ret, struct diag *d)
{
	const struct json *jwk = NULL;
	const struct json_field fields[] = { { .name = "jwk", .kind = JSON_KIND_OBJECT, .dst = &jwk } };
	enum cluster_err e = json_read(cnf, fields, N(fields), d);

	return e == CLUSTER_OK ? jwk_parse(jwk, JWK_BARE, ret, d) : e;
}

static enum cluster_err read_audience(const struct claims *c, struct cluster_id *ret, struct diag *d)
{
	if (strcmp(c->iss, c->aud) != 0)
		return diag_set(d, CLUSTER_EFORMAT, "iss and aud differ");
	return request_aud_parse(c->aud, ret, d);
}

static enum cluster_err convert(const struct claims *c, struct credential *ret, struct diag *d)
{
	const struct words words[] = {
		{ "amr", c->amr, amr_ok, ret->amr[0], sizeof ret->amr[0], CREDENTIAL_AMR_MAX, &ret->n_amr },
		{ "acc", c->acc, name_account_ok, ret->acc[0], sizeof ret->acc[0], CREDENTIAL_ACC_MAX, &ret->n_acc },
		{ "nod", c->nod, selector_ok, ret->nod[0], sizeof ret->nod[0], CREDENTIAL_NOD_MAX, &ret->n_nod },
		{ "src", c->src, credential_source_ok, ret->src[0], sizeof ret->src[0], CREDENTIAL_SRC_MAX, &ret->n_src },
	};
	enum cluster_err e;

	if (id_parse(c->sub, &ret->person) != CLUSTER_OK || id_parse(c->dev, &ret->device) != CLUSTER_OK || id_parse(c->jti, &ret->jti) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "sub, dev or jti is not an id");
	if ((e = read_audience(c, &ret->cluster, d)) != CLUSTER_OK || (e = read_cnf(c->cnf, &ret->cnf, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < N(words); i++)
		if ((e = read_words(&words[i], d)) != CLUSTER_OK)
			return e;
	return CLUSTER_OK;
}

enum cluster_err credential_parse(const void *payload, size_t n, struct credential *ret, struct diag *d)
{
	struct credential out = { .n_amr = 0 };
	struct claims c = { .iss = NULL };
	const struct json_field fields[] = {
		{ .name = "acc", .kind = JSON_KIND_ARRAY, .optional = true, .dst = &c.acc, .min = 1, .max = CREDENTIAL_ACC_MAX },
		{ .name = "amr", .kind = JSON_KIND_ARRAY, .dst = &c.amr, .min = 1, .max = CREDENTIAL_AMR_MAX },
		{ .name = "aud", .kind = JSON_KIND_TEXT, .dst = &c.aud, .max = REQUEST_AUD_SIZE - 1 },
		{ .name = "auth_time", .kind = JSON_KIND_INT, .dst = &out.auth_time, .min = MOMENT_MIN, .max = MOMENT_MAX },
		{ .name = "cnf", .kind = JSON_KIND_OBJECT, .dst = &c.cnf },
		{ .name = "dev", .kind = JSON_KIND_STRING, .dst = c.dev, .size = sizeof c.dev },
		{ .name = "exp", .kind = JSON_KIND_INT, .dst = &out.exp, .min = MOMENT_MIN, .max = MOMENT_MAX },
		{ .name = "iat", .kind = JSON_KIND_INT, .dst = &out.iat, .min = MOMENT_MIN, .max = MOMENT_MAX },
		{ .name = "iss", .kind = JSON_KIND_TEXT, .dst = &c.iss, .max = REQUEST_AUD_SIZE - 1 },
		{ .name = "jti", .kind = JSON_KIND_STRING, .dst = c.jti, .size = sizeof c.jti },
		{ .name = "nbf", .kind = JSON_KIND_INT, .dst = &out.nbf, .min = MOMENT_MIN, .max = MOMENT_MAX },
		{ .name = "nod", .kind = JSON_KIND_ARRAY, .optional = true, .dst = &c.nod, .min = 1, .max = CREDENTIAL_NOD_MAX },
		{ .name = "src", .kind = JSON_KIND_ARRAY, .optional = true, .dst = &c.src, .min = 1, .max = CREDENTIAL_SRC_MAX },
		{ .name = "sub", .kind = JSON_KIND_STRING, .dst = c.sub, .size = sizeof c.sub },
	};
	struct json *j = NULL;
	enum cluster_err e;

	if ((e = json_parse(payload, n, CREDENTIAL_SIZE_MAX, &j, d)) == CLUSTER_OK && (e = json_read(j, fields, N(fields), d)) == CLUSTER_OK)
		e = convert(&c, &out, d);
	json_free(j);
	if (e == CLUSTER_OK)
		*ret = out;
	return e;
}

/* The base point and a signature of zeros: costs what a real verification costs and never holds. */
void credential_verify_nothing(void)
{
	static const struct crypto_pub pub = { .alg = CRYPTO_ED25519, .bytes = { 0x58,
	    0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
	    0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66 } };
	static const uint8_t sig[CRYPTO_SIG_SIZE], data[CREDENTIAL_SIZE_MAX / 2];

	if (crypto_verify(&pub, data, sizeof data, sig) != CLUSTER_OK)
		return;
}

enum cluster_err credential_warm(void)
{
	enum cluster_err e = crypto_start();
	uint8_t hash[CRYPTO_SHA256_SIZE];

	if (e == CLUSTER_OK && (e = crypto_sha256("", 0, hash)) == CLUSTER_OK) {
		json_free(json_map());
		credential_verify_nothing();
	}
	return e;
}

enum cluster_err credential_check_signature(const struct jws *j, const struct keyring_at *at, struct diag *d)
{
	const struct keyring_key *key = NULL;
	enum cluster_err e = keyring_find(at, j->kid, KEYRING_ISSUER, &key);

	if (e != CLUSTER_OK) {
		credential_verify_nothing();
		return diag_set(d, e, "issuer key %s: %s", j->kid, err_name(e));
	}
	e = jws_verify(j, &key->pub);
	return e == CLUSTER_OK ? e : diag_set(d, e, "signature by %s: %s", j->kid, err_name(e));
}

enum cluster_err credential_verify(const char *token, size_t n, const struct keyring_at *at, struct credential *ret, struct diag *d)
{
	struct credential c;
	struct jws j;
	enum cluster_err e;

	if ((e = jws_parse(token, n, JWS_CREDENTIAL, &j, d)) != CLUSTER_OK) {
		credential_verify_nothing();
		return e;
	}
	if ((e = credential_check_signature(&j, at, d)) != CLUSTER_OK || (e = credential_parse(j.payload, j.payload_n, &c, d)) != CLUSTER_OK)
		goto out;
	if (!id_equal(&c.cluster, at->cluster)) {
		e = diag_set(d, CLUSTER_EDENIED, "the credential is of another cluster");
		goto out;
	}
	memcpy(c.issuer, j.kid, sizeof c.issuer);
	*ret = c;
	e = CLUSTER_OK;
out:
	jws_done(&j);
	return e;
}

static struct json *make_words(const char *words, size_t n, size_t size)
{
	struct json *list = json_list();

	for (size_t i = 0; i < n; i++) {
		if (json_append(list, json_make("s", words + i * size)) != CLUSTER_OK) {
			json_free(list);
			return NULL;
		}
	}
	return list;
}

static enum cluster_err set_words(struct json *j, const char *name, const char *words, size_t n, size_t size)
{
	return n == 0 ? CLUSTER_OK : json_set(j, name, make_words(words, n, size));
}

static struct json *make_claims(const struct credential *c)
{
	char audience[REQUEST_AUD_SIZE], sub[ID_TEXT + 1], dev[ID_TEXT + 1], jti[ID_TEXT + 1];
	struct json *j;

	request_aud_text(&c->cluster, audience);
	id_text(&c->person, sub);
	id_text(&c->device, dev);
	id_text(&c->jti, jti);
	j = json_make("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:{s:o}}", "iss", audience, "aud", audience, "sub", sub, "dev", dev, "jti", jti,
	    "iat", (long long)c->iat, "nbf", (long long)c->nbf, "exp", (long long)c->exp, "auth_time", (long long)c->auth_time,
	    "amr", make_words(c->amr[0], c->n_amr, sizeof c->amr[0]), "cnf", "jwk", jwk_build(&c->cnf, JWK_BARE));
	if (!j || set_words(j, "acc", c->acc[0], c->n_acc, sizeof c->acc[0]) != CLUSTER_OK || set_words(j, "nod", c->nod[0], c->n_nod, sizeof c->nod[0]) != CLUSTER_OK ||
	    set_words(j, "src", c->src[0], c->n_src, sizeof c->src[0]) != CLUSTER_OK) {
		json_free(j);
		return NULL;
	}
	return j;
}

enum cluster_err credential_build(const struct credential *c, const struct crypto_key *issuer, char **ret)
{
	struct json *j = make_claims(c);
	char *token = NULL;
	enum cluster_err e = jws_sign_json(issuer, JWS_CREDENTIAL, j, &token);

	json_free(j);
	if (e != CLUSTER_OK)
		return e;
	if (strlen(token) > CREDENTIAL_SIZE_MAX) {
		free(token);
		return CLUSTER_ELIMIT;
	}
	*ret = token;
	return CLUSTER_OK;
}
