/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SSHSIG_H
#define CLUSTER_SSHSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

#define SSHSIG_BLOB_MAX 2048
#define SSHSIG_LINE_MAX 3000
#define SSHSIG_TEXT_MAX 8192

/* An OpenSSH public key line "type base64[ comment]" to its blob. Types: ssh-ed25519, ecdsa-sha2-nistp256, ssh-rsa of 2048 to 8192 bits; others CLUSTER_EDENIED. */
enum cluster_err sshsig_key_parse(const char *line, uint8_t ret[SSHSIG_BLOB_MAX], size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;
/* "SHA256:..." as ssh-keygen -l prints it, 50 characters and NUL. */
enum cluster_err sshsig_fingerprint(const uint8_t *blob, size_t n, char ret[51]) CLUSTER_MUST_USE;
/*
 * Verifies an armoured SSHSIG (OpenSSH PROTOCOL.sshsig) over `message` for `namespace`, made by the key of `line`. Hash sha256 or sha512; RSA with rsa-sha2-256 or -512 only.
 * CLUSTER_ESIGNATURE, CLUSTER_EFORMAT, CLUSTER_EDENIED (type or size of key).
 */
enum cluster_err sshsig_verify(const char *armoured, size_t n, const char *line, const char *namespace, const void *message, size_t message_n, struct diag *d) CLUSTER_MUST_USE;

#endif
