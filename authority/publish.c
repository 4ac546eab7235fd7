/* SPDX-License-Identifier: Apache-2.0 */
#include "publish.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/document.h"
#include "cluster/jws.h"
#include "cluster/rd.h"
#include "cluster/wr.h"
#include "config.h"
#include "keys.h"
#include "publish_part.h"
#include "revoked.h"

#define HEAD_NAME "head"

static const char *const names[PUBLISH_DOC_N] = {
	[PUBLISH_ROOT] = "root", [PUBLISH_KEYSET] = "keyset", [PUBLISH_DIRECTORY] = "directory", [PUBLISH_REVOCATIONS] = "revocations",
};

/* ---- what the store keeps of a document: u64 version, u64 size or iat, 32 bytes of hash, then the signer's kid, or the head itself ---- */

static enum cluster_err document_put(struct store *s, const char *name, const struct publish_document *doc, const char *text)
{
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, 1 << 20);
	wr_u64(&w, (uint64_t)doc->version);
	wr_u64(&w, doc->size);
	wr_bytes(&w, doc->sha256, sizeof doc->sha256);
	wr_text(&w, text);
	if ((e = wr_end(&w)) == CLUSTER_OK)
		e = store_put(s, STORE_DOCUMENT, name, w.p, w.n);
	wr_done(&w);
	return e;
}

static enum cluster_err document_get(struct store *s, const char *name, struct publish_document *doc, struct blob **text)
{
	enum cluster_err e;
	uint64_t version, size;
	char *value = NULL;
	size_t n = 0;
	struct rd r;

	if ((e = store_get(s, STORE_DOCUMENT, name, &value, &n)) != CLUSTER_OK)
		return e;
	rd_init(&r, value, n);
	if ((e = rd_u64(&r, &version)) == CLUSTER_OK && (e = rd_u64(&r, &size)) == CLUSTER_OK && (e = rd_bytes(&r, doc->sha256, sizeof doc->sha256, sizeof doc->sha256)) == CLUSTER_OK) {
		doc->version = (int64_t)version;
		doc->size = (size_t)size;
		if (!text)
			snprintf(doc->kid, sizeof doc->kid, "%s", (const char *)r.p); /* a value of the store is terminated */
		else if (!(*text = blob_new(r.p, r.n)))
			e = CLUSTER_ENOMEM;
	}
	free(value);
	return e;
}

enum cluster_err publish_load(struct store *s, struct published **ret, struct diag *d)
{
	struct published *p = calloc(1, sizeof *p);
	struct publish_document head = { 0 };
	enum cluster_err e = p ? CLUSTER_OK : CLUSTER_ENOMEM;

	for (unsigned i = 0; i < PUBLISH_DOC_N && e == CLUSTER_OK; i++)
		e = document_get(s, names[i], &p->doc[i], NULL);
	if (e == CLUSTER_OK && (e = document_get(s, HEAD_NAME, &head, &p->head)) == CLUSTER_OK) {
		p->head_version = head.version;
		p->head_iat = (int64_t)head.size;
		e = publish_shards_load(s, p);
	}
	if (e != CLUSTER_OK) {
		publish_free(p);
		return diag_set(d, e == CLUSTER_ENOTFOUND ? CLUSTER_EFORMAT : e, "the store's documents cannot be read: %s", err_name(e));
	}
	*ret = p;
	return CLUSTER_OK;
}

void publish_free(struct published *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < DIRECTORY_KIND_N; i++)
		free(p->shards[i].at);
	for (size_t i = 0; i < p->n_recent; i++)
		blob_unref(p->recent[i].bytes);
	blob_unref(p->head);
	free(p);
}

enum cluster_err publish_stage_init(struct publish_stage *st, const struct published *present)
{
	struct published *next = calloc(1, sizeof *next);

	if (!next)
		return CLUSTER_ENOMEM;
	st->next = next;
	if (!present) {
		st->directory = st->revocations = true;
		return CLUSTER_OK;
	}
	*next = *present;
	blob_ref(next->head);
	for (size_t i = 0; i < next->n_recent; i++)
		blob_ref(next->recent[i].bytes);
	for (unsigned i = 0; i < DIRECTORY_KIND_N; i++)
		next->shards[i].at = NULL;
	for (unsigned i = 0; i < DIRECTORY_KIND_N; i++) {
		struct publish_shards *to = &next->shards[i];

		if (to->n && !(to->at = malloc(to->n * sizeof *to->at)))
			return CLUSTER_ENOMEM;
		if (to->n)
			memcpy(to->at, present->shards[i].at, to->n * sizeof *to->at);
	}
	return CLUSTER_OK;
}

void publish_stage_done(struct publish_stage *st)
{
	for (unsigned i = 0; i < DIRECTORY_KIND_N; i++) {
		free(st->dirty[i]);
		st->dirty[i] = NULL;
	}
	publish_free(st->next);
	st->next = NULL;
}

/* ---- objects ---- */

void publish_hash_text(const uint8_t sha256[CRYPTO_SHA256_SIZE], char dst[PUBLISH_HASH_TEXT + 1])
{
	if (b64_encode(sha256, CRYPTO_SHA256_SIZE, dst, PUBLISH_HASH_TEXT + 1) != CLUSTER_OK)
		dst[0] = '\0';
}

/* Keeps only the newest of a slot, few of them, and not too many bytes. */
static void recent_put(struct published *p, unsigned slot, const char *hash, struct blob *bytes)
{
	size_t total = bytes->n <= PUBLISH_INLINE_MAX ? bytes->n : 0, k = 0;

	for (size_t i = 0; i < p->n_recent; i++) {
		if (p->recent[i].slot == slot)
			blob_unref(p->recent[i].bytes);
		else
			p->recent[k++] = p->recent[i];
	}
	p->n_recent = k;
	for (size_t i = 0; i < k; i++)
		total += p->recent[i].bytes->n;
	while (p->n_recent && (total > PUBLISH_INLINE_TOTAL || p->n_recent == PUBLISH_INLINE_N)) {
		total -= p->recent[0].bytes->n;
		blob_unref(p->recent[0].bytes);
		memmove(&p->recent[0], &p->recent[1], --p->n_recent * sizeof p->recent[0]);
	}
	if (bytes->n > PUBLISH_INLINE_MAX)
		return;
	p->recent[p->n_recent] = (struct publish_recent){ .since = p->head_version, .slot = slot, .bytes = blob_ref(bytes) };
	memcpy(p->recent[p->n_recent++].hash, hash, PUBLISH_HASH_TEXT + 1);
}

static enum cluster_err object_drop(struct publish_stage *st, const uint8_t sha256[CRYPTO_SHA256_SIZE])
{
	char hash[PUBLISH_HASH_TEXT + 1], key[16 + PUBLISH_HASH_TEXT + 1];
	enum cluster_err e;

	if ((e = b64_encode(sha256, CRYPTO_SHA256_SIZE, hash, sizeof hash)) != CLUSTER_OK)
		return e;
	snprintf(key, sizeof key, "%012" PRId64 ":%s", st->now, hash);
	return store_put(st->store, STORE_DROPPED, key, "", 0);
}

enum cluster_err publish_object_put(struct publish_stage *st, unsigned slot, bool people, const char *bytes, size_t n, uint8_t sha256[CRYPTO_SHA256_SIZE])
{
	uint8_t hash[CRYPTO_SHA256_SIZE], old[CRYPTO_SHA256_SIZE];
	static const uint8_t none[CRYPTO_SHA256_SIZE];
	char text[PUBLISH_HASH_TEXT + 1];
	struct blob *value = NULL;
	enum cluster_err e;

	if ((e = crypto_sha256(bytes, n, hash)) != CLUSTER_OK || (e = b64_encode(hash, sizeof hash, text, sizeof text)) != CLUSTER_OK)
		return e;
	memcpy(old, sha256, sizeof old);
	if (crypto_equal(old, hash, sizeof old))
		return CLUSTER_OK;
	/* who may read it stands in front */
	if (!(value = malloc(sizeof *value + n + 2)))
		return CLUSTER_ENOMEM;
	value->refs = 1;
	value->n = n + 1;
	value->bytes[0] = people || n <= 2 ? 'p' : 'n'; /* an empty shard of one kind is that of another */
	memcpy(value->bytes + 1, bytes, n);
	e = store_put(st->store, STORE_OBJECT, text, value->bytes, value->n);
	blob_unref(value);
	if (e == CLUSTER_OK && !crypto_equal(old, none, sizeof old))
		e = object_drop(st, old);
	if (e != CLUSTER_OK)
		return e;
	memcpy(sha256, hash, sizeof hash);
	if (!(value = blob_new(bytes, n)))
		return CLUSTER_ENOMEM;
	recent_put(st->next, slot, text, value);
	blob_unref(value);
	return CLUSTER_OK;
}

enum cluster_err publish_object(struct store *s, const char *hash, struct blob **ret, bool *ret_people)
{
	enum cluster_err e;
	char *value = NULL;
	size_t n = 0;

	if ((e = store_get(s, STORE_OBJECT, hash, &value, &n)) != CLUSTER_OK)
		return e;
	if (n < 1)
		e = CLUSTER_EFORMAT;
	else if (!(*ret = blob_new(value + 1, n - 1)))
		e = CLUSTER_ENOMEM;
	else
		*ret_people = value[0] == 'p';
	free(value);
	return e;
}

/* ---- documents ---- */

enum cluster_err publish_text(struct publish_stage *st, enum publish_doc doc, int64_t version, const char *text, struct diag *d)
{
	struct publish_document *to = &st->next->doc[doc];
	enum cluster_err e;

	to->version = version;
	to->size = strlen(text);
	if ((e = publish_object_put(st, (unsigned)doc, true, text, to->size, to->sha256)) != CLUSTER_OK || (e = document_put(st->store, names[doc], to, to->kid)) != CLUSTER_OK)
		return diag_set(d, e, "the %s could not be written: %s", names[doc], e == CLUSTER_ESYSTEM ? store_error(st->store) : err_name(e));
	return CLUSTER_OK;
}

/* Which documents are signed by which role's key. */
static const struct {
	enum keyring_role role;
	enum jws_typ typ;
} signers[PUBLISH_DOC_N] = {
	[PUBLISH_DIRECTORY] = { KEYRING_DIRECTORY, JWS_DIRECTORY },
	[PUBLISH_REVOCATIONS] = { KEYRING_REVOCATION, JWS_REVOCATIONS },
};

/* Signs a payload as one line. */
static enum cluster_err sign(const struct publish_stage *st, size_t signer, enum jws_typ typ, const char *payload, size_t n, char **ret, struct diag *d)
{
	char *token = NULL, *line;
	enum cluster_err e;
	size_t size;

	if ((e = jws_sign(st->keys->key[signer], typ, payload, n, &token)) != CLUSTER_OK)
		return diag_set(d, e, "the %s could not be signed: %s", jws_typ_name(typ), err_name(e));
	size = strlen(token);
	if (!(line = realloc(token, size + 2))) {
		free(token);
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	}
	memcpy(line + size, "\n", 2);
	*ret = line;
	return CLUSTER_OK;
}

/* Signs a document with its role's present key and writes it. */
static enum cluster_err document_sign(struct publish_stage *st, enum publish_doc doc, const char *payload, size_t n, struct diag *d)
{
	struct publish_document *to = &st->next->doc[doc];
	enum cluster_err e;
	char *line = NULL;
	size_t signer;

	if ((e = keys_signer(st->keys, signers[doc].role, st->now, NULL, &signer, d)) != CLUSTER_OK || (e = sign(st, signer, signers[doc].typ, payload, n, &line, d)) != CLUSTER_OK)
		return e;
	memcpy(to->kid, st->keys->ring.key[signer].kid, sizeof to->kid);
	e = publish_text(st, doc, to->version + 1, line, d);
	free(line);
	return e;
}

/* Has another key taken over since the document was signed? Then it must be signed again, before the old key goes. */
static enum cluster_err signer_changed(struct publish_stage *st, enum publish_doc doc, bool *changed, struct diag *d)
{
	enum cluster_err e;
	size_t signer;

	if ((e = keys_signer(st->keys, signers[doc].role, st->now, NULL, &signer, d)) == CLUSTER_OK)
		*changed = *changed || strcmp(st->keys->ring.key[signer].kid, st->next->doc[doc].kid) != 0;
	return e;
}

static enum cluster_err directory_sign(struct publish_stage *st, struct diag *d)
{
	struct directory dir = { .version = st->next->doc[PUBLISH_DIRECTORY].version + 1, .iat = st->now };
	char *payload = NULL;
	enum cluster_err e;

	dir.max_stale = (uint32_t)st->conf->max_stale;
	dir.skew = (uint32_t)st->conf->skew;
	dir.sudo_fresh = (uint32_t)st->conf->sudo_fresh;
	if ((e = publish_shards_list(st->next, &dir)) != CLUSTER_OK || (e = directory_index_build(&dir, st->cluster, &payload)) != CLUSTER_OK)
		diag_set(d, e, "the directory could not be built: %s", err_name(e));
	else
		e = document_sign(st, PUBLISH_DIRECTORY, payload, strlen(payload), d);
	free(payload);
	free(dir.shards);
	return e;
}

static enum cluster_err revocations_sign(struct publish_stage *st, struct diag *d)
{
	int64_t version = st->next->doc[PUBLISH_REVOCATIONS].version + 1;
	char *payload = NULL;
	enum cluster_err e;
	size_t n = 0;

	if ((e = revoked_payload(st->revoked, st->cluster, st->now, version, &payload, &n)) != CLUSTER_OK)
		diag_set(d, e, "the revocations could not be built: %s", err_name(e));
	else
		e = document_sign(st, PUBLISH_REVOCATIONS, payload, n, d);
	free(payload);
	return e;
}

static struct document_ref ref_of(const struct publish_document *doc)
{
	struct document_ref ref = { .version = doc->version, .size = (int64_t)doc->size };

	memcpy(ref.sha256, doc->sha256, sizeof ref.sha256);
	return ref;
}

static enum cluster_err head_sign(struct publish_stage *st, struct diag *d)
{
	struct published *p = st->next;
	struct document_head head = {
		.version = p->head_version,
		.iat = st->now,
		.exp = st->now + (int64_t)st->conf->head_life,
		.root = ref_of(&p->doc[PUBLISH_ROOT]),
		.keyset = ref_of(&p->doc[PUBLISH_KEYSET]),
		.directory = ref_of(&p->doc[PUBLISH_DIRECTORY]),
		.revocations = ref_of(&p->doc[PUBLISH_REVOCATIONS]),
	};
	struct publish_document kept = { .version = head.version, .size = (size_t)head.iat };
	char *payload = NULL, *line = NULL;
	enum cluster_err e;
	size_t signer;

	if ((e = document_head_build(&head, st->cluster, &payload)) != CLUSTER_OK) {
		diag_set(d, e, "the head could not be built: %s", err_name(e));
		goto out;
	}
	if ((e = keys_signer(st->keys, KEYRING_HEAD, st->now, NULL, &signer, d)) != CLUSTER_OK || (e = sign(st, signer, JWS_HEAD, payload, strlen(payload), &line, d)) != CLUSTER_OK)
		goto out;
	line[strlen(line) - 1] = '\0';
	blob_unref(p->head);
	if (!(p->head = blob_new(line, strlen(line)))) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	p->head_iat = st->now;
	if ((e = document_put(st->store, HEAD_NAME, &kept, line)) != CLUSTER_OK)
		diag_set(d, e, "the head could not be written: %s", store_error(st->store));
out:
	free(line);
	free(payload);
	return e;
}

enum cluster_err publish_stage_end(struct publish_stage *st, struct diag *d)
{
	enum cluster_err e;

	/* the number first: what changes is marked with it */
	if ((e = store_next(st->store, HEAD_NAME, 1, &st->next->head_version)) != CLUSTER_OK)
		return diag_set(d, e, "store: %s", store_error(st->store));
	if ((e = publish_shards_build(st, d)) != CLUSTER_OK || (e = signer_changed(st, PUBLISH_DIRECTORY, &st->directory, d)) != CLUSTER_OK ||
	    (e = signer_changed(st, PUBLISH_REVOCATIONS, &st->revocations, d)) != CLUSTER_OK)
		return e;
	if (st->directory && (e = directory_sign(st, d)) != CLUSTER_OK)
		return e;
	if (st->revocations && (e = revocations_sign(st, d)) != CLUSTER_OK)
		return e;
	return head_sign(st, d);
}
