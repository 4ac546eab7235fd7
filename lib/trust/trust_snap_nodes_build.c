/* SPDX-License-Identifier: Apache-2.0 */
#include "trust_snap_build.h"

#include <stdlib.h>
#include <string.h>

struct hostkey_row {
	uint8_t hash[CRYPTO_SHA256_SIZE];
	const struct directory_node *node;
};

static int compare_node(const void *a, const void *b)
{
	return memcmp((*(const struct directory_node *const *)a)->id.b, (*(const struct directory_node *const *)b)->id.b, ID_SIZE);
}

static int compare_hostkey(const void *a, const void *b)
{
	const struct hostkey_row *x = a, *y = b;

	return memcmp(x->hash, y->hash, sizeof x->hash);
}

static bool is_rsa(const char *hostkey)
{
	return strncmp(hostkey, "ssh-rsa ", 8) == 0;
}

/* An RSA key is five times as large as others, and not needed beside one. */
static bool is_told(const struct directory_node *n, size_t i)
{
	for (size_t k = 0; k < n->n_hostkeys; k++)
		if (!is_rsa(n->hostkeys[k]))
			return !is_rsa(n->hostkeys[i]);
	return true;
}

static enum cluster_err put_hostkeys(struct wr *w, const struct directory_node *n)
{
	uint8_t blob[DIRECTORY_HOSTKEY_MAX], count = 0;
	enum cluster_err e;
	size_t size;

	for (size_t i = 0; i < n->n_hostkeys; i++)
		count = (uint8_t)(count + is_told(n, i));
	wr_u8(w, count);
	for (size_t i = 0; i < n->n_hostkeys; i++) {
		if (!is_told(n, i))
			continue;
		if ((e = directory_hostkey_blob(n->hostkeys[i], blob, &size)) != CLUSTER_OK)
			return e;
		wr_u16(w, (uint16_t)size);
		wr_bytes(w, blob, size);
	}
	return CLUSTER_OK;
}

static enum cluster_err build_node(struct trust_builder *b, const struct directory_node *n)
{
	size_t key_n = crypto_pub_size(n->hop.alg);
	struct wr *w = &b->body;
	enum cluster_err e;
	uint32_t offset;

	if (n->n_addresses > DIRECTORY_ADDRESSES_MAX || n->n_hostkeys > DIRECTORY_HOSTKEYS_MAX || n->n_roles > DIRECTORY_ROLES_MAX)
		return diag_set(b->d, CLUSTER_ELIMIT, "node %s has too many addresses, host keys or roles", n->name);
	trust_begin(b, SNAP_RECORD_MAX);
	wr_bytes(w, n->id.b, ID_SIZE);
	wr_u8(w, (uint8_t)n->hop.alg);
	wr_u8(w, (uint8_t)key_n);
	wr_bytes(w, n->hop.bytes, key_n);
	wr_str8(w, n->name);
	wr_u16(w, n->port);
	wr_u8(w, n->leader);
	wr_str8(w, n->instance ? n->instance : "");
	trust_put_roles(w, n->roles, n->n_roles);
	if ((e = put_hostkeys(w, n)) != CLUSTER_OK)
		return diag_set(b->d, e, "node %s has a host key that is none", n->name);
	wr_u8(w, (uint8_t)n->n_addresses);
	for (size_t i = 0; i < n->n_addresses; i++)
		wr_str8(w, n->addresses[i]);
	if ((e = trust_end_record(b, SNAP_T_NODES, &offset)) != CLUSTER_OK || (e = snap_writer_key(b->w, SNAP_T_NODE_BY_ID, n->id.b, ID_SIZE, offset)) != CLUSTER_OK)
		return e;
	return snap_writer_key(b->w, SNAP_T_NODE_BY_HOP_KEY, n->hop.bytes, key_n, offset);
}

static enum cluster_err build_records(struct trust_builder *b)
{
	const struct directory *dir = b->from->dir;
	const struct directory_node **order = NULL;
	enum cluster_err e = CLUSTER_OK;

	if (!(order = calloc(dir->n_nodes + 1, sizeof *order)))
		return CLUSTER_ENOMEM;
	for (size_t i = 0; i < dir->n_nodes; i++)
		order[i] = &dir->nodes[i];
	qsort(order, dir->n_nodes, sizeof *order, compare_node);
	for (size_t i = 0; i < dir->n_nodes && e == CLUSTER_OK; i++)
		e = build_node(b, order[i]);
	free(order);
	return e;
}

/* Sorted; the caller frees *ret. */
static enum cluster_err collect_hostkeys(const struct trust_builder *b, struct hostkey_row **ret, size_t *ret_n)
{
	const struct directory *dir = b->from->dir;
	uint8_t blob[DIRECTORY_HOSTKEY_MAX];
	enum cluster_err e = CLUSTER_OK;
	struct hostkey_row *row;
	size_t n = 0, size;

	for (size_t i = 0; i < dir->n_nodes; i++)
		n += dir->nodes[i].n_hostkeys;
	if (!(row = calloc(n + 1, sizeof *row)))
		return CLUSTER_ENOMEM;
	n = 0;
	for (size_t i = 0; i < dir->n_nodes; i++) {
		for (size_t k = 0; k < dir->nodes[i].n_hostkeys && e == CLUSTER_OK; k++, n++) {
			row[n].node = &dir->nodes[i];
			if ((e = directory_hostkey_blob(dir->nodes[i].hostkeys[k], blob, &size)) == CLUSTER_OK)
				e = crypto_sha256(blob, size, row[n].hash);
		}
	}
	if (e != CLUSTER_OK) {
		free(row);
		return e;
	}
	qsort(row, n, sizeof *row, compare_hostkey);
	*ret = row;
	*ret_n = n;
	return CLUSTER_OK;
}

static enum cluster_err build_hostkeys(struct trust_builder *b)
{
	struct hostkey_row *row = NULL;
	enum cluster_err e;
	uint32_t offset;
	size_t n;

	if ((e = collect_hostkeys(b, &row, &n)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < n && e == CLUSTER_OK; i++) {
		trust_begin(b, SNAP_RECORD_MAX);
		wr_bytes(&b->body, row[i].hash, sizeof row[i].hash);
		wr_bytes(&b->body, row[i].node->id.b, ID_SIZE);
		if ((e = trust_end_record(b, SNAP_T_HOSTKEYS, &offset)) == CLUSTER_OK)
			e = snap_writer_key(b->w, SNAP_T_HOSTKEY_BY_HASH, row[i].hash, sizeof row[i].hash, offset);
	}
	free(row);
	return e;
}

enum cluster_err trust_build_nodes(struct trust_builder *b)
{
	enum cluster_err e = build_records(b);

	return e == CLUSTER_OK ? build_hostkeys(b) : e;
}
