/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_REVOKED_H
#define AUTHORITY_REVOKED_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/revoke.h"

struct store;

/* The revocations in force, as the store has them. Entries are shared between the list of now and the one that a change prepares. */
struct revoked_item {
	unsigned refs;
	struct revoke_entry entry;
	char *text;     /* canonical JSON, as published */
	char *by;       /* who revoked; NULL: not known */
	int64_t head;   /* version of a head that carries it; 0: not published yet */
	int64_t proved; /* when every node had proved that head; 0: not yet, or not since the start */
};
struct revoked {
	size_t n, room;
	struct revoked_item **item; /* in order of seq */
};

enum cluster_err revoked_load(struct store *s, struct revoked **ret, struct diag *d) CLUSTER_MUST_USE;
void revoked_free(struct revoked *r);
/*
 * How long an entry is needed (PROTOCOL.md 3.5). Pure, for all kinds. revoked_until: when the last login that it covers is over; `exp` is a revoked credential's, 0 if not known.
 * revoked_leaves: when it may leave the list: not before every node has proved that it has it, because sessions outlive what they were opened with; but REVOKED_HOLD after
 * `until` in any case. MOMENT_MAX: never.
 */
#define REVOKED_HOP 120                     /* a hop lives so long (4.1) */
#define REVOKED_SESSION (2 * 86400)
#define REVOKED_HOLD ((int64_t)30 * 86400)
int64_t revoked_until(const struct revoke_entry *e, int64_t exp, int64_t skew);
int64_t revoked_leaves(const struct revoke_entry *e, int64_t proved, int64_t skew);
/* What has been published: `head` carries every entry; every node has proved `least`. */
void revoked_settle(struct revoked *r, int64_t head, int64_t least, int64_t now);

/* A list of its own over the same entries, without those that may leave. */
enum cluster_err revoked_copy(const struct revoked *r, int64_t now, int64_t skew, struct revoked **ret) CLUSTER_MUST_USE;
/* Adds one; strings are copied. `by` may be NULL. */
enum cluster_err revoked_add(struct revoked *r, const struct revoke_entry *e, const char *by) CLUSTER_MUST_USE;
/* Gives entry number i another end. */
enum cluster_err revoked_end(struct revoked *r, size_t i, int64_t until) CLUSTER_MUST_USE;
/* CLUSTER_ENOTFOUND */
enum cluster_err revoked_remove(struct revoked *r, int64_t seq) CLUSTER_MUST_USE;

/* The entry that says exactly this already and for long enough, borrowed, or NULL. */
const struct revoked_item *revoked_same(const struct revoked *r, const struct revoke_entry *e);
/* The revocation that hits `value`, if it was issued at `issued`; borrowed, or NULL. */
const struct revoke_entry *revoked_find(const struct revoked *r, enum revoke_kind kind, const char *value, int64_t issued);
/* Is the cluster locked down for this person, or everything issued at `issued` revoked? Borrowed, or NULL. */
const struct revoke_entry *revoked_all(const struct revoked *r, const struct cluster_id *person, int64_t issued);

/* The payload of PROTOCOL.md 3.5; the caller frees *ret with free(). CLUSTER_ELIMIT above the document's cap. */
enum cluster_err revoked_payload(const struct revoked *r, const struct cluster_id *cluster, int64_t iat, int64_t version, char **ret, size_t *ret_n) CLUSTER_MUST_USE;

/* The store's key of an entry. */
#define REVOKED_KEY_SIZE 24
void revoked_key(int64_t seq, char dst[REVOKED_KEY_SIZE]);

#endif
