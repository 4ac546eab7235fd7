/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/crypto.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto_part.h"

#define DER_MAX 144 /* P-521: two INTEGERs of at most 67 bytes in a SEQUENCE: 141 */

struct curve {
	const char *group;
	size_t size; /* of a coordinate */
	const EVP_MD *(*hash)(void);
};

static const struct curve curves[] = { [CRYPTO_P384] = { "secp384r1", 48, EVP_sha384 }, [CRYPTO_P521] = { "secp521r1", 66, EVP_sha512 } };

/* NULL: not a point of the curve. */
static EVP_PKEY *key_of(const struct crypto_point *key)
{
	const struct curve *c = &curves[key->curve];

	return key->n == 1 + 2 * c->size && key->p[0] == 4 ? crypto_part_point(c->group, key->p, key->n) : NULL;
}

enum cluster_err crypto_curve_check(const struct crypto_point *key)
{
	EVP_PKEY *pkey;

	ERR_set_mark();
	pkey = key_of(key);
	EVP_PKEY_free(pkey);
	ERR_pop_to_mark();
	return pkey ? CLUSTER_OK : CLUSTER_ESIGNATURE;
}

enum cluster_err crypto_curve_verify(const struct crypto_point *key, const void *data, size_t n, const struct crypto_scalars *sig)
{
	enum cluster_err e = CLUSTER_ESIGNATURE;
	uint8_t der[DER_MAX];
	EVP_PKEY *pkey = NULL;
	size_t der_n = 0;

	ERR_set_mark();
	if (sig->r_n > curves[key->curve].size || sig->s_n > curves[key->curve].size || !(pkey = key_of(key)))
		goto out;
	if ((e = crypto_part_der(sig, der, sizeof der, &der_n)) == CLUSTER_OK)
		e = crypto_part_verify(pkey, curves[key->curve].hash(), data, n, der, der_n);
out:
	EVP_PKEY_free(pkey);
	ERR_pop_to_mark();
	return e;
}
