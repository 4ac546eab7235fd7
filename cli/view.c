/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

#include <stdlib.h>

#include "cluster/secret.h"
#include "view_object.h"

enum cluster_err view_trust(const struct profile *p, struct document_root *ret_root, struct document_keyset *ret_keyset, struct diag *d)
{
	struct secret *root = NULL, *keyset = NULL;
	enum cluster_err e;

	if ((e = profile_read(p, PROFILE_ROOT, false, &root, d)) != CLUSTER_OK || (e = profile_read(p, PROFILE_KEYSET, false, &keyset, d)) != CLUSTER_OK)
		goto out;
	if ((e = document_root_verify((const char *)root->bytes, root->n, p->pin, ret_root, d)) != CLUSTER_OK) {
		diag_prefix(d, "%s/%s", p->dir, PROFILE_ROOT);
		goto out;
	}
	if ((e = document_keyset_verify((const char *)keyset->bytes, keyset->n, ret_root, ret_keyset, d)) != CLUSTER_OK)
		diag_prefix(d, "%s/%s", p->dir, PROFILE_KEYSET);
out:
	secret_free(keyset);
	secret_free(root);
	return e;
}

static enum cluster_err take_index(struct view *v, const struct view_source *s, struct diag *d)
{
	const struct keyring_at at = { .cluster = &v->root.cluster, .ring = &v->keyset.ring, .now = v->head.iat, .skew = DIRECTORY_SKEW_MAX };
	const struct document_ref *ref = &v->head.directory;
	struct secret *text = NULL;
	enum cluster_err e;
	bool new = false;

	if ((e = view_object(s, ref->sha256, (size_t)ref->size, &text, &new, d)) != CLUSTER_OK ||
	    (e = document_ref_check(ref, text->bytes, text->n, "directory", d)) != CLUSTER_OK)
		goto out;
	if ((e = directory_parse((const char *)text->bytes, text->n, &at, &v->dir, d)) != CLUSTER_OK)
		goto out;
	if (new)
		e = view_object_store(s->p, ref->sha256, text, d);
out:
	secret_free(text);
	return e;
}

static enum cluster_err take_shard(struct view *v, const struct view_source *s, size_t i, struct diag *d)
{
	const struct directory_shard *shard = &v->dir->shards[i];
	struct secret *text = NULL;
	enum cluster_err e;
	bool new = false;

	if ((e = view_object(s, shard->sha256, shard->size, &text, &new, d)) != CLUSTER_OK ||
	    (e = directory_shard_add(v->dir, i, (const char *)text->bytes, text->n, d)) != CLUSTER_OK)
		goto out;
	if (new)
		e = view_object_store(s->p, shard->sha256, text, d);
out:
	secret_free(text);
	return e;
}

enum cluster_err view_directory(struct view *v, const struct view_source *s, struct diag *d)
{
	enum cluster_err e;
	size_t i;

	if ((e = take_index(v, s, d)) != CLUSTER_OK)
		return e;
	for (i = 0; i < v->dir->n_shards; i++) {
		if (v->dir->shards[i].kind == DIRECTORY_NODES && (e = take_shard(v, s, i, d)) != CLUSTER_OK)
			return e;
	}
	return directory_check(v->dir, d);
}

enum cluster_err view_load(const struct profile *p, struct view **ret, struct diag *d)
{
	const struct view_source s = { .p = p };
	struct document_head peek;
	struct secret *head = NULL;
	struct view *v = NULL;
	struct keyring_at at;
	enum cluster_err e;

	if ((v = calloc(1, sizeof *v)) == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	if ((e = view_trust(p, &v->root, &v->keyset, d)) != CLUSTER_OK || (e = profile_read(p, PROFILE_HEAD, false, &head, d)) != CLUSTER_OK) {
		if (e == CLUSTER_ENOTFOUND)
			diag_set(d, e, "the cluster's directory has not been fetched yet");
		goto out;
	}
	if ((e = document_head_peek((const char *)head->bytes, head->n, &peek, d)) == CLUSTER_OK) {
		/* At its own time: how old it may be is decided by the credential's life, which no cached head outlives. */
		at = (struct keyring_at){ .cluster = &v->root.cluster, .ring = &v->keyset.ring, .now = peek.iat, .skew = DIRECTORY_SKEW_MAX };
		e = document_head_verify((const char *)head->bytes, head->n, &at, &v->head, d);
	}
	if (e != CLUSTER_OK) {
		diag_prefix(d, "%s/%s", p->dir, PROFILE_HEAD);
		goto out;
	}
	if ((e = view_directory(v, &s, d)) != CLUSTER_OK)
		goto out;
	*ret = v;
	v = NULL;
	e = CLUSTER_OK;
out:
	secret_free(head);
	view_free(v);
	return e;
}

void view_free(struct view *v)
{
	if (v == NULL)
		return;
	directory_free(v->dir);
	free(v);
}
