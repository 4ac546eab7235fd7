/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_PUBLISH_H
#define AUTHORITY_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/directory.h"
#include "cluster/err.h"
#include "cluster/name.h"
#include "store.h"

struct config;
struct keys;
struct revoked;

/* What is published: the documents of PROTOCOL.md 3, by hash in the store, and the head that names them. */
enum publish_doc { PUBLISH_ROOT, PUBLISH_KEYSET, PUBLISH_DIRECTORY, PUBLISH_REVOCATIONS, PUBLISH_DOC_N };

#define PUBLISH_HASH_TEXT 43
/* A changed object up to this size travels with the head: whoever asks for the head needs it, so it costs nothing but a round trip less. A shard and the index of a million accounts fit. */
#define PUBLISH_INLINE_MAX (256u << 10)
#define PUBLISH_INLINE_TOTAL (512u << 10)
#define PUBLISH_INLINE_N 16

struct publish_document {
	int64_t version;
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	size_t size;
	char kid[NAME_KID_MAX + 1]; /* who signed it; empty for root and keyset */
};
struct publish_shard {
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	size_t size, records;
};
struct publish_shards {
	size_t n; /* a power of two */
	struct publish_shard *at;
};
/* An object that changed lately. */
struct publish_recent {
	int64_t since; /* head version that named it first */
	char hash[PUBLISH_HASH_TEXT + 1];
	unsigned slot; /* what it is a version of: only the newest of a slot is kept */
	struct blob *bytes;
};

struct published {
	struct publish_document doc[PUBLISH_DOC_N];
	struct publish_shards shards[DIRECTORY_KIND_N];
	int64_t head_version, head_iat;
	struct blob *head; /* the JWS without its line end */
	size_t n_recent;
	struct publish_recent recent[PUBLISH_INLINE_N]; /* ascending since */
};

enum cluster_err publish_load(struct store *s, struct published **ret, struct diag *d) CLUSTER_MUST_USE;
void publish_free(struct published *p);

/* A change on its way: the next state beside the present one. Everything happens inside the caller's store transaction. */
struct publish_stage {
	struct store *store;
	const struct keys *keys;
	const struct config *conf;
	const struct cluster_id *cluster;
	int64_t now;
	struct published *next;
	bool *dirty[DIRECTORY_KIND_N]; /* per shard; NULL: the kind is as it was */
	bool directory, revocations;   /* to be signed anew */
	const struct revoked *revoked; /* the list to be signed */
};

/* Room for the next state, which begins as the present one. `now_published` NULL: nothing was ever published. publish_stage_done releases. */
enum cluster_err publish_stage_init(struct publish_stage *st, const struct published *present) CLUSTER_MUST_USE;
/* A record of `kind` with this key was added, changed or removed in the store. */
enum cluster_err publish_touch(struct publish_stage *st, enum directory_kind kind, const char *key) CLUSTER_MUST_USE;
/* Root or keyset as text: replaces the document. */
enum cluster_err publish_text(struct publish_stage *st, enum publish_doc doc, int64_t version, const char *text, struct diag *d) CLUSTER_MUST_USE;
/*
 * Builds what was touched, signs it and a new head, writes everything. What has not changed keeps its hash. Afterwards st->next is complete.
 */
enum cluster_err publish_stage_end(struct publish_stage *st, struct diag *d) CLUSTER_MUST_USE;
void publish_stage_done(struct publish_stage *st);

/* base64url of a hash, as objects are named. */
void publish_hash_text(const uint8_t sha256[CRYPTO_SHA256_SIZE], char dst[PUBLISH_HASH_TEXT + 1]);
/* The bytes of a published object, and whether people (not only nodes) may have it. CLUSTER_ENOTFOUND. */
enum cluster_err publish_object(struct store *s, const char *hash, struct blob **ret, bool *ret_people) CLUSTER_MUST_USE;
/* Takes away objects that no head has named for ten minutes, expired credentials, tokens and codes; a bounded number each time. */
enum cluster_err publish_sweep(struct store *s, const struct published *p, int64_t now) CLUSTER_MUST_USE;

#endif
