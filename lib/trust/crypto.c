/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/crypto.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "cluster/secret.h"
#include "crypto_part.h"

#define COORDINATE 32 /* bytes of one coordinate or scalar of both curves */
#define POINT_SIZE (1 + 2 * COORDINATE)
#define DER_SIG_MAX 80 /* two INTEGERs of at most 33 bytes in a SEQUENCE: 72 */
#define PEM_MAX 16384
#define GROUP "prime256v1"

struct crypto_key {
	enum crypto_alg alg;
	EVP_PKEY *pkey;
};

struct crypto_hash {
	EVP_MD_CTX *ctx;
};

/* The order of P-256's base point. */
static const uint8_t p256_order[COORDINATE] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};

/* The y of the Ed25519 points of order 8, little-endian; those of order 1, 2 and 4 are 1, p - 1 and 0. */
static const uint8_t order_8[2][COORDINATE] = {
	{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
	  0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
	{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
	  0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
};

enum cluster_err crypto_start(void)
{
	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 ? CLUSTER_OK : CLUSTER_ECRYPTO;
}

enum cluster_err crypto_sha256(const void *data, size_t n, uint8_t ret[CRYPTO_SHA256_SIZE])
{
	return EVP_Digest(n ? data : "", n, ret, NULL, EVP_sha256(), NULL) == 1 ? CLUSTER_OK : CLUSTER_ECRYPTO;
}

enum cluster_err crypto_sha512(const void *data, size_t n, uint8_t ret[CRYPTO_SHA512_SIZE])
{
	return EVP_Digest(n ? data : "", n, ret, NULL, EVP_sha512(), NULL) == 1 ? CLUSTER_OK : CLUSTER_ECRYPTO;
}

enum cluster_err crypto_random(void *dst, size_t n)
{
	return n <= INT_MAX && RAND_bytes(dst, (int)n) == 1 ? CLUSTER_OK : CLUSTER_ECRYPTO;
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

size_t crypto_pub_size(enum crypto_alg alg)
{
	switch (alg) {
	case CRYPTO_ED25519:
		return COORDINATE;
	case CRYPTO_ES256:
		return 2 * COORDINATE;
	}
	return 0;
}

bool crypto_pub_equal(const struct crypto_pub *a, const struct crypto_pub *b)
{
	size_t n = crypto_pub_size(a->alg);

	return n != 0 && a->alg == b->alg && crypto_equal(a->bytes, b->bytes, n);
}

EVP_PKEY *crypto_part_point(const char *group, const uint8_t *point, size_t n)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point, n),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* A new key of libcrypto, or NULL. For P-256 the coordinates are in range and on the curve then. */
static EVP_PKEY *pkey_of(const struct crypto_pub *pub)
{
	uint8_t point[POINT_SIZE] = { POINT_CONVERSION_UNCOMPRESSED };

	if (pub->alg == CRYPTO_ED25519)
		return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub->bytes, COORDINATE);
	if (pub->alg != CRYPTO_ES256)
		return NULL;
	memcpy(point + 1, pub->bytes, 2 * COORDINATE);
	return crypto_part_point(GROUP, point, sizeof point);
}

/* Is every byte of y from `at` to the last but one 0xff, and the last 0x7f? */
static bool ends_like_p(const uint8_t y[COORDINATE], size_t at)
{
	for (size_t i = at; i < COORDINATE - 1; i++)
		if (y[i] != 0xff)
			return false;
	return y[COORDINATE - 1] == 0x7f;
}

/* y below p and not that of a point of order 1, 2, 4 or 8, whatever the sign of x (THREATS.md B8). */
static bool ed25519_ok(const uint8_t bytes[COORDINATE])
{
	uint8_t y[COORDINATE], low = 0;

	memcpy(y, bytes, sizeof y);
	y[COORDINATE - 1] &= 0x7f;
	if (ends_like_p(y, 1) && y[0] >= 0xec) /* p - 1 = 2^255 - 20, and p and above */
		return false;
	for (size_t i = 1; i < COORDINATE; i++)
		low |= y[i];
	if (low == 0 && y[0] <= 1)
		return false;
	return memcmp(y, order_8[0], sizeof y) != 0 && memcmp(y, order_8[1], sizeof y) != 0;
}

enum cluster_err crypto_pub_check(const struct crypto_pub *pub)
{
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *pkey = NULL;
	enum cluster_err e = CLUSTER_ESIGNATURE;

	if (pub->alg == CRYPTO_ED25519)
		return ed25519_ok(pub->bytes) ? CLUSTER_OK : CLUSTER_ESIGNATURE;
	ERR_set_mark();
	if (!(pkey = pkey_of(pub)))
		goto out;
	if (!(ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL))) {
		e = CLUSTER_ENOMEM;
		goto out;
	}
	if (EVP_PKEY_public_check_quick(ctx) == 1) /* the order is prime and the cofactor 1: on the curve is enough */
		e = CLUSTER_OK;
out:
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_pop_to_mark();
	return e;
}

/* A scalar in [1, order - 1]? */
static bool scalar_ok(const uint8_t s[COORDINATE])
{
	uint8_t any = 0;

	for (size_t i = 0; i < COORDINATE; i++)
		any |= s[i];
	return any != 0 && memcmp(s, p256_order, COORDINATE) < 0;
}

/* r and s as 64 bytes to DER. CLUSTER_ESIGNATURE if one of them is out of range. */
static enum cluster_err der_of(const uint8_t sig[CRYPTO_SIG_SIZE], uint8_t der[DER_SIG_MAX], size_t *ret_n)
{
	const struct crypto_scalars scalars = { .r = sig, .s = sig + COORDINATE, .r_n = COORDINATE, .s_n = COORDINATE };

	return scalar_ok(sig) && scalar_ok(sig + COORDINATE) ? crypto_part_der(&scalars, der, DER_SIG_MAX, ret_n) : CLUSTER_ESIGNATURE;
}

enum cluster_err crypto_part_der(const struct crypto_scalars *sig, uint8_t *der, size_t size, size_t *ret_n)
{
	ECDSA_SIG *es = ECDSA_SIG_new();
	BIGNUM *r = NULL, *s = NULL;
	enum cluster_err e = CLUSTER_ENOMEM;
	unsigned char *end = der;
	int n;

	if (!es || !(r = BN_bin2bn(sig->r, (int)sig->r_n, NULL)) || !(s = BN_bin2bn(sig->s, (int)sig->s_n, NULL)) || ECDSA_SIG_set0(es, r, s) != 1)
		goto out;
	r = s = NULL;
	n = i2d_ECDSA_SIG(es, NULL);
	if (n <= 0 || (size_t)n > size || i2d_ECDSA_SIG(es, &end) != n) {
		e = CLUSTER_ECRYPTO;
		goto out;
	}
	*ret_n = (size_t)n;
	e = CLUSTER_OK;
out:
	BN_free(s);
	BN_free(r);
	ECDSA_SIG_free(es);
	return e;
}

enum cluster_err crypto_part_verify(EVP_PKEY *pkey, const EVP_MD *md, const void *data, size_t n, const uint8_t *sig, size_t sig_n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum cluster_err e = CLUSTER_ESIGNATURE;

	if (!ctx)
		e = CLUSTER_ENOMEM;
	else if (EVP_DigestVerifyInit(ctx, NULL, md, NULL, pkey) != 1)
		e = CLUSTER_ECRYPTO;
	else if (EVP_DigestVerify(ctx, sig, sig_n, n ? data : (const void *)"", n) == 1)
		e = CLUSTER_OK;
	EVP_MD_CTX_free(ctx);
	return e;
}

enum cluster_err crypto_verify(const struct crypto_pub *pub, const void *data, size_t n, const uint8_t sig[CRYPTO_SIG_SIZE])
{
	uint8_t der[DER_SIG_MAX];
	size_t der_n = 0;
	EVP_PKEY *pkey = NULL;
	enum cluster_err e = CLUSTER_ESIGNATURE;

	ERR_set_mark();
	if (pub->alg == CRYPTO_ES256 && (e = der_of(sig, der, &der_n)) != CLUSTER_OK)
		goto out;
	if (!(pkey = pkey_of(pub))) {
		e = pub->alg == CRYPTO_ED25519 ? CLUSTER_ECRYPTO : CLUSTER_ESIGNATURE;
		goto out;
	}
	if (pub->alg == CRYPTO_ED25519)
		e = crypto_part_verify(pkey, NULL, data, n, sig, CRYPTO_SIG_SIZE);
	else
		e = crypto_part_verify(pkey, EVP_sha256(), data, n, der, der_n);
out:
	EVP_PKEY_free(pkey);
	ERR_pop_to_mark();
	return e;
}

/* n and e as a key of libcrypto. CLUSTER_EDENIED for sizes that the header refuses. */
static enum cluster_err rsa_pkey(const struct crypto_rsa *key, EVP_PKEY **ret)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	BIGNUM *n = NULL, *e = NULL;
	EVP_PKEY *pkey = NULL;
	enum cluster_err err = CLUSTER_EDENIED;

	if (key->n_size > CRYPTO_RSA_BITS_MAX / 8 || key->e_size > 4)
		goto out;
	err = CLUSTER_ENOMEM;
	if (!build || !ctx || !(n = BN_bin2bn(key->n, (int)key->n_size, NULL)) || !(e = BN_bin2bn(key->e, (int)key->e_size, NULL)))
		goto out;
	err = CLUSTER_EDENIED;
	if (BN_num_bits(n) < CRYPTO_RSA_BITS_MIN || BN_num_bits(n) > CRYPTO_RSA_BITS_MAX || !BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > 32)
		goto out;
	err = CLUSTER_ECRYPTO;
	if (OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1 ||
	    !(params = OSSL_PARAM_BLD_to_param(build)) || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		goto out;
	*ret = pkey;
	err = CLUSTER_OK;
out:
	OSSL_PARAM_free(params);
	BN_free(e);
	BN_free(n);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_BLD_free(build);
	return err;
}

enum cluster_err crypto_rsa_verify(const struct crypto_rsa *key, bool sha512, const void *data, size_t n, const uint8_t *sig, size_t sig_n)
{
	EVP_PKEY *pkey = NULL;
	enum cluster_err e;

	ERR_set_mark();
	if ((e = rsa_pkey(key, &pkey)) == CLUSTER_OK)
		e = crypto_part_verify(pkey, sha512 ? EVP_sha512() : EVP_sha256(), data, n, sig, sig_n);
	EVP_PKEY_free(pkey);
	ERR_pop_to_mark();
	return e;
}

/* Takes `pkey` in any case. */
static enum cluster_err key_of(EVP_PKEY *pkey, enum crypto_alg alg, struct crypto_key **ret)
{
	struct crypto_key *key = malloc(sizeof *key);

	if (!key || !pkey) {
		free(key);
		EVP_PKEY_free(pkey);
		return key ? CLUSTER_ECRYPTO : CLUSTER_ENOMEM;
	}
	key->alg = alg;
	key->pkey = pkey;
	*ret = key;
	return CLUSTER_OK;
}

enum cluster_err crypto_key_new(enum crypto_alg alg, struct crypto_key **ret)
{
	switch (alg) {
	case CRYPTO_ED25519:
		return key_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), alg, ret);
	case CRYPTO_ES256:
		return key_of(EVP_PKEY_Q_keygen(NULL, NULL, "EC", GROUP), alg, ret);
	}
	return CLUSTER_EFORMAT;
}

void crypto_key_free(struct crypto_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

enum cluster_err crypto_key_pub(const struct crypto_key *key, struct crypto_pub *ret)
{
	struct crypto_pub pub = { .alg = key->alg };
	size_t n = COORDINATE;
	BIGNUM *x = NULL, *y = NULL;
	bool ok;

	if (key->alg == CRYPTO_ED25519)
		ok = EVP_PKEY_get_raw_public_key(key->pkey, pub.bytes, &n) == 1 && n == COORDINATE;
	else
		ok = EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 && EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
		     BN_bn2binpad(x, pub.bytes, COORDINATE) == COORDINATE && BN_bn2binpad(y, pub.bytes + COORDINATE, COORDINATE) == COORDINATE;
	BN_free(y);
	BN_free(x);
	if (!ok)
		return CLUSTER_ECRYPTO;
	*ret = pub;
	return CLUSTER_OK;
}

/* DER to r and s. */
static enum cluster_err raw_of(const uint8_t *der, size_t n, uint8_t ret[CRYPTO_SIG_SIZE])
{
	ECDSA_SIG *es = d2i_ECDSA_SIG(NULL, &der, (long)n);
	bool ok = es && BN_bn2binpad(ECDSA_SIG_get0_r(es), ret, COORDINATE) == COORDINATE &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(es), ret + COORDINATE, COORDINATE) == COORDINATE;

	ECDSA_SIG_free(es);
	return ok ? CLUSTER_OK : CLUSTER_ECRYPTO;
}

enum cluster_err crypto_sign(const struct crypto_key *key, const void *data, size_t n, uint8_t ret[CRYPTO_SIG_SIZE])
{
	uint8_t sig[DER_SIG_MAX];
	size_t sig_n = sizeof sig;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum cluster_err e = CLUSTER_ECRYPTO;

	if (!ctx) {
		e = CLUSTER_ENOMEM;
		goto out;
	}
	if (EVP_DigestSignInit(ctx, NULL, key->alg == CRYPTO_ED25519 ? NULL : EVP_sha256(), NULL, key->pkey) != 1 ||
	    EVP_DigestSign(ctx, sig, &sig_n, n ? data : (const void *)"", n) != 1)
		goto out;
	if (key->alg == CRYPTO_ES256) {
		e = raw_of(sig, sig_n, ret);
		goto out;
	}
	if (sig_n != CRYPTO_SIG_SIZE)
		goto out;
	memcpy(ret, sig, CRYPTO_SIG_SIZE);
	e = CLUSTER_OK;
out:
	EVP_MD_CTX_free(ctx);
	return e;
}

enum cluster_err crypto_key_seed(const struct crypto_key *key, struct secret **ret)
{
	struct secret *seed = NULL;
	enum cluster_err e;
	size_t n = 32;

	if (key->alg != CRYPTO_ED25519)
		return CLUSTER_EFORMAT;
	if ((e = secret_new(n, &seed)) != CLUSTER_OK)
		return e;
	if (EVP_PKEY_get_raw_private_key(key->pkey, seed->bytes, &n) != 1 || n != seed->n) {
		secret_free(seed);
		return CLUSTER_ECRYPTO;
	}
	*ret = seed;
	return CLUSTER_OK;
}

enum cluster_err crypto_key_build(const struct crypto_key *key, struct secret **ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	enum cluster_err e = CLUSTER_ENOMEM;
	long n;

	if (bio && PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1 && (n = BIO_get_mem_data(bio, &text)) > 0)
		e = secret_copy(text, (size_t)n, ret);
	BIO_free(bio); /* wipes: BUF_MEM_free clears what it releases */
	return e;
}

static enum cluster_err alg_of(const EVP_PKEY *pkey, enum crypto_alg *ret)
{
	char group[32] = "";

	if (EVP_PKEY_is_a(pkey, "ED25519"))
		*ret = CRYPTO_ED25519;
	else if (EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 && strcmp(group, GROUP) == 0)
		*ret = CRYPTO_ES256;
	else
		return CLUSTER_EFORMAT;
	return CLUSTER_OK;
}

enum cluster_err crypto_key_parse(const void *pem, size_t n, struct crypto_key **ret)
{
	BIO *bio = NULL;
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	const unsigned char *p;
	long der_n = 0;
	PKCS8_PRIV_KEY_INFO *info = NULL;
	EVP_PKEY *pkey = NULL;
	enum crypto_alg alg;
	struct crypto_key *key = NULL;
	struct crypto_pub pub;
	enum cluster_err e = CLUSTER_EFORMAT;

	ERR_set_mark();
	if (n == 0 || n > PEM_MAX)
		goto out;
	if (!(bio = BIO_new_mem_buf(pem, (int)n))) {
		e = CLUSTER_ENOMEM;
		goto out;
	}
	if (PEM_read_bio(bio, &name, &header, &der, &der_n) != 1 || strcmp(name, PEM_STRING_PKCS8INF) != 0 || header[0] != '\0')
		goto out;
	p = der;
	if (!(info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, der_n)) || !(pkey = EVP_PKCS82PKEY(info)) || alg_of(pkey, &alg) != CLUSTER_OK)
		goto out;
	e = key_of(pkey, alg, &key);
	pkey = NULL;
	if (e != CLUSTER_OK || (e = crypto_key_pub(key, &pub)) != CLUSTER_OK || (e = crypto_pub_check(&pub)) != CLUSTER_OK)
		goto out;
	*ret = key;
	key = NULL;
	e = CLUSTER_OK;
out:
	crypto_key_free(key);
	EVP_PKEY_free(pkey);
	PKCS8_PRIV_KEY_INFO_free(info);
	OPENSSL_clear_free(der, (size_t)der_n);
	OPENSSL_free(header);
	OPENSSL_free(name);
	BIO_free(bio);
	ERR_pop_to_mark();
	return e;
}

enum cluster_err crypto_hash_new(struct crypto_hash **ret)
{
	struct crypto_hash *h = malloc(sizeof *h);

	if (!h)
		return CLUSTER_ENOMEM;
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1) {
		crypto_hash_free(h);
		return CLUSTER_ECRYPTO;
	}
	*ret = h;
	return CLUSTER_OK;
}

enum cluster_err crypto_hash_add(struct crypto_hash *h, const void *data, size_t n)
{
	return n == 0 || EVP_DigestUpdate(h->ctx, data, n) == 1 ? CLUSTER_OK : CLUSTER_ECRYPTO;
}

enum cluster_err crypto_hash_end(struct crypto_hash *h, uint8_t ret[CRYPTO_SHA256_SIZE])
{
	return EVP_DigestFinal_ex(h->ctx, ret, NULL) == 1 ? CLUSTER_OK : CLUSTER_ECRYPTO;
}

void crypto_hash_free(struct crypto_hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}
