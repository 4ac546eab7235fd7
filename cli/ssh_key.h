/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SSH_KEY_H
#define CLI_SSH_KEY_H

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/err.h"
#include "cluster/wr.h"

struct secret;

/* Our Ed25519 keys as OpenSSH has them. */
#define SSH_KEY_CERTIFICATE "ssh-ed25519-cert-v01@openssh.com"

/* Public and private half as ssh strings. CLUSTER_EFORMAT: another kind of key. */
enum cluster_err ssh_key_put_private(struct wr *w, const struct crypto_key *key) CLUSTER_MUST_USE;
/* The text of an OpenSSH private key file without a passphrase (PROTOCOL.key). The caller frees *ret with secret_free. */
enum cluster_err ssh_key_build(const struct crypto_key *key, const char *comment, struct secret **ret) CLUSTER_MUST_USE;

#endif
