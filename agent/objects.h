/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_OBJECTS_H
#define AGENT_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/err.h"

/* Documents and shards in memory, found by the SHA-256 of their bytes. */
struct objects;

struct object {
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	size_t n;
	bool stored; /* it is on disk */
	bool marked;
	struct object *next;
	uint8_t bytes[]; /* n, and a NUL */
};

enum cluster_err objects_new(struct objects **ret) CLUSTER_MUST_USE;
void objects_free(struct objects *o);
/* Copies the bytes under their own hash; one that is there already stays. *ret is borrowed. */
enum cluster_err objects_put(struct objects *o, const void *bytes, size_t n, struct object **ret) CLUSTER_MUST_USE;
/* NULL if it is not there. */
struct object *objects_get(const struct objects *o, const uint8_t sha256[CRYPTO_SHA256_SIZE]);
/* Frees every object without a mark, takes the marks away. */
void objects_sweep(struct objects *o);

#endif
