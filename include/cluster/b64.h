/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_B64_H
#define CLUSTER_B64_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/err.h"

/* base64url without padding (RFC 4648 section 5, RFC 7515 section 2), strict: encode(decode(x)) == x for every accepted x. */

#define B64_LEN(n) (((n) * 4 + 2) / 3) /* characters for n bytes */

/* Writes B64_LEN(n) characters and a NUL into `dst` of `size` bytes. CLUSTER_ELIMIT if it does not fit. */
enum cluster_err b64_encode(const void *src, size_t n, char *dst, size_t size) CLUSTER_MUST_USE;

/*
 * Decodes `n` characters. CLUSTER_EFORMAT: padding, white space, '+', '/', any other byte, length mod 4 == 1, or non-zero unused bits.
 * CLUSTER_ELIMIT: more than `size` bytes. *ret_n is the number of bytes.
 */
enum cluster_err b64_decode(const char *src, size_t n, void *dst, size_t size, size_t *ret_n) CLUSTER_MUST_USE;

/* Decodes `n` characters into exactly `size` bytes; anything else is CLUSTER_EFORMAT. */
enum cluster_err b64_decode_exact(const char *src, size_t n, void *dst, size_t size) CLUSTER_MUST_USE;

#endif
