/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_API_H
#define CLUSTER_API_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/document.h"
#include "cluster/err.h"
#include "cluster/http.h"

struct json;

#define API_BODY_MAX ((size_t)64 << 20)  /* of a JSON answer */
#define API_ROOT_MAX ((size_t)1 << 20)   /* of a root chain */
#define API_KEYSET_MAX ((size_t)64 << 10)

/* Typed calls to an authority (PROTOCOL.md 6). */

/* Which authority, and through which relay (NULL: none). Both borrowed, for the call only. */
struct api_where {
	const char *url, *via;
};

/*
 * Fetches root and keyset without TLS proof, verifies both from the pin. *ret_root_text and *ret_keyset_text are freed by the caller with free().
 */
enum cluster_err api_bootstrap(const struct api_where *where, const uint8_t pin[CRYPTO_SHA256_SIZE], struct document_root *ret_root, struct document_keyset *ret_keyset,
    char **ret_root_text, char **ret_keyset_text, struct diag *d) CLUSTER_MUST_USE;

/* A client that trusts only the keyset's TLS pins. */
enum cluster_err api_open(const struct api_where *where, const struct document_keyset *keyset, struct http **ret, struct diag *d) CLUSTER_MUST_USE;

/*
 * One JSON exchange: POST with a body, GET without. `headers` as http_request. A status other than 200 becomes an error by one table (400 CLUSTER_EFORMAT, 401 and 403
 * CLUSTER_EDENIED, or CLUSTER_EREVOKED where the authority names a revocation, 404 CLUSTER_ENOTFOUND, 409 CLUSTER_EVERSION, 413 CLUSTER_ELIMIT, 429 and 503 CLUSTER_EUNAVAIL,
 * else CLUSTER_ESYSTEM) with the authority's sentence in `d`. The caller frees *ret with json_free. `body` stays the caller's.
 */
enum cluster_err api_json(struct http *h, const char *path, const char *const *headers, const struct json *body, int timeout_ms, struct json **ret, struct diag *d) CLUSTER_MUST_USE;

/* GET of bytes that are no JSON of ours (documents, objects), at most `max`. Errors as api_json. The caller calls http_response_done(ret). */
enum cluster_err api_bytes(struct http *h, const char *path, const char *const *headers, size_t max, int timeout_ms, struct http_response *ret, struct diag *d) CLUSTER_MUST_USE;

/* The table of api_json for a status. */
enum cluster_err api_status(int status);

/* The authority's default admin socket. */
#define API_ADMIN_SOCKET "/run/cluster-login/authority.sock"

#endif
