/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/secret.h"

#include <stdlib.h>

#define SECRET_MAX ((size_t)64 * 1024 * 1024)

enum cluster_err secret_new(size_t n, struct secret **ret)
{
	struct secret *s;

	if (n > SECRET_MAX)
		return CLUSTER_ELIMIT;
	s = calloc(1, sizeof *s + n + 1);
	if (!s)
		return CLUSTER_ENOMEM;
	s->n = n;
	*ret = s;
	return CLUSTER_OK;
}

enum cluster_err secret_copy(const void *src, size_t n, struct secret **ret)
{
	struct secret *s;
	enum cluster_err e = secret_new(n, &s);

	if (e != CLUSTER_OK)
		return e;
	if (n)
		memcpy(s->bytes, src, n);
	*ret = s;
	return CLUSTER_OK;
}

void secret_free(struct secret *s)
{
	if (!s)
		return;
	explicit_bzero(s, sizeof *s + s->n + 1);
	free(s);
}

void secret_free_string(char *s)
{
	if (!s)
		return;
	explicit_bzero(s, strlen(s));
	free(s);
}
