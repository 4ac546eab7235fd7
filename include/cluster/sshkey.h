/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SSHKEY_H
#define CLUSTER_SSHKEY_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/jwk.h"
#include "cluster/rd.h"

/* Public keys of OpenSSH that prove something to us, each by signatures of its own kind (PROTOCOL.md 6.2, 6.3). */

#define SSHKEY_BLOB_MAX 2048
#define SSHKEY_LINE_MAX 3000
#define SSHKEY_RSA_DEVICE_BITS_MIN 3072

enum sshkey_kind { SSHKEY_ED25519, SSHKEY_P256, SSHKEY_P384, SSHKEY_P521, SSHKEY_RSA, SSHKEY_SK_ED25519, SSHKEY_SK_P256, SSHKEY_KIND_N };
/* The word in front of a public key line. */
const char *sshkey_type(enum sshkey_kind kind);

/* SSHKEY_HOST: Ed25519, P-256, RSA of 2048 bits. SSHKEY_DEVICE: also P-384, P-521 and security keys of the application "ssh:"; RSA of 3072 bits. */
enum sshkey_use { SSHKEY_HOST, SSHKEY_DEVICE };

/* A parsed public key; rsa, point and blob borrow from what it was parsed from. */
struct sshkey {
	enum sshkey_kind kind;
	struct crypto_pub pub;     /* SSHKEY_ED25519, SSHKEY_P256 and the security keys */
	struct crypto_rsa rsa;
	struct crypto_point point; /* SSHKEY_P384, SSHKEY_P521 */
	struct rd blob;
};

/* A whole public key blob. CLUSTER_EDENIED: a type or size that is not taken for this use, and the sentence says so. CLUSTER_EFORMAT, CLUSTER_ESIGNATURE (bad point). */
enum cluster_err sshkey_parse(const uint8_t *blob, size_t n, enum sshkey_use use, struct sshkey *ret, struct diag *d) CLUSTER_MUST_USE;
/* A public key line "type base64[ comment]"; *ret borrows from `blob`, which the line's blob is written to. */
enum cluster_err sshkey_line_parse(const char *line, enum sshkey_use use, uint8_t blob[SSHKEY_BLOB_MAX], struct sshkey *ret, struct diag *d) CLUSTER_MUST_USE;
/* "type base64", the one form of a line without a comment. CLUSTER_ELIMIT: more than `size` bytes. */
enum cluster_err sshkey_line_build(const struct sshkey *k, char *dst, size_t size) CLUSTER_MUST_USE;

/*
 * The 43 characters by which the directory names a device's key: the RFC 7638 thumbprint of an Ed25519 or P-256 key, which is one key in whatever form; else SHA-256 of the
 * blob in base64url.
 */
enum cluster_err sshkey_thumbprint(const struct sshkey *k, char ret[JWK_THUMBPRINT + 1]) CLUSTER_MUST_USE;
/* The key itself if it is one that JWKs have (no security key); else NULL. */
const struct crypto_pub *sshkey_pub(const struct sshkey *k);

/*
 * A signature blob over the n bytes. RSA: rsa-sha2-256 and -512 only. Security keys: the user was present; the counter is not looked at. CLUSTER_ESIGNATURE, CLUSTER_EFORMAT.
 */
enum cluster_err sshkey_verify(const struct sshkey *k, const struct rd *signature, const void *data, size_t n) CLUSTER_MUST_USE;

#endif
