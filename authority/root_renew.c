/* SPDX-License-Identifier: Apache-2.0 */
#include "root_renew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authority.h"
#include "change.h"
#include "cluster/jwk.h"
#include "cluster/moment.h"
#include "keys.h"
#include "rootsign.h"
#include "rotate.h"

/* What is read, made and published on the way. */
struct work {
	struct crypto_key *old, *new; /* new: NULL if the old one goes on */
	struct document_root next;
	struct document_keyset keyset;
	char *chain, *keyset_text;
	bool committing; /* what fails from here on may be in force all the same */
};

/* The root that follows: the key that signs in it takes the old one's place. */
static enum cluster_err next_root(const struct authority *a, int64_t now, struct work *w, struct diag *d)
{
	struct crypto_pub old;
	enum cluster_err e;

	if ((e = crypto_key_pub(w->old, &old)) != CLUSTER_OK)
		return diag_set(d, e, "the root key: %s", err_name(e));
	w->next = a->root;
	w->next.version++;
	w->next.iat = now;
	w->next.exp = now + ROOT_LIFE;
	for (size_t i = 0; i < w->next.n_keys; i++) {
		if (!crypto_pub_equal(&old, &w->next.key[i]))
			continue;
		if (w->new && ((e = crypto_key_pub(w->new, &w->next.key[i])) != CLUSTER_OK || (e = jwk_kid(&w->next.key[i], w->next.kid[i])) != CLUSTER_OK))
			return diag_set(d, e, "the new root key: %s", err_name(e));
		return CLUSTER_OK;
	}
	return diag_set(d, CLUSTER_EDENIED, "this is not the root key of this cluster");
}

/* The chain with one root more. */
static enum cluster_err make_chain(struct authority *a, struct work *w, struct diag *d)
{
	const struct crypto_key *signer[] = { w->old, w->new };
	char hash[PUBLISH_HASH_TEXT + 1];
	struct blob *chain = NULL;
	enum cluster_err e;
	bool people;

	publish_hash_text(a->published->doc[PUBLISH_ROOT].sha256, hash);
	if ((e = publish_object(a->store, hash, &chain, &people)) != CLUSTER_OK)
		return diag_set(d, e, "the root chain cannot be read: %s", err_name(e));
	e = rootsign_next(signer, w->new ? 2 : 1, &(struct rootsign_chain){ chain->bytes, chain->n, a->pin }, &w->next, &w->chain, d);
	blob_unref(chain);
	return e;
}

static enum cluster_err publish(struct authority *a, struct work *w, struct diag *d)
{
	struct change_audit audit = { .actor = "root", .action = w->new ? "root/replace" : "root/renew", .reason = "ok" };
	struct change ch = { 0 };
	char version[24];
	enum cluster_err e;

	if ((e = change_begin(&ch, a, authority_now(), d)) != CLUSTER_OK || (e = next_root(a, ch.now, w, d)) != CLUSTER_OK || (e = make_chain(a, w, d)) != CLUSTER_OK ||
	    (e = publish_text(&ch.stage, PUBLISH_ROOT, w->next.version, w->chain, d)) != CLUSTER_OK)
		goto out;
	if (w->new) { /* the old key's signature under the keyset counts no more */
		w->keyset = a->keyset;
		w->keyset.version++;
		w->keyset.iat = ch.now;
		if ((e = rootsign_keyset(w->new, &w->next, &w->keyset, &w->keyset_text, d)) != CLUSTER_OK ||
		    (e = publish_text(&ch.stage, PUBLISH_KEYSET, w->keyset.version, w->keyset_text, d)) != CLUSTER_OK)
			goto out;
	}
	snprintf(version, sizeof version, "%lld", (long long)w->next.version);
	audit.object = version;
	ch.keyset = true;
	w->committing = true;
	e = change_commit(&ch, &audit, NULL, d);
out:
	change_done(&ch);
	return e;
}

/* Root's own file, before the directory's owner takes over. */
static enum cluster_err make_key(const char *path, struct crypto_key **ret, struct diag *d)
{
	enum cluster_err e;

	if ((e = crypto_key_new(CRYPTO_ED25519, ret)) != CLUSTER_OK)
		return diag_set(d, e, "could not make a key: %s", err_name(e));
	return keys_write(path, *ret, d);
}

static void work_done(struct work *w)
{
	crypto_key_free(w->new);
	crypto_key_free(w->old);
	free(w->keyset_text);
	free(w->chain);
}

enum cluster_err root_renew_run(const struct root_renew *r, int64_t *ret_version, struct diag *d)
{
	struct authority *a = calloc(1, sizeof *a);
	struct work w = { .old = NULL };
	bool made = false;
	enum cluster_err e;

	if (!a)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if ((e = keys_read(r->root_key, &w.old, d)) != CLUSTER_OK)
		goto out;
	if (r->new_key) {
		if ((e = make_key(r->new_key, &w.new, d)) != CLUSTER_OK)
			goto out;
		made = true;
	}
	if ((e = rotate_open(a, r->conf, d)) != CLUSTER_OK || (e = publish(a, &w, d)) != CLUSTER_OK)
		goto out;
	*ret_version = w.next.version;
out:
	authority_close(a);
	free(a);
	work_done(&w);
	/* we may be the directory's owner by now, and the place of the file root's */
	if (e != CLUSTER_OK && made && w.committing)
		diag_prefix(d, "keep %s: if the root's version is %lld (cluster-authorityd root), it is the root key, else delete it", r->new_key, (long long)w.next.version);
	else if (e != CLUSTER_OK && made && unlink(r->new_key) != 0)
		diag_prefix(d, "%s was made, and is the key of nothing: delete it", r->new_key);
	return e;
}

enum cluster_err root_list(const struct config *conf, struct diag *d)
{
	struct authority *a = calloc(1, sizeof *a);
	char text[MOMENT_TEXT];
	enum cluster_err e;

	if (!a)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if ((e = rotate_open(a, conf, d)) == CLUSTER_OK) {
		moment_text(a->root.exp, text);
		printf("version %lld, until %s\n", (long long)a->root.version, text);
		for (size_t i = 0; i < a->root.n_keys; i++)
			printf("key %s\n", a->root.kid[i]);
	}
	authority_close(a);
	free(a);
	return e;
}
