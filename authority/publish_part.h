/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_PUBLISH_PART_H
#define AUTHORITY_PUBLISH_PART_H

#include "publish.h"

/* Between publish.c and publish_shards.c only. */

/* Writes an object unless *sha256 is its hash already; the old one is dropped, *sha256 becomes the new. */
enum cluster_err publish_object_put(struct publish_stage *st, unsigned slot, bool people, const char *bytes, size_t n, uint8_t sha256[CRYPTO_SHA256_SIZE]) CLUSTER_MUST_USE;

enum cluster_err publish_shards_load(struct store *s, struct published *p) CLUSTER_MUST_USE;
/* Builds the dirty shards, more of them when a kind has grown; sets st->directory if any hash changed. */
enum cluster_err publish_shards_build(struct publish_stage *st, struct diag *d) CLUSTER_MUST_USE;
/* dir->shards for the index, in order of kind; the caller frees it. */
enum cluster_err publish_shards_list(const struct published *p, struct directory *dir) CLUSTER_MUST_USE;

#endif
