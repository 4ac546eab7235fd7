/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap_write.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/name.h"
#include "cluster/wr.h"
#include "snap_hosts_build.h"

#define AHEAD 16

struct build {
	const struct snap_account_in **accounts;
	const struct snap_group_in **groups;
	size_t n_accounts, n_groups;
	const struct snap_member_in *pairs; /* all memberships, by name, then gid, each once */
	struct snap_member_in *own_pairs;   /* if they were not given */
	size_t n_pairs;
	uint32_t *ids, *sorted; /* room for sorting uids or gids */
	struct wr body;         /* of a group or of an account's memberships */
	struct snap_writer *w;
	struct diag *d;
};

static int compare_accounts(const void *a, const void *b)
{
	return strcmp((*(const struct snap_account_in *const *)a)->name, (*(const struct snap_account_in *const *)b)->name);
}

static int compare_groups(const void *a, const void *b)
{
	return strcmp((*(const struct snap_group_in *const *)a)->name, (*(const struct snap_group_in *const *)b)->name);
}

static int compare_numbers(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int compare_pairs(const void *a, const void *b)
{
	const struct snap_member_in *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : compare_numbers(x->gid, y->gid);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum cluster_err check_account(const struct snap_account_in *a, struct diag *d)
{
	if (!name_account_ok(a->name))
		return diag_set(d, CLUSTER_EFORMAT, "account \"%.64s\": not a name for an account", a->name ? a->name : "");
	if (name_account_reserved(a->name))
		return diag_set(d, CLUSTER_EFORMAT, "account \"%s\": the name is reserved for the system", a->name);
	if (!name_id_ok(a->uid) || !name_id_ok(a->gid))
		return diag_set(d, CLUSTER_EFORMAT, "account \"%s\": uid %u or gid %u is outside 1000..60000, 65536..2147483647", a->name, a->uid, a->gid);
	if (!name_gecos_ok(a->gecos))
		return diag_set(d, CLUSTER_EFORMAT, "account \"%s\": bad gecos", a->name);
	if (!name_path_ok(a->home))
		return diag_set(d, CLUSTER_EFORMAT, "account \"%s\": home is not an absolute path in plain form", a->name);
	if (!name_path_ok(a->shell))
		return diag_set(d, CLUSTER_EFORMAT, "account \"%s\": shell is not an absolute path in plain form", a->name);
	return CLUSTER_OK;
}

static enum cluster_err check_group(const struct snap_group_in *g, struct diag *d)
{
	if (!name_group_ok(g->name))
		return diag_set(d, CLUSTER_EFORMAT, "group \"%.64s\": not a name for a group", g->name ? g->name : "");
	if (name_group_reserved(g->name))
		return diag_set(d, CLUSTER_EFORMAT, "group \"%s\": the name is reserved for the system", g->name);
	if (!name_id_ok(g->gid))
		return diag_set(d, CLUSTER_EFORMAT, "group \"%s\": gid %u is outside 1000..60000, 65536..2147483647", g->name, g->gid);
	if (g->n_members > SNAP_GROUP_MEMBERS_MAX)
		return diag_set(d, CLUSTER_ELIMIT, "group \"%s\": %zu members, at most %u", g->name, g->n_members, SNAP_GROUP_MEMBERS_MAX);
	for (size_t i = 0; i < g->n_members; i++)
		if (!name_account_ok(g->members[i]) || name_account_reserved(g->members[i]))
			return diag_set(d, CLUSTER_EFORMAT, "group \"%s\": member \"%.64s\" is not a name for an account", g->name,
			    g->members[i] ? g->members[i] : "");
	return CLUSTER_OK;
}

/* Sorts the numbers by 16 of their bits; equal ones keep their order. */
static void sort_by_bits(const uint32_t *from, uint32_t *to, size_t n, unsigned shift)
{
	static const size_t values = 65536;
	size_t start[65536 + 1] = { 0 };

	for (size_t i = 0; i < n; i++)
		start[(from[i] >> shift) % values + 1]++;
	for (size_t v = 0; v < values; v++)
		start[v + 1] += start[v];
	for (size_t i = 0; i < n; i++)
		to[start[(from[i] >> shift) % values]++] = from[i];
}

/* The ids in b->ids, all different? Sorts them. */
static enum cluster_err check_ids(const struct build *b, size_t n, const char *what)
{
	sort_by_bits(b->ids, b->sorted, n, 0);
	sort_by_bits(b->sorted, b->ids, n, 16);
	for (size_t i = 1; i < n; i++)
		if (b->ids[i] == b->ids[i - 1])
			return diag_set(b->d, CLUSTER_EFORMAT, "%s %u is given twice", what, b->ids[i]);
	return CLUSTER_OK;
}

static bool in_order(const void *array, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	const char *p = array;

	for (size_t i = 1; i < n; i++)
		if (compare(p + (i - 1) * size, p + i * size) >= 0)
			return false;
	return true;
}

/* Sorts. False: two are equal. */
static bool put_in_order(void *array, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	if (in_order(array, n, size, compare))
		return true;
	qsort(array, n, size, compare);
	return in_order(array, n, size, compare);
}

/* The texts of accounts and memberships lie anywhere in memory: those that come soon are fetched. */
static void fetch_account(const struct snap_account_in *in, size_t i, size_t n)
{
	if (i + AHEAD >= n)
		return;
	__builtin_prefetch(in[i + AHEAD].name);
	__builtin_prefetch(in[i + AHEAD].gecos);
}

static enum cluster_err sort_accounts(struct build *b, const struct snap_account_in *in)
{
	bool sorted = true;
	enum cluster_err e;

	for (size_t i = 0; i < b->n_accounts; i++) {
		fetch_account(in, i, b->n_accounts);
		e = check_account(&in[i], b->d);
		if (e != CLUSTER_OK)
			return e;
		sorted = sorted && (i == 0 || strcmp(in[i - 1].name, in[i].name) < 0);
		b->accounts[i] = &in[i];
		b->ids[i] = in[i].uid;
	}
	if (sorted || put_in_order(b->accounts, b->n_accounts, sizeof *b->accounts, compare_accounts))
		return check_ids(b, b->n_accounts, "uid");
	for (size_t i = 1; i < b->n_accounts; i++)
		if (strcmp(b->accounts[i]->name, b->accounts[i - 1]->name) == 0)
			return diag_set(b->d, CLUSTER_EFORMAT, "account \"%s\" is there twice", b->accounts[i]->name);
	return check_ids(b, b->n_accounts, "uid");
}

static enum cluster_err sort_groups(struct build *b, const struct snap_group_in *in)
{
	enum cluster_err e;

	for (size_t i = 0; i < b->n_groups; i++) {
		e = check_group(&in[i], b->d);
		if (e != CLUSTER_OK)
			return e;
		b->groups[i] = &in[i];
		b->ids[i] = in[i].gid;
	}
	if (put_in_order(b->groups, b->n_groups, sizeof *b->groups, compare_groups))
		return check_ids(b, b->n_groups, "gid");
	for (size_t i = 1; i < b->n_groups; i++)
		if (strcmp(b->groups[i]->name, b->groups[i - 1]->name) == 0)
			return diag_set(b->d, CLUSTER_EFORMAT, "group \"%s\" is there twice", b->groups[i]->name);
	return check_ids(b, b->n_groups, "gid");
}

static bool pairs_in_order(const struct snap_member_in *pairs, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (i + AHEAD < n)
			__builtin_prefetch(pairs[i + AHEAD].name);
		if (compare_pairs(&pairs[i - 1], &pairs[i]) >= 0)
			return false;
	}
	return true;
}

static enum cluster_err collect_pairs(struct build *b, const struct snap_names *names)
{
	struct snap_member_in *pairs;
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < b->n_groups; i++)
		n += b->groups[i]->n_members;
	if (names->members && names->n_members == n && pairs_in_order(names->members, n)) {
		b->pairs = names->members;
		b->n_pairs = n;
		return CLUSTER_OK;
	}
	b->pairs = pairs = b->own_pairs = calloc(n ? n : 1, sizeof *pairs);
	if (!pairs)
		return diag_set(b->d, CLUSTER_ENOMEM, "%zu memberships", n);
	n = 0;
	for (size_t i = 0; i < b->n_groups; i++)
		for (size_t j = 0; j < b->groups[i]->n_members; j++)
			pairs[n++] = (struct snap_member_in){ .name = b->groups[i]->members[j], .gid = b->groups[i]->gid };
	qsort(pairs, n, sizeof *pairs, compare_pairs);
	for (size_t i = 0; i < n; i++)
		if (!kept || compare_pairs(&pairs[i], &pairs[kept - 1]) != 0)
			pairs[kept++] = pairs[i];
	b->n_pairs = kept;
	return CLUSTER_OK;
}

static void put_string(struct wr *body, const char *s)
{
	wr_bytes(body, s, strlen(s) + 1);
}

/* Appends the record and its keys: the name, and the id unless `by_id` is 0. */
static enum cluster_err add_record(struct build *b, uint32_t records, const struct wr *body, const char *name, uint32_t by_id, uint32_t id)
{
	uint32_t key = __builtin_bswap32(id), offset;
	enum cluster_err e;

	e = wr_end(body);
	if (e == CLUSTER_OK)
		e = snap_writer_record(b->w, records, body->p, body->n, &offset);
	if (e == CLUSTER_OK)
		e = snap_writer_key(b->w, records + 1, name, strlen(name), offset); /* the index by name follows its records */
	if (e == CLUSTER_OK && by_id)
		e = snap_writer_key(b->w, by_id, &key, sizeof key, offset);
	return e == CLUSTER_OK ? e : diag_set(b->d, e, "\"%s\" does not fit into a snapshot", name);
}

static enum cluster_err write_account(struct build *b, const struct snap_account_in *a)
{
	uint8_t data[SNAP_ACCOUNT_BODY_MAX];
	struct wr body;

	wr_init(&body, data, sizeof data);
	wr_u32(&body, a->uid);
	wr_u32(&body, a->gid);
	wr_u8(&body, (uint8_t)strlen(a->name));
	wr_u8(&body, (uint8_t)strlen(a->gecos));
	wr_u8(&body, (uint8_t)strlen(a->home));
	wr_u8(&body, (uint8_t)strlen(a->shell));
	wr_u32(&body, 0);
	put_string(&body, a->name);
	put_string(&body, a->gecos);
	put_string(&body, a->home);
	put_string(&body, a->shell);
	return add_record(b, SNAP_A_ACCOUNTS, &body, a->name, SNAP_A_BY_UID, a->uid);
}

/* The members of `g` in order, each once; *ret_n of them. The caller frees the copy. */
static const char **sorted_members(const struct snap_group_in *g, size_t *ret_n)
{
	const char **names = calloc(g->n_members ? g->n_members : 1, sizeof *names);
	size_t kept = 0;

	if (!names)
		return NULL;
	if (g->n_members)
		memcpy(names, g->members, g->n_members * sizeof *names);
	qsort(names, g->n_members, sizeof *names, compare_names);
	for (size_t i = 0; i < g->n_members; i++)
		if (!kept || strcmp(names[i], names[kept - 1]) != 0)
			names[kept++] = names[i];
	*ret_n = kept;
	return names;
}

static struct wr *begin(struct build *b, size_t limit)
{
	b->body.n = 0;
	b->body.limit = limit;
	b->body.err = CLUSTER_OK;
	return &b->body;
}

static enum cluster_err write_group(struct build *b, const struct snap_group_in *g)
{
	struct wr *body = begin(b, SNAP_GROUP_BODY_MAX);
	const char **copy = NULL;
	const char *const *members = g->members;
	size_t n = g->n_members, at;
	enum cluster_err e;

	if (!in_order(members, n, sizeof *members, compare_names)) {
		members = copy = sorted_members(g, &n);
		if (!copy)
			return diag_set(b->d, CLUSTER_ENOMEM, "group \"%s\"", g->name);
	}
	wr_u32(body, g->gid);
	wr_u32(body, (uint32_t)n);
	wr_u32(body, 0);
	wr_u8(body, (uint8_t)strlen(g->name));
	wr_zero(body, 3);
	put_string(body, g->name);
	at = body->n;
	for (size_t i = 0; i < n; i++)
		put_string(body, members[i]);
	wr_patch_u32(body, 8, (uint32_t)(body->n - at));
	for (size_t i = 0; i < n; i++)
		wr_u8(body, (uint8_t)(strlen(members[i]) + 1));
	e = add_record(b, SNAP_A_GROUPS, body, g->name, SNAP_A_GROUP_BY_GID, g->gid);
	free(copy);
	return e;
}

void snap_member_begin(struct wr *body, const char *name, size_t n)
{
	wr_u32(body, (uint32_t)n);
	wr_u8(body, (uint8_t)strlen(name));
	wr_zero(body, 3);
	put_string(body, name);
}

/* The record of the account whose memberships are pairs[0..n). */
static enum cluster_err write_member(struct build *b, const struct snap_member_in *pairs, size_t n)
{
	struct wr *body = begin(b, SNAP_RECORD_MAX);

	if (n > SNAP_MEMBER_GROUPS_MAX)
		return diag_set(b->d, CLUSTER_ELIMIT, "account \"%s\": in %zu groups, at most %u", pairs->name, n, SNAP_MEMBER_GROUPS_MAX);
	snap_member_begin(body, pairs->name, n);
	for (size_t i = 0; i < n; i++)
		wr_u32(body, pairs[i].gid);
	return add_record(b, SNAP_A_MEMBER, body, pairs->name, 0, 0);
}

static enum cluster_err write_all(struct build *b)
{
	enum cluster_err e = CLUSTER_OK;
	size_t n;

	for (size_t i = 0; e == CLUSTER_OK && i < b->n_accounts; i++) {
		if (i + AHEAD < b->n_accounts) {
			__builtin_prefetch(b->accounts[i + AHEAD]->name);
			__builtin_prefetch(b->accounts[i + AHEAD]->gecos);
		}
		e = write_account(b, b->accounts[i]);
	}
	for (size_t i = 0; e == CLUSTER_OK && i < b->n_groups; i++)
		e = write_group(b, b->groups[i]);
	for (size_t i = 0; e == CLUSTER_OK && i < b->n_pairs; i += n) {
		for (n = 1; i + n < b->n_pairs && strcmp(b->pairs[i + n].name, b->pairs[i].name) == 0; )
			n++;
		e = write_member(b, b->pairs + i, n);
	}
	return e;
}

static enum cluster_err take_memory(struct build *b, const struct cluster_id *cluster)
{
	size_t n = b->n_accounts > b->n_groups ? b->n_accounts : b->n_groups;

	b->accounts = calloc(b->n_accounts + 1, sizeof *b->accounts);
	b->groups = calloc(b->n_groups + 1, sizeof *b->groups);
	b->ids = calloc(n + 1, sizeof *b->ids);
	b->sorted = calloc(n + 1, sizeof *b->sorted);
	wr_grow(&b->body, SNAP_RECORD_MAX);
	if (!b->accounts || !b->groups || !b->ids || !b->sorted || snap_writer_new(SNAP_ACCOUNTS, cluster, &b->w) != CLUSTER_OK)
		return diag_set(b->d, CLUSTER_ENOMEM, "snapshot of %zu accounts and %zu groups", b->n_accounts, b->n_groups);
	return CLUSTER_OK;
}

/* All but the layout; the caller frees *ret. */
static enum cluster_err fill(const struct cluster_id *cluster, const struct snap_names *names, struct snap_writer **ret, struct diag *d)
{
	struct build b = { .n_accounts = names->n_accounts, .n_groups = names->n_groups, .d = d };
	enum cluster_err e;

	e = take_memory(&b, cluster);
	if (e == CLUSTER_OK)
		e = sort_accounts(&b, names->accounts);
	if (e == CLUSTER_OK)
		e = sort_groups(&b, names->groups);
	if (e == CLUSTER_OK)
		e = collect_pairs(&b, names);
	if (e == CLUSTER_OK)
		e = write_all(&b);
	if (e == CLUSTER_OK)
		e = snap_hosts_build(names->nodes, names->n_nodes, b.w, d);
	if (e == CLUSTER_OK)
		*ret = b.w;
	else
		snap_writer_free(b.w);
	wr_done(&b.body);
	free(b.own_pairs);
	free(b.sorted);
	free(b.ids);
	free(b.groups);
	free(b.accounts);
	return e;
}

enum cluster_err snap_accounts_build(const struct cluster_id *cluster, const struct snap_names *names, uint8_t **ret, size_t *ret_n, struct diag *d)
{
	struct snap_writer *w = NULL;
	enum cluster_err e = fill(cluster, names, &w, d);

	if (e == CLUSTER_OK)
		e = snap_writer_end(w, ret, ret_n, d);
	snap_writer_free(w);
	return e;
}

enum cluster_err snap_accounts_put(const struct cluster_id *cluster, const struct snap_names *names, const struct snap_sink *sink, struct diag *d)
{
	struct snap_writer *w = NULL;
	enum cluster_err e = fill(cluster, names, &w, d);

	if (e == CLUSTER_OK)
		e = snap_writer_put(w, sink, d);
	snap_writer_free(w);
	return e;
}
