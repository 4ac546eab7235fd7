/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "snap_change_part.h"

/* A walk through one section. */
struct side {
	const struct snap *s;
	uint32_t type;
	uint64_t cursor;
	bool there;
	struct rd body;
	struct snap_text key;
};

static enum cluster_err next(struct side *x)
{
	enum cluster_err e = snap_each(x->s, x->type, &x->cursor, &x->body);

	x->there = e == CLUSTER_OK;
	if (x->there && !snap_keys_order(x->s->kind, x->type, &x->body, &x->key))
		return CLUSTER_EFORMAT;
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

static enum cluster_err put(struct snap_change *c, uint32_t type, const struct rd *body)
{
	uint32_t offset;

	return snap_writer_record(snap_change_writer(c), type, body->p, body->n, &offset);
}

static enum cluster_err put_all(struct snap_change *c, uint32_t type, const struct snap *is)
{
	enum cluster_err e = snap_change_clear(c, type);
	uint64_t cursor = 0;
	struct rd body;

	while (e == CLUSTER_OK && (e = snap_each(is, type, &cursor, &body)) == CLUSTER_OK)
		e = put(c, type, &body);
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

enum cluster_err snap_change_diff(struct snap_change *c, uint32_t type, const struct snap *was, const struct snap *is)
{
	const struct snap_section *x = &was->section[type], *y = &is->section[type];
	struct side a = { .s = was, .type = type }, b = { .s = is, .type = type };
	enum cluster_err e;
	int order;

	if (x->n == y->n && (x->n == 0 || memcmp(x->p, y->p, x->n) == 0))
		return CLUSTER_OK;
	if (is->kind == SNAP_ACCOUNTS && (type == SNAP_A_HOSTS || type == SNAP_A_ADDRESSES))
		return put_all(c, type, is);
	if ((e = next(&a)) == CLUSTER_OK)
		e = next(&b);
	while (e == CLUSTER_OK && (a.there || b.there)) {
		order = !b.there ? -1 : !a.there ? 1 : snap_keys_compare(&a.key, &b.key);
		if (order < 0)
			e = snap_change_drop(c, type, a.key.p, a.key.n);
		else if (order > 0 || a.body.n != b.body.n || memcmp(a.body.p, b.body.p, a.body.n) != 0)
			e = put(c, type, &b.body);
		if (e == CLUSTER_OK && order <= 0)
			e = next(&a);
		if (e == CLUSTER_OK && order >= 0)
			e = next(&b);
	}
	return e;
}
