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

struct bag {
	size_t n, room;
	struct item *item;
};

enum shape { SHAPE_TEXT, SHAPE_ID, SHAPE_NUMBER };

static enum cluster_err bag_start(struct bag *b, size_t room, struct diag *d)
{
	struct item *p;

	b->n = 0;
	if (room <= b->room)
		return CLUSTER_OK;
	if (!(p = reallocarray(b->item, room, sizeof *p)))
		return diag_set(d, CLUSTER_ENOMEM, "directory: out of memory");
	b->item = p;
	b->room = room;
	return CLUSTER_OK;
}

static void bag_put(struct bag *b, const void *p, size_t n)
{
	const uint8_t *byte = p;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ byte[i]) * UINT64_C(0x100000001b3);
	b->item[b->n++] = (struct item){ h, p, n };
}

static void bag_put_text(struct bag *b, const char *s)
{
	bag_put(b, s, strlen(s));
}

static int by_key(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return memcmp(x->p, y->p, x->n);
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

static enum cluster_err check_accounts(const struct directory *dir, struct bag *b, struct diag *d)
{
	enum cluster_err e;

	if ((e = bag_start(b, dir->n_accounts, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < dir->n_accounts; i++)
		bag_put_text(b, dir->accounts[i].name);
	if ((e = bag_check(b, "account", SHAPE_TEXT, d)) != CLUSTER_OK || (e = bag_start(b, dir->n_accounts, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < dir->n_accounts; i++)
		bag_put(b, &dir->accounts[i].uid, sizeof dir->accounts[i].uid);
	return bag_check(b, "uid", SHAPE_NUMBER, d);
}

static enum cluster_err check_groups(const struct directory *dir, struct bag *b, struct diag *d)
{
	enum cluster_err e;

	if ((e = bag_start(b, dir->n_groups, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < dir->n_groups; i++)
		bag_put_text(b, dir->groups[i].name);
	if ((e = bag_check(b, "group", SHAPE_TEXT, d)) != CLUSTER_OK || (e = bag_start(b, dir->n_groups, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < dir->n_groups; i++)
		bag_put(b, &dir->groups[i].gid, sizeof dir->groups[i].gid);
	return bag_check(b, "gid", SHAPE_NUMBER, d);
}

static enum cluster_err check_people(const struct directory *dir, struct bag *b, struct diag *d)
{
	size_t devices = 0;
	enum cluster_err e;

	if ((e = bag_start(b, dir->n_people, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < dir->n_people; i++) {
		bag_put_text(b, dir->people[i].name);
		devices += dir->people[i].n_devices;
	}
	if ((e = bag_check(b, "person", SHAPE_TEXT, d)) != CLUSTER_OK || (e = bag_start(b, dir->n_people, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < dir->n_people; i++)
		bag_put(b, dir->people[i].id.b, ID_SIZE);
	if ((e = bag_check(b, "person id", SHAPE_ID, d)) != CLUSTER_OK || (e = bag_start(b, devices, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < dir->n_people; i++)
		for (size_t k = 0; k < dir->people[i].n_devices; k++)
			bag_put(b, dir->people[i].devices[k].id.b, ID_SIZE);
	return bag_check(b, "device", SHAPE_ID, d);
}

static enum cluster_err check_nodes(const struct directory *dir, struct bag *b, struct diag *d)
{
	size_t n = dir->n_nodes;
	enum cluster_err e;

	if ((e = bag_start(b, n, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		bag_put_text(b, dir->nodes[i].name);
	if ((e = bag_check(b, "node", SHAPE_TEXT, d)) != CLUSTER_OK || (e = bag_start(b, n, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		bag_put(b, dir->nodes[i].id.b, ID_SIZE);
	if ((e = bag_check(b, "node id", SHAPE_ID, d)) != CLUSTER_OK || (e = bag_start(b, n * DIRECTORY_HOSTKEYS_MAX, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < dir->nodes[i].n_hostkeys && k < DIRECTORY_HOSTKEYS_MAX; k++)
			bag_put_text(b, dir->nodes[i].hostkeys[k]);
	if ((e = bag_check(b, "host key", SHAPE_TEXT, d)) != CLUSTER_OK || (e = bag_start(b, n * DIRECTORY_ADDRESSES_MAX, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < dir->nodes[i].n_addresses && k < DIRECTORY_ADDRESSES_MAX; k++)
			bag_put_text(b, dir->nodes[i].addresses[k]);
	return bag_check(b, "address", SHAPE_TEXT, d);
}

static enum cluster_err check_grants(const struct directory *dir, struct bag *b, struct diag *d)
{
	enum cluster_err e = bag_start(b, dir->n_grants, d);

	if (e != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < dir->n_grants; i++)
		bag_put(b, dir->grants[i].id.b, ID_SIZE);
	return bag_check(b, "grant", SHAPE_ID, d);
}

enum cluster_err directory_check(const struct directory *dir, struct diag *d)
{
	struct bag b = { 0 };
	enum cluster_err e;

	if ((e = check_accounts(dir, &b, d)) == CLUSTER_OK && (e = check_groups(dir, &b, d)) == CLUSTER_OK && (e = check_people(dir, &b, d)) == CLUSTER_OK &&
	    (e = check_nodes(dir, &b, d)) == CLUSTER_OK)
		e = check_grants(dir, &b, d);
	free(b.item);
	return e;
}
