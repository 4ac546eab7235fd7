/* SPDX-License-Identifier: Apache-2.0 */
#include "objects.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096u
#define TRIM_BYTES ((size_t)16 << 20)

struct objects {
	struct object *bucket[BUCKETS];
};

enum cluster_err objects_new(struct objects **ret)
{
	struct objects *o = calloc(1, sizeof *o);

	if (!o)
		return CLUSTER_ENOMEM;
	*ret = o;
	return CLUSTER_OK;
}

void objects_sweep(struct objects *o)
{
	struct object **at, *x;
	size_t i, freed = 0;

	for (i = 0; i < BUCKETS; i++) {
		for (at = &o->bucket[i]; (x = *at) != NULL;) {
			if (x->marked) {
				x->marked = false;
				at = &x->next;
			} else {
				*at = x->next;
				freed += x->n;
				free(x);
			}
		}
	}
	if (freed > TRIM_BYTES)
		malloc_trim(0); /* all shards of a large directory at once: room for the snapshots that are made of them */
}

void objects_free(struct objects *o)
{
	if (!o)
		return;
	objects_sweep(o);
	objects_sweep(o); /* once for the marks */
	free(o);
}

/* The hash is uniform: its first bits are the bucket. */
static size_t bucket_of(const uint8_t *sha256)
{
	return ((size_t)sha256[0] << 8 | sha256[1]) & (BUCKETS - 1);
}

struct object *objects_get(const struct objects *o, const uint8_t sha256[CRYPTO_SHA256_SIZE])
{
	struct object *x;

	for (x = o->bucket[bucket_of(sha256)]; x; x = x->next) {
		if (crypto_equal(x->sha256, sha256, CRYPTO_SHA256_SIZE))
			return x;
	}
	return NULL;
}

enum cluster_err objects_put(struct objects *o, const void *bytes, size_t n, struct object **ret)
{
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	struct object *x;
	enum cluster_err e;

	if ((e = crypto_sha256(bytes, n, sha256)) != CLUSTER_OK)
		return e;
	x = objects_get(o, sha256);
	if (!x) {
		x = malloc(sizeof *x + n + 1);
		if (!x)
			return CLUSTER_ENOMEM;
		*x = (struct object){ .n = n, .next = o->bucket[bucket_of(sha256)] };
		memcpy(x->sha256, sha256, sizeof sha256);
		memcpy(x->bytes, bytes, n);
		x->bytes[n] = '\0';
		o->bucket[bucket_of(sha256)] = x;
	}
	*ret = x;
	return CLUSTER_OK;
}
