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

enum cluster_err wallet_load(const struct profile *p, struct wallet *ret, struct diag *d)
{
	int lock = profile_lock(p, PROFILE_WALLET_LOCK, LOCK_SH); /* both files of one writing */
	struct secret *text = NULL;
	struct wallet w = { 0 };
	struct crypto_pub pub;
	enum cluster_err e;

	if ((e = profile_read(p, PROFILE_CREDENTIAL, true, &text, d)) != CLUSTER_OK || (e = profile_key_read(p, PROFILE_CREDENTIAL_KEY, &w.key, d)) != CLUSTER_OK) {
		if (e == CLUSTER_ENOTFOUND)
			diag_set(d, e, "there is no credential");
		goto out;
	}
	if (text->n > 0 && text->bytes[text->n - 1] == '\n')
		text->bytes[text->n - 1] = '\0';
	if ((w.token = strdup((const char *)text->bytes)) == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	if ((e = wallet_claims(w.token, &w.claims, d)) != CLUSTER_OK || (e = crypto_key_pub(w.key, &pub)) != CLUSTER_OK)
		goto out;
	if (!crypto_pub_equal(&pub, &w.claims.cnf)) {
		e = diag_set(d, CLUSTER_ENOTFOUND, "the credential and its key do not belong together");
		goto out;
	}
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

enum cluster_err wallet_replace(const struct profile *p, const char *token, const struct wallet *w, struct diag *d)
{
	size_t n = strlen(w->token);
	enum cluster_err e;
	char *line;
	int lock;

	if ((line = malloc(n + 1)) == NULL)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	memcpy(line, w->token, n);
	line[n] = '\n';
	lock = profile_lock(p, PROFILE_WALLET_LOCK, LOCK_EX);
	e = token != NULL ? still_there(p, token, d) : CLUSTER_OK;
	if (e == CLUSTER_OK && (e = profile_key_write(p, PROFILE_CREDENTIAL_KEY, w->key, d)) == CLUSTER_OK)
		e = profile_write(p, PROFILE_CREDENTIAL, line, n + 1, d);
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
	int lock = profile_lock(p, PROFILE_WALLET_LOCK, LOCK_EX);
	enum cluster_err e = profile_remove(p, PROFILE_CREDENTIAL_KEY, d), e2 = profile_remove(p, PROFILE_CREDENTIAL, d);

	file_close(lock);
	return e != CLUSTER_OK ? e : e2;
}

void wallet_done(struct wallet *w)
{
	crypto_key_free(w->key);
	if (w->token != NULL)
		explicit_bzero(w->token, strlen(w->token));
	free(w->token);
	*w = (struct wallet){ 0 };
}
