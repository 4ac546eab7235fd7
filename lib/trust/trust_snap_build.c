/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/trust_snap.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/snap_write.h"
#include "cluster/wr.h"

#define FLAT_MAX (1u << 20)

/* One grant to one subject for one account: `key` begins the record, equal keys share it. */
struct grant_row {
	uint8_t key[1 + NAME_ROLE_MAX + 1 + NAME_ACCOUNT_MAX];
	size_t key_n;
	const struct directory_grant *grant;
};

struct revoked_row {
	uint8_t key[REVOKE_KEY_MAX];
	size_t key_n;
	const struct revoke_entry *entry;
};

struct builder {
	const struct trust_documents *from;
	const struct directory_node *node;
	struct snap_writer *w;
	struct wr body; /* the record being made */
	struct diag *d;
};

static int key_order(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
	int c = memcmp(a, b, a_n < b_n ? a_n : b_n);

	return c ? c : (a_n > b_n) - (a_n < b_n);
}

/* The number of the record that comes i-th in an order of n, if the directory has it. */
static size_t record_at(const struct builder *b, enum directory_order o, size_t n, size_t i)
{
	const struct directory_sorted *s = &b->from->dir->order[o];

	return s->at && s->n == n && s->at[i].record < n ? s->at[i].record : i;
}

static bool in_order(const void *array, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	const char *p = array;

	for (size_t i = 1; i < n; i++)
		if (compare(p + (i - 1) * size, p + i * size) > 0)
			return false;
	return true;
}

static void put_i64(struct wr *w, int64_t v)
{
	wr_u64(w, v < 0 ? 0 : (uint64_t)v);
}

static void put_roles(struct wr *w, char (*roles)[NAME_ROLE_MAX + 1], size_t n)
{
	size_t i;

	wr_u8(w, (uint8_t)n);
	for (i = 0; i < n; i++)
		wr_str8(w, roles[i]);
}

static void begin(struct builder *b, size_t limit)
{
	b->body.n = 0;
	b->body.limit = limit;
	b->body.err = CLUSTER_OK;
}

static enum cluster_err end_flat(struct builder *b, enum snap_trust_section type)
{
	enum cluster_err e;

	if ((e = wr_end(&b->body)) != CLUSTER_OK)
		return diag_set(b->d, e, "trust.snap: section %d: %s", (int)type, err_name(e));
	return snap_writer_flat(b->w, (uint32_t)type, b->body.p, b->body.n);
}

static enum cluster_err end_record(struct builder *b, enum snap_trust_section type, uint32_t *ret_offset)
{
	enum cluster_err e;

	if ((e = wr_end(&b->body)) != CLUSTER_OK)
		return diag_set(b->d, e, "trust.snap: a record of section %d: %s", (int)type, err_name(e));
	return snap_writer_record(b->w, (uint32_t)type, b->body.p, b->body.n, ret_offset);
}

static enum cluster_err build_self(struct builder *b)
{
	const struct directory_node *n = b->node;
	struct wr *w = &b->body;

	if (n->n_roles > DIRECTORY_ROLES_MAX)
		return diag_set(b->d, CLUSTER_ELIMIT, "node %s has more than %d roles", n->name, DIRECTORY_ROLES_MAX);
	begin(b, FLAT_MAX);
	wr_bytes(w, n->id.b, ID_SIZE);
	wr_bytes(w, n->hostkey_hash, sizeof n->hostkey_hash);
	put_i64(w, b->from->keyset->version);
	put_i64(w, b->from->dir->version);
	put_i64(w, b->from->revocations->version);
	wr_u32(w, b->from->dir->max_stale);
	wr_u32(w, b->from->dir->skew);
	wr_u32(w, b->from->dir->sudo_fresh);
	wr_str8(w, n->name);
	wr_str8(w, b->from->root->name);
	put_roles(w, n->roles, n->n_roles);
	return end_flat(b, SNAP_T_SELF);
}

static int compare_key(const void *a, const void *b)
{
	return strcmp((*(const struct keyring_key *const *)a)->kid, (*(const struct keyring_key *const *)b)->kid);
}

static enum cluster_err build_keys(struct builder *b)
{
	const struct keyring *ring = &b->from->keyset->ring;
	const struct keyring_key *order[KEYRING_MAX];
	struct wr *w = &b->body;
	size_t i, n;

	for (i = 0; i < ring->n; i++)
		order[i] = &ring->key[i];
	qsort(order, ring->n, sizeof order[0], compare_key);
	begin(b, FLAT_MAX);
	wr_u16(w, (uint16_t)ring->n);
	for (i = 0; i < ring->n; i++) {
		n = crypto_pub_size(order[i]->pub.alg);
		wr_str8(w, order[i]->kid);
		wr_u8(w, (uint8_t)order[i]->role);
		wr_u8(w, (uint8_t)order[i]->pub.alg);
		wr_u8(w, (uint8_t)n);
		wr_bytes(w, order[i]->pub.bytes, n);
		put_i64(w, order[i]->nbf);
		put_i64(w, order[i]->exp);
	}
	return end_flat(b, SNAP_T_KEYS);
}

static int compare_person(const void *a, const void *b)
{
	return memcmp((*(const struct directory_person *const *)a)->id.b, (*(const struct directory_person *const *)b)->id.b, ID_SIZE);
}

static enum cluster_err build_person(struct builder *b, const struct directory_person *p)
{
	uint8_t thumbprint[CRYPTO_SHA256_SIZE];
	struct wr *w = &b->body;
	enum cluster_err e;
	uint32_t offset;
	size_t i;

	if (p->n_roles > DIRECTORY_ROLES_MAX || p->n_devices > UINT16_MAX)
		return diag_set(b->d, CLUSTER_ELIMIT, "person %s has too many roles or devices", p->name);
	begin(b, SNAP_RECORD_MAX);
	wr_bytes(w, p->id.b, ID_SIZE);
	wr_u8(w, (uint8_t)((p->disabled ? 1 : 0) | (p->admin ? 2 : 0)));
	wr_str8(w, p->name);
	put_roles(w, p->roles, p->n_roles);
	wr_u16(w, (uint16_t)p->n_devices);
	for (i = 0; i < p->n_devices; i++) {
		if (b64_decode_exact(p->devices[i].jkt, strlen(p->devices[i].jkt), thumbprint, sizeof thumbprint) != CLUSTER_OK)
			return diag_set(b->d, CLUSTER_EFORMAT, "person %s has a device without a thumbprint", p->name);
		wr_bytes(w, p->devices[i].id.b, ID_SIZE);
		wr_bytes(w, thumbprint, sizeof thumbprint);
	}
	if ((e = end_record(b, SNAP_T_PEOPLE, &offset)) != CLUSTER_OK ||
	    (e = snap_writer_key(b->w, SNAP_T_PERSON_BY_ID, p->id.b, ID_SIZE, offset)) != CLUSTER_OK)
		return e;
	return snap_writer_key(b->w, SNAP_T_PERSON_BY_NAME, p->name, strlen(p->name), offset);
}

static enum cluster_err build_people(struct builder *b)
{
	const struct directory_person **order = NULL;
	enum cluster_err e = CLUSTER_OK;
	size_t i, n = b->from->dir->n_people;

	order = calloc(n + 1, sizeof *order);
	if (!order)
		return CLUSTER_ENOMEM;
	for (i = 0; i < n; i++)
		order[i] = &b->from->dir->people[record_at(b, DIRECTORY_BY_PERSON, n, i)];
	if (!in_order(order, n, sizeof *order, compare_person))
		qsort(order, n, sizeof *order, compare_person);
	for (i = 0; i < n && e == CLUSTER_OK; i++)
		e = build_person(b, order[i]);
	free(order);
	return e;
}

static int compare_account(const void *a, const void *b)
{
	return strcmp((*(const struct directory_account *const *)a)->name, (*(const struct directory_account *const *)b)->name);
}

static enum cluster_err build_accounts(struct builder *b)
{
	const struct directory_account **order = NULL;
	enum cluster_err e = CLUSTER_OK;
	size_t i, n = b->from->dir->n_accounts;
	uint32_t offset;

	order = calloc(n + 1, sizeof *order);
	if (!order)
		return CLUSTER_ENOMEM;
	for (i = 0; i < n; i++)
		order[i] = &b->from->dir->accounts[record_at(b, DIRECTORY_BY_ACCOUNT, n, i)];
	if (!in_order(order, n, sizeof *order, compare_account))
		qsort(order, n, sizeof *order, compare_account);
	for (i = 0; i < n && e == CLUSTER_OK; i++) {
		begin(b, SNAP_RECORD_MAX);
		wr_str8(&b->body, order[i]->name);
		wr_u32(&b->body, order[i]->uid);
		wr_u8(&b->body, order[i]->personal);
		if (order[i]->personal)
			wr_bytes(&b->body, order[i]->person.b, ID_SIZE);
		if ((e = end_record(b, SNAP_T_ACCOUNTS, &offset)) == CLUSTER_OK)
			e = snap_writer_key(b->w, SNAP_T_ACCOUNT_BY_NAME, order[i]->name, strlen(order[i]->name), offset);
	}
	free(order);
	return e;
}

static bool holds_here(const struct directory_grant *g, const struct directory_node *node)
{
	size_t i;

	for (i = 0; i < g->n_nodes; i++) {
		if (directory_selects(g->nodes[i], node))
			return true;
	}
	return false;
}

static void grant_row_init(struct grant_row *r, const struct directory_grant *g, const char *account)
{
	size_t subject_n = g->to_role ? strlen(g->role) : ID_SIZE, account_n = strlen(account);

	r->grant = g;
	r->key[0] = g->to_role ? 2 : 1;
	memcpy(r->key + 1, g->to_role ? (const void *)g->role : g->person.b, subject_n);
	r->key[1 + subject_n] = 0;
	memcpy(r->key + 1 + subject_n + 1, account, account_n);
	r->key_n = 1 + subject_n + 1 + account_n;
}

static int compare_grant(const void *a, const void *b)
{
	const struct grant_row *x = a, *y = b;
	int c = key_order(x->key, x->key_n, y->key, y->key_n);

	return c ? c : memcmp(x->grant->id.b, y->grant->id.b, ID_SIZE);
}

/* Rows of every grant that holds on this node, sorted. The caller frees *ret. */
static enum cluster_err collect_grants(const struct builder *b, struct grant_row **ret, size_t *ret_n)
{
	const struct directory *dir = b->from->dir;
	struct grant_row *row;
	size_t i, j, n = 0;

	for (i = 0; i < dir->n_grants; i++)
		n += dir->grants[i].n_accounts;
	row = calloc(n + 1, sizeof *row);
	if (!row)
		return CLUSTER_ENOMEM;
	for (n = 0, i = 0; i < dir->n_grants; i++) {
		if (!holds_here(&dir->grants[i], b->node))
			continue;
		for (j = 0; j < dir->grants[i].n_accounts; j++)
			grant_row_init(&row[n++], &dir->grants[i], dir->grants[i].accounts[j]);
	}
	qsort(row, n, sizeof *row, compare_grant);
	*ret = row;
	*ret_n = n;
	return CLUSTER_OK;
}

/* One record of `n` grants with one key. */
static enum cluster_err build_grant(struct builder *b, const struct grant_row *row, size_t n)
{
	const struct directory_grant *g;
	struct wr *w = &b->body;
	enum cluster_err e;
	uint32_t offset;
	size_t i;

	if (n > UINT16_MAX)
		return diag_set(b->d, CLUSTER_ELIMIT, "more than 65535 grants of one subject for one account");
	begin(b, SNAP_RECORD_MAX);
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
	if ((e = end_record(b, SNAP_T_GRANTS, &offset)) != CLUSTER_OK)
		return e;
	return snap_writer_key(b->w, SNAP_T_GRANT_BY_KEY, row->key, row->key_n, offset);
}

static enum cluster_err build_grants(struct builder *b)
{
	struct grant_row *row = NULL;
	enum cluster_err e;
	size_t i, end, n;

	if ((e = collect_grants(b, &row, &n)) != CLUSTER_OK)
		return e;
	for (i = 0; i < n && e == CLUSTER_OK; i = end) {
		for (end = i + 1; end < n && key_order(row[i].key, row[i].key_n, row[end].key, row[end].key_n) == 0; end++)
			;
		e = build_grant(b, row + i, end - i);
	}
	free(row);
	return e;
}

/* Equal keys: the widest first (everything, then the latest `before`), the oldest among equals. */
static int compare_revoked(const void *a, const void *b)
{
	const struct revoked_row *x = a, *y = b;
	int64_t x_before = x->entry->before ? x->entry->before : INT64_MAX, y_before = y->entry->before ? y->entry->before : INT64_MAX;
	int c = key_order(x->key, x->key_n, y->key, y->key_n);

	if (c)
		return c;
	if (x_before != y_before)
		return x_before > y_before ? -1 : 1;
	return (x->entry->seq > y->entry->seq) - (x->entry->seq < y->entry->seq);
}

static enum cluster_err build_revocation(struct builder *b, const struct revoked_row *r)
{
	struct wr *w = &b->body;
	enum cluster_err e;
	uint32_t offset;

	begin(b, SNAP_RECORD_MAX);
	wr_u16(w, (uint16_t)r->key_n);
	wr_bytes(w, r->key, r->key_n);
	put_i64(w, r->entry->seq);
	put_i64(w, r->entry->iat);
	put_i64(w, r->entry->before);
	put_i64(w, r->entry->until);
	if ((e = end_record(b, SNAP_T_REVOKED, &offset)) != CLUSTER_OK)
		return e;
	return snap_writer_key(b->w, SNAP_T_REVOKED_BY_KEY, r->key, r->key_n, offset);
}

/* One record a key: of several entries for one thing the widest stands for all. */
static enum cluster_err build_revoked(struct builder *b)
{
	const struct revoke_list *l = b->from->revocations;
	struct revoked_row *row = NULL;
	enum cluster_err e = CLUSTER_OK;
	size_t i, n = 0;

	row = calloc(l->n + 1, sizeof *row);
	if (!row)
		return CLUSTER_ENOMEM;
	for (i = 0; i < l->n && e == CLUSTER_OK; i++) {
		if (l->entry[i].kind == REVOKE_BEFORE || l->entry[i].kind == REVOKE_LOCKDOWN)
			continue;
		row[n].entry = &l->entry[i];
		e = revoke_key(l->entry[i].kind, l->entry[i].value, row[n].key, &row[n].key_n);
		n++;
	}
	if (e == CLUSTER_OK)
		qsort(row, n, sizeof *row, compare_revoked);
	for (i = 0; i < n && e == CLUSTER_OK; i++) {
		if (i == 0 || key_order(row[i - 1].key, row[i - 1].key_n, row[i].key, row[i].key_n) != 0)
			e = build_revocation(b, &row[i]);
	}
	free(row);
	return e;
}

/* Does the list of ids, separated by single spaces, hold this one? */
static bool exempt(const char *list, const char id[ID_TEXT])
{
	for (; strlen(list) >= ID_TEXT; list += list[ID_TEXT] ? ID_TEXT + 1 : ID_TEXT) {
		if (strncmp(list, id, ID_TEXT) == 0)
			return true;
	}
	return false;
}

/* Is the person exempt from every lockdown in force? */
static bool exempt_from_all(const struct revoke_list *l, const char id[ID_TEXT])
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->entry[i].kind == REVOKE_LOCKDOWN && !exempt(l->entry[i].value, id))
			return false;
	}
	return true;
}

/* Several lockdowns at a time leave out only whom all of them leave out. */
static enum cluster_err put_lockdown(struct builder *b, const struct revoke_entry *first)
{
	const char *p = first->value;
	char text[ID_TEXT + 1] = "";
	struct wr *w = &b->body;
	struct cluster_id id;
	enum cluster_err e;
	uint16_t n = 0;
	struct wr ids;

	wr_grow(&ids, FLAT_MAX);
	for (; strlen(p) >= ID_TEXT && n < UINT16_MAX; p += p[ID_TEXT] ? ID_TEXT + 1 : ID_TEXT) {
		memcpy(text, p, ID_TEXT);
		if ((e = id_parse(text, &id)) != CLUSTER_OK) {
			wr_done(&ids);
			return diag_set(b->d, e, "lockdown %lld names something that is no id", (long long)first->seq);
		}
		if (exempt_from_all(b->from->revocations, text)) {
			wr_bytes(&ids, id.b, ID_SIZE);
			n++;
		}
	}
	e = wr_end(&ids);
	wr_u16(w, n);
	wr_bytes(w, ids.p, ids.n);
	wr_done(&ids);
	return e;
}

static enum cluster_err build_global(struct builder *b)
{
	const struct revoke_list *l = b->from->revocations;
	const struct revoke_entry *lockdown = NULL;
	enum cluster_err e;
	int64_t before = 0;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->entry[i].kind == REVOKE_BEFORE && l->entry[i].before > before)
			before = l->entry[i].before;
		if (l->entry[i].kind == REVOKE_LOCKDOWN && !lockdown)
			lockdown = &l->entry[i];
	}
	begin(b, FLAT_MAX);
	put_i64(&b->body, before);
	wr_u8(&b->body, lockdown != NULL);
	if (!lockdown)
		wr_u16(&b->body, 0);
	else if ((e = put_lockdown(b, lockdown)) != CLUSTER_OK)
		return e;
	return end_flat(b, SNAP_T_GLOBAL);
}

/* Every index exists even when nothing is in it. */
static enum cluster_err declare_indexes(struct snap_writer *w)
{
	static const uint32_t index[] = { SNAP_T_PERSON_BY_ID, SNAP_T_PERSON_BY_NAME, SNAP_T_GRANT_BY_KEY, SNAP_T_ACCOUNT_BY_NAME, SNAP_T_REVOKED_BY_KEY };
	enum cluster_err e;
	size_t i;

	for (i = 0; i < sizeof index / sizeof index[0]; i++) {
		if ((e = snap_writer_key(w, index[i], NULL, 0, 0)) != CLUSTER_OK)
			return e;
	}
	return CLUSTER_OK;
}

/* All but the layout; the caller frees *ret. */
static enum cluster_err fill(const struct trust_documents *from, const struct cluster_id *self, struct snap_writer **ret, struct diag *d)
{
	struct builder b = { .from = from, .d = d };
	enum cluster_err e;

	wr_grow(&b.body, FLAT_MAX);
	b.node = directory_node_by_id(from->dir, self);
	if (!b.node) {
		e = diag_set(d, CLUSTER_ENOTFOUND, "the directory (version %lld) does not have this node", (long long)from->dir->version);
		goto out;
	}
	if ((e = snap_writer_new(SNAP_TRUST, &from->root->cluster, &b.w)) != CLUSTER_OK || (e = declare_indexes(b.w)) != CLUSTER_OK)
		goto out;
	if ((e = build_self(&b)) != CLUSTER_OK || (e = build_keys(&b)) != CLUSTER_OK || (e = build_people(&b)) != CLUSTER_OK ||
	    (e = build_grants(&b)) != CLUSTER_OK || (e = build_accounts(&b)) != CLUSTER_OK || (e = build_revoked(&b)) != CLUSTER_OK ||
	    (e = build_global(&b)) != CLUSTER_OK)
		goto out;
	*ret = b.w;
	b.w = NULL;
	e = CLUSTER_OK;
out:
	wr_done(&b.body);
	snap_writer_free(b.w);
	if (e != CLUSTER_OK && d && d->code == CLUSTER_OK)
		diag_set(d, e, "trust.snap: %s", err_name(e));
	return e;
}

enum cluster_err trust_build(const struct trust_documents *from, const struct cluster_id *self, uint8_t **ret, size_t *ret_n, struct diag *d)
{
	struct snap_writer *w = NULL;
	enum cluster_err e = fill(from, self, &w, d);

	if (e == CLUSTER_OK)
		e = snap_writer_end(w, ret, ret_n, d);
	snap_writer_free(w);
	return e;
}

enum cluster_err trust_put(const struct trust_documents *from, const struct cluster_id *self, const struct snap_sink *sink, struct diag *d)
{
	struct snap_writer *w = NULL;
	enum cluster_err e = fill(from, self, &w, d);

	if (e == CLUSTER_OK)
		e = snap_writer_put(w, sink, d);
	snap_writer_free(w);
	return e;
}
