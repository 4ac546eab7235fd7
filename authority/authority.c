/* SPDX-License-Identifier: Apache-2.0 */
#include "authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/file.h"
#include "cluster/refusals.h"
#include "keys.h"
#include "nodes.h"
#include "poll.h"
#include "replay.h"
#include "revoked.h"
#include "store.h"

int64_t authority_now(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec;
}

int64_t authority_ms(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

enum cluster_err authority_store_path(const char *dir, char dst[AUTHORITY_PATH_MAX], struct diag *d)
{
	if (file_join(dst, AUTHORITY_PATH_MAX, dir, AUTHORITY_STORE) != CLUSTER_OK)
		return diag_set(d, CLUSTER_ECONFIG, "%s: the path is too long", dir);
	return CLUSTER_OK;
}

/* What a reload replaces, prepared beside what is there. */
struct loaded {
	struct document_root root;
	struct document_keyset keyset;
	struct keys *keys;
	struct published *published;
	struct revoked *revoked;
	struct nodes *nodes;
};

static void loaded_done(struct loaded *l)
{
	keys_free(l->keys);
	publish_free(l->published);
	revoked_free(l->revoked);
	nodes_free(l->nodes);
}

static enum cluster_err text_of(struct authority *a, const struct published *p, enum publish_doc doc, struct blob **ret, struct diag *d)
{
	char hash[PUBLISH_HASH_TEXT + 1];
	bool people;
	enum cluster_err e;

	publish_hash_text(p->doc[doc].sha256, hash);
	if ((e = publish_object(a->store, hash, ret, &people)) != CLUSTER_OK)
		return diag_set(d, e == CLUSTER_ENOTFOUND ? CLUSTER_EFORMAT : e, "the store has lost a document: %s", err_name(e));
	return CLUSTER_OK;
}

static enum cluster_err load(struct authority *a, struct loaded *l, struct diag *d)
{
	struct blob *root = NULL, *keyset = NULL;
	enum cluster_err e;

	if ((e = publish_load(a->store, &l->published, d)) != CLUSTER_OK || (e = text_of(a, l->published, PUBLISH_ROOT, &root, d)) != CLUSTER_OK ||
	    (e = text_of(a, l->published, PUBLISH_KEYSET, &keyset, d)) != CLUSTER_OK)
		goto out;
	if ((e = document_root_verify(root->bytes, root->n, a->pin, &l->root, d)) != CLUSTER_OK ||
	    (e = document_keyset_verify(keyset->bytes, keyset->n, &l->root, &l->keyset, d)) != CLUSTER_OK)
		goto out;
	if ((e = keys_load(a->conf.dir, &l->keyset.ring, &l->keys, d)) != CLUSTER_OK || (e = revoked_load(a->store, &l->revoked, d)) != CLUSTER_OK ||
	    (e = nodes_load(a->store, &l->nodes, d)) != CLUSTER_OK)
		goto out;
	nodes_revoked(l->nodes, l->revoked, authority_now());
out:
	blob_unref(keyset);
	blob_unref(root);
	return e;
}

static void adopt(struct authority *a, struct loaded *l)
{
	struct loaded old = { .keys = a->keys, .published = a->published, .revoked = a->revoked, .nodes = a->nodes };

	if (a->nodes)
		nodes_inherit(l->nodes, a->nodes);
	else
		l->nodes->since = authority_now();
	revoked_settle(l->revoked, l->published->head_version, 0, 0);
	a->root = l->root;
	a->keyset = l->keyset;
	a->cluster = l->root.cluster;
	a->keys = l->keys;
	a->published = l->published;
	a->revoked = l->revoked;
	a->nodes = l->nodes;
	loaded_done(&old);
}

bool authority_behind(struct authority *a)
{
	/* the store says it only once */
	if (store_changed(a->store))
		a->behind = true;
	return a->behind;
}

enum cluster_err authority_reload(struct authority *a, struct diag *d)
{
	struct loaded l = { .keys = NULL };
	enum cluster_err e = load(a, &l, d);

	a->behind = e != CLUSTER_OK;
	if (e != CLUSTER_OK) {
		loaded_done(&l);
		return e;
	}
	adopt(a, &l);
	if (a->poll)
		poll_publish(a->poll);
	return CLUSTER_OK;
}

static enum cluster_err meta(struct authority *a, struct diag *d)
{
	char *pin = NULL, *url = NULL;
	enum cluster_err e;
	size_t n;

	if ((e = store_get(a->store, STORE_META, "pin", &pin, &n)) != CLUSTER_OK || (e = store_get(a->store, STORE_META, "url", &url, &n)) != CLUSTER_OK ||
	    (e = document_pin_parse(pin, a->pin)) != CLUSTER_OK || !config_url_ok(url) || strlen(url) >= sizeof a->url) {
		e = diag_set(d, e == CLUSTER_OK || e == CLUSTER_ENOTFOUND ? CLUSTER_EFORMAT : e, "the store does not say which cluster it is of");
		goto out;
	}
	snprintf(a->url, sizeof a->url, "%s", a->conf.url[0] ? a->conf.url : url);
out:
	free(url);
	free(pin);
	return e;
}

enum cluster_err authority_open(struct authority *a, struct diag *d)
{
	char path[AUTHORITY_PATH_MAX];
	enum cluster_err e;

	if ((e = authority_store_path(a->conf.dir, path, d)) != CLUSTER_OK || (e = store_open(path, &a->store, d)) != CLUSTER_OK || (e = meta(a, d)) != CLUSTER_OK)
		return e;
	return authority_reload(a, d);
}

void authority_close(struct authority *a)
{
	struct loaded l = { .keys = a->keys, .published = a->published, .revoked = a->revoked, .nodes = a->nodes };

	loaded_done(&l);
	replay_free(a->replay);
	refusals_free(a->refusals);
	free(a->tally);
	store_close(a->store);
	a->keys = NULL;
	a->published = NULL;
	a->revoked = NULL;
	a->nodes = NULL;
	a->replay = NULL;
	a->store = NULL;
}
