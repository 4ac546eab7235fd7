/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/b64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum cluster_err b64_encode(const void *src, size_t n, char *dst, size_t size)
{
	const uint8_t *p = src;
	uint32_t bits = 0;
	unsigned have = 0;

	if (n > SIZE_MAX / 4 - 1 || B64_LEN(n) >= size)
		return CLUSTER_ELIMIT;
	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		have += 8;
		while (have >= 6) {
			have -= 6;
			*dst++ = alphabet[bits >> have & 63];
		}
	}
	if (have)
		*dst++ = alphabet[bits << (6 - have) & 63];
	*dst = '\0';
	return CLUSTER_OK;
}

/* All ones if low <= c <= high, else 0. */
static int between(int c, int low, int high)
{
	return ((low - 1 - c) & (c - high - 1)) >> 8;
}

/* The value of one character without a table lookup or branch that depends on it, or -1: private keys pass here too. */
static int value(unsigned char c)
{
	int v = -1;

	v += between(c, 'A', 'Z') & (c - 'A' + 1);
	v += between(c, 'a', 'z') & (c - 'a' + 27);
	v += between(c, '0', '9') & (c - '0' + 53);
	v += between(c, '-', '-') & 63;
	v += between(c, '_', '_') & 64;
	return v;
}

enum cluster_err b64_decode(const char *src, size_t n, void *dst, size_t size, size_t *ret_n)
{
	uint8_t *out = dst;
	size_t bytes = n / 4 * 3 + (n % 4 ? n % 4 - 1 : 0);
	uint32_t bits = 0;
	unsigned have = 0;

	if (n % 4 == 1)
		return CLUSTER_EFORMAT;
	if (bytes > size)
		return CLUSTER_ELIMIT;
	for (size_t i = 0; i < n; i++) {
		int v = value((unsigned char)src[i]);

		if (v < 0)
			return CLUSTER_EFORMAT;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*out++ = (uint8_t)(bits >> have);
		}
	}
	if (bits & ((UINT32_C(1) << have) - 1))
		return CLUSTER_EFORMAT;
	*ret_n = bytes;
	return CLUSTER_OK;
}

enum cluster_err b64_decode_exact(const char *src, size_t n, void *dst, size_t size)
{
	size_t got;

	if (size > SIZE_MAX / 4 - 1 || n != B64_LEN(size))
		return CLUSTER_EFORMAT;
	return b64_decode(src, n, dst, size, &got);
}
