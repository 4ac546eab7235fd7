/* SPDX-License-Identifier: Apache-2.0 */
#include "wallet.h"

#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "cluster/file.h"
#include "cluster/jws.h"
#include "cluster/secret.h"

enum cluster_err wallet_claims(const char *token, struct credential *ret, struct diag *d)
{
	enum cluster_err e;
	struct jws j;

	if ((e = jws_parse(token, strlen(token), JWS_CREDENTIAL, &j, d)) != CLUSTER_OK)
		return e;
	e = credential_parse(j.payload, j.payload_n, ret, d);
	if (e == CLUSTER_OK)
		memcpy(ret->issuer, j.kid, sizeof ret->issuer);
	jws_done(&j);
	return e;
}

/*
 * A credential and its key change together, in three steps: the new key beside the old one, the new credential, the new key in the old one's place. Wherever that ends, one of
 * the two keys is the credential's.
 */
static enum cluster_err key_in(const struct profile *p, const char *name, const struct crypto_pub *cnf, struct crypto_key **ret, struct diag *d)
{
	struct crypto_key *key = NULL;
	struct crypto_pub pub;
	enum cluster_err e;

	if ((e = profile_key_read(p, name, &key, d)) != CLUSTER_OK || (e = crypto_key_pub(key, &pub)) != CLUSTER_OK)
		goto out;
	if (!crypto_pub_equal(&pub, cnf)) {
		e = diag_set(d, CLUSTER_ENOTFOUND, "the credential and its key do not belong together");
		goto out;
	}
	*ret = key;
	key = NULL;
	e = CLUSTER_OK;
out:
	crypto_key_free(key);
	return e;
}

static enum cluster_err key_of(const struct profile *p, const struct crypto_pub *cnf, struct crypto_key **ret, struct diag *d)
{
	enum cluster_err e = key_in(p, PROFILE_CREDENTIAL_KEY, cnf, ret, d);

	return e == CLUSTER_ENOTFOUND && key_in(p, PROFILE_CREDENTIAL_KEY_NEXT, cnf, ret, NULL) == CLUSTER_OK ? CLUSTER_OK : e;
}

/* The credential's text without the end of its line. */
static enum cluster_err token_read(const struct profile *p, struct secret **ret, struct diag *d)
{
	enum cluster_err e = profile_read(p, PROFILE_CREDENTIAL, true, ret, d);

	if (e == CLUSTER_OK && (*ret)->n > 0 && (*ret)->bytes[(*ret)->n - 1] == '\n')
		(*ret)->bytes[(*ret)->n - 1] = '\0';
	return e;
}

enum cluster_err wallet_load(const struct profile *p, struct wallet *ret, struct diag *d)
{
	int lock = profile_lock(p, PROFILE_WALLET_LOCK, LOCK_SH); /* both files of one writing */
	struct secret *text = NULL;
	struct wallet w = { 0 };
	enum cluster_err e;

	if ((e = token_read(p, &text, d)) != CLUSTER_OK) {
		if (e == CLUSTER_ENOTFOUND)
			diag_set(d, e, "there is no credential");
		goto out;
	}
	if ((w.token = strdup((const char *)text->bytes)) == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	if ((e = wallet_claims(w.token, &w.claims, d)) != CLUSTER_OK || (e = key_of(p, &w.claims.cnf, &w.key, d)) != CLUSTER_OK)
		goto out;
	*ret = w;
	w = (struct wallet){ 0 };
	e = CLUSTER_OK;
out:
	file_close(lock);
	wallet_done(&w);
	secret_free(text);
	return e;
}

/* Under the lock. */
static enum cluster_err still_there(const struct profile *p, const char *token, struct diag *d)
{
	struct secret *text = NULL;
	enum cluster_err e = profile_read(p, PROFILE_CREDENTIAL, true, &text, d);
	size_t n = strlen(token);

	if (e == CLUSTER_ENOTFOUND || (e == CLUSTER_OK && (text->n < n || text->n > n + 1 || memcmp(text->bytes, token, n) != 0)))
		e = diag_set(d, CLUSTER_EDENIED, "the credential was replaced or dropped meanwhile");
	secret_free(text);
	return e;
}

/* Under the lock: the last step of a writing that got no further. */
static enum cluster_err settle(const struct profile *p, struct diag *d)
{
	struct crypto_key *key = NULL;
	struct secret *text = NULL;
	struct credential claims;
	enum cluster_err e = CLUSTER_OK;

	if (token_read(p, &text, NULL) != CLUSTER_OK)
		goto out;
	if (wallet_claims((const char *)text->bytes, &claims, NULL) == CLUSTER_OK && key_in(p, PROFILE_CREDENTIAL_KEY_NEXT, &claims.cnf, &key, NULL) == CLUSTER_OK)
		e = profile_rename(p, PROFILE_CREDENTIAL_KEY_NEXT, PROFILE_CREDENTIAL_KEY, d);
out:
	crypto_key_free(key);
	secret_free(text);
	return e;
}

/* Under the lock. */
static enum cluster_err write_both(const struct profile *p, const struct wallet *w, const char *line, struct diag *d)
{
	enum cluster_err e;

	if ((e = settle(p, d)) != CLUSTER_OK)
		return e;
	/* on failure the credential may have its name all the same: its key stays */
	if ((e = profile_key_write(p, PROFILE_CREDENTIAL_KEY_NEXT, w->key, d)) != CLUSTER_OK || (e = profile_write(p, PROFILE_CREDENTIAL, line, strlen(line), d)) != CLUSTER_OK)
		return e;
	return profile_rename(p, PROFILE_CREDENTIAL_KEY_NEXT, PROFILE_CREDENTIAL_KEY, d);
}

enum cluster_err wallet_replace(const struct profile *p, const char *token, const struct wallet *w, struct diag *d)
{
	size_t n = strlen(w->token);
	enum cluster_err e;
	char *line;
	int lock;

	if ((line = malloc(n + 2)) == NULL)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	memcpy(line, w->token, n);
	memcpy(line + n, "\n", 2);
	lock = profile_lock(p, PROFILE_WALLET_LOCK, LOCK_EX);
	e = token != NULL ? still_there(p, token, d) : CLUSTER_OK;
	if (e == CLUSTER_OK)
		e = write_both(p, w, line, d);
	file_close(lock);
	free(line);
	return e;
}

enum cluster_err wallet_store(const struct profile *p, const struct wallet *w, struct diag *d)
{
	return wallet_replace(p, NULL, w, d);
}

enum cluster_err wallet_drop(const struct profile *p, struct diag *d)
{
	static const char *const files[] = { PROFILE_CREDENTIAL_KEY, PROFILE_CREDENTIAL_KEY_NEXT, PROFILE_CREDENTIAL };
	int lock = profile_lock(p, PROFILE_WALLET_LOCK, LOCK_EX);
	enum cluster_err e = CLUSTER_OK, one;

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		if ((one = profile_remove(p, files[i], e == CLUSTER_OK ? d : NULL)) != CLUSTER_OK && e == CLUSTER_OK)
			e = one;
	}
	file_close(lock);
	return e;
}

void wallet_done(struct wallet *w)
{
	crypto_key_free(w->key);
	if (w->token != NULL)
		explicit_bzero(w->token, strlen(w->token));
	free(w->token);
	*w = (struct wallet){ 0 };
}
