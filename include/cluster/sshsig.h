/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SSHSIG_H
#define CLUSTER_SSHSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/sshkey.h"

#define SSHSIG_BLOB_MAX SSHKEY_BLOB_MAX
#define SSHSIG_LINE_MAX SSHKEY_LINE_MAX
#define SSHSIG_TEXT_MAX 8192
#define SSHSIG_NAMESPACE_MAX 64
#define SSHSIG_TO_SIGN_MAX 224 /* magic, two texts of at most 64 bytes, name of the hash, hash */

/* An OpenSSH public key line "type base64[ comment]" to its blob. Types: ssh-ed25519, ecdsa-sha2-nistp256, ssh-rsa of 2048 to 8192 bits; others CLUSTER_EDENIED. */
enum cluster_err sshsig_key_parse(const char *line, uint8_t ret[SSHSIG_BLOB_MAX], size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;
/* "SHA256:..." as ssh-keygen -l prints it, 50 characters and NUL. */
enum cluster_err sshsig_fingerprint(const uint8_t *blob, size_t n, char ret[51]) CLUSTER_MUST_USE;
/*
 * Verifies an armoured SSHSIG (OpenSSH PROTOCOL.sshsig) over `message` for `namespace`, made by the key of `line`. Hash sha256 or sha512; RSA with rsa-sha2-256 or -512 only.
 * CLUSTER_ESIGNATURE, CLUSTER_EFORMAT, CLUSTER_EDENIED (type or size of key).
 */
enum cluster_err sshsig_verify(const char *armoured, size_t n, const char *line, const char *namespace, const void *message, size_t message_n, struct diag *d) CLUSTER_MUST_USE;
/* The same by a key that is parsed already, of whatever use. */
enum cluster_err sshsig_verify_key(const struct rd *armoured, const struct sshkey *key, const char *namespace, const void *message, size_t message_n, struct diag *d) CLUSTER_MUST_USE;

/* A bare signature blob over the n bytes by the host key of this public key blob. CLUSTER_EDENIED (type or size of key), CLUSTER_ESIGNATURE, CLUSTER_EFORMAT. */
enum cluster_err sshsig_blob_verify(const struct rd *key, const struct rd *signature, const void *data, size_t n) CLUSTER_MUST_USE;

/* What a key signs for such a signature, with sha512; then the armoured text from its signature blob, which the caller frees with free(). CLUSTER_ELIMIT. */
enum cluster_err sshsig_to_sign(const char *namespace, const void *message, size_t n, uint8_t ret[SSHSIG_TO_SIGN_MAX], size_t *ret_n) CLUSTER_MUST_USE;
enum cluster_err sshsig_build(const struct rd *key, const char *namespace, const struct rd *signature, char **ret) CLUSTER_MUST_USE;

#endif
