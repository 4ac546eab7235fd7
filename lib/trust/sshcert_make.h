/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_SSHCERT_MAKE_H
#define TRUST_SSHCERT_MAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/sshcert.h"

/* A user certificate with one principal, permit-port-forwarding, permit-pty, and one extension of ours, which sorts before them. All borrowed. */
struct sshcert_make {
	const struct crypto_pub *key;
	uint64_t serial;
	const char *key_id;             /* printable ASCII, at most SSHCERT_KEY_ID_MAX: CLUSTER_EFORMAT */
	const char *principal;
	int64_t after, before;          /* CLUSTER_EFORMAT unless 0 <= after < before */
	const char *source;             /* of source-address; NULL or empty: none */
	const char *extension, *carried;
};

/* "type base64" signed by `ca`, which the caller frees with free(). */
enum cluster_err sshcert_make(const struct sshcert_make *m, const struct crypto_key *ca, char **ret) CLUSTER_MUST_USE;
bool sshcert_bytes_are(const struct sshcert_bytes *b, const char *text);

#endif
