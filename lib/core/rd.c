/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/rd.h"

#include <string.h>

void rd_init(struct rd *r, const void *data, size_t n)
{
	r->p = data;
	r->n = data ? n : 0;
}

size_t rd_left(const struct rd *r)
{
	return r->n;
}

/* The next `n` bytes, and the cursor past them. */
static const uint8_t *take(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (n) {
		r->p += n;
		r->n -= n;
	}
	return p;
}

enum cluster_err rd_u8(struct rd *r, uint8_t *ret)
{
	if (r->n < 1)
		return CLUSTER_ETRUNC;
	*ret = *take(r, 1);
	return CLUSTER_OK;
}

enum cluster_err rd_u16(struct rd *r, uint16_t *ret)
{
	const uint8_t *p;

	if (r->n < 2)
		return CLUSTER_ETRUNC;
	p = take(r, 2);
	*ret = (uint16_t)(p[0] << 8 | p[1]);
	return CLUSTER_OK;
}

enum cluster_err rd_u32(struct rd *r, uint32_t *ret)
{
	const uint8_t *p;

	if (r->n < 4)
		return CLUSTER_ETRUNC;
	p = take(r, 4);
	*ret = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
	return CLUSTER_OK;
}

enum cluster_err rd_u64(struct rd *r, uint64_t *ret)
{
	const uint8_t *p;
	uint64_t v = 0;

	if (r->n < 8)
		return CLUSTER_ETRUNC;
	p = take(r, 8);
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | p[i];
	*ret = v;
	return CLUSTER_OK;
}

enum cluster_err rd_bytes(struct rd *r, void *dst, size_t size, size_t n)
{
	if (n > r->n)
		return CLUSTER_ETRUNC;
	if (n > size)
		return CLUSTER_ELIMIT;
	if (n)
		memcpy(dst, take(r, n), n);
	return CLUSTER_OK;
}

enum cluster_err rd_view(struct rd *r, size_t n, const uint8_t **ret)
{
	if (n > r->n)
		return CLUSTER_ETRUNC;
	*ret = take(r, n);
	return CLUSTER_OK;
}

enum cluster_err rd_sub(struct rd *r, size_t n, struct rd *ret)
{
	if (n > r->n)
		return CLUSTER_ETRUNC;
	rd_init(ret, take(r, n), n);
	return CLUSTER_OK;
}

/* `r` stands after the length; on failure the caller puts it back. */
static enum cluster_err copy_string(struct rd *r, char *dst, size_t size, size_t n)
{
	if (n > r->n)
		return CLUSTER_ETRUNC;
	if (n >= size)
		return CLUSTER_ELIMIT;
	if (n && memchr(r->p, '\0', n))
		return CLUSTER_EFORMAT;
	if (n)
		memcpy(dst, take(r, n), n);
	dst[n] = '\0';
	return CLUSTER_OK;
}

enum cluster_err rd_str8(struct rd *r, char *dst, size_t size)
{
	struct rd at = *r;
	enum cluster_err e;
	uint8_t n;

	if ((e = rd_u8(&at, &n)) != CLUSTER_OK || (e = copy_string(&at, dst, size, n)) != CLUSTER_OK)
		return e;
	*r = at;
	return CLUSTER_OK;
}

enum cluster_err rd_str16(struct rd *r, char *dst, size_t size)
{
	struct rd at = *r;
	enum cluster_err e;
	uint16_t n;

	if ((e = rd_u16(&at, &n)) != CLUSTER_OK || (e = copy_string(&at, dst, size, n)) != CLUSTER_OK)
		return e;
	*r = at;
	return CLUSTER_OK;
}

enum cluster_err rd_end(const struct rd *r)
{
	return r->n ? CLUSTER_EFORMAT : CLUSTER_OK;
}
