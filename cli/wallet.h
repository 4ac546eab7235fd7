/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WALLET_H
#define CLI_WALLET_H

#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/credential.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "profile.h"

/* The credential in hand and its key. */
struct wallet {
	char *token;
	struct crypto_key *key;
	struct credential claims; /* as they stand in our own file; nodes verify them */
};

/* CLUSTER_ENOTFOUND: none, or file and key do not belong together. The caller calls wallet_done after success. */
enum cluster_err wallet_load(const struct profile *p, struct wallet *ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err wallet_store(const struct profile *p, const struct wallet *w, struct diag *d) CLUSTER_MUST_USE;
/* The same if the token in hand is still this one (NULL: whatever is there). CLUSTER_EDENIED: it was replaced or dropped meanwhile, and that stays so. */
enum cluster_err wallet_replace(const struct profile *p, const char *token, const struct wallet *w, struct diag *d) CLUSTER_MUST_USE;
/* Forgets all of it. */
enum cluster_err wallet_drop(const struct profile *p, struct diag *d) CLUSTER_MUST_USE;
void wallet_done(struct wallet *w);

/* Claims of a token, without its signature. */
enum cluster_err wallet_claims(const char *token, struct credential *ret, struct diag *d) CLUSTER_MUST_USE;

#endif
