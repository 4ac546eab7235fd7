/* SPDX-License-Identifier: Apache-2.0 */
#include "expected.h"

#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "store.h"

#define CLAIM "address:"

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static enum cluster_err add(void *ctx, const char *key, const char *value, size_t n)
{
	struct expected *x = ctx;

	(void)value;
	(void)n;
	if (x->n == x->room) {
		size_t room = x->room ? 2 * x->room : 64;
		uint64_t *grown = reallocarray(x->at, room, sizeof *grown);

		if (!grown)
			return CLUSTER_ENOMEM;
		x->at = grown;
		x->room = room;
	}
	x->at[x->n++] = limit_key(key + strlen(CLAIM));
	return CLUSTER_OK;
}

void expected_load(struct expected *x, struct store *s)
{
	x->n = 0;
	if (store_each(s, STORE_CLAIM, CLAIM, add, x) != CLUSTER_OK)
		x->n = 0;
	if (x->n)
		qsort(x->at, x->n, sizeof *x->at, compare);
}

bool expected_has(const struct expected *x, uint64_t address)
{
	return x->n && bsearch(&address, x->at, x->n, sizeof *x->at, compare);
}

void expected_done(struct expected *x)
{
	free(x->at);
	*x = (struct expected){ .at = NULL };
}
