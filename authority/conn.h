/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_CONN_H
#define AUTHORITY_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "blob.h"
#include "head.h"

struct bufferevent;
struct event_base;
struct conn;

/* Where a connection came from. */
struct conn_peer {
	bool local;    /* the admin socket: SO_PEERCRED has been judged already */
	char text[64]; /* numeric address without port, or "local" */
};

/* All that are open. */
struct conn_set {
	LIST_HEAD(conn_list, conn) list;
	size_t n;
};

/* Who is told. Neither call may free the connection. */
struct conn_handler {
	struct conn_set *set;
	void (*request)(struct conn *c, void *ctx); /* head and body are complete; conn_answer is due, now or later */
	void (*closed)(struct conn *c, void *ctx);  /* it is about to go: forget every pointer to it */
	void *ctx;
};

/*
 * One HTTP/1.1 connection, one request at a time. Takes `bev` in any case. Deadlines: 10 s for a handshake and a head, 20 s for a body, 30 s without progress of an
 * answer, 120 s of idleness (5 s while conn_known has not been called). NULL when out of memory; nothing is left then.
 */
struct conn *conn_new(struct event_base *base, struct bufferevent *bev, const struct conn_peer *peer, const struct conn_handler *h);
void conn_free(struct conn *c);

/* Of the request that is being answered; valid until conn_answer. The body is NUL-terminated. */
const struct head *conn_head(const struct conn *c);
const char *conn_body(const struct conn *c);
const struct conn_peer *conn_peer(const struct conn *c);
/* Its peer has proved who he is: it may stay. */
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
/* Answers the request; the connection goes on with the next one, or closes. */
void conn_answer(struct conn *c, const struct conn_answer *a);

#endif
