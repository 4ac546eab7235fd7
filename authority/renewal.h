/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_RENEWAL_H
#define AUTHORITY_RENEWAL_H

#include "call.h"
#include "cluster/credential.h"
#include "store.h"

struct change;

/*
 * Renewal in place (PROTOCOL.md 6.5): the newest credential of each device is kept until it expires, once for each way it is narrowed, so that a node that has a session of an
 * older one can ask for it.
 */

/* GET /v1/renewal/<jti>. */
call_handler renewal_run;

/* "-" if it is not narrowed, else a hash of accounts, nodes and networks. */
#define RENEWAL_CLASS 22
enum cluster_err renewal_class(const struct credential *c, char dst[RENEWAL_CLASS + 1]) CLUSTER_MUST_USE;

/* What STORE_CREDENTIAL says of one that was issued. */
struct renewal_issued {
	int64_t exp;
	char person[ID_TEXT + 1], device[ID_TEXT + 1], class[RENEWAL_CLASS + 1];
};
/* CLUSTER_ENOTFOUND: not in the books, or no more. */
enum cluster_err renewal_issued(struct store *s, const char *jti, struct renewal_issued *ret) CLUSTER_MUST_USE;

/* Notes one that is being issued. */
enum cluster_err renewal_remember(struct change *ch, const struct credential *c, const char *token) CLUSTER_MUST_USE;
/* The credential `jti` is about to leave the books: what was kept of its device and has expired too goes with it. */
enum cluster_err renewal_forget(struct store *s, const char *jti, int64_t now) CLUSTER_MUST_USE;

#endif
