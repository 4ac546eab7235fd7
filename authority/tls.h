/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_TLS_H
#define AUTHORITY_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"

struct secret;
struct ssl_st;

/* The only door to libssl. What proves the server is the pin of its key in the keyset; the certificate is only its wrapping. */
struct tls;

/* A P-256 key and a self-signed certificate for `host`, both PEM, and the pin. The caller frees with secret_free and free. */
enum cluster_err tls_make(const char *host, struct secret **ret_key, char **ret_cert, uint8_t ret_pin[CRYPTO_SHA256_SIZE], struct diag *d) CLUSTER_MUST_USE;

/* TLS 1.2 or newer, no renegotiation, no compression, no tickets. CLUSTER_EFORMAT: not a key and its certificate. */
enum cluster_err tls_new(const struct secret *key, const char *cert, size_t cert_n, struct tls **ret, uint8_t ret_pin[CRYPTO_SHA256_SIZE], struct diag *d) CLUSTER_MUST_USE;
void tls_free(struct tls *t);

/*
 * The server's end of a connection, non-blocking, TLS or plain. Reading makes the handshake. CLUSTER_EUNAVAIL: not now, wait for the descriptor; anything else but CLUSTER_OK: it
 * is over. *ret_n is set on CLUSTER_OK only.
 */
struct tls_stream {
	int fd;
	struct tls *tls; /* NULL: plain */
	struct ssl_st *ssl;
};
/* Takes the descriptor; `t`, NULL for a plain one, must outlive it. */
void tls_stream_init(struct tls_stream *s, int fd, struct tls *t);
void tls_stream_done(struct tls_stream *s);
enum cluster_err tls_stream_read(struct tls_stream *s, void *dst, size_t size, size_t *ret_n) CLUSTER_MUST_USE;
/* May take less than n. */
enum cluster_err tls_stream_write(struct tls_stream *s, const void *data, size_t n, size_t *ret_n) CLUSTER_MUST_USE;
/* Says goodbye and half-closes. */
void tls_stream_end(struct tls_stream *s);

#endif
