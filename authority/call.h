/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_CALL_H
#define AUTHORITY_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "authority.h"
#include "blob.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"

struct conn;
struct head;
struct json;
struct nodes_one;

/* Who may ask. A caller is several of these: an administrator is also a person, everybody is CALL_ANYBODY. */
enum call_who { CALL_ANYBODY = 1, CALL_NODE = 2, CALL_PERSON = 4, CALL_ADMIN = 8, CALL_ROOT = 16 };

#define CALL_ACTOR_MAX 96

/* One request that is being answered. */
struct call {
	struct authority *a;
	struct conn *conn;
	const struct head *head;
	int64_t now;
	const struct json *in;   /* the body of a POST */

	unsigned is;             /* enum call_who */
	char actor[CALL_ACTOR_MAX];
	struct cluster_id person, device;
	bool narrowed;           /* the person's credential is narrowed to accounts or nodes */
	struct nodes_one *node;
	bool known;              /* a signature of somebody we know holds: refusals may say why */

	bool frank;              /* the sentence tells a stranger nothing: he may read it */

	bool expected;           /* a refusal that is nothing special: not logged but for debugging */

	const char *word;        /* reason word of a refusal; NULL: the error's name */
	bool later;              /* the connection is answered later */
	struct blob *raw;        /* a document instead of JSON */
	const char *cache;       /* its Cache-Control */
};

/*
 * Answers with *ret (JSON), c->raw or c->later. An error is answered by its kind with the sentence in `d`; to somebody who is not known, 401 and 403 say nothing.
 */
typedef enum cluster_err call_handler(struct call *c, struct json **ret, struct diag *d);

#endif
