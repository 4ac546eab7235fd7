/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_sign.h"

#include <stdio.h>

#include "cluster/document.h"

static char *lines(enum jws_typ typ, const uint8_t *payload, size_t n, const char *end)
{
	char *token = fuzz_sign(typ, payload, n), *text = NULL;

	if (token && asprintf(&text, "%s%s", token, end) < 0)
		text = NULL;
	free(token);
	return text;
}

/* A payload as the pinned root. */
static void root(const uint8_t *data, size_t n)
{
	char *text = lines(JWS_ROOT, data, n, "\n\n"), *built = NULL, *again = NULL;
	uint8_t pin[CRYPTO_SHA256_SIZE];
	struct document_root r;

	if (text && crypto_sha256(data, n, pin) == CLUSTER_OK && document_root_verify(text, strlen(text), pin, &r, NULL) == CLUSTER_OK) {
		FUZZ_CHECK(r.version == 1 && r.threshold == 1 && r.n_keys >= 1 && r.n_keys <= DOCUMENT_ROOT_KEYS_MAX && document_name_ok(r.name));
		FUZZ_CHECK(document_root_build(&r, &built) == CLUSTER_OK);
		again = lines(JWS_ROOT, (const uint8_t *)built, strlen(built), "\n\n");
		FUZZ_CHECK(again && crypto_sha256(built, strlen(built), pin) == CLUSTER_OK && document_root_verify(again, strlen(again), pin, &r, NULL) == CLUSTER_OK);
	}
	free(again);
	free(built);
	free(text);
}

static void own_root(struct document_root *r)
{
	memset(r, 0, sizeof *r);
	r->n_keys = r->threshold = 1;
	FUZZ_CHECK(crypto_key_pub(fuzz_key(), &r->key[0]) == CLUSTER_OK && jwk_kid(&r->key[0], r->kid[0]) == CLUSTER_OK);
}

static void keyset(const uint8_t *data, size_t n)
{
	char *text = lines(JWS_KEYSET, data, n, "\n"), *built = NULL, *again = NULL;
	struct document_keyset k;
	struct document_root r;

	own_root(&r);
	if (text && document_keyset_verify(text, strlen(text), &r, &k, NULL) == CLUSTER_OK) {
		FUZZ_CHECK(k.ring.n >= 1 && k.ring.n <= KEYRING_MAX && k.n_tls <= DOCUMENT_TLS_MAX && k.version >= 1);
		FUZZ_CHECK(document_keyset_build(&k, &r.cluster, &built) == CLUSTER_OK);
		again = lines(JWS_KEYSET, (const uint8_t *)built, strlen(built), "\n");
		FUZZ_CHECK(again && document_keyset_verify(again, strlen(again), &r, &k, NULL) == CLUSTER_OK);
	}
	free(again);
	free(built);
	free(text);
}

static void head(const uint8_t *data, size_t n)
{
	char *text = lines(JWS_HEAD, data, n, ""), *built = NULL;
	static const struct cluster_id cluster;
	struct keyring ring;
	const struct keyring_at at = fuzz_at(&ring, KEYRING_HEAD);
	struct document_head h, first = { 0 };

	if (text && document_head_verify(text, strlen(text), &at, &h, NULL) == CLUSTER_OK) {
		FUZZ_CHECK(h.version >= 1 && h.version <= DOCUMENT_VERSION_MAX && h.exp > FUZZ_NOW && h.iat <= FUZZ_NOW + FUZZ_SKEW);
		FUZZ_CHECK(document_head_step(&first, &h, NULL) == CLUSTER_OK && document_head_step(&h, &h, NULL) == CLUSTER_OK);
		FUZZ_CHECK(document_head_build(&h, &cluster, &built) == CLUSTER_OK);
	}
	free(built);
	free(text);
}

/* First byte: 0 raw text everywhere, 1 payload of a root, 2 of a keyset, 3 of a head. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t pin[CRYPTO_SHA256_SIZE];
	struct document_root r;
	struct document_keyset k;
	struct document_head h;
	uint8_t any[CRYPTO_SHA256_SIZE];
	char *text;

	if (n == 0 || !fuzz_key())
		return 0;
	if (data[0] == 1)
		root(data + 1, n - 1);
	else if (data[0] == 2)
		keyset(data + 1, n - 1);
	else if (data[0] == 3)
		head(data + 1, n - 1);
	if (data[0] != 0)
		return 0;
	FUZZ_CHECK((text = calloc(1, n)) != NULL);
	memcpy(text, data + 1, n - 1);
	FUZZ_CHECK(document_root_verify(text, n - 1, pin, &r, NULL) != CLUSTER_OK);
	own_root(&r);
	if (document_keyset_verify(text, n - 1, &r, &k, NULL) == CLUSTER_OK)
		FUZZ_CHECK(k.version >= 1);
	if (document_head_peek(text, n - 1, &h, NULL) == CLUSTER_OK)
		FUZZ_CHECK(h.exp - h.iat <= DOCUMENT_HEAD_LIFE_MAX);
	if (document_pin_parse(text, any) == CLUSTER_OK)
		FUZZ_CHECK(strlen(text) == DOCUMENT_PIN_TEXT);
	free(text);
	return 0;
}
