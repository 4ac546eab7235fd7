/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_CRYPTO_H
#define CLUSTER_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/err.h"

struct secret;

#define CRYPTO_SHA256_SIZE 32
#define CRYPTO_SHA512_SIZE 64
#define CRYPTO_SIG_SIZE 64
#define CRYPTO_PUB_MAX 64

enum crypto_alg { CRYPTO_ED25519 = 1, CRYPTO_ES256 = 2 };

/* A public key as a plain value: 32 bytes (Ed25519) or 64 (P-256, x and y). Zero-filled beyond. */
struct crypto_pub {
	enum crypto_alg alg;
	uint8_t bytes[CRYPTO_PUB_MAX];
};

/* A private key; opaque, wiped when freed. */
struct crypto_key;

/* OPENSSL_init_crypto without a configuration file (THREATS.md F1). To be called before anything else of this header; any number of times. */
enum cluster_err crypto_start(void) CLUSTER_MUST_USE;

enum cluster_err crypto_sha256(const void *data, size_t n, uint8_t ret[CRYPTO_SHA256_SIZE]) CLUSTER_MUST_USE;
enum cluster_err crypto_sha512(const void *data, size_t n, uint8_t ret[CRYPTO_SHA512_SIZE]) CLUSTER_MUST_USE;
enum cluster_err crypto_random(void *dst, size_t n) CLUSTER_MUST_USE;
/* Constant time. */
bool crypto_equal(const void *a, const void *b, size_t n);

size_t crypto_pub_size(enum crypto_alg alg);
bool crypto_pub_equal(const struct crypto_pub *a, const struct crypto_pub *b);
/* CLUSTER_ESIGNATURE for a key that must never verify anything: small order, not canonical, off the curve (PROTOCOL.md 1.8). */
enum cluster_err crypto_pub_check(const struct crypto_pub *pub) CLUSTER_MUST_USE;

/* CLUSTER_ESIGNATURE unless `sig` (64 bytes; ES256: r and s) is pub's over the n bytes. Does not check the key itself: crypto_pub_check does. */
enum cluster_err crypto_verify(const struct crypto_pub *pub, const void *data, size_t n, const uint8_t sig[CRYPTO_SIG_SIZE]) CLUSTER_MUST_USE;

/* An RSA public key: big-endian magnitudes without leading zeros, borrowed. ssh host keys only (sshsig.h). */
struct crypto_rsa {
	const uint8_t *e, *n;
	size_t e_size, n_size;
};
#define CRYPTO_RSA_BITS_MIN 2048
#define CRYPTO_RSA_BITS_MAX 8192
/*
 * RSASSA-PKCS1-v1_5 with SHA-512, or SHA-256 if not `sha512`. CLUSTER_EDENIED: modulus outside the bits above, or an exponent that is even, below 3 or over 32 bits.
 * CLUSTER_ESIGNATURE: it is not the key's signature over the n bytes (also if sig_n is not the modulus' size).
 */
enum cluster_err crypto_rsa_verify(const struct crypto_rsa *key, bool sha512, const void *data, size_t n, const uint8_t *sig, size_t sig_n) CLUSTER_MUST_USE;

/* An ECDSA key of a larger curve as an uncompressed point, and a signature of such a key as big-endian numbers; all borrowed. ssh keys of devices only (sshkey.h). */
enum crypto_curve { CRYPTO_P384, CRYPTO_P521 };
struct crypto_point {
	enum crypto_curve curve;
	const uint8_t *p;
	size_t n;
};
struct crypto_scalars {
	const uint8_t *r, *s;
	size_t r_n, s_n;
};
/* CLUSTER_ESIGNATURE: not a point of the curve. */
enum cluster_err crypto_curve_check(const struct crypto_point *key) CLUSTER_MUST_USE;
/* CLUSTER_ESIGNATURE unless it is the key's signature over the n bytes, hashed with SHA-384 (P-384) or SHA-512 (P-521). */
enum cluster_err crypto_curve_verify(const struct crypto_point *key, const void *data, size_t n, const struct crypto_scalars *sig) CLUSTER_MUST_USE;

enum cluster_err crypto_key_new(enum crypto_alg alg, struct crypto_key **ret) CLUSTER_MUST_USE;
void crypto_key_free(struct crypto_key *key);
enum cluster_err crypto_key_pub(const struct crypto_key *key, struct crypto_pub *ret) CLUSTER_MUST_USE;
enum cluster_err crypto_sign(const struct crypto_key *key, const void *data, size_t n, uint8_t ret[CRYPTO_SIG_SIZE]) CLUSTER_MUST_USE;
/* The 32 secret bytes of an Ed25519 key (RFC 8032), for formats of others. CLUSTER_EFORMAT: another kind of key. The caller frees *ret with secret_free. */
enum cluster_err crypto_key_seed(const struct crypto_key *key, struct secret **ret) CLUSTER_MUST_USE;
/* PKCS#8 PEM, unencrypted: the form in which keys stand in files of mode 0600. The caller frees *ret with secret_free. */
enum cluster_err crypto_key_build(const struct crypto_key *key, struct secret **ret) CLUSTER_MUST_USE;
/* That form and no other; never asks for a passphrase. CLUSTER_EFORMAT, also for another algorithm. The caller frees *ret with crypto_key_free. */
enum cluster_err crypto_key_parse(const void *pem, size_t n, struct crypto_key **ret) CLUSTER_MUST_USE;

/* Incremental SHA-256. */
struct crypto_hash;
enum cluster_err crypto_hash_new(struct crypto_hash **ret) CLUSTER_MUST_USE;
enum cluster_err crypto_hash_add(struct crypto_hash *h, const void *data, size_t n) CLUSTER_MUST_USE;
enum cluster_err crypto_hash_end(struct crypto_hash *h, uint8_t ret[CRYPTO_SHA256_SIZE]) CLUSTER_MUST_USE;
void crypto_hash_free(struct crypto_hash *h);

#endif
