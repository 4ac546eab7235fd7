/* SPDX-License-Identifier: Apache-2.0 */
#include "remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/api.h"
#include "cluster/json.h"
#include "cluster/request.h"
#include "view.h"
#include "wallet.h"

#define TIMEOUT_MS 15000
#define HEADER_MAX 6000

struct remote {
	const struct profile *p;
	struct http *http;
	struct document_root root;
	struct document_keyset keyset;
	bool renewed; /* root and keyset were fetched anew once */
};

enum cluster_err remote_open(const struct profile *p, struct remote **ret, struct diag *d)
{
	const struct api_where where = profile_where(p);
	struct remote *r = NULL;
	enum cluster_err e;

	if ((r = calloc(1, sizeof *r)) == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	r->p = p;
	if ((e = view_trust(p, &r->root, &r->keyset, d)) != CLUSTER_OK || (e = api_open(&where, &r->keyset, &r->http, d)) != CLUSTER_OK)
		goto out;
	*ret = r;
	r = NULL;
	e = CLUSTER_OK;
out:
	remote_close(r);
	return e;
}

void remote_close(struct remote *r)
{
	if (r == NULL)
		return;
	http_free(r->http);
	free(r);
}

const struct document_root *remote_root(const struct remote *r)
{
	return &r->root;
}

const struct document_keyset *remote_keyset(const struct remote *r)
{
	return &r->keyset;
}

void remote_replace(struct remote *r, const struct document_root *root, const struct document_keyset *keyset)
{
	r->root = *root;
	r->keyset = *keyset;
}

/* The TLS key is not one that we know: perhaps it was changed in due form. Only a keyset newer than ours can say so. */
static enum cluster_err renew_trust(struct remote *r, struct diag *d)
{
	const struct api_where where = profile_where(r->p);
	struct document_keyset *keyset = calloc(1, sizeof *keyset);
	struct document_root *root = calloc(1, sizeof *root);
	char *root_text = NULL, *keyset_text = NULL;
	struct http *http = NULL;
	enum cluster_err e;

	r->renewed = true;
	if (keyset == NULL || root == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	if ((e = api_bootstrap(&where, r->p->pin, root, keyset, &root_text, &keyset_text, d)) != CLUSTER_OK)
		goto out;
	if (root->version < r->root.version || keyset->version <= r->keyset.version) {
		e = diag_set(d, CLUSTER_EUNTRUSTED, "%s answers with a TLS key that the cluster's newest keyset does not list; nothing was sent", r->p->url);
		goto out;
	}
	if ((e = api_open(&where, keyset, &http, d)) != CLUSTER_OK)
		goto out;
	if ((e = profile_write(r->p, PROFILE_ROOT, root_text, strlen(root_text), d)) != CLUSTER_OK ||
	    (e = profile_write(r->p, PROFILE_KEYSET, keyset_text, strlen(keyset_text), d)) != CLUSTER_OK)
		goto out;
	http_free(r->http);
	r->http = http;
	http = NULL;
	remote_replace(r, root, keyset);
	e = CLUSTER_OK;
out:
	http_free(http);
	free(keyset_text);
	free(root_text);
	free(root);
	free(keyset);
	return e;
}

/* The two headers of a person's request. */
struct proof {
	char authorization[HEADER_MAX], dpop[HEADER_MAX];
	const char *list[3];
};

static enum cluster_err proof_make(struct proof *x, const struct wallet *w, const char *method, const char *path, struct diag *d)
{
	enum cluster_err e;
	char *dpop = NULL;

	if ((e = request_dpop_build(method, path, w->token, time(NULL), w->key, &dpop)) != CLUSTER_OK)
		return diag_set(d, e, "cannot sign the request: %s", err_name(e));
	(void)snprintf(x->authorization, sizeof x->authorization, "Authorization: DPoP %s", w->token);
	(void)snprintf(x->dpop, sizeof x->dpop, "DPoP: %s", dpop);
	x->list[0] = x->authorization;
	x->list[1] = x->dpop;
	x->list[2] = NULL;
	free(dpop);
	return CLUSTER_OK;
}

enum cluster_err remote_json(struct remote *r, const char *path, const struct wallet *w, const struct json *body, int timeout_ms, struct json **ret, struct diag *d)
{
	enum cluster_err e;
	struct proof x;

	for (;;) {
		if (w != NULL && (e = proof_make(&x, w, body != NULL ? "POST" : "GET", path, d)) != CLUSTER_OK)
			return e;
		e = api_json(r->http, path, w != NULL ? x.list : NULL, body, timeout_ms > 0 ? timeout_ms : TIMEOUT_MS, ret, d);
		if (e != CLUSTER_EUNTRUSTED || r->renewed)
			return e;
		if ((e = renew_trust(r, d)) != CLUSTER_OK)
			return e;
	}
}

enum cluster_err remote_bytes(struct remote *r, const char *path, const struct wallet *w, size_t max, struct http_response *ret, struct diag *d)
{
	enum cluster_err e;
	struct proof x;

	if (w != NULL && (e = proof_make(&x, w, "GET", path, d)) != CLUSTER_OK)
		return e;
	return api_bytes(r->http, path, w != NULL ? x.list : NULL, max, TIMEOUT_MS, ret, d);
}
