/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/api.h"
#include "cluster/b64.h"
#include "cluster/file.h"
#include "cluster/json.h"
#include "cluster/secret.h"
#include "remote.h"
#include "view_object.h"

#define HEAD_PATH "/v1/head?after=0&wait=0"
#define HASH_TEXT (B64_LEN(CRYPTO_SHA256_SIZE) + 1)

/* One refresh under way: what will be written once everything has been checked. */
struct refresh {
	struct view_source source;
	struct json *answer;
	struct secret *head, *root, *keyset; /* root, keyset: NULL if unchanged */
	struct document_head last;           /* version 0: none on disk */
};

static enum cluster_err from_authority(const struct view_source *s, const char *hash, size_t size, struct secret **ret, struct diag *d)
{
	char path[sizeof "/v1/objects/" + HASH_TEXT];
	struct http_response text = { 0 };
	enum cluster_err e;

	(void)snprintf(path, sizeof path, "/v1/objects/%s", hash);
	if ((e = remote_bytes(s->r, path, s->w, size, &text, d)) == CLUSTER_OK)
		e = secret_copy(text.body, text.n, ret);
	http_response_done(&text);
	return e;
}

static void refresh_done(struct refresh *f)
{
	secret_free(f->keyset);
	secret_free(f->root);
	secret_free(f->head);
	json_free(f->answer);
}

/* The head's text as a document: one line, ended. */
static enum cluster_err take_head(struct refresh *f, struct diag *d)
{
	const char *text = json_member_text(f->answer, "head");
	size_t n = text != NULL ? strlen(text) : 0;
	enum cluster_err e;

	if (n == 0)
		return diag_set(d, CLUSTER_EFORMAT, "the authority's answer has no head");
	if (text[n - 1] == '\n')
		n--;
	if ((e = secret_new(n + 1, &f->head)) != CLUSTER_OK)
		return diag_set(d, e, "out of memory");
	memcpy(f->head->bytes, text, n);
	f->head->bytes[n] = '\n';
	f->source.objects = json_member(f->answer, "objects");
	return CLUSTER_OK;
}

static void read_last(struct refresh *f)
{
	struct secret *text = NULL;

	if (profile_read(f->source.p, PROFILE_HEAD, false, &text, NULL) != CLUSTER_OK ||
	    document_head_peek((const char *)text->bytes, text->n, &f->last, NULL) != CLUSTER_OK)
		f->last = (struct document_head){ 0 };
	secret_free(text);
}

/* Root and keyset that `peek` names, where they are newer than what v has. Nothing of `peek` is believed: both prove themselves. */
static enum cluster_err newer_trust(struct refresh *f, const struct document_head *peek, struct view *v, struct diag *d)
{
	enum cluster_err e;

	if (peek->root.version > v->root.version) {
		if ((e = view_object(&f->source, peek->root.sha256, API_ROOT_MAX, &f->root, NULL, d)) != CLUSTER_OK)
			return e;
		if ((e = document_root_verify((const char *)f->root->bytes, f->root->n, f->source.p->pin, &v->root, d)) != CLUSTER_OK)
			return e;
	}
	if (peek->keyset.version > v->keyset.version) {
		int64_t had = v->keyset.version;

		if ((e = view_object(&f->source, peek->keyset.sha256, API_KEYSET_MAX, &f->keyset, NULL, d)) != CLUSTER_OK)
			return e;
		if ((e = document_keyset_verify((const char *)f->keyset->bytes, f->keyset->n, &v->root, &v->keyset, d)) != CLUSTER_OK)
			return e;
		if (v->keyset.version < had)
			return diag_set(d, CLUSTER_EVERSION, "the keyset went back from version %lld to %lld", (long long)had, (long long)v->keyset.version);
	}
	return CLUSTER_OK;
}

static enum cluster_err check_all(struct refresh *f, struct view *v, struct diag *d)
{
	const struct keyring_at at = { .cluster = &v->root.cluster, .ring = &v->keyset.ring, .now = time(NULL), .skew = DIRECTORY_SKEW_MAX };
	struct document_head peek;
	enum cluster_err e;

	if ((e = document_head_peek((const char *)f->head->bytes, f->head->n, &peek, d)) != CLUSTER_OK || (e = newer_trust(f, &peek, v, d)) != CLUSTER_OK)
		return e;
	if ((e = document_head_verify((const char *)f->head->bytes, f->head->n, &at, &v->head, d)) != CLUSTER_OK)
		return e;
	if (v->head.root.version != v->root.version || v->head.keyset.version != v->keyset.version)
		return diag_set(d, CLUSTER_EVERSION, "the head names root %lld and keyset %lld, but %lld and %lld are known", (long long)v->head.root.version,
		    (long long)v->head.keyset.version, (long long)v->root.version, (long long)v->keyset.version);
	if ((f->root != NULL && (e = document_ref_check(&v->head.root, f->root->bytes, f->root->n, "root", d)) != CLUSTER_OK) ||
	    (f->keyset != NULL && (e = document_ref_check(&v->head.keyset, f->keyset->bytes, f->keyset->n, "keyset", d)) != CLUSTER_OK))
		return e;
	/* A person comes back after any time: how far versions went up says nothing. */
	if (f->last.version > 0 && v->head.version - f->last.version > DOCUMENT_VERSION_STEP)
		f->last.version = v->head.version - DOCUMENT_VERSION_STEP;
	if ((e = document_head_step(&f->last, &v->head, d)) != CLUSTER_OK)
		return e;
	return view_directory(v, &f->source, d);
}

/* The objects lie there already; the head makes them count. */
static enum cluster_err store(const struct refresh *f, struct diag *d)
{
	const struct profile *p = f->source.p;
	enum cluster_err e;

	if (f->root != NULL && (e = profile_write(p, PROFILE_ROOT, f->root->bytes, f->root->n, d)) != CLUSTER_OK)
		return e;
	if (f->keyset != NULL && (e = profile_write(p, PROFILE_KEYSET, f->keyset->bytes, f->keyset->n, d)) != CLUSTER_OK)
		return e;
	return profile_write(p, PROFILE_HEAD, f->head->bytes, f->head->n, d);
}

static enum cluster_err make_folder(const struct profile *p, struct diag *d)
{
	char dir[PROFILE_PATH_MAX];
	enum cluster_err e;

	if ((e = file_join(dir, sizeof dir, p->dir, PROFILE_OBJECTS)) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", p->dir);
	return file_mkdir(dir, 0700, d);
}

enum cluster_err view_refresh(const struct profile *p, struct remote *r, const struct wallet *w, struct view **ret, struct diag *d)
{
	struct refresh f = { .source = { .p = p, .r = r, .w = w, .fetch = from_authority } };
	struct view *v = NULL;
	enum cluster_err e;

	if ((v = calloc(1, sizeof *v)) == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	read_last(&f);
	if ((e = make_folder(p, d)) != CLUSTER_OK || (e = remote_json(r, HEAD_PATH, w, NULL, 0, &f.answer, d)) != CLUSTER_OK || (e = take_head(&f, d)) != CLUSTER_OK)
		goto out;
	v->root = *remote_root(r);
	v->keyset = *remote_keyset(r);
	if ((e = check_all(&f, v, d)) != CLUSTER_OK || (e = store(&f, d)) != CLUSTER_OK) {
		diag_prefix(d, "the signed directory");
		goto out;
	}
	view_object_prune(p, v, time(NULL));
	remote_replace(r, &v->root, &v->keyset);
	*ret = v;
	v = NULL;
	e = CLUSTER_OK;
out:
	view_free(v);
	refresh_done(&f);
	return e;
}
