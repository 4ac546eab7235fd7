/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_ROUTES_H
#define AUTHORITY_ROUTES_H

#include "call.h"
#include "head.h"

struct conn;

/* The one table of what can be asked, and by whom (PROTOCOL.md 6). What is not in it does not exist; who is not named may not. */
struct route {
	enum head_method method;
	const char *path;
	bool prefix;   /* `path` is followed by a name */
	unsigned who;  /* enum call_who: any of these */
	call_handler *run;
};
extern const struct route routes_table[];
extern const size_t routes_n;

/* NULL if there is none. */
const struct route *routes_find(enum head_method method, const char *path, size_t n);

/* Answers the request of a connection; `ctx` is the struct authority. */
void routes_request(struct conn *c, void *ctx);
/* Writes to the audit trail how many refusals were only counted, of those whose time is over (tally.h) or of all. */
void routes_tally(struct authority *a, bool all);
/* Forgets a connection. */
void routes_closed(struct conn *c, void *ctx);

#endif
