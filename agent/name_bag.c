/* SPDX-License-Identifier: Apache-2.0 */
#include "name_bag.h"

#include <stdlib.h>
#include <string.h>

void name_bag_done(struct name_bag *b)
{
	free(b->at);
	*b = (struct name_bag){ .n = 0 };
}

enum cluster_err name_bag_add(struct name_bag *b, const char *name)
{
	size_t n = strnlen(name, sizeof *b->at), room = b->room ? 2 * b->room : 64;
	char (*p)[NAME_NODE_MAX + 1];

	if (n == sizeof *b->at)
		return CLUSTER_ELIMIT;
	if (b->n == b->room) {
		if (!(p = reallocarray(b->at, room, sizeof *p)))
			return CLUSTER_ENOMEM;
		b->at = p;
		b->room = room;
	}
	memcpy(b->at[b->n++], name, n + 1);
	return CLUSTER_OK;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void name_bag_sort(struct name_bag *b)
{
	if (b->n > 0)
		qsort(b->at, b->n, sizeof *b->at, compare);
}

/* How many stand before it: with `through`, or are it. */
static size_t rank(const struct name_bag *b, const char *name, int through)
{
	size_t low = 0, high = b->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(b->at[middle], name) < through)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t name_bag_count(const struct name_bag *b, const char *name)
{
	size_t first = rank(b, name, 0);

	return first < b->n && strcmp(b->at[first], name) == 0 ? rank(b, name, 1) - first : 0;
}

const char *name_bag_after(const struct name_bag *b, const char *name)
{
	size_t at = rank(b, name, 1);

	return at < b->n ? b->at[at] : NULL;
}
