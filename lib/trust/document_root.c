/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/document.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "document_lines.h"
#include "json_field.h"

#include "cluster/json.h"
#include "cluster/jwk.h"
#include "cluster/jws.h"

#define FIRST_VERSION 1

enum cluster_err document_lines_parse(const char *text, size_t n, enum jws_typ typ, struct document_lines *ret, struct diag *d)
{
	const char *end = text + n;
	enum cluster_err e;

	ret->n = 0;
	if (n == 0 || n > DOCUMENT_TEXT_MAX)
		return diag_set(d, n ? CLUSTER_ELIMIT : CLUSTER_EFORMAT, "%s: %zu bytes", jws_typ_name(typ), n);
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		struct jws *j = &ret->line[ret->n];

		if (!stop)
			return diag_set(d, CLUSTER_EFORMAT, "%s: the last line is not ended", jws_typ_name(typ));
		if (ret->n == DOCUMENT_SIGNATURES_MAX)
			return diag_set(d, CLUSTER_ELIMIT, "%s: more than %d signatures", jws_typ_name(typ), DOCUMENT_SIGNATURES_MAX);
		if ((e = jws_parse(text, (size_t)(stop - text), typ, j, d)) != CLUSTER_OK)
			return e;
		ret->n++;
		if (j->payload_n != ret->line[0].payload_n || memcmp(j->payload, ret->line[0].payload, j->payload_n) != 0)
			return diag_set(d, CLUSTER_EFORMAT, "%s: signatures over different payloads", jws_typ_name(typ));
		for (size_t i = 0; i + 1 < ret->n; i++)
			if (strcmp(ret->line[i].kid, j->kid) == 0)
				return diag_set(d, CLUSTER_EFORMAT, "%s: two signatures under one kid", jws_typ_name(typ));
		text = stop + 1;
	}
	return CLUSTER_OK;
}

void document_lines_done(struct document_lines *l)
{
	while (l->n > 0)
		jws_done(&l->line[--l->n]);
}

static const struct crypto_pub *key_of(const struct document_root *root, const char *kid)
{
	for (size_t i = 0; i < root->n_keys; i++)
		if (strcmp(root->kid[i], kid) == 0)
			return &root->key[i];
	return NULL;
}

enum cluster_err document_lines_signed(const struct document_lines *l, const struct document_root *root, struct diag *d)
{
	size_t held = 0;
	enum cluster_err e;

	for (size_t i = 0; i < l->n; i++) {
		const struct crypto_pub *pub = key_of(root, l->line[i].kid);

		if (!pub)
			continue;
		if ((e = jws_verify(&l->line[i], pub)) != CLUSTER_OK)
			return diag_set(d, e, "the signature of root key %s does not hold", l->line[i].kid);
		held++;
	}
	if (root->threshold < 1 || held < root->threshold)
		return diag_set(d, CLUSTER_ESIGNATURE, "signed by %zu root keys, %zu are needed", held, root->threshold);
	return CLUSTER_OK;
}

bool document_name_ok(const char *s)
{
	size_t n = s ? strnlen(s, DOCUMENT_NAME_MAX + 1) : 0;

	if (n < 1 || n > DOCUMENT_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool word = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9');

		if (!word && (i == 0 || !strchr("._-", s[i])))
			return false;
	}
	return true;
}

static enum cluster_err read_keys(const struct json *keys, struct document_root *root, struct diag *d)
{
	enum cluster_err e;

	for (size_t i = 0; i < json_count(keys); i++) {
		if ((e = jwk_parse(json_at(keys, i), JWK_NAMED, &root->key[i], d)) != CLUSTER_OK || (e = jwk_kid(&root->key[i], root->kid[i])) != CLUSTER_OK)
			return e;
		if (key_of(root, root->kid[i]))
			return diag_set(d, CLUSTER_EFORMAT, "key %s is there twice", root->kid[i]);
		root->n_keys = i + 1;
	}
	return CLUSTER_OK;
}

/* The payload as a value; `cluster` is the caller's to set. */
static enum cluster_err read_root(const struct jws *j, struct document_root *ret, struct diag *d)
{
	struct document_root root = { 0 };
	const struct json *keys = NULL;
	struct json *tree = NULL;
	int64_t threshold = 0;
	const struct json_field fields[] = {
		FIELD_TIME("exp", root.exp),
		FIELD_TIME("iat", root.iat),
		FIELD_ARRAY("keys", keys, 1, DOCUMENT_ROOT_KEYS_MAX),
		FIELD_STRING("name", root.name, document_name_ok),
		FIELD_INT("threshold", threshold, 1, DOCUMENT_ROOT_KEYS_MAX),
		FIELD_VERSION("version", root.version),
	};
	enum cluster_err e;

	if ((e = json_parse((const char *)j->payload, j->payload_n, DOCUMENT_TEXT_MAX, &tree, d)) != CLUSTER_OK ||
	    (e = json_read(tree, fields, FIELD_COUNT(fields), d)) != CLUSTER_OK || (e = read_keys(keys, &root, d)) != CLUSTER_OK)
		goto out;
	root.threshold = (size_t)threshold;
	if (root.threshold > root.n_keys || root.exp <= root.iat) {
		e = diag_set(d, CLUSTER_EFORMAT, "threshold above the number of keys, or exp not after iat");
		goto out;
	}
	*ret = root;
	e = CLUSTER_OK;
out:
	json_free(tree);
	return e;
}

/* Version 1 against the pin. Its bytes are believed because of their hash, and only then read. */
static enum cluster_err first_root(const struct document_lines *l, const uint8_t pin[CRYPTO_SHA256_SIZE], struct document_root *ret, struct diag *d)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct document_root root;
	enum cluster_err e;

	if ((e = crypto_sha256(l->line[0].payload, l->line[0].payload_n, hash)) != CLUSTER_OK)
		return diag_set(d, e, "cannot hash");
	if (!crypto_equal(hash, pin, sizeof hash))
		return diag_set(d, CLUSTER_ESIGNATURE, "the first root is not the pinned one");
	if ((e = read_root(&l->line[0], &root, d)) != CLUSTER_OK)
		return e;
	if (root.version != FIRST_VERSION)
		return diag_set(d, CLUSTER_EVERSION, "the first root has version %lld", (long long)root.version);
	if ((e = document_lines_signed(l, &root, d)) != CLUSTER_OK)
		return e;
	memcpy(root.cluster.b, hash, ID_SIZE);
	*ret = root;
	return CLUSTER_OK;
}

/* The one after `last`: signed by the old keys, and only then read, and by its own. */
static enum cluster_err next_root(const struct document_lines *l, const struct document_root *last, struct document_root *ret, struct diag *d)
{
	struct document_root root;
	enum cluster_err e;

	if ((e = document_lines_signed(l, last, d)) != CLUSTER_OK || (e = read_root(&l->line[0], &root, d)) != CLUSTER_OK)
		return e;
	if (root.version != last->version + 1)
		return diag_set(d, CLUSTER_EVERSION, "version %lld where %lld is due", (long long)root.version, (long long)(last->version + 1));
	if ((e = document_lines_signed(l, &root, d)) != CLUSTER_OK)
		return e;
	root.cluster = last->cluster;
	*ret = root;
	return CLUSTER_OK;
}

enum cluster_err document_root_verify(const char *text, size_t n, const uint8_t pin[CRYPTO_SHA256_SIZE], struct document_root *ret, struct diag *d)
{
	struct document_lines *l = NULL;
	struct document_root root = { 0 };
	const char *end = text + n;
	enum cluster_err e = CLUSTER_EFORMAT;

	if (n == 0 || n > DOCUMENT_CHAIN_MAX) {
		e = diag_set(d, n ? CLUSTER_ELIMIT : CLUSTER_EFORMAT, "root chain: %zu bytes", n);
		goto out;
	}
	if (!(l = calloc(1, sizeof *l))) {
		e = diag_set(d, CLUSTER_ENOMEM, "root chain: out of memory");
		goto out;
	}
	while (text < end) {
		const char *stop = memmem(text, (size_t)(end - text), "\n\n", 2);

		if (!stop) {
			e = diag_set(d, CLUSTER_EFORMAT, "root chain: version %lld is not followed by an empty line", (long long)(root.version + 1));
			goto out;
		}
		document_lines_done(l);
		e = document_lines_parse(text, (size_t)(stop + 1 - text), JWS_ROOT, l, d);
		if (e == CLUSTER_OK)
			e = root.version == 0 ? first_root(l, pin, &root, d) : next_root(l, &root, &root, d);
		if (e != CLUSTER_OK) {
			(void)diag_prefix(d, "root %lld", (long long)(root.version + 1));
			goto out;
		}
		text = stop + 2;
	}
	*ret = root;
	e = CLUSTER_OK;
out:
	if (l)
		document_lines_done(l);
	free(l);
	return e;
}
