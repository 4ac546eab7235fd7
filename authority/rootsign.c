/* SPDX-License-Identifier: Apache-2.0 */
#include "rootsign.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/jws.h"

/* One signed line. */
static enum cluster_err line(const struct crypto_key *key, enum jws_typ typ, const char *payload, char **ret)
{
	char *token = NULL, *text;
	enum cluster_err e;
	size_t n;

	if ((e = jws_sign(key, typ, payload, strlen(payload), &token)) != CLUSTER_OK)
		return e;
	n = strlen(token);
	if (!(text = realloc(token, n + 2))) {
		free(token);
		return CLUSTER_ENOMEM;
	}
	memcpy(text + n, "\n", 2);
	*ret = text;
	return CLUSTER_OK;
}

/* Puts `more` behind the n bytes of *text. */
static enum cluster_err append(char **text, size_t *n, const char *more)
{
	size_t m = strlen(more);
	char *grown = realloc(*text, *n + m + 1);

	if (!grown)
		return CLUSTER_ENOMEM;
	memcpy(grown + *n, more, m + 1);
	*text = grown;
	*n += m;
	return CLUSTER_OK;
}

enum cluster_err rootsign_next(const struct crypto_key *const *signer, size_t n, const struct rootsign_chain *chain, struct document_root *next, char **ret, struct diag *d)
{
	char *payload = NULL, *text = strndup(chain->text, chain->n), *signed_line = NULL;
	size_t text_n = chain->n;
	struct document_root verified;
	enum cluster_err e = text ? document_root_build(next, &payload) : CLUSTER_ENOMEM;

	for (size_t i = 0; i < n && e == CLUSTER_OK; i++) {
		if ((e = line(signer[i], JWS_ROOT, payload, &signed_line)) == CLUSTER_OK)
			e = append(&text, &text_n, signed_line);
		free(signed_line);
		signed_line = NULL;
	}
	if (e != CLUSTER_OK || (e = append(&text, &text_n, "\n")) != CLUSTER_OK) {
		diag_set(d, e, "could not sign the root: %s", err_name(e));
		goto out;
	}
	if ((e = document_root_verify(text, text_n, chain->pin, &verified, d)) != CLUSTER_OK)
		goto out;
	*next = verified;
	*ret = text;
	text = NULL;
	e = CLUSTER_OK;
out:
	free(text);
	free(payload);
	return e;
}

enum cluster_err rootsign_root(const struct crypto_key *key, struct document_root *root, char **ret, uint8_t ret_pin[CRYPTO_SHA256_SIZE], struct diag *d)
{
	const struct rootsign_chain none = { .text = "", .pin = ret_pin };
	char *payload = NULL;
	enum cluster_err e;

	if ((e = document_root_build(root, &payload)) == CLUSTER_OK)
		e = crypto_sha256(payload, strlen(payload), ret_pin);
	free(payload);
	return e == CLUSTER_OK ? rootsign_next(&key, 1, &none, root, ret, d) : diag_set(d, e, "could not sign the root: %s", err_name(e));
}

static enum cluster_err key_of_root(const struct crypto_key *key, const struct document_root *root, struct diag *d)
{
	struct crypto_pub pub;
	enum cluster_err e = crypto_key_pub(key, &pub);

	for (size_t i = 0; e == CLUSTER_OK && i < root->n_keys; i++) {
		if (crypto_pub_equal(&pub, &root->key[i]))
			return CLUSTER_OK;
	}
	return diag_set(d, e == CLUSTER_OK ? CLUSTER_EDENIED : e, "this is not the root key of this cluster");
}

enum cluster_err rootsign_keyset(const struct crypto_key *key, const struct document_root *root, const struct document_keyset *keyset, char **ret, struct diag *d)
{
	struct document_keyset verified;
	char *payload = NULL, *text = NULL;
	enum cluster_err e;

	if ((e = key_of_root(key, root, d)) != CLUSTER_OK)
		return e;
	if (keyset->iat >= root->exp)
		return diag_set(d, CLUSTER_EEXPIRED, "the root has expired: a new root has to be signed first");
	if ((e = document_keyset_build(keyset, &root->cluster, &payload)) != CLUSTER_OK || (e = line(key, JWS_KEYSET, payload, &text)) != CLUSTER_OK) {
		diag_set(d, e, "could not sign the keyset: %s", err_name(e));
		goto out;
	}
	if ((e = document_keyset_verify(text, strlen(text), root, &verified, d)) != CLUSTER_OK)
		goto out;
	*ret = text;
	text = NULL;
	e = CLUSTER_OK;
out:
	free(text);
	free(payload);
	return e;
}
