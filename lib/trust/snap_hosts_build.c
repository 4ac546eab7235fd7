/* SPDX-License-Identifier: Apache-2.0 */
#include "snap_hosts_build.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/snap.h"
#include "cluster/wr.h"

#define V4_SIZE sizeof(struct in_addr)
#define V6_SIZE sizeof(struct in6_addr)
#define HOST_BODY_MAX (SNAP_HOST_HEAD + NAME_NODE_MAX + 1 + SNAP_HOST_ADDRESSES_MAX * (V4_SIZE + V6_SIZE))

struct address {
	uint8_t bytes[V6_SIZE];
	size_t n;
};

/* A node that is answered, with those of its addresses that are. */
struct node {
	const struct snap_node_in *in;
	const struct address *addresses;
	size_t n_addresses;
};

/* That `name` stands for the node. */
struct entry {
	const char *name;
	const struct node *node;
	bool role;
};

struct build {
	const struct snap_node_in **sorted;
	struct node *nodes; /* in order of name */
	size_t n_nodes;
	struct address *addresses;
	const struct address **unique; /* the same, for sorting */
	size_t n_addresses;
	struct entry *entries;
	size_t n_entries;
	struct snap_writer *w;
	struct diag *d;
};

static int compare_nodes(const void *a, const void *b)
{
	return strcmp((*(const struct snap_node_in *const *)a)->name, (*(const struct snap_node_in *const *)b)->name);
}

static int compare_addresses(const void *a, const void *b)
{
	const struct address *x = *(const struct address *const *)a, *y = *(const struct address *const *)b;

	return x->n != y->n ? (x->n > y->n) - (x->n < y->n) : memcmp(x->bytes, y->bytes, x->n);
}

/* By name; nodes before roles; then in order of the nodes. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order || x->role != y->role)
		return order ? order : x->role - y->role;
	return (x->node > y->node) - (x->node < y->node);
}

static enum cluster_err take_memory(struct build *b, const struct snap_node_in *in, size_t n)
{
	size_t addresses = 0, entries = 0;

	for (size_t i = 0; i < n; i++) {
		addresses += in[i].n_addresses;
		entries += in[i].n_roles + 2;
	}
	b->sorted = calloc(n + 1, sizeof *b->sorted);
	b->nodes = calloc(n + 1, sizeof *b->nodes);
	b->addresses = calloc(addresses + 1, sizeof *b->addresses);
	b->unique = calloc(addresses + 1, sizeof *b->unique);
	b->entries = calloc(entries + 1, sizeof *b->entries);
	if (!b->sorted || !b->nodes || !b->addresses || !b->unique || !b->entries)
		return diag_set(b->d, CLUSTER_ENOMEM, "snapshot of %zu nodes", n);
	return CLUSTER_OK;
}

static enum cluster_err sort_nodes(struct build *b, const struct snap_node_in *in, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!name_node_ok(in[i].name))
			return diag_set(b->d, CLUSTER_EFORMAT, "node \"%.64s\": not a name for a node", in[i].name ? in[i].name : "");
		b->sorted[i] = &in[i];
	}
	qsort(b->sorted, n, sizeof *b->sorted, compare_nodes);
	for (size_t i = 1; i < n; i++)
		if (strcmp(b->sorted[i]->name, b->sorted[i - 1]->name) == 0)
			return diag_set(b->d, CLUSTER_EFORMAT, "node \"%s\" is there twice", b->sorted[i]->name);
	return CLUSTER_OK;
}

static enum cluster_err parse_address(const char *text, struct address *ret)
{
	if (inet_pton(AF_INET, text, ret->bytes) == 1)
		ret->n = V4_SIZE;
	else if (inet_pton(AF_INET6, text, ret->bytes) == 1)
		ret->n = V6_SIZE;
	else
		return CLUSTER_EFORMAT;
	return CLUSTER_OK;
}

/* One node's addresses, those that can be answered, behind those of the nodes before. */
static enum cluster_err add_node(struct build *b, const struct snap_node_in *in)
{
	struct node *node = &b->nodes[b->n_nodes];

	node->in = in;
	node->addresses = b->addresses + b->n_addresses;
	for (size_t i = 0; i < in->n_addresses; i++) {
		struct address *a = &b->addresses[b->n_addresses];

		if (parse_address(in->addresses[i], a) != CLUSTER_OK)
			return diag_set(b->d, CLUSTER_EFORMAT, "node \"%s\": \"%.46s\" is not an address", in->name, in->addresses[i]);
		if (!snap_address_ok(a->bytes, a->n))
			continue;
		b->unique[b->n_addresses++] = a;
		node->n_addresses++;
	}
	b->n_nodes += node->n_addresses > 0;
	return CLUSTER_OK;
}

static enum cluster_err add_nodes(struct build *b, size_t n)
{
	enum cluster_err e = CLUSTER_OK;
	char text[SNAP_ADDRESS_TEXT];

	for (size_t i = 0; e == CLUSTER_OK && i < n; i++)
		if (name_host_ok(b->sorted[i]->name))
			e = add_node(b, b->sorted[i]);
	if (e != CLUSTER_OK)
		return e;
	qsort(b->unique, b->n_addresses, sizeof *b->unique, compare_addresses);
	for (size_t i = 1; i < b->n_addresses; i++) {
		const struct address *a = b->unique[i];

		if (compare_addresses(&b->unique[i - 1], &b->unique[i]) == 0)
			return diag_set(b->d, CLUSTER_EFORMAT, "address %s is there twice",
			    inet_ntop(a->n == V4_SIZE ? AF_INET : AF_INET6, a->bytes, text, sizeof text));
	}
	return CLUSTER_OK;
}

static void add_entry(struct build *b, const char *name, const struct node *node, bool role)
{
	if (name_host_ok(name))
		b->entries[b->n_entries++] = (struct entry){ .name = name, .node = node, .role = role };
}

/* Who stands for what. "leader" is a mark of nodes: a role of that name means nothing here. */
static void add_entries(struct build *b)
{
	for (size_t i = 0; i < b->n_nodes; i++) {
		const struct node *node = &b->nodes[i];

		add_entry(b, node->in->name, node, false);
		for (size_t k = 0; k < node->in->n_roles; k++)
			if (strcmp(node->in->roles[k], "leader") != 0)
				add_entry(b, node->in->roles[k], node, true);
		if (node->in->leader)
			add_entry(b, "leader", node, true);
	}
	qsort(b->entries, b->n_entries, sizeof *b->entries, compare_entries);
}

/* The addresses of one length of all nodes that entries[0..n) name; a node that has the role twice counts once. */
static uint32_t put_addresses(struct wr *body, const struct entry *entries, size_t n, size_t size)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++) {
		const struct node *node = entries[i].node;

		for (size_t k = 0; k < node->n_addresses && (!i || node != entries[i - 1].node); k++) {
			if (node->addresses[k].n != size)
				continue;
			wr_bytes(body, node->addresses[k].bytes, size);
			count++;
		}
	}
	return count;
}

/* The record of the name that entries[0..n) share. A role of more addresses than a reader takes is left out: it must not keep the accounts from being published. */
static enum cluster_err write_host(struct build *b, const struct entry *entries, size_t n)
{
	const char *name = entries->name;
	size_t name_n = strlen(name);
	uint32_t v4, v6, offset;
	enum cluster_err e;
	struct wr body;

	wr_grow(&body, HOST_BODY_MAX);
	wr_zero(&body, 8);
	wr_u8(&body, (uint8_t)name_n);
	wr_u8(&body, entries->role ? SNAP_HOST_ROLE : 0);
	wr_u16(&body, 0);
	wr_bytes(&body, name, name_n + 1);
	v4 = put_addresses(&body, entries, n, V4_SIZE);
	v6 = put_addresses(&body, entries, n, V6_SIZE);
	wr_patch_u32(&body, 0, v4);
	wr_patch_u32(&body, 4, v6);
	if (v4 > SNAP_HOST_ADDRESSES_MAX || v6 > SNAP_HOST_ADDRESSES_MAX) {
		wr_done(&body);
		return entries->role ? CLUSTER_OK : diag_set(b->d, CLUSTER_ELIMIT, "node \"%s\": more than %u addresses", name, SNAP_HOST_ADDRESSES_MAX);
	}
	e = wr_end(&body);
	if (e == CLUSTER_OK)
		e = snap_writer_record(b->w, SNAP_A_HOSTS, body.p, body.n, &offset);
	if (e == CLUSTER_OK)
		e = snap_writer_key(b->w, SNAP_A_HOST_BY_NAME, name, name_n, offset);
	wr_done(&body);
	return e == CLUSTER_OK ? e : diag_set(b->d, e, "the addresses of \"%s\" do not fit into a snapshot", name);
}

static enum cluster_err write_address(struct build *b, const struct address *a, const char *name)
{
	uint8_t data[SNAP_ADDRESS_HEAD + V6_SIZE + NAME_NODE_MAX + 1];
	size_t name_n = strlen(name);
	enum cluster_err e;
	uint32_t offset;
	struct wr body;

	wr_init(&body, data, sizeof data);
	wr_u8(&body, (uint8_t)a->n);
	wr_u8(&body, (uint8_t)name_n);
	wr_u16(&body, 0);
	wr_bytes(&body, a->bytes, a->n);
	wr_bytes(&body, name, name_n + 1);
	e = wr_end(&body);
	if (e == CLUSTER_OK)
		e = snap_writer_record(b->w, SNAP_A_ADDRESSES, body.p, body.n, &offset);
	if (e == CLUSTER_OK)
		e = snap_writer_key(b->w, SNAP_A_ADDRESS_BY_BYTES, a->bytes, a->n, offset);
	return e == CLUSTER_OK ? e : diag_set(b->d, e, "the addresses of \"%s\" do not fit into a snapshot", name);
}

static enum cluster_err write_all(struct build *b)
{
	enum cluster_err e = CLUSTER_OK;
	size_t n;

	for (size_t i = 0; e == CLUSTER_OK && i < b->n_entries; i += n) {
		for (n = 1; i + n < b->n_entries && strcmp(b->entries[i + n].name, b->entries[i].name) == 0; )
			n++;
		e = write_host(b, b->entries + i, b->entries[i].role ? n : 1);
	}
	for (size_t i = 0; e == CLUSTER_OK && i < b->n_nodes; i++)
		for (size_t k = 0; e == CLUSTER_OK && k < b->nodes[i].n_addresses; k++)
			e = write_address(b, &b->nodes[i].addresses[k], b->nodes[i].in->name);
	return e;
}

enum cluster_err snap_hosts_build(const struct snap_node_in *nodes, size_t n, struct snap_writer *w, struct diag *d)
{
	struct build b = { .w = w, .d = d };
	enum cluster_err e;

	e = take_memory(&b, nodes, n);
	if (e == CLUSTER_OK)
		e = sort_nodes(&b, nodes, n);
	if (e == CLUSTER_OK)
		e = add_nodes(&b, n);
	if (e == CLUSTER_OK) {
		add_entries(&b);
		e = write_all(&b);
	}
	free(b.entries);
	free(b.unique);
	free(b.addresses);
	free(b.nodes);
	free(b.sorted);
	return e;
}
