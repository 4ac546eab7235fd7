/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/document.h"
#include "cluster/err.h"
#include "cluster/http.h"
#include "profile.h"

struct json;
struct wallet;

/*
 * The authority as a person's machine sees it: root and keyset from the person's directory, verified from the pin, and a connection that only the keyset's TLS keys may
 * answer. If another key answers, root and keyset are fetched anew (they prove themselves), never an older keyset, and the call is made once more.
 */
struct remote;

enum cluster_err remote_open(const struct profile *p, struct remote **ret, struct diag *d) CLUSTER_MUST_USE;
void remote_close(struct remote *r);

/* Both are borrowed. */
const struct document_root *remote_root(const struct remote *r);
const struct document_keyset *remote_keyset(const struct remote *r);
/* Takes over newer ones that the caller has verified and stored. */
void remote_replace(struct remote *r, const struct document_root *root, const struct document_keyset *keyset);

/* As api_json and api_bytes; with a wallet the request carries credential and proof (PROTOCOL.md 6.1). timeout_ms 0: the usual one. */
enum cluster_err remote_json(struct remote *r, const char *path, const struct wallet *w, const struct json *body, int timeout_ms, struct json **ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err remote_bytes(struct remote *r, const char *path, const struct wallet *w, size_t max, struct http_response *ret, struct diag *d) CLUSTER_MUST_USE;

#endif
