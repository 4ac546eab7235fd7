/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/document.h"

#include <stdlib.h>
#include <string.h>

#include "document_lines.h"
#include "json_field.h"

#include "cluster/b64.h"
#include "cluster/json.h"
#include "cluster/jwk.h"
#include "cluster/jws.h"

#define PIN_PREFIX "sha256:"
#define HASH_TEXT 43
#define USE_MAX 15

enum cluster_err document_pin_parse(const char *text, uint8_t ret[CRYPTO_SHA256_SIZE])
{
	uint8_t pin[CRYPTO_SHA256_SIZE];

	if (!text || strnlen(text, DOCUMENT_PIN_TEXT + 1) != DOCUMENT_PIN_TEXT || strncmp(text, PIN_PREFIX, strlen(PIN_PREFIX)) != 0 ||
	    b64_decode_exact(text + strlen(PIN_PREFIX), HASH_TEXT, pin, sizeof pin) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	memcpy(ret, pin, sizeof pin);
	return CLUSTER_OK;
}

void document_pin_text(const uint8_t pin[CRYPTO_SHA256_SIZE], char dst[DOCUMENT_PIN_TEXT + 1])
{
	memcpy(dst, PIN_PREFIX, strlen(PIN_PREFIX));
	if (b64_encode(pin, CRYPTO_SHA256_SIZE, dst + strlen(PIN_PREFIX), HASH_TEXT + 1) != CLUSTER_OK)
		dst[0] = '\0';
}

bool document_cluster_is(const char *text, const struct cluster_id *cluster)
{
	struct cluster_id id;

	return id_parse(text, &id) == CLUSTER_OK && id_equal(&id, cluster);
}

static enum cluster_err read_hash(const char *text, uint8_t ret[CRYPTO_SHA256_SIZE])
{
	return b64_decode_exact(text, strlen(text), ret, CRYPTO_SHA256_SIZE);
}

static enum cluster_err read_key(const struct json *j, struct keyring *ring, struct diag *d)
{
	struct keyring_key key = { 0 };
	const struct json *jwk = NULL;
	char use[USE_MAX + 1];
	const struct json_field fields[] = {
		FIELD_TIME("exp", key.exp),
		FIELD_OBJECT("jwk", jwk),
		FIELD_TIME("nbf", key.nbf),
		FIELD_STRING("use", use, NULL),
	};
	enum cluster_err e;

	if ((e = json_read(j, fields, FIELD_COUNT(fields), d)) != CLUSTER_OK || (e = jwk_parse(jwk, JWK_NAMED, &key.pub, d)) != CLUSTER_OK ||
	    (e = jwk_kid(&key.pub, key.kid)) != CLUSTER_OK)
		return e;
	if (keyring_role_parse(use, &key.role) != CLUSTER_OK || key.exp <= key.nbf)
		return diag_set(d, CLUSTER_EFORMAT, "key %s: unknown use, or exp not after nbf", key.kid);
	if ((e = keyring_add(ring, &key)) != CLUSTER_OK)
		return diag_set(d, e, "key %s is there twice, or there are too many", key.kid);
	return CLUSTER_OK;
}

static enum cluster_err read_keyset(const struct json *tree, const struct cluster_id *cluster, struct document_keyset *ks, struct diag *d)
{
	const struct json *keys = NULL, *tls = NULL;
	char id[ID_TEXT + 1];
	const struct json_field fields[] = {
		FIELD_STRING("cluster", id, NULL),
		FIELD_TIME("iat", ks->iat),
		FIELD_ARRAY("keys", keys, 1, KEYRING_MAX),
		FIELD_ARRAY("tls", tls, 0, DOCUMENT_TLS_MAX),
		FIELD_VERSION("version", ks->version),
	};
	enum cluster_err e;

	if ((e = json_read(tree, fields, FIELD_COUNT(fields), d)) != CLUSTER_OK)
		return e;
	if (!document_cluster_is(id, cluster))
		return diag_set(d, CLUSTER_EFORMAT, "it is another cluster's");
	for (size_t i = 0; i < json_count(keys); i++)
		if ((e = read_key(json_at(keys, i), &ks->ring, d)) != CLUSTER_OK)
			return e;
	for (size_t i = 0; i < json_count(tls); i++) {
		const char *pin = json_string_at(tls, i);

		if (!pin || read_hash(pin, ks->tls[i]) != CLUSTER_OK)
			return diag_set(d, CLUSTER_EFORMAT, "TLS pin %zu is not base64url of 32 bytes", i);
		ks->n_tls = i + 1;
	}
	return CLUSTER_OK;
}

enum cluster_err document_keyset_verify(const char *text, size_t n, const struct document_root *root, struct document_keyset *ret, struct diag *d)
{
	struct document_lines *l = calloc(1, sizeof *l);
	struct document_keyset ks = { 0 };
	struct json *tree = NULL;
	enum cluster_err e = CLUSTER_ENOMEM;

	if (!l) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	if ((e = document_lines_parse(text, n, JWS_KEYSET, l, d)) != CLUSTER_OK || (e = document_lines_signed(l, root, d)) != CLUSTER_OK ||
	    (e = json_parse((const char *)l->line[0].payload, l->line[0].payload_n, DOCUMENT_TEXT_MAX, &tree, d)) != CLUSTER_OK ||
	    (e = read_keyset(tree, &root->cluster, &ks, d)) != CLUSTER_OK)
		goto out;
	*ret = ks;
	e = CLUSTER_OK;
out:
	json_free(tree);
	if (l)
		document_lines_done(l);
	free(l);
	if (e != CLUSTER_OK)
		(void)diag_prefix(d, "keyset");
	return e;
}

static enum cluster_err read_ref(const struct json *j, const char *what, int64_t cap, struct document_ref *ret, struct diag *d)
{
	char hash[HASH_TEXT + 1];
	const struct json_field fields[] = {
		FIELD_STRING("sha256", hash, NULL),
		FIELD_INT("size", ret->size, 1, cap),
		FIELD_VERSION("version", ret->version),
	};
	enum cluster_err e = json_read(j, fields, FIELD_COUNT(fields), d);

	if (e == CLUSTER_OK && read_hash(hash, ret->sha256) != CLUSTER_OK)
		e = diag_set(d, CLUSTER_EFORMAT, "sha256 is not base64url of 32 bytes");
	if (e != CLUSTER_OK)
		(void)diag_prefix(d, "%s", what);
	return e;
}

/* The payload; `cluster` NULL: whichever cluster. */
static enum cluster_err read_head(const struct jws *j, const struct cluster_id *cluster, struct document_head *ret, struct diag *d)
{
	struct document_head h = { 0 };
	const struct json *directory = NULL, *keyset = NULL, *revocations = NULL, *root = NULL;
	struct json *tree = NULL;
	char id[ID_TEXT + 1];
	const struct json_field fields[] = {
		FIELD_STRING("cluster", id, NULL),
		FIELD_OBJECT("directory", directory),
		FIELD_TIME("exp", h.exp),
		FIELD_TIME("iat", h.iat),
		FIELD_OBJECT("keyset", keyset),
		FIELD_OBJECT("revocations", revocations),
		FIELD_OBJECT("root", root),
		FIELD_VERSION("version", h.version),
	};
	enum cluster_err e;

	if ((e = json_parse((const char *)j->payload, j->payload_n, jws_typ_cap(JWS_HEAD), &tree, d)) != CLUSTER_OK ||
	    (e = json_read(tree, fields, FIELD_COUNT(fields), d)) != CLUSTER_OK ||
	    (e = read_ref(directory, "directory", (int64_t)jws_typ_cap(JWS_DIRECTORY) + 1, &h.directory, d)) != CLUSTER_OK ||
	    (e = read_ref(keyset, "keyset", DOCUMENT_TEXT_MAX, &h.keyset, d)) != CLUSTER_OK ||
	    (e = read_ref(revocations, "revocations", (int64_t)jws_typ_cap(JWS_REVOCATIONS) + 1, &h.revocations, d)) != CLUSTER_OK ||
	    (e = read_ref(root, "root", DOCUMENT_CHAIN_MAX, &h.root, d)) != CLUSTER_OK)
		goto out;
	e = CLUSTER_EFORMAT;
	if (cluster && !document_cluster_is(id, cluster)) {
		(void)diag_set(d, e, "it is another cluster's");
		goto out;
	}
	if (h.exp <= h.iat || h.exp - h.iat > DOCUMENT_HEAD_LIFE_MAX) {
		(void)diag_set(d, e, "life of %lld seconds", (long long)(h.exp - h.iat));
		goto out;
	}
	*ret = h;
	e = CLUSTER_OK;
out:
	json_free(tree);
	return e;
}

/* One line; its "\n" may be missing, as where JSON carries the document. */
static size_t line_length(const char *text, size_t n)
{
	return n > 0 && text[n - 1] == '\n' ? n - 1 : n;
}

/* Whose signature each type carries, of those that one role key signs; 0 for the others. */
static const enum keyring_role role_of[JWS_TYP_N] = {
	[JWS_HEAD] = KEYRING_HEAD,
	[JWS_DIRECTORY] = KEYRING_DIRECTORY,
	[JWS_REVOCATIONS] = KEYRING_REVOCATION,
	[JWS_CREDENTIAL] = KEYRING_ISSUER,
};

/* Envelope, key by kid, role and window, signature: nothing of the payload is read. The caller calls jws_done after success. */
static enum cluster_err verify_line(const char *text, size_t n, enum jws_typ typ, const struct keyring_at *at, struct jws *ret, struct diag *d)
{
	const struct keyring_key *key = NULL;
	enum keyring_role role;
	struct jws j;
	enum cluster_err e;

	if ((unsigned int)typ >= JWS_TYP_N || !role_of[typ])
		return diag_set(d, CLUSTER_EFORMAT, "no role key signs this type");
	role = role_of[typ];
	if ((e = jws_parse(text, line_length(text, n), typ, &j, d)) != CLUSTER_OK)
		return e;
	e = keyring_find(at, j.kid, role, &key);
	if (e == CLUSTER_ENOTFOUND)
		e = diag_set(d, CLUSTER_ESIGNATURE, "%s: %s is no %s key of the keyset", jws_typ_name(typ), j.kid, keyring_role_name(role));
	else if (e != CLUSTER_OK)
		(void)diag_set(d, e, "%s: %s key %s is not in force", jws_typ_name(typ), keyring_role_name(role), j.kid);
	else if ((e = jws_verify(&j, &key->pub)) != CLUSTER_OK)
		(void)diag_set(d, e, "%s: the signature of %s does not hold", jws_typ_name(typ), j.kid);
	if (e != CLUSTER_OK) {
		jws_done(&j);
		return e;
	}
	*ret = j;
	return CLUSTER_OK;
}

enum cluster_err document_head_verify(const char *text, size_t n, const struct keyring_at *at, struct document_head *ret, struct diag *d)
{
	struct document_head h;
	struct jws j;
	enum cluster_err e;

	if ((e = verify_line(text, n, JWS_HEAD, at, &j, d)) != CLUSTER_OK)
		return e;
	e = read_head(&j, at->cluster, &h, d);
	jws_done(&j);
	if (e != CLUSTER_OK) {
		(void)diag_prefix(d, "head");
		return e;
	}
	if (h.iat > at->now + at->skew)
		return diag_set(d, CLUSTER_EEARLY, "head: signed %lld seconds ahead of this clock", (long long)(h.iat - at->now));
	if (h.exp <= at->now)
		return diag_set(d, CLUSTER_EEXPIRED, "head: expired %lld seconds ago", (long long)(at->now - h.exp));
	*ret = h;
	return CLUSTER_OK;
}

enum cluster_err document_head_peek(const char *text, size_t n, struct document_head *ret, struct diag *d)
{
	struct jws j;
	enum cluster_err e;

	if ((e = jws_parse(text, line_length(text, n), JWS_HEAD, &j, d)) != CLUSTER_OK)
		return e;
	e = read_head(&j, NULL, ret, d);
	jws_done(&j);
	return e;
}

enum cluster_err document_payload(const char *text, size_t n, int typ, const struct keyring_at *at, uint8_t **ret, size_t *ret_n, struct diag *d)
{
	struct jws j;
	enum cluster_err e;

	if ((e = verify_line(text, n, (enum jws_typ)typ, at, &j, d)) != CLUSTER_OK)
		return e;
	*ret_n = j.payload_n;
	*ret = j.payload; /* freed by the caller: what jws_done would free */
	return CLUSTER_OK;
}
