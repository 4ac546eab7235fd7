/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_SIGN_H
#define TESTS_FUZZ_SIGN_H

#include "fuzz.h"

#include <string.h>

#include "cluster/id.h"
#include "cluster/jwk.h"
#include "cluster/jws.h"
#include "cluster/keyring.h"

/* Payloads become signed documents, so that the fuzzer gets past the signature. One key for all roles, the same in every run: the seeds know it. */
#define FUZZ_NOW INT64_C(1790000000)
#define FUZZ_SKEW 30

static inline const struct crypto_key *fuzz_key(void)
{
	static const char pem[] = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n";
	static struct crypto_key *key;

	if (!key)
		FUZZ_CHECK(crypto_start() == CLUSTER_OK && crypto_key_parse(pem, sizeof pem - 1, &key) == CLUSTER_OK);
	return key;
}

/* The compact JWS, freed by the caller, or NULL if the payload is empty or too large. */
static inline char *fuzz_sign(enum jws_typ typ, const uint8_t *payload, size_t n)
{
	char *token = NULL;

	return jws_sign(fuzz_key(), typ, payload, n, &token) == CLUSTER_OK ? token : NULL;
}

/* The ring with that key in this role, and how a signature by it is judged: for the cluster of zeros, at FUZZ_NOW. */
static inline struct keyring_at fuzz_at(struct keyring *ring, enum keyring_role role)
{
	static const struct cluster_id cluster;
	struct keyring_key k = { .role = role, .nbf = FUZZ_NOW - 1, .exp = FUZZ_NOW + 1 };

	memset(ring, 0, sizeof *ring);
	FUZZ_CHECK(crypto_key_pub(fuzz_key(), &k.pub) == CLUSTER_OK && jwk_kid(&k.pub, k.kid) == CLUSTER_OK && keyring_add(ring, &k) == CLUSTER_OK);
	return (struct keyring_at){ .cluster = &cluster, .ring = ring, .now = FUZZ_NOW, .skew = FUZZ_SKEW };
}

#endif
