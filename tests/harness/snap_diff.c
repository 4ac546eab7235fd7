/* SPDX-License-Identifier: Apache-2.0 */
#include "snap_diff.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/wr.h"

/* What orders a record: the key of the index behind its section. Written apart from lib/trust/snap_keys.c, on purpose. */
static void key_of(enum snap_kind kind, uint32_t type, const struct rd *b, const uint8_t **p, size_t *n)
{
	static const struct {
		size_t length, at;
	} accounts[] = { [SNAP_A_ACCOUNTS] = { 8, 16 }, [SNAP_A_GROUPS] = { 12, 16 }, [SNAP_A_MEMBER] = { 4, 8 } };

	if (kind == SNAP_ACCOUNTS) {
		*p = b->p + accounts[type].at;
		*n = b->p[accounts[type].length];
	} else if (type == SNAP_T_PEOPLE || type == SNAP_T_NODES) {
		*p = b->p;
		*n = 16;
	} else if (type == SNAP_T_HOSTKEYS) {
		*p = b->p;
		*n = 32;
	} else if (type == SNAP_T_ACCOUNTS) {
		*p = b->p + 1;
		*n = b->p[0];
	} else {
		*p = b->p + 2;
		*n = snap_be16(b->p);
	}
}

static int compare(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
	int c = memcmp(a, b, a_n < b_n ? a_n : b_n);

	return c ? c : (a_n > b_n) - (a_n < b_n);
}

static enum cluster_err put(struct snap_change *c, uint32_t type, const struct rd *body)
{
	uint32_t offset;

	return snap_writer_record(snap_change_writer(c), type, body->p, body->n, &offset);
}

static enum cluster_err whole(struct snap_change *c, uint32_t type, const struct snap *to)
{
	enum cluster_err e = snap_change_clear(c, type);
	uint64_t cursor = 0;
	struct rd body;

	while (e == CLUSTER_OK && (e = snap_each(to, type, &cursor, &body)) == CLUSTER_OK)
		e = put(c, type, &body);
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

static enum cluster_err records(struct snap_change *c, uint32_t type, const struct snap *from, const struct snap *to)
{
	const uint8_t *was_key = NULL, *is_key = NULL;
	uint64_t old = 0, new = 0;
	struct rd was, is;
	size_t was_n = 0, is_n = 0;
	enum cluster_err e = CLUSTER_OK;
	bool has_old = snap_each(from, type, &old, &was) == CLUSTER_OK, has_new = snap_each(to, type, &new, &is) == CLUSTER_OK;

	while (e == CLUSTER_OK && (has_old || has_new)) {
		int order = has_old ? -1 : 1;

		if (has_old)
			key_of(from->kind, type, &was, &was_key, &was_n);
		if (has_new)
			key_of(to->kind, type, &is, &is_key, &is_n);
		if (has_old && has_new)
			order = compare(was_key, was_n, is_key, is_n);
		if (order < 0)
			e = snap_change_drop(c, type, was_key, was_n);
		else if (order > 0 || was.n != is.n || memcmp(was.p, is.p, is.n) != 0)
			e = put(c, type, &is);
		if (order <= 0)
			has_old = snap_each(from, type, &old, &was) == CLUSTER_OK;
		if (order >= 0)
			has_new = snap_each(to, type, &new, &is) == CLUSTER_OK;
	}
	return e;
}

static enum cluster_err section(struct snap_change *c, uint32_t type, const struct snap *from, const struct snap *to)
{
	const struct snap_section *a = &from->section[type], *b = &to->section[type];
	enum snap_shape shape;
	uint32_t of;

	shape = snap_section_shape(from->kind, type, &of);
	if (shape == SNAP_SHAPE_FLAT)
		return snap_writer_flat(snap_change_writer(c), type, b->p, b->n);
	if (shape != SNAP_SHAPE_RECORDS || (a->n == b->n && memcmp(a->p, b->p, a->n) == 0))
		return CLUSTER_OK;
	if ((from->kind == SNAP_ACCOUNTS && type >= SNAP_A_HOSTS) || (from->kind == SNAP_TRUST && type == SNAP_T_GRANTS))
		return whole(c, type, to);
	return records(c, type, from, to);
}

enum cluster_err snap_diff(const struct snap *from, const struct snap *to, const struct snap_base *base, uint8_t **ret, size_t *ret_n)
{
	struct snap_change *c = NULL;
	enum cluster_err e;
	uint32_t of;

	e = snap_change_new(from->kind, &from->cluster, base, &c);
	for (uint32_t type = 1; e == CLUSTER_OK && snap_section_shape(from->kind, type, &of) != SNAP_SHAPE_UNKNOWN; type++)
		e = section(c, type, from, to);
	if (e == CLUSTER_OK)
		e = snap_change_end(c, ret, ret_n);
	snap_change_free(c);
	return e;
}

static enum cluster_err into(void *ctx, const void *p, size_t n)
{
	wr_bytes(ctx, p, n);
	return wr_end(ctx);
}

enum cluster_err snap_diff_apply(const struct snap *old, const uint8_t *change, size_t n, enum cluster_err *ret_checked, uint8_t **ret, size_t *ret_n)
{
	struct snap_merge *m = NULL;
	struct snap now;
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, (size_t)1 << 30);
	if ((e = snap_merge_new(old, change, n, &m, NULL)) != CLUSTER_OK || (e = snap_merge_put(m, &(struct snap_sink){ .put = into, .ctx = &w }, NULL)) != CLUSTER_OK ||
	    (e = snap_parse(w.p, w.n, old->kind, &now)) != CLUSTER_OK)
		goto out;
	*ret_checked = snap_merge_check(m, &now, NULL);
	e = wr_take(&w, ret, ret_n);
out:
	snap_merge_free(m);
	wr_done(&w);
	return e;
}
