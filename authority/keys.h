/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_KEYS_H
#define AUTHORITY_KEYS_H

#include <stdbool.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/keyring.h"

struct revoked;
struct secret;

/*
 * The private halves of the keyset's role keys: DIR/keys/<role>.<kid>.key, PKCS#8 PEM of mode 0600, and of the TLS key. A new key is used for signing KEYS_OVERLAP
 * seconds after its beginning, so that the keyset with it is everywhere before the first thing that it signs.
 */
#define KEYS_OVERLAP 120
#define KEYS_PATH_MAX 600

struct keys {
	struct keyring ring;
	struct crypto_key *key[KEYRING_MAX]; /* of ring.key[i]; NULL: not in this directory */
};

/* Every key of `ring` whose file is there. CLUSTER_EUNTRUSTED and CLUSTER_EFORMAT name the file. */
enum cluster_err keys_load(const char *dir, const struct keyring *ring, struct keys **ret, struct diag *d) CLUSTER_MUST_USE;
void keys_free(struct keys *k);

/* The key that signs for `role` now; its number in the ring, or CLUSTER_EUNAVAIL. Keys in `revoked` (may be NULL) are passed over. */
enum cluster_err keys_signer(const struct keys *k, enum keyring_role role, int64_t now, const struct revoked *revoked, size_t *ret, struct diag *d) CLUSTER_MUST_USE;

/* Makes a key and its file; never overwrites. *ret->exp - nbf is `life`. */
enum cluster_err keys_make(const char *dir, enum keyring_role role, int64_t now, int64_t life, struct keyring_key *ret, struct diag *d) CLUSTER_MUST_USE;
/* One key file of any name, and writing one (CLUSTER_EDENIED if it is there). */
enum cluster_err keys_read(const char *path, struct crypto_key **ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err keys_write(const char *path, const struct crypto_key *key, struct diag *d) CLUSTER_MUST_USE;
/* Any file of DIR that nobody else may read. The caller frees *ret with secret_free. */
enum cluster_err keys_read_file(const char *path, struct secret **ret, struct diag *d) CLUSTER_MUST_USE;

#endif
