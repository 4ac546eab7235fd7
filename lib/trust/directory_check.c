/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/directory.h"

#include <stdlib.h>
#include <string.h>

/* One key that must be unique, sorted by its hash first: the order does not matter, equal ones only have to meet. */
struct item {
	uint64_t hash;
	const void *p;
	size_t n;
};

#define FILTER_BITS 16

/* Keys are collected, and sorted; then, while `probe` is set, others are only looked for among them. */
struct bag {
	size_t n, room;
	struct item *item;
	enum cluster_err err;
	bool probe;
	const struct item *twice; /* what was found */
	uint64_t filter[(1 << FILTER_BITS) / 64];
};

enum shape { SHAPE_TEXT, SHAPE_ID, SHAPE_NUMBER, SHAPE_KEY };

static int by_key(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return memcmp(x->p, y->p, x->n);
}

static uint64_t *filter_word(struct bag *b, uint64_t hash, uint64_t *bit)
{
	size_t at = (size_t)(hash >> (64 - FILTER_BITS));

	*bit = UINT64_C(1) << at % 64;
	return &b->filter[at / 64];
}

/* From now on bag_put looks for its key. */
static void bag_probe(struct bag *b)
{
	uint64_t bit;

	memset(b->filter, 0, sizeof b->filter);
	for (size_t i = 0; i < b->n; i++) {
		uint64_t *word = filter_word(b, b->item[i].hash, &bit);

		*word |= bit;
	}
	b->probe = true;
}

static void bag_add(struct bag *b, const struct item *it)
{
	size_t room = b->room ? 2 * b->room : 64;
	struct item *p;

	if (b->n == b->room) {
		if (!(p = reallocarray(b->item, room, sizeof *p))) {
			b->err = CLUSTER_ENOMEM;
			return;
		}
		b->item = p;
		b->room = room;
	}
	b->item[b->n++] = *it;
}

static void bag_put(struct bag *b, const void *p, size_t n)
{
	const uint8_t *byte = p;
	struct item it = { UINT64_C(0xcbf29ce484222325), p, n };
	uint64_t bit;

	for (size_t i = 0; i < n; i++)
		it.hash = (it.hash ^ byte[i]) * UINT64_C(0x100000001b3);
	it.hash *= UINT64_C(0x9e3779b97f4a7c15); /* the high bits choose the filter's */
	if (!b->probe)
		bag_add(b, &it);
	else if (*filter_word(b, it.hash, &bit) & bit && !b->twice)
		b->twice = bsearch(&it, b->item, b->n, sizeof it, by_key);
}

static void bag_put_text(struct bag *b, const char *s)
{
	bag_put(b, s, strlen(s));
}

static enum cluster_err complain(const struct item *it, const char *what, enum shape shape, struct diag *d)
{
	struct cluster_id id;
	char text[ID_TEXT + 1];
	uint32_t number;

	switch (shape) {
	case SHAPE_TEXT:
		return diag_set(d, CLUSTER_EFORMAT, "directory: %s \"%.*s\" is there twice", what, (int)(it->n < 100 ? it->n : 100), (const char *)it->p);
	case SHAPE_ID:
		memcpy(id.b, it->p, sizeof id.b);
		id_text(&id, text);
		return diag_set(d, CLUSTER_EFORMAT, "directory: %s %s is there twice", what, text);
	case SHAPE_NUMBER:
		memcpy(&number, it->p, sizeof number);
		return diag_set(d, CLUSTER_EFORMAT, "directory: %s %u is there twice", what, number);
	case SHAPE_KEY:
		return diag_set(d, CLUSTER_EFORMAT, "directory: a %s is there twice", what);
	}
	return CLUSTER_EFORMAT;
}

static enum cluster_err bag_check(struct bag *b, const char *what, enum shape shape, struct diag *d)
{
	if (b->n > 1)
		qsort(b->item, b->n, sizeof *b->item, by_key);
	for (size_t i = 1; i < b->n; i++)
		if (by_key(&b->item[i - 1], &b->item[i]) == 0)
			return complain(&b->item[i], what, shape, d);
	return CLUSTER_OK;
}

/* ---- what must be unique: one row each ---- */

static void put_account(struct bag *b, const struct directory *dir, size_t i)
{
	bag_put_text(b, dir->accounts[i].name);
}

static void put_uid(struct bag *b, const struct directory *dir, size_t i)
{
	bag_put(b, &dir->accounts[i].uid, sizeof dir->accounts[i].uid);
}

static void put_group(struct bag *b, const struct directory *dir, size_t i)
{
	bag_put_text(b, dir->groups[i].name);
}

static void put_gid(struct bag *b, const struct directory *dir, size_t i)
{
	bag_put(b, &dir->groups[i].gid, sizeof dir->groups[i].gid);
}

static void put_person(struct bag *b, const struct directory *dir, size_t i)
{
	bag_put_text(b, dir->people[i].name);
}

static void put_person_id(struct bag *b, const struct directory *dir, size_t i)
{
	bag_put(b, dir->people[i].id.b, ID_SIZE);
}

static void put_devices(struct bag *b, const struct directory *dir, size_t i)
{
	for (size_t k = 0; k < dir->people[i].n_devices; k++)
		bag_put(b, dir->people[i].devices[k].id.b, ID_SIZE);
}

static void put_node(struct bag *b, const struct directory *dir, size_t i)
{
	bag_put_text(b, dir->nodes[i].name);
}

static void put_node_id(struct bag *b, const struct directory *dir, size_t i)
{
	bag_put(b, dir->nodes[i].id.b, ID_SIZE);
}

static void put_hop_key(struct bag *b, const struct directory *dir, size_t i)
{
	bag_put(b, dir->nodes[i].hop.bytes, crypto_pub_size(dir->nodes[i].hop.alg));
}

static void put_hostkeys(struct bag *b, const struct directory *dir, size_t i)
{
	for (size_t k = 0; k < dir->nodes[i].n_hostkeys; k++)
		bag_put_text(b, dir->nodes[i].hostkeys[k]);
}

static void put_addresses(struct bag *b, const struct directory *dir, size_t i)
{
	for (size_t k = 0; k < dir->nodes[i].n_addresses; k++)
		bag_put_text(b, dir->nodes[i].addresses[k]);
}

static void put_grant(struct bag *b, const struct directory *dir, size_t i)
{
	bag_put(b, dir->grants[i].id.b, ID_SIZE);
}

static const struct rule {
	enum directory_kind kind;
	enum shape shape;
	const char *what;
	void (*put)(struct bag *b, const struct directory *dir, size_t i);
} rules[] = {
	{ DIRECTORY_ACCOUNTS, SHAPE_TEXT, "account", put_account }, { DIRECTORY_ACCOUNTS, SHAPE_NUMBER, "uid", put_uid },
	{ DIRECTORY_GROUPS, SHAPE_TEXT, "group", put_group }, { DIRECTORY_GROUPS, SHAPE_NUMBER, "gid", put_gid },
	{ DIRECTORY_PEOPLE, SHAPE_TEXT, "person", put_person }, { DIRECTORY_PEOPLE, SHAPE_ID, "person id", put_person_id },
	{ DIRECTORY_PEOPLE, SHAPE_ID, "device", put_devices }, { DIRECTORY_NODES, SHAPE_TEXT, "node", put_node },
	{ DIRECTORY_NODES, SHAPE_ID, "node id", put_node_id }, { DIRECTORY_NODES, SHAPE_TEXT, "host key", put_hostkeys },
	{ DIRECTORY_NODES, SHAPE_KEY, "hop key", put_hop_key },
	{ DIRECTORY_NODES, SHAPE_TEXT, "address", put_addresses }, { DIRECTORY_GRANTS, SHAPE_ID, "grant", put_grant },
};

/* The keys of all records of a rule's kind that were reused, or of all that were not. Records outside of every shard count as not reused. */
static void put_all(struct bag *b, const struct directory *dir, const struct rule *rule, bool reused)
{
	size_t n = directory_count(dir, rule->kind), at = 0, end;
	const struct directory_shard *s;

	for (size_t k = 0; k <= dir->n_shards; k++) {
		s = k < dir->n_shards ? &dir->shards[k] : NULL;
		if (s && (s->kind != rule->kind || !s->reused))
			continue;
		end = s ? s->first : n;
		for (; !reused && at < end; at++)
			rule->put(b, dir, at);
		for (at = s ? s->first : n; s && at < s->first + s->n; at++)
			if (reused)
				rule->put(b, dir, at);
	}
}

static enum cluster_err check_rule(struct bag *b, const struct directory *dir, const struct rule *rule, struct diag *d)
{
	enum cluster_err e;

	b->n = 0;
	b->probe = false;
	put_all(b, dir, rule, false);
	if ((e = b->err) == CLUSTER_OK)
		e = bag_check(b, rule->what, rule->shape, d);
	if (e != CLUSTER_OK || b->n == 0)
		return e == CLUSTER_ENOMEM ? diag_set(d, e, "directory: out of memory") : e;
	bag_probe(b);
	put_all(b, dir, rule, true);
	return b->twice ? complain(b->twice, rule->what, rule->shape, d) : CLUSTER_OK;
}

enum cluster_err directory_check(const struct directory *dir, struct diag *d)
{
	struct bag b = { .n = 0 };
	enum cluster_err e = CLUSTER_OK;

	for (size_t i = 0; i < sizeof rules / sizeof rules[0] && e == CLUSTER_OK; i++)
		e = check_rule(&b, dir, &rules[i], d);
	free(b.item);
	return e;
}
