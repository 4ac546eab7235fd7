/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SSHWIRE_H
#define CLUSTER_SSHWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/err.h"
#include "cluster/rd.h"
#include "cluster/wr.h"

/*
 * The data types of ssh (RFC 4251 section 5) and its public keys and signatures of our two algorithms: what certificates, SSHSIG and the agent protocol are made of.
 * Readers take from the cursor only when they succeed. CLUSTER_ETRUNC, CLUSTER_EFORMAT.
 */
enum cluster_err sshwire_string(struct rd *r, struct rd *ret) CLUSTER_MUST_USE;
bool sshwire_is(const struct rd *s, const char *text);
/* A positive mpint in its shortest form; *ret without the leading zero byte. */
enum cluster_err sshwire_mpint(struct rd *r, struct rd *ret) CLUSTER_MUST_USE;
void sshwire_put(struct wr *w, const void *data, size_t n);
void sshwire_put_text(struct wr *w, const char *text);
/* A big-endian number of any width as an mpint. */
void sshwire_put_mpint(struct wr *w, const uint8_t *p, size_t n);

/* Standard base64 with padding (RFC 4648 section 4), as strict as b64_decode. CLUSTER_ELIMIT: more than `size` bytes. */
enum cluster_err sshwire_decode(const char *text, size_t n, uint8_t *dst, size_t size, size_t *ret_n) CLUSTER_MUST_USE;
void sshwire_encode(struct wr *w, const void *data, size_t n);

/* "ssh-ed25519" or "ecdsa-sha2-nistp256". */
const char *sshwire_type(enum crypto_alg alg);
/* A public key's fields after its type, checked with crypto_pub_check: CLUSTER_ESIGNATURE. */
enum cluster_err sshwire_key(struct rd *r, enum crypto_alg alg, struct crypto_pub *ret) CLUSTER_MUST_USE;
void sshwire_put_key(struct wr *w, const struct crypto_pub *k);
/* A whole public key blob. CLUSTER_ENOTFOUND: of another type. */
enum cluster_err sshwire_blob(const uint8_t *blob, size_t n, struct crypto_pub *ret) CLUSTER_MUST_USE;
void sshwire_put_blob(struct wr *w, const struct crypto_pub *k);

/* A signature blob (type and body, nothing after) to the 64 bytes that crypto_verify takes, and back. CLUSTER_ESIGNATURE: of another type. */
enum cluster_err sshwire_signature(const uint8_t *p, size_t n, enum crypto_alg alg, uint8_t ret[CRYPTO_SIG_SIZE]) CLUSTER_MUST_USE;
void sshwire_put_signature(struct wr *w, enum crypto_alg alg, const uint8_t sig[CRYPTO_SIG_SIZE]);

#endif
