/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certificate.h"
#include "cluster/json.h"
#include "cluster/onetime.h"
#include "cluster/request.h"
#include "device_key.h"
#include "out.h"
#include "remote.h"
#include "ssh_config.h"
#include "view.h"

#define CREDENTIAL_PATH "/v1/credential"
#define CERTIFICATE_PATH "/v1/sshcert"
#define ONETIME_PATH "/v1/onetime"

static enum cluster_err sign_by_file(const struct profile *p, const struct request_credential *q, struct json **ret, struct diag *d)
{
	struct crypto_key *device = NULL;
	char *request = NULL;
	enum cluster_err e;

	if ((e = profile_key_read(p, PROFILE_DEVICE_KEY, &device, d)) != CLUSTER_OK)
		goto out;
	if ((e = request_credential_build(q, time(NULL), device, &request)) != CLUSTER_OK)
		diag_set(d, e, "cannot sign the request: %s", err_name(e));
	else if ((*ret = json_make("{s:s}", "request", request)) == NULL)
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
out:
	crypto_key_free(device);
	free(request);
	return e;
}

static enum cluster_err sign_by_agent(const struct profile *p, const struct request_credential *q, struct json **ret, struct diag *d)
{
	struct device_key *device = NULL;
	enum cluster_err e;
	char *text = NULL;
	size_t n = 0;

	if ((e = device_key_open(p, &device, d)) != CLUSTER_OK)
		return e;
	if ((e = request_credential_text(q, time(NULL), &text, &n)) != CLUSTER_OK)
		diag_set(d, e, "cannot write the request: %s", err_name(e));
	else
		e = device_key_request(device, text, n, ret, d);
	free(text);
	device_key_free(device);
	return e;
}

/* The body of a request that the device's key has signed; the caller frees *ret with json_free. */
static enum cluster_err build_request(const struct profile *p, const struct issue_wish *wish, const char *path, const struct crypto_key *key, struct json **ret, struct diag *d)
{
	struct request_credential q = { .c = { .htm = "POST" }, .cluster = p->cluster, .device = p->device };
	enum cluster_err e;

	(void)snprintf(q.c.htu, sizeof q.c.htu, "%s", path);
	q.ttl = wish->ttl;
	q.n_acc = wish->n_acc;
	q.n_nod = wish->n_nod;
	memcpy(q.acc, wish->acc, sizeof q.acc);
	memcpy(q.nod, wish->nod, sizeof q.nod);
	if ((e = crypto_key_pub(key, &q.cnf)) != CLUSTER_OK)
		return diag_set(d, e, "the new key: %s", err_name(e));
	return p->device_key[0] != '\0' ? sign_by_agent(p, &q, ret, d) : sign_by_file(p, &q, ret, d);
}

/* What came back must be for us, for our key, and signed by an issuer that we know. */
static enum cluster_err check(const struct profile *p, const struct remote *r, struct wallet *w, struct diag *d)
{
	const struct keyring_at at = { .cluster = &p->cluster, .ring = &remote_keyset(r)->ring, .now = time(NULL), .skew = DIRECTORY_SKEW_MAX };
	struct crypto_pub pub;
	enum cluster_err e;

	if ((e = credential_verify(w->token, strlen(w->token), &at, &w->claims, d)) != CLUSTER_OK) {
		if (e != CLUSTER_ENOTFOUND)
			return diag_prefix(d, "the credential that came back");
		/* Signed by an issuer that is newer than our keyset: the refresh that follows brings it, and nodes verify in any case. */
		if ((e = wallet_claims(w->token, &w->claims, d)) != CLUSTER_OK)
			return e;
	}
	if ((e = crypto_key_pub(w->key, &pub)) != CLUSTER_OK)
		return diag_set(d, e, "the new key: %s", err_name(e));
	if (!crypto_pub_equal(&pub, &w->claims.cnf) || !id_equal(&w->claims.person, &p->person) || !id_equal(&w->claims.device, &p->device))
		return diag_set(d, CLUSTER_EUNTRUSTED, "the credential that came back is for another person, device or key");
	return CLUSTER_OK;
}

/* A new key and a credential for it; *ret_line: the certificate that came with it, freed by the caller with free(), if `ret_line` is not NULL. */
static enum cluster_err ask(const struct profile *p, struct remote *r, const struct issue_wish *wish, const char *path, struct wallet *ret, char **ret_line, struct diag *d)
{
	struct json *body = NULL, *answer = NULL;
	char *line = NULL;
	struct wallet w = { 0 };
	const char *token, *certificate;
	enum cluster_err e;

	if ((e = crypto_key_new(CRYPTO_ED25519, &w.key)) != CLUSTER_OK) {
		diag_set(d, e, "cannot make a key");
		goto out;
	}
	if ((e = build_request(p, wish, path, w.key, &body, d)) != CLUSTER_OK)
		goto out;
	if ((e = remote_json(r, path, NULL, body, 0, &answer, d)) != CLUSTER_OK)
		goto out;
	if ((token = json_member_text(answer, "credential")) == NULL || (w.token = strdup(token)) == NULL) {
		e = diag_set(d, CLUSTER_EFORMAT, "the authority's answer has no credential");
		goto out;
	}
	if (ret_line != NULL && ((certificate = json_member_text(answer, "certificate")) == NULL || (line = strdup(certificate)) == NULL)) {
		e = diag_set(d, CLUSTER_EFORMAT, "the authority's answer has no certificate");
		goto out;
	}
	if ((e = check(p, r, &w, d)) != CLUSTER_OK)
		goto out;
	if (ret_line != NULL) {
		*ret_line = line;
		line = NULL;
	}
	*ret = w;
	w = (struct wallet){ 0 };
	e = CLUSTER_OK;
out:
	free(line);
	wallet_done(&w);
	json_free(answer);
	json_free(body);
	return e;
}

enum cluster_err issue_credential(const struct profile *p, struct remote *r, const struct issue_wish *wish, struct wallet *ret, struct diag *d)
{
	return ask(p, r, wish, CREDENTIAL_PATH, ret, NULL, d);
}

enum cluster_err issue_accounts(const struct profile *p, struct remote *r, const struct wallet *w, int timeout_ms, struct diag *d)
{
	struct json *me = NULL;
	enum cluster_err e;
	char *text = NULL;
	size_t n = 0;

	if ((e = remote_json(r, "/v1/me", w, NULL, timeout_ms, &me, d)) == CLUSTER_OK && (e = json_text(me, &text, &n)) == CLUSTER_OK)
		e = profile_write(p, PROFILE_ACCOUNTS, text, n, d);
	free(text);
	json_free(me);
	return e;
}

enum cluster_err issue_all(const struct profile *p, const struct issue_wish *wish, struct wallet *ret, struct view **ret_view, struct diag *d)
{
	struct wallet w = { 0 };
	struct view *v = NULL;
	struct remote *r = NULL;
	enum cluster_err e;

	out_progress("Asking %s for a credential", p->url);
	if ((e = remote_open(p, &r, d)) != CLUSTER_OK || (e = issue_credential(p, r, wish, &w, d)) != CLUSTER_OK || (e = wallet_replace(p, wish->instead, &w, d)) != CLUSTER_OK)
		goto out;
	out_progress("Fetching the signed directory");
	if ((e = view_refresh(p, r, &w, &v, d)) != CLUSTER_OK || (e = issue_accounts(p, r, &w, 0, d)) != CLUSTER_OK || (e = ssh_config_refresh(p, v, d)) != CLUSTER_OK)
		goto out;
	*ret = w;
	w = (struct wallet){ 0 };
	if (ret_view != NULL) {
		*ret_view = v;
		v = NULL;
	}
	e = CLUSTER_OK;
out:
	out_progress_end();
	view_free(v);
	wallet_done(&w);
	remote_close(r);
	return e;
}

enum cluster_err issue_certificate(const struct profile *p, const struct issue_wish *wish, struct certificate *ret, struct view **ret_view, struct diag *d)
{
	struct keyring_at at = { .cluster = &p->cluster, .now = time(NULL), .skew = DIRECTORY_SKEW_MAX };
	struct certificate *c = calloc(1, sizeof *c);
	struct view *v = NULL;
	struct remote *r = NULL;
	enum cluster_err e;

	if (c == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	out_progress("Asking %s for a certificate", p->url);
	if ((e = remote_open(p, &r, d)) != CLUSTER_OK || (e = ask(p, r, wish, CERTIFICATE_PATH, &c->wallet, &c->line, d)) != CLUSTER_OK)
		goto out;
	out_progress("Fetching the signed directory");
	/* the newest keyset first: it has the CA key, however new that is */
	if ((e = view_refresh(p, r, &c->wallet, &v, d)) != CLUSTER_OK)
		goto out;
	at.ring = &v->keyset.ring;
	if ((e = certificate_check(c, &at, d)) != CLUSTER_OK || (e = issue_accounts(p, r, &c->wallet, 0, d)) != CLUSTER_OK || (e = ssh_config_refresh(p, v, d)) != CLUSTER_OK)
		goto out;
	*ret = *c;
	*c = (struct certificate){ .n = 0 };
	*ret_view = v;
	v = NULL;
	e = CLUSTER_OK;
out:
	out_progress_end();
	view_free(v);
	if (c != NULL)
		certificate_done(c);
	free(c);
	remote_close(r);
	return e;
}

enum cluster_err issue_onetime(const struct profile *p, const struct issue_wish *wish, char **ret, int64_t *ret_exp, struct diag *d)
{
	struct json *body = NULL, *answer = NULL;
	char *token = NULL;
	struct crypto_key *unused = NULL; /* the request has a place for a key */
	struct remote *r = NULL;
	enum cluster_err e;

	if ((e = crypto_key_new(CRYPTO_ED25519, &unused)) != CLUSTER_OK) {
		diag_set(d, e, "cannot make a key");
		goto out;
	}
	if ((e = build_request(p, wish, ONETIME_PATH, unused, &body, d)) != CLUSTER_OK || (e = remote_open(p, &r, d)) != CLUSTER_OK)
		goto out;
	if ((e = remote_json(r, ONETIME_PATH, NULL, body, 0, &answer, d)) != CLUSTER_OK)
		goto out;
	if (json_member_text(answer, "credential") == NULL || (token = strdup(json_member_text(answer, "credential"))) == NULL || strlen(token) > ONETIME_SIZE_MAX) {
		free(token);
		e = diag_set(d, CLUSTER_EFORMAT, "the authority's answer has no one-time credential");
		goto out;
	}
	*ret_exp = json_member_int(answer, "exp", 0);
	*ret = token;
	e = CLUSTER_OK;
out:
	json_free(answer);
	json_free(body);
	remote_close(r);
	crypto_key_free(unused);
	return e;
}
