/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_FETCH_PART_H
#define AGENT_FETCH_PART_H

#include "agent.h"
#include "cluster/http.h"
#include "cluster/json.h"

#include "ipc.h"
#include "reporter.h"
#include "telling.h"
#include "ways.h"

/* What the files fetch*.c share: fetch.c goes on for ever, one poll after the other; fetch_trust.c speaks with trust; fetch_report.c tells the authority of sessions and refusals. */

/* The process that talks to the network: no key, no file, no say. What it brings is verified by trust. */
struct fetch {
	const struct agent *agent;
	int root, trust;
	struct http *http;
	struct ways ways;          /* to the authority, one of them in use */
	struct document_keyset keyset; /* its TLS pins: from trust, or proved by the pin when those do not do */
	bool bootstrap;            /* the pins have to be fetched first */
	bool greeted;              /* this authority has answered: the next poll may be a long one */
	bool repin;                /* the connection in use has other pins than the keyset */
	uint64_t after;
	struct frame reply;        /* the last message of trust */
	struct reporter reporter;  /* what root says of sessions */
	struct telling telling;    /* and of refusals */
};

/* Without trust there is nothing to do here: anything but CLUSTER_OK ends the process. */
void fetch_must(enum cluster_err e);

/* Waits for what trust says next, in f->reply: TOKEN, WANT, POLL or REFUSED; of POLL and REFUSED f->after, too. Errors as frame_receive: then there is no trust any more. */
enum cluster_err fetch_trust_hear(struct fetch *f) CLUSTER_MUST_USE;
/* A request of this node's, which trust signs: GET, or POST of `body`. The caller frees *ret. CLUSTER_EDENIED: trust does not sign that; else as api_json. */
struct fetch_request {
	const char *path;
	const struct json *body; /* NULL: GET */
	int timeout_ms;
};
enum cluster_err fetch_trust_ask(struct fetch *f, struct http *h, const struct fetch_request *q, struct json **ret, struct diag *d) CLUSTER_MUST_USE;
/*
 * Hands the head to trust and brings what it asks for, from `inline_objects` (NULL: there are none) or the authority, until trust is content or refuses: then the error that it gives. Else as
 * api_bytes.
 */
enum cluster_err fetch_trust_deliver(struct fetch *f, const char *head, const struct json *inline_objects, struct diag *d) CLUSTER_MUST_USE;

/* Reads all that root has said. Never waits. */
void fetch_report_hear(struct fetch *f);
/* Tells and asks what is due. `h`: a connection that nobody waits on, or NULL: one is made. */
void fetch_report_attend(struct fetch *f, struct http *h);
/* In how many milliseconds something is; -1: nothing. */
int fetch_report_due(const struct fetch *f);

#endif
