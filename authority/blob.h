/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_BLOB_H
#define AUTHORITY_BLOB_H

#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/err.h"

/* Immutable bytes that many answers share: signed once, sent to every waiting node. Not for threads. */
struct blob {
	unsigned refs;
	size_t n;
	char bytes[]; /* bytes[n] is 0 */
};

/* A copy with one reference, or NULL when out of memory. */
struct blob *blob_new(const void *data, size_t n);
/* Another reference to the same; NULL stays NULL. */
struct blob *blob_ref(struct blob *b);
/* Gives one reference back; NULL is allowed. */
void blob_unref(struct blob *b);

#endif
