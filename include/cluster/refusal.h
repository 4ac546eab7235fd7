/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_REFUSAL_H
#define CLUSTER_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/name.h"

struct json;
struct rd;
struct wr;

/*
 * What a gate saw when it refused somebody, under the id that he was shown or that stands in the log (PROTOCOL.md 5.7, 6.5). Printable ASCII throughout: what came from outside is escaped and cut by
 * whoever fills it in. Nothing here is a secret, and nothing decides by it.
 */

#define REFUSAL_ID_MAX 16
#define REFUSAL_ID_NEW 8       /* of those that are made now */
#define REFUSAL_SIZE_MAX 1000  /* of refusal_put */
#define REFUSAL_BATCH_MAX 64   /* in one message to the authority */
#define REFUSAL_TEXT_MAX ((size_t)256 * 1024)

struct refusal { /* without padding: it travels between processes as it is */
	int64_t time;
	char id[REFUSAL_ID_MAX + 1];        /* [A-Za-z0-9_-] */
	char stage[16];                     /* "auth", "account", "session_open", "principals": the gate. [a-z_] */
	char reason[32];                    /* the word of a reason (reason.h), perhaps of a newer version's. [a-z0-9_] */
	char person[NAME_PERSON_MAX + 1];   /* only if a signature vouches for it; else this and jti are empty */
	char account[65], service[65], rhost[129];
	char jti[ID_TEXT + 1];
	char facts[241];                    /* more of what was shown: "serial=1 key_id=..." */
	char detail[307];                   /* a sentence with the facts of this case; empty: the reason's own says it all */
};

/* Every text within its field and its alphabet, id, stage and reason not empty. Also of memory that another process has filled. */
bool refusal_ok(const struct refusal *r);
bool refusal_id_ok(const char *id);
/* A new one, by chance; without chance one that is like others. It never begins like an option. */
void refusal_id_new(char ret[REFUSAL_ID_NEW + 1]);
/* Does it name somebody, or something, that a signature vouches for? */
bool refusal_proved(const struct refusal *r);
/* Ends every text where its field ends. */
void refusal_terminate(struct refusal *r);
/* Copies foreign text into a field of `size` bytes: escaped, cut with "...". */
void refusal_copy(char *dst, size_t size, const char *src);

/* Bytes. refusal_take: CLUSTER_ETRUNC, CLUSTER_ELIMIT, CLUSTER_EFORMAT (not refusal_ok). */
void refusal_put(struct wr *w, const struct refusal *r);
enum cluster_err refusal_take(struct rd *r, struct refusal *ret) CLUSTER_MUST_USE;

/* JSON object; NULL when out of memory. */
struct json *refusal_json(const struct refusal *r);
/* {"refusals":[...]} of 1 to REFUSAL_BATCH_MAX; NULL when out of memory. */
struct json *refusal_batch_json(const struct refusal *list, size_t n);
/* Strict. The caller frees *ret with free(). CLUSTER_EFORMAT, CLUSTER_ELIMIT, CLUSTER_ENOMEM. */
enum cluster_err refusal_batch_read(const struct json *j, struct refusal **ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;

#endif
