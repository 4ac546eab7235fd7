/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_CONN_H
#define AUTHORITY_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "crowd.h"
#include "head.h"
#include "tls.h"

struct event_base;
struct conn;

/* Where a connection came from. */
struct conn_peer {
	bool local;       /* the admin socket: SO_PEERCRED has been judged already */
	enum crowd_kind kind;
	uint64_t address; /* for the crowd */
	char text[46];    /* numeric address without port, or "local" */
};

/* Who is told. Neither call may free the connection. */
struct conn_handler {
	struct crowd *crowd; /* its run and drop are conn_run and conn_drop */
	void (*request)(struct conn *c, void *ctx); /* head and body are complete; conn_answer is due, now or later */
	void (*closed)(struct conn *c, void *ctx);  /* it is about to go: forget every pointer to it */
	void *ctx;
};

/*
 * One HTTP/1.1 connection, one request at a time. Takes `stream` in any case. Deadlines: 10 s for a handshake and a head, 20 s for a body, 30 s without progress of an
 * answer, 120 s of idleness (5 s while conn_known has not been called). NULL when out of memory; nothing is left then.
 */
struct conn *conn_new(struct event_base *base, const struct tls_stream *stream, const struct conn_peer *peer, const struct conn_handler *h);
void conn_free(struct conn *c);
void conn_run(void *conn);
void conn_drop(void *conn);

/* Of the request that is being answered; valid until conn_answer or conn_set_parked. The body is NUL-terminated. */
const struct head *conn_head(const struct conn *c);
const char *conn_body(const struct conn *c);
const struct conn_peer *conn_peer(const struct conn *c);
/* Its peer has proved who he is: it may stay, if there is room. */
void conn_known(struct conn *c);
/* A place for whoever answers later; NULL at first and after each answer. */
void conn_set_parked(struct conn *c, void *parked);
void *conn_parked(const struct conn *c);

struct conn_answer {
	int status;
	const char *type;  /* Content-Type */
	const char *cache; /* Cache-Control */
	bool close;
	struct blob *body; /* a reference that conn_answer takes; NULL: could not be made, which closes the connection */
};
/* Answers the request; the connection goes on with the next one, or closes. What the peer does not take at once follows when he does; nobody waits for him. */
void conn_answer(struct conn *c, const struct conn_answer *a);
/* The same in two steps, for an answer that many share: its text, made once (NULL when out of memory; takes the body; `close` counts for nothing), and a reference to it, which conn_send takes. */
struct blob *conn_text(const struct conn_answer *a);
void conn_send(struct conn *c, struct blob *text);

#endif
