/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_CRYPTO_PART_H
#define TRUST_CRYPTO_PART_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/err.h"

/* What the files crypto*.c share; libcrypto's EVP_PKEY and EVP_MD by their own names. */
struct evp_pkey_st;
struct evp_md_st;

/* A new public key of libcrypto from an uncompressed point, or NULL: the coordinates are in range and on the curve then. */
struct evp_pkey_st *crypto_part_point(const char *group, const uint8_t *point, size_t n);
/* The DER form of r and s, big-endian. CLUSTER_ECRYPTO: more than `size` bytes. */
struct crypto_scalars;
enum cluster_err crypto_part_der(const struct crypto_scalars *sig, uint8_t *der, size_t size, size_t *ret_n) CLUSTER_MUST_USE;
/* Takes no part in ownership: CLUSTER_ESIGNATURE unless libcrypto says 1 and nothing else. */
enum cluster_err crypto_part_verify(struct evp_pkey_st *pkey, const struct evp_md_st *md, const void *data, size_t n, const uint8_t *sig, size_t sig_n) CLUSTER_MUST_USE;

#endif
