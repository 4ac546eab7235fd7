/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_ROOTSIGN_H
#define AUTHORITY_ROOTSIGN_H

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/document.h"
#include "cluster/err.h"

/* What only the root key signs. Each result has been verified as a node would; the caller frees *ret with free(). */

/* A first root: its text is the whole chain. Sets root->cluster and the pin. */
enum cluster_err rootsign_root(const struct crypto_key *key, struct document_root *root, char **ret, uint8_t ret_pin[CRYPTO_SHA256_SIZE], struct diag *d) CLUSTER_MUST_USE;
/* `chain` with `next` after it, signed by `signer` (the root's key, and the new one that takes its place); `next` is what was read back. CLUSTER_ESIGNATURE: a threshold is not reached. */
struct rootsign_chain {
	const char *text;
	size_t n;
	const uint8_t *pin;
};
enum cluster_err rootsign_next(const struct crypto_key *const *signer, size_t n, const struct rootsign_chain *chain, struct document_root *next, char **ret, struct diag *d) CLUSTER_MUST_USE;
/* CLUSTER_EDENIED: `key` is none of the root's. CLUSTER_EEXPIRED: the root has expired at keyset->iat. */
enum cluster_err rootsign_keyset(const struct crypto_key *key, const struct document_root *root, const struct document_keyset *keyset, char **ret, struct diag *d) CLUSTER_MUST_USE;

#endif
