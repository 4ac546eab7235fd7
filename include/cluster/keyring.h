/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_KEYRING_H
#define CLUSTER_KEYRING_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/err.h"
#include "cluster/name.h"

struct cluster_id;

#define KEYRING_MAX 32

enum keyring_role { KEYRING_ISSUER = 1, KEYRING_DIRECTORY = 2, KEYRING_REVOCATION = 3, KEYRING_HEAD = 4, KEYRING_SSHCA = 5 };
#define KEYRING_ROLE_LAST KEYRING_SSHCA

struct keyring_key {
	char kid[NAME_KID_MAX + 1];
	enum keyring_role role;
	struct crypto_pub pub;
	int64_t nbf, exp;
};

/* Role keys, a plain value. */
struct keyring {
	size_t n;
	struct keyring_key key[KEYRING_MAX];
};

/* By whose keys, for which cluster and at what time a signature is judged: everything is borrowed. `skew` is how far another's clock may be ahead of ours. */
struct keyring_at {
	const struct cluster_id *cluster;
	const struct keyring *ring;
	int64_t now, skew;
};

/* Word of PROTOCOL.md 3.2 for a role, and back. CLUSTER_EFORMAT for another word. */
const char *keyring_role_name(enum keyring_role r);
enum cluster_err keyring_role_parse(const char *word, enum keyring_role *ret) CLUSTER_MUST_USE;

/* CLUSTER_ELIMIT when full, CLUSTER_EFORMAT for a kid that is there already. */
enum cluster_err keyring_add(struct keyring *k, const struct keyring_key *key) CLUSTER_MUST_USE;
/* Exact kid and role in at->ring: CLUSTER_ENOTFOUND; window: CLUSTER_EEARLY (now < nbf - skew), CLUSTER_EEXPIRED (now >= exp). *ret is borrowed from the ring. */
enum cluster_err keyring_find(const struct keyring_at *at, const char *kid, enum keyring_role role, const struct keyring_key **ret) CLUSTER_MUST_USE;

#endif
