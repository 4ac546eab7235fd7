/* SPDX-License-Identifier: Apache-2.0 */
#include "trust_snap_build.h"

#include <stdlib.h>
#include <string.h>

#define SUBJECT_MAX (1 + NAME_ROLE_MAX)
_Static_assert(SUBJECT_MAX >= 1 + ID_SIZE, "ids are shorter than role names");

/* One grant to one subject for one account: `key` begins the record, equal keys share it. */
struct grant_row {
	uint8_t key[SUBJECT_MAX + 1 + NAME_ACCOUNT_MAX];
	size_t key_n;
	const struct directory_grant *grant;
};

/* One account that one subject may hop to somewhere. */
struct hop_row {
	uint8_t key[SUBJECT_MAX];
	size_t key_n;
	const char *account;
};

/* Whom the grant is to; `node`: one of those that a grant from nodes names. */
static size_t put_subject(uint8_t key[SUBJECT_MAX], const struct directory_grant *g, const struct directory_node *node)
{
	const void *subject = g->n_from ? (const void *)node->id.b : g->to_role ? (const void *)g->role : g->person.b;
	size_t n = g->to_role ? strlen(g->role) : ID_SIZE;

	key[0] = g->n_from ? TRUST_NODE : g->to_role ? TRUST_ROLE : TRUST_PERSON;
	memcpy(key + 1, subject, n);
	return 1 + n;
}

/* ---- GRANTS ---- */

static void add_rows(struct grant_row *row, size_t *n, const struct directory_grant *g, const struct directory_node *node)
{
	for (size_t i = 0; i < g->n_accounts; i++) {
		struct grant_row *r = &row[(*n)++];
		size_t account_n = strlen(g->accounts[i]);

		r->grant = g;
		r->key_n = put_subject(r->key, g, node);
		r->key[r->key_n++] = 0;
		memcpy(r->key + r->key_n, g->accounts[i], account_n);
		r->key_n += account_n;
	}
}

static int compare_grant(const void *a, const void *b)
{
	const struct grant_row *x = a, *y = b;
	int c = trust_key_order(x->key, x->key_n, y->key, y->key_n);

	return c ? c : memcmp(x->grant->id.b, y->grant->id.b, ID_SIZE);
}

/* How many nodes a grant from nodes names. */
static size_t count_from(const struct directory *dir, const struct directory_grant *g)
{
	size_t n = 0;

	for (size_t i = 0; i < dir->n_nodes; i++)
		n += directory_select(g->from, g->n_from, &dir->nodes[i]);
	return n;
}

/* Rows of every grant that holds on this node, sorted. The caller frees *ret. */
static enum cluster_err collect_grants(const struct trust_builder *b, struct grant_row **ret, size_t *ret_n)
{
	const struct directory *dir = b->from->dir;
	struct grant_row *row;
	size_t n = 0;

	for (size_t i = 0; i < dir->n_grants; i++) {
		const struct directory_grant *g = &dir->grants[i];

		if (directory_select(g->nodes, g->n_nodes, b->node))
			n += g->n_accounts * (g->n_from ? count_from(dir, g) : 1);
	}
	if (!(row = calloc(n + 1, sizeof *row)))
		return CLUSTER_ENOMEM;
	n = 0;
	for (size_t i = 0; i < dir->n_grants; i++) {
		const struct directory_grant *g = &dir->grants[i];

		if (!directory_select(g->nodes, g->n_nodes, b->node))
			continue;
		if (!g->n_from)
			add_rows(row, &n, g, NULL);
		for (size_t k = 0; g->n_from && k < dir->n_nodes; k++)
			if (directory_select(g->from, g->n_from, &dir->nodes[k]))
				add_rows(row, &n, g, &dir->nodes[k]);
	}
	qsort(row, n, sizeof *row, compare_grant);
	*ret = row;
	*ret_n = n;
	return CLUSTER_OK;
}

/* One record of `n` grants with one key. */
static enum cluster_err build_grant(struct trust_builder *b, const struct grant_row *row, size_t n)
{
	const struct directory_grant *g;
	struct wr *w = &b->body;
	enum cluster_err e;
	uint32_t offset;
	size_t i;

	if (n > UINT16_MAX)
		return diag_set(b->d, CLUSTER_ELIMIT, "more than 65535 grants of one subject for one account");
	trust_begin(b, SNAP_RECORD_MAX);
	wr_u16(w, (uint16_t)row->key_n);
	wr_bytes(w, row->key, row->key_n);
	wr_u16(w, (uint16_t)n);
	for (i = 0; i < n; i++) {
		g = row[i].grant;
		wr_bytes(w, g->id.b, ID_SIZE);
		wr_u8(w, (uint8_t)((g->sudo ? 1 : 0) | (g->hop ? 2 : 0) | (g->onetime ? 4 : 0) | (g->end_at_expiry ? 8 : 0)));
		wr_u8(w, (uint8_t)g->on_revoke);
		wr_u32(w, g->ttl);
	}
	if ((e = trust_end_record(b, SNAP_T_GRANTS, &offset)) != CLUSTER_OK)
		return e;
	return snap_writer_key(b->w, SNAP_T_GRANT_BY_KEY, row->key, row->key_n, offset);
}

enum cluster_err trust_build_grants(struct trust_builder *b)
{
	struct grant_row *row = NULL;
	enum cluster_err e;
	size_t i, end, n;

	if ((e = collect_grants(b, &row, &n)) != CLUSTER_OK)
		return e;
	for (i = 0; i < n && e == CLUSTER_OK; i = end) {
		for (end = i + 1; end < n && trust_key_order(row[i].key, row[i].key_n, row[end].key, row[end].key_n) == 0; end++)
			;
		e = build_grant(b, row + i, end - i);
	}
	free(row);
	return e;
}

/* ---- HOPS ---- */

static int compare_subject(const struct hop_row *x, const struct hop_row *y)
{
	return trust_key_order(x->key, x->key_n, y->key, y->key_n);
}

static int compare_hop(const void *a, const void *b)
{
	const struct hop_row *x = a, *y = b;
	int c = compare_subject(x, y);

	return c ? c : strcmp(x->account, y->account);
}

/* Of grants from nodes those from this one only: it is the one that asks. */
static bool hop_counts(const struct trust_builder *b, const struct directory_grant *g)
{
	return g->hop && (!g->n_from || directory_select(g->from, g->n_from, b->node));
}

/* Sorted; the caller frees *ret. */
static enum cluster_err collect_hops(const struct trust_builder *b, struct hop_row **ret, size_t *ret_n)
{
	const struct directory *dir = b->from->dir;
	struct hop_row *row;
	size_t n = 0;

	for (size_t i = 0; i < dir->n_grants; i++)
		n += hop_counts(b, &dir->grants[i]) ? dir->grants[i].n_accounts : 0;
	if (!(row = calloc(n + 1, sizeof *row)))
		return CLUSTER_ENOMEM;
	n = 0;
	for (size_t i = 0; i < dir->n_grants; i++) {
		const struct directory_grant *g = &dir->grants[i];

		for (size_t k = 0; k < g->n_accounts && hop_counts(b, g); k++, n++) {
			row[n].key_n = put_subject(row[n].key, g, b->node);
			row[n].account = g->accounts[k];
		}
	}
	qsort(row, n, sizeof *row, compare_hop);
	*ret = row;
	*ret_n = n;
	return CLUSTER_OK;
}

/* One record of `n` rows of one subject, each account once. */
static enum cluster_err build_hop(struct trust_builder *b, const struct hop_row *row, size_t n)
{
	const char *accounts[TRUST_HOPS_MAX];
	struct wr *w = &b->body;
	enum cluster_err e;
	size_t count = 0;
	uint32_t offset;

	for (size_t i = 0; i < n && count < TRUST_HOPS_MAX; i++)
		if (count == 0 || strcmp(accounts[count - 1], row[i].account) != 0)
			accounts[count++] = row[i].account;
	trust_begin(b, SNAP_RECORD_MAX);
	wr_u16(w, (uint16_t)row->key_n);
	wr_bytes(w, row->key, row->key_n);
	wr_u8(w, (uint8_t)count);
	for (size_t i = 0; i < count; i++)
		wr_str8(w, accounts[i]);
	if ((e = trust_end_record(b, SNAP_T_HOPS, &offset)) != CLUSTER_OK)
		return e;
	return snap_writer_key(b->w, SNAP_T_HOP_BY_KEY, row->key, row->key_n, offset);
}

enum cluster_err trust_build_hops(struct trust_builder *b)
{
	struct hop_row *row = NULL;
	enum cluster_err e;
	size_t i, end, n;

	if ((e = collect_hops(b, &row, &n)) != CLUSTER_OK)
		return e;
	for (i = 0; i < n && e == CLUSTER_OK; i = end) {
		for (end = i + 1; end < n && compare_subject(&row[i], &row[end]) == 0; end++)
			;
		e = build_hop(b, row + i, end - i);
	}
	free(row);
	return e;
}
