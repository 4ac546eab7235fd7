/* SPDX-License-Identifier: Apache-2.0 */
#include "blob.h"

#include <stdlib.h>
#include <string.h>

struct blob *blob_new(const void *data, size_t n)
{
	struct blob *b = malloc(sizeof *b + n + 1);

	if (!b)
		return NULL;
	b->refs = 1;
	b->n = n;
	if (n)
		memcpy(b->bytes, data, n);
	b->bytes[n] = '\0';
	return b;
}

struct blob *blob_ref(struct blob *b)
{
	if (b)
		b->refs++;
	return b;
}

void blob_unref(struct blob *b)
{
	if (b && --b->refs == 0)
		free(b);
}
