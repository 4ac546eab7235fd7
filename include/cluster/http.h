/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_HTTP_H
#define CLUSTER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* The only door to libcurl: https or a Unix socket, no proxy from the environment, no redirect, no netrc, no Content-Encoding, a cap on every body (THREATS.md F2, H6). */

#define HTTP_PINS_MAX 8

struct http;

struct http_options {
	const char *base;                 /* "https://host:port" or "unix:/path" */
	const uint8_t (*pins)[CRYPTO_SHA256_SIZE]; /* SPKI pins; n_pins == 0 is allowed only with `anonymous` */
	size_t n_pins;
	int anonymous;                    /* TLS without any proof of who answers: for root and keyset, which prove themselves */
	int connect_timeout_ms;           /* 0: 5000 */
	const char *via;                  /* "host:port" to connect to instead of base's, or NULL: TLS goes through to whom base names, and the pins are theirs */
};

/* A client with one kept-alive connection. CLUSTER_ECONFIG for a base that is neither form, or a `via` that is no endpoint. Strings are copied. */
enum cluster_err http_new(const struct http_options *o, struct http **ret, struct diag *d) CLUSTER_MUST_USE;
void http_free(struct http *h);

/*
 * What may be done while an exchange waits: `run` is called at its beginning, when `fd` is readable, and when as many milliseconds have passed as it last returned (-1: not by time).
 * It may use other clients, not this one.
 */
struct http_idle {
	int fd;
	int (*run)(void *arg, bool readable);
	void *arg;
};
/* For all exchanges from now on; NULL: nothing. Borrowed. */
void http_idle(struct http *h, const struct http_idle *idle);

struct http_request {
	const char *method;          /* "GET" or "POST" */
	const char *path;            /* with query */
	const char *const *headers;  /* NULL-terminated "Name: value", or NULL */
	const char *body;            /* JSON for POST */
	size_t body_n;
	size_t max_body;             /* of the answer */
	int timeout_ms;              /* for the whole exchange */
};

struct http_response {
	int status;
	char *body;     /* NUL-terminated; freed by http_response_done */
	size_t n;
};

/*
 * CLUSTER_OK: there was an HTTP answer, whatever its status. CLUSTER_EUNAVAIL: could not reach or timed out. CLUSTER_EUNTRUSTED: pin does not hold. CLUSTER_ELIMIT: body over the cap.
 * CLUSTER_EFORMAT: not HTTP as we take it.
 */
enum cluster_err http_do(struct http *h, const struct http_request *q, struct http_response *ret, struct diag *d) CLUSTER_MUST_USE;
void http_response_done(struct http_response *r);

#endif
