/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/document.h"

#include <string.h>

#include "cluster/b64.h"
#include "cluster/json.h"
#include "cluster/jwk.h"

#define HASH_TEXT 43

static bool ref_equal(const struct document_ref *a, const struct document_ref *b)
{
	return a->version == b->version && a->size == b->size && crypto_equal(a->sha256, b->sha256, sizeof a->sha256);
}

static enum cluster_err step_ref(const char *what, const struct document_ref *last, const struct document_ref *next, struct diag *d)
{
	if (next->version < last->version)
		return diag_set(d, CLUSTER_EVERSION, "%s went back from version %lld to %lld", what, (long long)last->version, (long long)next->version);
	if (next->version == last->version && !ref_equal(last, next))
		return diag_set(d, CLUSTER_EVERSION, "%s version %lld has changed", what, (long long)next->version);
	if (next->version - last->version > DOCUMENT_VERSION_STEP)
		return diag_set(d, CLUSTER_EVERSION, "%s jumped from version %lld to %lld", what, (long long)last->version, (long long)next->version);
	return CLUSTER_OK;
}

/* The same head once more: nothing in it may differ. */
static bool head_equal(const struct document_head *a, const struct document_head *b)
{
	return a->version == b->version && a->iat == b->iat && a->exp == b->exp && ref_equal(&a->root, &b->root) && ref_equal(&a->keyset, &b->keyset) &&
	    ref_equal(&a->directory, &b->directory) && ref_equal(&a->revocations, &b->revocations);
}

enum cluster_err document_head_step(const struct document_head *last, const struct document_head *next, struct diag *d)
{
	enum cluster_err e;

	if (last->version == 0)
		return CLUSTER_OK;
	if (next->version < last->version)
		return diag_set(d, CLUSTER_EVERSION, "head went back from version %lld to %lld", (long long)last->version, (long long)next->version);
	if (next->version == last->version)
		return head_equal(last, next) ? CLUSTER_OK : diag_set(d, CLUSTER_EVERSION, "head version %lld has changed", (long long)next->version);
	if (next->version - last->version > DOCUMENT_VERSION_STEP)
		return diag_set(d, CLUSTER_EVERSION, "head jumped from version %lld to %lld", (long long)last->version, (long long)next->version);
	if ((e = step_ref("root", &last->root, &next->root, d)) != CLUSTER_OK || (e = step_ref("keyset", &last->keyset, &next->keyset, d)) != CLUSTER_OK ||
	    (e = step_ref("directory", &last->directory, &next->directory, d)) != CLUSTER_OK)
		return e;
	return step_ref("revocations", &last->revocations, &next->revocations, d);
}

enum cluster_err document_ref_check(const struct document_ref *ref, const void *bytes, size_t n, const char *what, struct diag *d)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	enum cluster_err e;

	if (ref->size < 0 || (uint64_t)ref->size != n)
		return diag_set(d, CLUSTER_ESIGNATURE, "%s has %zu bytes, the head says %lld", what, n, (long long)ref->size);
	if ((e = crypto_sha256(bytes, n, hash)) != CLUSTER_OK)
		return diag_set(d, e, "%s: cannot hash", what);
	if (!crypto_equal(hash, ref->sha256, sizeof hash))
		return diag_set(d, CLUSTER_ESIGNATURE, "%s is not the one that the head names", what);
	return CLUSTER_OK;
}

/* Takes `tree` in any case. */
static enum cluster_err finish(struct json *tree, char **ret)
{
	enum cluster_err e = json_text(tree, ret, NULL);

	json_free(tree);
	return e;
}

enum cluster_err document_root_build(const struct document_root *root, char **ret)
{
	struct json *keys = json_list();

	for (size_t i = 0; i < root->n_keys; i++)
		if (json_append(keys, jwk_build(&root->key[i], JWK_NAMED)) != CLUSTER_OK) {
			json_free(keys);
			return CLUSTER_ENOMEM;
		}
	return finish(json_make("{s:I, s:I, s:o, s:s, s:I, s:I}", "exp", (long long)root->exp, "iat", (long long)root->iat, "keys", keys, "name", root->name,
		"threshold", (long long)root->threshold, "version", (long long)root->version), ret);
}

static struct json *keyset_keys(const struct keyring *ring)
{
	struct json *keys = json_list();

	for (size_t i = 0; i < ring->n; i++) {
		const struct keyring_key *k = &ring->key[i];
		struct json *item = json_make("{s:I, s:o, s:I, s:s}", "exp", (long long)k->exp, "jwk", jwk_build(&k->pub, JWK_NAMED), "nbf", (long long)k->nbf,
			"use", keyring_role_name(k->role));

		if (json_append(keys, item) != CLUSTER_OK) {
			json_free(keys);
			return NULL;
		}
	}
	return keys;
}

/* 32 bytes as a JSON string, or NULL. */
static struct json *hash_json(const uint8_t hash[CRYPTO_SHA256_SIZE])
{
	char text[HASH_TEXT + 1];

	return b64_encode(hash, CRYPTO_SHA256_SIZE, text, sizeof text) == CLUSTER_OK ? json_make("s", text) : NULL;
}

static struct json *keyset_tls(const struct document_keyset *keyset)
{
	struct json *tls = json_list();

	for (size_t i = 0; i < keyset->n_tls; i++)
		if (json_append(tls, hash_json(keyset->tls[i])) != CLUSTER_OK) {
			json_free(tls);
			return NULL;
		}
	return tls;
}

enum cluster_err document_keyset_build(const struct document_keyset *keyset, const struct cluster_id *cluster, char **ret)
{
	char id[ID_TEXT + 1];

	id_text(cluster, id);
	return finish(json_make("{s:s, s:I, s:o, s:o, s:I}", "cluster", id, "iat", (long long)keyset->iat, "keys", keyset_keys(&keyset->ring),
		"tls", keyset_tls(keyset), "version", (long long)keyset->version), ret);
}

static struct json *ref_json(const struct document_ref *ref)
{
	return json_make("{s:o, s:I, s:I}", "sha256", hash_json(ref->sha256), "size", (long long)ref->size, "version", (long long)ref->version);
}

enum cluster_err document_head_build(const struct document_head *head, const struct cluster_id *cluster, char **ret)
{
	char id[ID_TEXT + 1];

	id_text(cluster, id);
	return finish(json_make("{s:s, s:o, s:I, s:I, s:o, s:o, s:o, s:I}", "cluster", id, "directory", ref_json(&head->directory), "exp", (long long)head->exp,
		"iat", (long long)head->iat, "keyset", ref_json(&head->keyset), "revocations", ref_json(&head->revocations), "root", ref_json(&head->root),
		"version", (long long)head->version), ret);
}
