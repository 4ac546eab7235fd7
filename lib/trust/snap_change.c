/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap_change.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/wr.h"
#include "snap_change_part.h"

struct snap_change {
	enum snap_kind kind;
	struct cluster_id cluster;
	struct snap_base base;
	struct snap_writer *w;
	bool clear[SNAP_SECTIONS_MAX];
	struct wr drops[SNAP_SECTIONS_MAX]; /* entries, ready */
};

enum cluster_err snap_change_new(enum snap_kind kind, const struct cluster_id *cluster, const struct snap_base *base, struct snap_change **ret)
{
	struct snap_change *c = calloc(1, sizeof *c);

	if (!c)
		return CLUSTER_ENOMEM;
	c->kind = kind;
	c->cluster = *cluster;
	c->base = *base;
	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++)
		wr_grow(&c->drops[type], SNAP_CHANGE_MAX);
	if (snap_writer_new(kind, cluster, &c->w) != CLUSTER_OK) {
		snap_change_free(c);
		return CLUSTER_ENOMEM;
	}
	*ret = c;
	return CLUSTER_OK;
}

void snap_change_free(struct snap_change *c)
{
	if (!c)
		return;
	for (uint32_t type = 1; type < SNAP_SECTIONS_MAX; type++)
		wr_done(&c->drops[type]);
	snap_writer_free(c->w);
	free(c);
}

struct snap_writer *snap_change_writer(struct snap_change *c)
{
	return c->w;
}

static bool is_records(const struct snap_change *c, uint32_t type)
{
	uint32_t records;

	return type >= 1 && type < SNAP_SECTIONS_MAX && snap_section_shape(c->kind, type, &records) == SNAP_SHAPE_RECORDS;
}

static void put_entry(struct wr *w, enum snap_change_op op, uint32_t type, const void *p, size_t n)
{
	wr_u8(w, (uint8_t)op);
	wr_u32(w, type);
	wr_u32(w, (uint32_t)n);
	if (n)
		wr_bytes(w, p, n);
}

enum cluster_err snap_change_drop(struct snap_change *c, uint32_t type, const void *key, size_t n)
{
	if (!is_records(c, type) || n > UINT16_MAX)
		return CLUSTER_EFORMAT;
	put_entry(&c->drops[type], SNAP_CHANGE_DROP, type, key, n);
	return wr_end(&c->drops[type]);
}

enum cluster_err snap_change_clear(struct snap_change *c, uint32_t type)
{
	if (!is_records(c, type))
		return CLUSTER_EFORMAT;
	c->clear[type] = true;
	return CLUSTER_OK;
}

enum cluster_err snap_change_end(struct snap_change *c, uint8_t **ret, size_t *ret_n)
{
	enum snap_shape shape;
	enum cluster_err e;
	const uint8_t *p;
	uint32_t records;
	struct wr w;
	size_t n;

	wr_grow(&w, SNAP_CHANGE_MAX);
	wr_bytes(&w, SNAP_CHANGE_MAGIC, SNAP_CHANGE_MAGIC_SIZE);
	wr_u32(&w, (uint32_t)c->kind);
	wr_bytes(&w, c->cluster.b, ID_SIZE);
	for (size_t i = 0; i < sizeof c->base.version / sizeof c->base.version[0]; i++)
		wr_u64(&w, c->base.version[i]);
	for (uint32_t type = 1; (shape = snap_section_shape(c->kind, type, &records)) != SNAP_SHAPE_UNKNOWN; type++) {
		snap_writer_section(c->w, type, &p, &n);
		if (n > SNAP_CHANGE_MAX)
			w.err = CLUSTER_ELIMIT;
		else if (shape == SNAP_SHAPE_FLAT && n)
			put_entry(&w, SNAP_CHANGE_FLAT, type, p, n);
		if (shape != SNAP_SHAPE_RECORDS || w.err != CLUSTER_OK)
			continue;
		if (c->clear[type])
			put_entry(&w, SNAP_CHANGE_CLEAR, type, NULL, 0);
		if (n)
			put_entry(&w, SNAP_CHANGE_PUT, type, p, n);
		wr_bytes(&w, c->drops[type].p, c->drops[type].n);
	}
	e = wr_take(&w, ret, ret_n);
	wr_done(&w);
	return e;
}

bool snap_change_is(const void *data, size_t n)
{
	return n >= SNAP_CHANGE_MAGIC_SIZE && memcmp(data, SNAP_CHANGE_MAGIC, SNAP_CHANGE_MAGIC_SIZE) == 0;
}
