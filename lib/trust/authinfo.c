/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/authinfo.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define METHOD "publickey "
#define METHOD_N (sizeof METHOD - 1)
#define TYPE_END "-cert-v01@openssh.com"
#define TYPE_END_N (sizeof TYPE_END - 1)

/* Characters up to the next space, or to the end. */
static size_t word(const char *p, size_t n)
{
	const char *space = memchr(p, ' ', n);

	return space ? (size_t)(space - p) : n;
}

static bool printable(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < 0x20 || p[i] > 0x7e)
			return false;
	return true;
}

/* One line without its end. *ret_n stays 0 if it has no certificate. */
static enum cluster_err read_line(const char *p, size_t n, size_t *ret_n)
{
	size_t type, key;

	*ret_n = 0;
	if (!printable(p, n))
		return CLUSTER_EFORMAT;
	if (n < METHOD_N || memcmp(p, METHOD, METHOD_N) != 0)
		return CLUSTER_OK;
	p += METHOD_N;
	n -= METHOD_N;
	type = word(p, n);
	if (type < TYPE_END_N || memcmp(p + type - TYPE_END_N, TYPE_END, TYPE_END_N) != 0)
		return CLUSTER_OK;
	if (type == n || (key = word(p + type + 1, n - type - 1)) == 0)
		return CLUSTER_EFORMAT;
	*ret_n = type + 1 + key;
	return CLUSTER_OK;
}

enum cluster_err authinfo_certificate(const char *text, size_t n, const char **ret, size_t *ret_n)
{
	const char *found = NULL;
	size_t found_n = 0, length, key;
	enum cluster_err e;

	if (n > AUTHINFO_MAX)
		return CLUSTER_ELIMIT;
	for (; n > 0; text += length, n -= length) {
		const char *end = memchr(text, '\n', n);

		length = end ? (size_t)(end - text) : n;
		if ((e = read_line(text, length, &key)) != CLUSTER_OK)
			return e;
		if (key > 0 && found)
			return CLUSTER_EDENIED;
		if (key > 0) {
			found = text + METHOD_N;
			found_n = key;
		}
		length += end != NULL;
	}
	if (!found)
		return CLUSTER_ENOTFOUND;
	*ret = found;
	*ret_n = found_n;
	return CLUSTER_OK;
}
