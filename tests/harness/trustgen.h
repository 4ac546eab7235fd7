/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_TRUSTGEN_H
#define HARNESS_TRUSTGEN_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/crypto.h"
#include "cluster/directory.h"
#include "cluster/document.h"
#include "cluster/jws.h"
#include "cluster/keyring.h"
#include "cluster/revoke.h"

/*
 * TRUSTGEN: an authority in memory, for tests. It has root and role keys and makes any document of PROTOCOL.md 3 with chosen keys, times and versions.
 *
 *	struct trustgen *g = trustgen_new("prod", NOW);
 *	const char *root = trustgen_root_text(g), *keyset = trustgen_keyset_text(g);
 *	struct trustgen_directory *dir = trustgen_directory(g, 1, trustgen_sample(g));
 *	const char *rev = trustgen_revocations(g, 1, "[]");
 *	const char *head = trustgen_head(g, 1, root, keyset, dir, rev, 1);
 *	...
 *	trustgen_free(g);
 *
 * Every text and key that it returns is its own and lives until trustgen_free. Whatever fails ends the test program with a message: no test checks for NULL.
 * Members of the struct may be changed between calls (g->now, g->keyset, ...): the next document follows them.
 */

#define TRUSTGEN_ROLES (KEYRING_ROLE_LAST + 1) /* index: enum keyring_role */
#define TRUSTGEN_SKEW 30

struct trustgen {
	int64_t now;
	enum crypto_alg alg;             /* of keys made from now on */
	struct document_root root;       /* name, iat, exp, threshold, version, keys; version 1 until trustgen_rotate_root */
	struct crypto_key *root_key[DOCUMENT_ROOT_KEYS_MAX];
	struct document_keyset keyset;   /* version 1, one key a role, valid from a day before now for a year; no TLS pins */
	struct crypto_key *role_key[TRUSTGEN_ROLES];
	uint8_t pin[CRYPTO_SHA256_SIZE];
	char chain[65536];               /* text of the root chain so far */
	struct trustgen_owned *owned;
};

/* One root key of one, Ed25519 everywhere; or m of n, and an algorithm. */
struct trustgen *trustgen_new(const char *name, int64_t now);
struct trustgen *trustgen_new_with(const char *name, int64_t now, enum crypto_alg alg, size_t n_root, size_t threshold);
void trustgen_free(struct trustgen *g);
/* Its own judge: g's cluster and role keys at g->now, with a skew of TRUSTGEN_SKEW. Borrows from `g`. */
struct keyring_at trustgen_at(const struct trustgen *g);

/* Text owned by `g`. */
char *trustgen_format(struct trustgen *g, const char *fmt, ...) CLUSTER_PRINTF(2, 3);
/* A new key owned by `g`, of algorithm g->alg. */
struct crypto_key *trustgen_key(struct trustgen *g);
/* JWK (JWK_BARE) and thumbprint of a key, and an id and its text that follow from a label alone. */
const char *trustgen_jwk(struct trustgen *g, const struct crypto_key *key);
const char *trustgen_jkt(struct trustgen *g, const struct crypto_key *key);
struct cluster_id trustgen_id(const char *label);
const char *trustgen_id_text(struct trustgen *g, const char *label);
/* "ssh-ed25519 AAAA..." that follows from a label alone (not a real point). */
const char *trustgen_hostkey(struct trustgen *g, const char *label);

/* A compact JWS without "\n": by the key of a role, or by any key. */
const char *trustgen_sign(struct trustgen *g, enum jws_typ typ, enum keyring_role role, const char *payload);
const char *trustgen_sign_with(struct trustgen *g, enum jws_typ typ, const struct crypto_key *key, const char *payload);
/* A document of several signatures: one line a key, each ended by "\n". */
const char *trustgen_sign_lines(struct trustgen *g, enum jws_typ typ, struct crypto_key *const *keys, size_t n, const char *payload);

/* The root chain. trustgen_rotate_root adds the next version with n fresh keys, signed by all old and new keys, and returns the whole chain. */
const char *trustgen_root_text(struct trustgen *g);
const char *trustgen_rotate_root(struct trustgen *g, size_t n, size_t threshold);
/* g->keyset signed by all keys of g->root. */
const char *trustgen_keyset_text(struct trustgen *g);

/* Records of a directory, each a JSON array of PROTOCOL.md 3.4; NULL is an empty one and has no shard. */
struct trustgen_records {
	const char *kind[DIRECTORY_KIND_N];
	int64_t max_stale, skew, sudo_fresh; /* 0: 900, 30, 900 */
};
/*
 * Accounts emr-user and ecs-user and the personal account alice, group hadoop with emr-user; people alice (role ops, device "alice-laptop") and bob (device "bob-laptop"); nodes
 * master-1-1, core-1-1, task-1-1 (role of that first word, 10.0.0.1 to .3); grants of emr-user to role ops on any node with sudo, of emr-user to bob on role:core. The ids are
 * trustgen_id of "alice", "bob", "alice-laptop", "bob-laptop", "master-1-1", ..., "grant-ops", "grant-bob".
 */
struct trustgen_records trustgen_sample(struct trustgen *g);

struct trustgen_directory {
	int64_t version;
	const char *text; /* signed index with "\n" */
	size_t n_shards;
	const char *shard[DIRECTORY_KIND_N];
};
struct trustgen_directory *trustgen_directory(struct trustgen *g, int64_t version, struct trustgen_records records);
/* Parsed by the library, shards added, checked. The caller frees it with directory_free. */
struct directory *trustgen_directory_read(struct trustgen *g, const struct trustgen_directory *dir);

/* `entries` is a JSON array of PROTOCOL.md 3.5. With "\n". */
const char *trustgen_revocations(struct trustgen *g, int64_t version, const char *entries);
struct revoke_list *trustgen_revocations_read(struct trustgen *g, const char *text);

/* A head of iat g->now and exp 900 s later that names these texts, with "\n". Versions of root and keyset are g's. */
const char *trustgen_head(struct trustgen *g, int64_t version, const char *root, const char *keyset, const struct trustgen_directory *dir, const char *revocations,
    int64_t revocations_version);

#endif
