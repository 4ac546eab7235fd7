/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/wr.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 256

void wr_init(struct wr *w, void *dst, size_t size)
{
	*w = (struct wr){ .p = dst, .size = size, .limit = size };
}

void wr_grow(struct wr *w, size_t limit)
{
	*w = (struct wr){ .limit = limit, .owned = 1 };
}

void wr_done(struct wr *w)
{
	if (!w->owned)
		return;
	if (w->p) {
		explicit_bzero(w->p, w->size);
		free(w->p);
	}
	*w = (struct wr){ .limit = w->limit, .owned = 1 };
}

/* Moves to a larger block. The old one is wiped, which realloc() would not do. */
static enum cluster_err enlarge(struct wr *w, size_t want)
{
	size_t size = w->size ? w->size : FIRST_ROOM;
	uint8_t *p;

	while (size < want)
		size = size > w->limit / 2 ? w->limit : size * 2;
	if (size > w->limit)
		size = w->limit;
	p = malloc(size);
	if (!p)
		return CLUSTER_ENOMEM;
	if (w->p) {
		memcpy(p, w->p, w->n);
		explicit_bzero(w->p, w->size);
		free(w->p);
	}
	w->p = p;
	w->size = size;
	return CLUSTER_OK;
}

/* Room for `n` more bytes, or NULL with the failure recorded. */
static uint8_t *room(struct wr *w, size_t n)
{
	if (w->err != CLUSTER_OK)
		return NULL;
	if (n > w->limit - w->n) {
		w->err = CLUSTER_ELIMIT;
		return NULL;
	}
	if (n > w->size - w->n && (w->err = enlarge(w, w->n + n)) != CLUSTER_OK)
		return NULL;
	return w->p + w->n;
}

void wr_bytes(struct wr *w, const void *src, size_t n)
{
	uint8_t *dst;

	if (!n || !(dst = room(w, n)))
		return;
	memcpy(dst, src, n);
	w->n += n;
}

void wr_u8(struct wr *w, uint8_t v)
{
	wr_bytes(w, &v, 1);
}

void wr_u16(struct wr *w, uint16_t v)
{
	const uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	wr_bytes(w, b, sizeof b);
}

void wr_u32(struct wr *w, uint32_t v)
{
	const uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	wr_bytes(w, b, sizeof b);
}

void wr_u64(struct wr *w, uint64_t v)
{
	uint8_t b[8];

	for (size_t i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> (56 - 8 * i));
	wr_bytes(w, b, sizeof b);
}

void wr_zero(struct wr *w, size_t n)
{
	uint8_t *dst;

	if (!n || !(dst = room(w, n)))
		return;
	memset(dst, 0, n);
	w->n += n;
}

void wr_align(struct wr *w, size_t align)
{
	wr_zero(w, (align - (w->n & (align - 1))) & (align - 1));
}

static size_t string_length(struct wr *w, const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);

	if (n > max && w->err == CLUSTER_OK)
		w->err = CLUSTER_ELIMIT;
	return n;
}

void wr_str8(struct wr *w, const char *s)
{
	size_t n = string_length(w, s, UINT8_MAX);

	wr_u8(w, (uint8_t)n);
	wr_bytes(w, s, n);
}

void wr_str16(struct wr *w, const char *s)
{
	size_t n = string_length(w, s, UINT16_MAX);

	wr_u16(w, (uint16_t)n);
	wr_bytes(w, s, n);
}

void wr_text(struct wr *w, const char *s)
{
	wr_bytes(w, s, strlen(s));
}

void wr_printf(struct wr *w, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	if (w->err != CLUSTER_OK)
		return;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		w->err = CLUSTER_ENOMEM;
		return;
	}
	wr_bytes(w, text, (size_t)n);
	explicit_bzero(text, (size_t)n);
	free(text);
}

void wr_patch_u32(struct wr *w, size_t at, uint32_t v)
{
	if (w->err != CLUSTER_OK)
		return;
	if (w->n < 4 || at > w->n - 4) {
		w->err = CLUSTER_ELIMIT;
		return;
	}
	for (size_t i = 0; i < 4; i++)
		w->p[at + i] = (uint8_t)(v >> (24 - 8 * i));
}

void wr_terminate(struct wr *w)
{
	uint8_t *dst = room(w, 1);

	if (dst)
		*dst = '\0';
}

enum cluster_err wr_end(const struct wr *w)
{
	return w->err;
}

enum cluster_err wr_take(struct wr *w, uint8_t **ret, size_t *ret_n)
{
	size_t n = w->n;
	uint8_t *p;

	if (!w->owned && w->err == CLUSTER_OK)
		w->err = CLUSTER_ECONFIG;
	if (w->err == CLUSTER_OK && !w->p)
		(void)room(w, w->limit ? 1 : 0);
	if (w->err != CLUSTER_OK)
		return w->err;
	p = w->p;
	*w = (struct wr){ .limit = w->limit, .owned = 1 };
	*ret_n = n;
	*ret = p;
	return CLUSTER_OK;
}
