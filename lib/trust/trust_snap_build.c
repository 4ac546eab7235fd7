/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/trust_snap.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/b64.h"
#include "trust_snap_build.h"

#define FLAT_MAX (1u << 20)

struct revoked_row {
	uint8_t key[REVOKE_KEY_MAX];
	size_t key_n;
	const struct revoke_entry *entry;
};

int trust_key_order(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
	int c = memcmp(a, b, a_n < b_n ? a_n : b_n);

	return c ? c : (a_n > b_n) - (a_n < b_n);
}

/* The number of the record that comes i-th in an order of n, if the directory has it. */
static size_t record_at(const struct trust_builder *b, enum directory_order o, size_t n, size_t i)
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

void trust_put_roles(struct wr *w, char (*roles)[NAME_ROLE_MAX + 1], size_t n)
{
	size_t i;

	wr_u8(w, (uint8_t)n);
	for (i = 0; i < n; i++)
		wr_str8(w, roles[i]);
}

void trust_begin(struct trust_builder *b, size_t limit)
{
	b->body.n = 0;
	b->body.limit = limit;
	b->body.err = CLUSTER_OK;
}

static enum cluster_err end_flat(struct trust_builder *b, enum snap_trust_section type)
{
	enum cluster_err e;

	if ((e = wr_end(&b->body)) != CLUSTER_OK)
		return diag_set(b->d, e, "trust.snap: section %d: %s", (int)type, err_name(e));
	return snap_writer_flat(b->w, (uint32_t)type, b->body.p, b->body.n);
}

enum cluster_err trust_end_record(struct trust_builder *b, enum snap_trust_section type, uint32_t *ret_offset)
{
	enum cluster_err e;

	if ((e = wr_end(&b->body)) != CLUSTER_OK)
		return diag_set(b->d, e, "trust.snap: a record of section %d: %s", (int)type, err_name(e));
	return snap_writer_record(b->w, (uint32_t)type, b->body.p, b->body.n, ret_offset);
}

static enum cluster_err build_self(struct trust_builder *b)
{
	const struct directory_node *n = b->node;
	struct wr *w = &b->body;

	if (n->n_roles > DIRECTORY_ROLES_MAX)
		return diag_set(b->d, CLUSTER_ELIMIT, "node %s has more than %d roles", n->name, DIRECTORY_ROLES_MAX);
	trust_begin(b, FLAT_MAX);
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
	trust_put_roles(w, n->roles, n->n_roles);
	return end_flat(b, SNAP_T_SELF);
}

static int compare_key(const void *a, const void *b)
{
	return strcmp((*(const struct keyring_key *const *)a)->kid, (*(const struct keyring_key *const *)b)->kid);
}

static enum cluster_err build_keys(struct trust_builder *b)
{
	const struct keyring *ring = &b->from->keyset->ring;
	const struct keyring_key *order[KEYRING_MAX];
	struct wr *w = &b->body;
	size_t i, n;

	for (i = 0; i < ring->n; i++)
		order[i] = &ring->key[i];
	qsort(order, ring->n, sizeof order[0], compare_key);
	trust_begin(b, FLAT_MAX);
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

static enum cluster_err build_person(struct trust_builder *b, const struct directory_person *p)
{
	uint8_t thumbprint[CRYPTO_SHA256_SIZE];
	struct wr *w = &b->body;
	enum cluster_err e;
	uint32_t offset;
	size_t i;

	if (p->n_roles > DIRECTORY_ROLES_MAX || p->n_devices > UINT16_MAX)
		return diag_set(b->d, CLUSTER_ELIMIT, "person %s has too many roles or devices", p->name);
	trust_begin(b, SNAP_RECORD_MAX);
	wr_bytes(w, p->id.b, ID_SIZE);
	wr_u8(w, (uint8_t)((p->disabled ? 1 : 0) | (p->admin ? 2 : 0)));
	wr_str8(w, p->name);
	trust_put_roles(w, p->roles, p->n_roles);
	wr_u16(w, (uint16_t)p->n_devices);
	for (i = 0; i < p->n_devices; i++) {
		if (b64_decode_exact(p->devices[i].jkt, strlen(p->devices[i].jkt), thumbprint, sizeof thumbprint) != CLUSTER_OK)
			return diag_set(b->d, CLUSTER_EFORMAT, "person %s has a device without a thumbprint", p->name);
		wr_bytes(w, p->devices[i].id.b, ID_SIZE);
		wr_bytes(w, thumbprint, sizeof thumbprint);
	}
	if ((e = trust_end_record(b, SNAP_T_PEOPLE, &offset)) != CLUSTER_OK ||
	    (e = snap_writer_key(b->w, SNAP_T_PERSON_BY_ID, p->id.b, ID_SIZE, offset)) != CLUSTER_OK)
		return e;
	return snap_writer_key(b->w, SNAP_T_PERSON_BY_NAME, p->name, strlen(p->name), offset);
}

static enum cluster_err build_people(struct trust_builder *b)
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

static enum cluster_err build_accounts(struct trust_builder *b)
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
		trust_begin(b, SNAP_RECORD_MAX);
		wr_str8(&b->body, order[i]->name);
		wr_u32(&b->body, order[i]->uid);
		wr_u8(&b->body, order[i]->personal);
		if (order[i]->personal)
			wr_bytes(&b->body, order[i]->person.b, ID_SIZE);
		if ((e = trust_end_record(b, SNAP_T_ACCOUNTS, &offset)) == CLUSTER_OK)
			e = snap_writer_key(b->w, SNAP_T_ACCOUNT_BY_NAME, order[i]->name, strlen(order[i]->name), offset);
	}
	free(order);
	return e;
}

/* Equal keys: the widest first (everything, then the latest `before`), the oldest among equals. */
static int compare_revoked(const void *a, const void *b)
{
	const struct revoked_row *x = a, *y = b;
	int64_t x_before = x->entry->before ? x->entry->before : INT64_MAX, y_before = y->entry->before ? y->entry->before : INT64_MAX;
	int c = trust_key_order(x->key, x->key_n, y->key, y->key_n);

	if (c)
		return c;
	if (x_before != y_before)
		return x_before > y_before ? -1 : 1;
	return (x->entry->seq > y->entry->seq) - (x->entry->seq < y->entry->seq);
}

static enum cluster_err build_revocation(struct trust_builder *b, const struct revoked_row *r)
{
	struct wr *w = &b->body;
	enum cluster_err e;
	uint32_t offset;

	trust_begin(b, SNAP_RECORD_MAX);
	wr_u16(w, (uint16_t)r->key_n);
	wr_bytes(w, r->key, r->key_n);
	put_i64(w, r->entry->seq);
	put_i64(w, r->entry->iat);
	put_i64(w, r->entry->before);
	put_i64(w, r->entry->until);
	if ((e = trust_end_record(b, SNAP_T_REVOKED, &offset)) != CLUSTER_OK)
		return e;
	return snap_writer_key(b->w, SNAP_T_REVOKED_BY_KEY, r->key, r->key_n, offset);
}

/* One record a key: of several entries for one thing the widest stands for all. */
static enum cluster_err build_revoked(struct trust_builder *b)
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
		if (i == 0 || trust_key_order(row[i - 1].key, row[i - 1].key_n, row[i].key, row[i].key_n) != 0)
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
static enum cluster_err put_lockdown(struct trust_builder *b, const struct revoke_entry *first)
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

static enum cluster_err build_global(struct trust_builder *b)
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
	trust_begin(b, FLAT_MAX);
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
	static const uint32_t index[] = { SNAP_T_PERSON_BY_ID, SNAP_T_PERSON_BY_NAME, SNAP_T_GRANT_BY_KEY, SNAP_T_ACCOUNT_BY_NAME, SNAP_T_REVOKED_BY_KEY,
		SNAP_T_NODE_BY_ID, SNAP_T_NODE_BY_HOP_KEY, SNAP_T_HOSTKEY_BY_HASH, SNAP_T_HOP_BY_KEY };
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
	struct trust_builder b = { .from = from, .d = d };
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
	    (e = trust_build_grants(&b)) != CLUSTER_OK || (e = build_accounts(&b)) != CLUSTER_OK || (e = build_revoked(&b)) != CLUSTER_OK ||
	    (e = build_global(&b)) != CLUSTER_OK || (e = trust_build_nodes(&b)) != CLUSTER_OK || (e = trust_build_hops(&b)) != CLUSTER_OK)
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
