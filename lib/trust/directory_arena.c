/* SPDX-License-Identifier: Apache-2.0 */
#include "directory_records.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 8192
#define ALIGN (sizeof(max_align_t))

struct block {
	struct block *next;
	size_t n, size;
	_Alignas(max_align_t) unsigned char bytes[];
};

struct directory_arena {
	size_t refs;
	struct block *block;
};

struct directory_arena *directory_arena_new(void)
{
	struct directory_arena *a = calloc(1, sizeof *a);

	if (a)
		a->refs = 1;
	return a;
}

struct directory_arena *directory_arena_ref(struct directory_arena *a)
{
	a->refs++;
	return a;
}

void directory_arena_unref(struct directory_arena *a)
{
	if (!a || --a->refs > 0)
		return;
	while (a->block) {
		struct block *b = a->block;

		a->block = b->next;
		free(b);
	}
	free(a);
}

/* `align` is a power of two. */
static void *take(struct directory_arena *a, size_t n, size_t align)
{
	struct block *b = a->block;
	size_t at = b ? (b->n + align - 1) & ~(align - 1) : 0, size;

	if (!b || at > b->size || n > b->size - at) {
		size = n > BLOCK_SIZE ? n : BLOCK_SIZE;
		if (size > SIZE_MAX - sizeof *b || !(b = malloc(sizeof *b + size)))
			return NULL;
		*b = (struct block){ .next = a->block, .size = size };
		a->block = b;
		at = 0;
	}
	b->n = at + n;
	return b->bytes + at;
}

void *directory_arena_zeroed(struct directory_arena *a, size_t n, size_t size)
{
	void *p = size && n > SIZE_MAX / size ? NULL : take(a, n * size, ALIGN);

	if (p)
		memset(p, 0, n * size);
	return p;
}

char *directory_arena_text(struct directory_arena *a, const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = take(a, n, 1);

	if (p)
		memcpy(p, s, n);
	return p;
}
