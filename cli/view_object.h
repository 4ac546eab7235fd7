/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_VIEW_OBJECT_H
#define CLI_VIEW_OBJECT_H

#include <stdbool.h>
#include <time.h>

#include "view.h"

struct json;
struct secret;
struct view_source;

/* Gets an object of this hash from where `r` leads; the bytes are as untrusted as any. */
typedef enum cluster_err view_fetch(const struct view_source *s, const char *hash, size_t size, struct secret **ret, struct diag *d);

/* Where the objects of a view come from: the answer that brought the head, the person's directory, the authority. Between the files view*.c only. */
struct view_source {
	const struct profile *p;
	const struct json *objects; /* NULL: none came along */
	struct remote *r;
	const struct wallet *w;
	view_fetch *fetch;          /* NULL: only from disk */
};

/*
 * Untrusted bytes that are said to have this hash; the caller checks. *ret_new (may be NULL): they are not on disk yet. CLUSTER_ELIMIT: more than `size`. The caller frees
 * *ret with secret_free.
 */
enum cluster_err view_object(const struct view_source *s, const uint8_t sha256[CRYPTO_SHA256_SIZE], size_t size, struct secret **ret, bool *ret_new, struct diag *d) CLUSTER_MUST_USE;
/* Writes an object that has been checked. It counts once a head names it. */
enum cluster_err view_object_store(const struct profile *p, const uint8_t sha256[CRYPTO_SHA256_SIZE], const struct secret *text, struct diag *d) CLUSTER_MUST_USE;
/* Index and shards of nodes under v->head, checked; new ones are stored. */
enum cluster_err view_directory(struct view *v, const struct view_source *s, struct diag *d) CLUSTER_MUST_USE;

/*
 * Removes objects that no head has named for VIEW_OBJECT_KEEP seconds: another process may still be reading by the head before, or have brought a newer one. What cannot be removed stays: it
 * does no harm.
 */
#define VIEW_OBJECT_KEEP 600
void view_object_prune(const struct profile *p, const struct view *v, time_t now);

#endif
