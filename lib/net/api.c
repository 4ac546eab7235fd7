/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/api.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/json.h"
#include "cluster/reason.h"

#define BOOTSTRAP_TIMEOUT_MS 15000
#define ERROR_BODY_MAX 4096

enum cluster_err api_status(int status)
{
	switch (status) {
	case 200:
		return CLUSTER_OK;
	case 400:
		return CLUSTER_EFORMAT;
	case 401:
	case 403:
		return CLUSTER_EDENIED;
	case 404:
		return CLUSTER_ENOTFOUND;
	case 409:
		return CLUSTER_EVERSION;
	case 413:
		return CLUSTER_ELIMIT;
	case 429:
	case 503:
		return CLUSTER_EUNAVAIL;
	default:
		return CLUSTER_ESYSTEM;
	}
}

static bool is_revocation(const char *word)
{
	for (int r = 0; r < REASON_N; r++) {
		if (reason_err((enum reason)r) == CLUSTER_EREVOKED && strcmp(reason_word((enum reason)r), word) == 0)
			return true;
	}
	return false;
}

/* The error of an answer that is not 200, with the authority's own sentence if it sent one. */
static enum cluster_err answer_error(const struct http_response *a, struct diag *d)
{
	enum cluster_err e = api_status(a->status);
	const char *message = NULL, *word = NULL;
	struct json *j = NULL;

	if (json_parse(a->body, a->n, ERROR_BODY_MAX, &j, NULL) == CLUSTER_OK) {
		message = json_member_text(j, "message");
		word = json_member_text(j, "error");
	}
	if (e == CLUSTER_EDENIED && word != NULL && is_revocation(word))
		e = CLUSTER_EREVOKED;
	if (message != NULL)
		diag_set(d, e, "the authority says: %.300s", message);
	else if (word != NULL)
		diag_set(d, e, "the authority refuses: %.100s", word);
	else
		diag_set(d, e, "the authority answered with status %d", a->status);
	json_free(j);
	return e;
}

static enum cluster_err exchange(struct http *h, const struct http_request *q, struct http_response *ret, struct diag *d)
{
	enum cluster_err e;
	struct http_response a = { 0 };

	if ((e = http_do(h, q, &a, d)) != CLUSTER_OK)
		goto out;
	if (a.status != 200) {
		e = answer_error(&a, d);
		goto out;
	}
	*ret = a;
	a = (struct http_response){ 0 };
	e = CLUSTER_OK;
out:
	http_response_done(&a);
	return e;
}

enum cluster_err api_json(struct http *h, const char *path, const char *const *headers, const struct json *body, int timeout_ms, struct json **ret, struct diag *d)
{
	struct http_request q = { .method = body != NULL ? "POST" : "GET", .path = path, .headers = headers, .max_body = API_BODY_MAX, .timeout_ms = timeout_ms };
	struct http_response a = { 0 };
	struct json *j = NULL;
	enum cluster_err e;
	char *text = NULL;
	size_t n = 0;

	if (body != NULL && (e = json_text(body, &text, &n)) != CLUSTER_OK) {
		diag_set(d, e, "out of memory");
		goto out;
	}
	q.body = text;
	q.body_n = n;
	if ((e = exchange(h, &q, &a, d)) != CLUSTER_OK)
		goto out;
	if ((e = json_parse(a.body, a.n, API_BODY_MAX, &j, d)) != CLUSTER_OK) {
		diag_prefix(d, "the authority's answer to %s", path);
		goto out;
	}
	*ret = j;
	e = CLUSTER_OK;
out:
	http_response_done(&a);
	if (text != NULL)
		explicit_bzero(text, n);
	free(text);
	return e;
}

enum cluster_err api_bytes(struct http *h, const char *path, const char *const *headers, size_t max, int timeout_ms, struct http_response *ret, struct diag *d)
{
	const struct http_request q = { .method = "GET", .path = path, .headers = headers, .max_body = max, .timeout_ms = timeout_ms };

	return exchange(h, &q, ret, d);
}

enum cluster_err api_bootstrap(const struct api_where *where, const uint8_t pin[CRYPTO_SHA256_SIZE], struct document_root *ret_root, struct document_keyset *ret_keyset,
    char **ret_root_text, char **ret_keyset_text, struct diag *d)
{
	const struct http_options o = { .base = where->url, .via = where->via, .anonymous = 1 };
	struct http_response root_text = { 0 }, keyset_text = { 0 };
	struct document_keyset *keyset = NULL;
	struct document_root *root = NULL;
	struct http *h = NULL;
	enum cluster_err e;

	if ((root = calloc(1, sizeof *root)) == NULL || (keyset = calloc(1, sizeof *keyset)) == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	if ((e = http_new(&o, &h, d)) != CLUSTER_OK)
		goto out;
	if ((e = api_bytes(h, "/v1/root", NULL, API_ROOT_MAX, BOOTSTRAP_TIMEOUT_MS, &root_text, d)) != CLUSTER_OK)
		goto out;
	if ((e = document_root_verify(root_text.body, root_text.n, pin, root, d)) != CLUSTER_OK)
		goto out;
	if ((e = api_bytes(h, "/v1/keyset", NULL, API_KEYSET_MAX, BOOTSTRAP_TIMEOUT_MS, &keyset_text, d)) != CLUSTER_OK)
		goto out;
	if ((e = document_keyset_verify(keyset_text.body, keyset_text.n, root, keyset, d)) != CLUSTER_OK)
		goto out;
	*ret_root = *root;
	*ret_keyset = *keyset;
	*ret_root_text = root_text.body;
	*ret_keyset_text = keyset_text.body;
	root_text.body = keyset_text.body = NULL;
	e = CLUSTER_OK;
out:
	http_free(h);
	http_response_done(&keyset_text);
	http_response_done(&root_text);
	free(keyset);
	free(root);
	return e;
}

enum cluster_err api_open(const struct api_where *where, const struct document_keyset *keyset, struct http **ret, struct diag *d)
{
	const struct http_options o = { .base = where->url, .via = where->via, .pins = (const uint8_t (*)[CRYPTO_SHA256_SIZE])keyset->tls, .n_pins = keyset->n_tls };

	return http_new(&o, ret, d);
}
