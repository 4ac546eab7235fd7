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
	char *text; /* canonical JSON, as published */
};
struct revoked {
	size_t n, room;
	struct revoked_item **item; /* in order of seq */
};

enum cluster_err revoked_load(struct store *s, struct revoked **ret, struct diag *d) CLUSTER_MUST_USE;
void revoked_free(struct revoked *r);
/* A list of its own over the same entries, without those that nothing can need any more (until + skew < now). */
enum cluster_err revoked_copy(const struct revoked *r, int64_t now, int64_t skew, struct revoked **ret) CLUSTER_MUST_USE;
/* Adds one; strings are copied. */
enum cluster_err revoked_add(struct revoked *r, const struct revoke_entry *e) CLUSTER_MUST_USE;
/* CLUSTER_ENOTFOUND */
enum cluster_err revoked_remove(struct revoked *r, int64_t seq) CLUSTER_MUST_USE;

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
