/* SPDX-License-Identifier: Apache-2.0 */
#include "init.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authority.h"
#include "cluster/file.h"
#include "cluster/jwk.h"
#include "cluster/jws.h"
#include "cluster/secret.h"
#include "keys.h"
#include "rootsign.h"
#include "revoked.h"
#include "store.h"
#include "root_renew.h"
#include "tls.h"
#include "user.h"

#define SERVICE_USER "cluster-authority"
#define ROLE_LIFE (730 * 86400)
#define MADE_MAX 16
#define MADE_PATH (AUTHORITY_PATH_MAX + 8)

/* What has been made so far: taken away again if the rest fails. */
struct made {
	size_t n;
	char path[MADE_MAX][MADE_PATH];
};

struct work {
	const struct init *in;
	int64_t now;
	struct made made;
	struct crypto_key *root_key;
	struct document_root root;
	struct document_keyset keyset;
	char *root_text, *keyset_text;
	uint8_t pin[CRYPTO_SHA256_SIZE];
	struct store *store;
};

static void remember(struct made *m, const char *path)
{
	if (m->n < MADE_MAX)
		snprintf(m->path[m->n++], MADE_PATH, "%s", path);
}

static void take_back(struct made *m)
{
	while (m->n > 0) {
		m->n--;
		if (unlink(m->path[m->n]) != 0)
			(void)!rmdir(m->path[m->n]);
	}
}

/* ---- directories and who owns them ---- */

static enum cluster_err directory(struct work *w, const char *path, struct diag *d)
{
	struct stat st;
	bool there = lstat(path, &st) == 0;
	enum cluster_err e = file_mkdir(path, 0700, d);

	if (e == CLUSTER_OK && !there)
		remember(&w->made, path);
	return e;
}

static enum cluster_err owner(const struct init *in, struct user *ret, struct diag *d)
{
	enum cluster_err e;
	struct stat st;

	*ret = (struct user){ .uid = geteuid(), .gid = getegid() };
	if (in->user)
		return user_find(in->user, ret, d);
	if (geteuid() != 0)
		return CLUSTER_OK;
	if (stat(in->conf->dir, &st) == 0 && st.st_uid != 0)
		return user_of(in->conf->dir, ret, d); /* somebody made it ready for its user */
	if ((e = user_find(SERVICE_USER, ret, d)) == CLUSTER_ENOTFOUND) {
		diag_clear(d);
		return CLUSTER_OK;
	}
	return e;
}

/* Refuses before anything is made. */
static enum cluster_err nothing_there(const struct init *in, const char *root_key, struct diag *d)
{
	static const char *const names[] = { AUTHORITY_STORE, "keys", "root.key" };
	char path[AUTHORITY_PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (file_join(path, sizeof path, in->conf->dir, names[i]) != CLUSTER_OK)
			return diag_set(d, CLUSTER_ECONFIG, "%s: the path is too long", in->conf->dir);
		if (lstat(path, &st) == 0)
			return diag_set(d, CLUSTER_EDENIED, "%s is there already: nothing is overwritten", path);
	}
	if (lstat(root_key, &st) == 0)
		return diag_set(d, CLUSTER_EDENIED, "%s is there already: nothing is overwritten", root_key);
	return CLUSTER_OK;
}

/* ---- root ---- */

static enum cluster_err make_root(struct work *w, const char *path, struct diag *d)
{
	enum cluster_err e;

	snprintf(w->root.name, sizeof w->root.name, "%s", w->in->name);
	w->root.version = 1;
	w->root.iat = w->now;
	w->root.exp = w->now + ROOT_LIFE;
	w->root.threshold = w->root.n_keys = 1;
	if ((e = crypto_key_new(CRYPTO_ED25519, &w->root_key)) != CLUSTER_OK || (e = crypto_key_pub(w->root_key, &w->root.key[0])) != CLUSTER_OK ||
	    (e = jwk_kid(&w->root.key[0], w->root.kid[0])) != CLUSTER_OK)
		return diag_set(d, e, "could not make the root key: %s", err_name(e));
	if ((e = rootsign_root(w->root_key, &w->root, &w->root_text, w->pin, d)) != CLUSTER_OK)
		return e;
	if ((e = keys_write(path, w->root_key, d)) == CLUSTER_OK)
		remember(&w->made, path);
	return e;
}

/* ---- keys of the daemon ---- */

static enum cluster_err make_role_key(struct work *w, enum keyring_role role, struct diag *d)
{
	char path[AUTHORITY_PATH_MAX];
	struct keyring_key key;
	enum cluster_err e;

	/* usable at once: a clock a little behind must not refuse it */
	if ((e = keys_make(w->in->conf->dir, role, w->now, ROLE_LIFE, &key, d)) != CLUSTER_OK)
		return e;
	snprintf(path, sizeof path, "%s/keys/%s.%s.key", w->in->conf->dir, keyring_role_name(role), key.kid);
	remember(&w->made, path);
	if ((e = keyring_add(&w->keyset.ring, &key)) != CLUSTER_OK)
		return diag_set(d, e, "keyset: %s", err_name(e));
	return CLUSTER_OK;
}

static enum cluster_err make_tls(struct work *w, struct diag *d)
{
	char path[AUTHORITY_PATH_MAX], host[CONF_STRING_SIZE];
	struct secret *key = NULL;
	char *cert = NULL;
	enum cluster_err e;

	config_url_host(w->in->url, host, sizeof host);
	if ((e = tls_make(host, &key, &cert, w->keyset.tls[0], d)) != CLUSTER_OK)
		goto out;
	w->keyset.n_tls = 1;
	snprintf(path, sizeof path, "%s/keys/tls.key", w->in->conf->dir);
	if ((e = file_create(path, key->bytes, key->n, 0600, d)) != CLUSTER_OK)
		goto out;
	remember(&w->made, path);
	snprintf(path, sizeof path, "%s/keys/tls.crt", w->in->conf->dir);
	if ((e = file_create(path, cert, strlen(cert), 0600, d)) == CLUSTER_OK)
		remember(&w->made, path);
out:
	free(cert);
	secret_free(key);
	return e;
}

static enum cluster_err make_keyset(struct work *w, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;

	w->keyset.version = 1;
	w->keyset.iat = w->now;
	for (unsigned role = KEYRING_ISSUER; role <= KEYRING_ROLE_LAST && e == CLUSTER_OK; role++)
		e = make_role_key(w, (enum keyring_role)role, d);
	if (e == CLUSTER_OK && (e = make_tls(w, d)) == CLUSTER_OK)
		e = rootsign_keyset(w->root_key, &w->root, &w->keyset, &w->keyset_text, d);
	return e;
}

/* ---- store ---- */

static enum cluster_err fill(struct work *w, struct publish_stage *st, struct diag *d)
{
	char pin[DOCUMENT_PIN_TEXT + 1];
	struct store_audit audit = { .time = w->now, .actor = "root", .action = "init", .object = w->in->name, .reason = "ok" };
	enum cluster_err e;

	document_pin_text(w->pin, pin);
	if ((e = store_put(w->store, STORE_META, "pin", pin, strlen(pin))) != CLUSTER_OK || (e = store_put(w->store, STORE_META, "url", w->in->url, strlen(w->in->url))) != CLUSTER_OK ||
	    (e = store_audit_add(w->store, &audit, NULL)) != CLUSTER_OK)
		return diag_set(d, e, "store: %s", store_error(w->store));
	if ((e = publish_text(st, PUBLISH_ROOT, 1, w->root_text, d)) != CLUSTER_OK || (e = publish_text(st, PUBLISH_KEYSET, 1, w->keyset_text, d)) != CLUSTER_OK)
		return e;
	return publish_stage_end(st, d);
}

static enum cluster_err make_store(struct work *w, struct diag *d)
{
	struct publish_stage st = { .conf = w->in->conf, .cluster = &w->root.cluster, .now = w->now };
	char path[AUTHORITY_PATH_MAX], beside[AUTHORITY_PATH_MAX + 8];
	struct revoked none = { .n = 0 };
	struct keys *keys = NULL;
	enum cluster_err e;

	if ((e = authority_store_path(w->in->conf->dir, path, d)) != CLUSTER_OK || (e = keys_load(w->in->conf->dir, &w->keyset.ring, &keys, d)) != CLUSTER_OK ||
	    (e = store_create(path, &w->store, d)) != CLUSTER_OK)
		goto out;
	remember(&w->made, path);
	for (int i = 0; i < 2; i++) {
		snprintf(beside, sizeof beside, "%s%s", path, i ? "-shm" : "-wal");
		remember(&w->made, beside);
	}
	st.store = w->store;
	st.keys = keys;
	st.revoked = &none;
	if ((e = publish_stage_init(&st, NULL)) != CLUSTER_OK || (e = store_begin(w->store, d)) != CLUSTER_OK || (e = fill(w, &st, d)) != CLUSTER_OK)
		goto out;
	e = store_commit(w->store, d);
out:
	publish_stage_done(&st);
	keys_free(keys);
	store_close(w->store);
	w->store = NULL;
	return e;
}

static enum cluster_err make_all(struct work *w, const struct user *u, const char *root_key, struct diag *d)
{
	const char *dir = w->in->conf->dir;
	char keys[AUTHORITY_PATH_MAX];
	enum cluster_err e;

	if ((e = directory(w, dir, d)) != CLUSTER_OK)
		return e;
	if (geteuid() == 0 && u->uid != 0 && chown(dir, u->uid, u->gid) != 0)
		return diag_errno(d, "%s", dir);
	if ((e = make_root(w, root_key, d)) != CLUSTER_OK || (e = user_become(u, d)) != CLUSTER_OK)
		return e;
	if ((e = file_join(keys, sizeof keys, dir, "keys")) != CLUSTER_OK || (e = directory(w, keys, d)) != CLUSTER_OK || (e = make_keyset(w, d)) != CLUSTER_OK)
		return e;
	return make_store(w, d);
}

enum cluster_err init_run(const struct init *in, struct init_made *ret, struct diag *d)
{
	struct work *w = calloc(1, sizeof *w);
	struct init_made made = { .root_key = "" };
	struct user u;
	enum cluster_err e;

	if (!w)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	w->in = in;
	w->now = authority_now();
	if (in->root_key)
		snprintf(made.root_key, sizeof made.root_key, "%s", in->root_key);
	else
		snprintf(made.root_key, sizeof made.root_key, "%s/root.key", in->conf->dir);
	if ((e = owner(in, &u, d)) != CLUSTER_OK || (e = nothing_there(in, made.root_key, d)) != CLUSTER_OK)
		goto out;
	if ((e = make_all(w, &u, made.root_key, d)) != CLUSTER_OK) {
		take_back(&w->made);
		goto out;
	}
	made.cluster = w->root.cluster;
	memcpy(made.pin, w->pin, sizeof made.pin);
	*ret = made;
out:
	crypto_key_free(w->root_key);
	free(w->root_text);
	free(w->keyset_text);
	free(w);
	return e;
}
