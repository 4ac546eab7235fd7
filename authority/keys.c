/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/jwk.h"
#include "cluster/secret.h"
#include "cluster/sshsig.h"
#include "cluster/sshwire.h"
#include "revoked.h"

#define FILE_MAX 65536
#define KEY_BLOB_MAX 256

static enum cluster_err path_of(const char *dir, enum keyring_role role, const char *kid, char dst[KEYS_PATH_MAX], struct diag *d)
{
	int n = snprintf(dst, KEYS_PATH_MAX, "%s/keys/%s.%s.key", dir, keyring_role_name(role), kid);

	return n > 0 && n < KEYS_PATH_MAX ? CLUSTER_OK : diag_set(d, CLUSTER_ELIMIT, "%s: the path is too long", dir);
}

enum cluster_err keys_read_file(const char *path, struct secret **ret, struct diag *d)
{
	/* the directory above belongs to us or to root; what others may read is no key */
	const struct file_rules rules = { .owner = geteuid(), .forbid = 077, .max_size = FILE_MAX };

	return file_read(path, &rules, ret, d);
}

enum cluster_err keys_read(const char *path, struct crypto_key **ret, struct diag *d)
{
	struct secret *pem = NULL;
	enum cluster_err e;

	if ((e = keys_read_file(path, &pem, d)) != CLUSTER_OK)
		return e;
	if ((e = crypto_key_parse(pem->bytes, pem->n, ret)) != CLUSTER_OK)
		diag_set(d, e, "%s: not a private key", path);
	secret_free(pem);
	return e;
}

enum cluster_err keys_write(const char *path, const struct crypto_key *key, struct diag *d)
{
	struct secret *pem = NULL;
	enum cluster_err e;

	if ((e = crypto_key_build(key, &pem)) != CLUSTER_OK)
		return diag_set(d, e, "%s: %s", path, err_name(e));
	e = file_create(path, pem->bytes, pem->n, 0600, d);
	secret_free(pem);
	return e;
}

enum cluster_err keys_make(const char *dir, enum keyring_role role, int64_t now, int64_t life, struct keyring_key *ret, struct diag *d)
{
	struct keyring_key k = { .role = role, .nbf = now, .exp = now + life };
	struct crypto_key *key = NULL;
	char path[KEYS_PATH_MAX];
	enum cluster_err e;

	if ((e = crypto_key_new(CRYPTO_ED25519, &key)) != CLUSTER_OK || (e = crypto_key_pub(key, &k.pub)) != CLUSTER_OK || (e = jwk_kid(&k.pub, k.kid)) != CLUSTER_OK) {
		diag_set(d, e, "could not make a key: %s", err_name(e));
		goto out;
	}
	if ((e = path_of(dir, role, k.kid, path, d)) != CLUSTER_OK || (e = keys_write(path, key, d)) != CLUSTER_OK)
		goto out;
	*ret = k;
	e = CLUSTER_OK;
out:
	crypto_key_free(key);
	return e;
}

/* The file of one ring key, which must hold that key; not being there is no error. */
static enum cluster_err load_one(const char *dir, const struct keyring_key *want, struct crypto_key **ret, struct diag *d)
{
	struct crypto_key *key = NULL;
	struct crypto_pub pub;
	char path[KEYS_PATH_MAX];
	enum cluster_err e;

	if ((e = path_of(dir, want->role, want->kid, path, d)) != CLUSTER_OK)
		return e;
	if ((e = keys_read(path, &key, d)) == CLUSTER_ENOTFOUND) {
		diag_clear(d);
		return CLUSTER_OK;
	}
	if (e != CLUSTER_OK)
		return e;
	if ((e = crypto_key_pub(key, &pub)) != CLUSTER_OK || !crypto_pub_equal(&pub, &want->pub)) {
		crypto_key_free(key);
		return diag_set(d, CLUSTER_EFORMAT, "%s: another key than its name says", path);
	}
	*ret = key;
	return CLUSTER_OK;
}

enum cluster_err keys_load(const char *dir, const struct keyring *ring, struct keys **ret, struct diag *d)
{
	struct keys *k = calloc(1, sizeof *k);
	enum cluster_err e = CLUSTER_OK;

	if (!k)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	k->ring = *ring;
	for (size_t i = 0; i < ring->n && e == CLUSTER_OK; i++)
		e = load_one(dir, &ring->key[i], &k->key[i], d);
	if (e != CLUSTER_OK) {
		keys_free(k);
		return e;
	}
	*ret = k;
	return CLUSTER_OK;
}

void keys_free(struct keys *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < KEYRING_MAX; i++)
		crypto_key_free(k->key[i]);
	free(k);
}

/* By its kid, or a CA key by its fingerprint. What cannot be told counts as revoked. */
static bool is_revoked(const struct revoked *revoked, const struct keyring_key *k, int64_t now)
{
	uint8_t blob[KEY_BLOB_MAX];
	char print[51];
	struct wr w;

	if (!revoked)
		return false;
	if (revoked_find(revoked, REVOKE_ISSUER, k->kid, now))
		return true;
	if (k->role != KEYRING_SSHCA)
		return false;
	wr_init(&w, blob, sizeof blob);
	sshwire_put_blob(&w, &k->pub);
	return wr_end(&w) != CLUSTER_OK || sshsig_fingerprint(blob, w.n, print) != CLUSTER_OK || revoked_find(revoked, REVOKE_CERT_CA, print, now);
}

enum cluster_err keys_signer(const struct keys *k, enum keyring_role role, int64_t now, const struct revoked *revoked, size_t *ret, struct diag *d)
{
	size_t best = KEYRING_MAX;
	bool best_settled = false;

	for (size_t i = 0; i < k->ring.n; i++) {
		const struct keyring_key *r = &k->ring.key[i];
		bool settled = r->nbf + KEYS_OVERLAP <= now;

		if (r->role != role || !k->key[i] || now < r->nbf || now >= r->exp || is_revoked(revoked, r, now))
			continue;
		/* the newest of those that are everywhere; if there is none, the oldest of the new ones */
		if (best == KEYRING_MAX || (settled && !best_settled) || (settled == best_settled && (settled ? r->nbf >= k->ring.key[best].nbf : r->nbf < k->ring.key[best].nbf))) {
			best = i;
			best_settled = settled;
		}
	}
	if (best == KEYRING_MAX)
		return diag_set(d, CLUSTER_EUNAVAIL, "no %s key is in force: see cluster-authorityd keyset --rotate %s", keyring_role_name(role), keyring_role_name(role));
	*ret = best;
	return CLUSTER_OK;
}
