/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_TLS_H
#define AUTHORITY_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"

struct bufferevent;
struct event_base;
struct secret;

/* The only door to libssl. What proves the server is the pin of its key in the keyset; the certificate is only its wrapping. */
struct tls;

/* A P-256 key and a self-signed certificate for `host`, both PEM, and the pin. The caller frees with secret_free and free. */
enum cluster_err tls_make(const char *host, struct secret **ret_key, char **ret_cert, uint8_t ret_pin[CRYPTO_SHA256_SIZE], struct diag *d) CLUSTER_MUST_USE;

/* TLS 1.2 or newer, no renegotiation, no compression, no tickets. CLUSTER_EFORMAT: not a key and its certificate. */
enum cluster_err tls_new(const struct secret *key, const char *cert, size_t cert_n, struct tls **ret, uint8_t ret_pin[CRYPTO_SHA256_SIZE], struct diag *d) CLUSTER_MUST_USE;
void tls_free(struct tls *t);

/* The server's end on descriptor `fd`, which it owns on success. NULL when out of memory. */
struct bufferevent *tls_accept(struct tls *t, struct event_base *base, int fd);
/* Says goodbye in TLS and half-closes; over a plain connection only the latter. */
void tls_goodbye(struct bufferevent *bev);

#endif
