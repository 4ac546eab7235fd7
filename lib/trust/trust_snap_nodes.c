/* SPDX-License-Identifier: Apache-2.0 */
#include "trust_snap_part.h"

#include <string.h>

#define ADDRESS_MAX 45 /* characters */

/* Does it say as many addresses as it should, each something that could be one? */
static bool addresses_ok(struct rd r, size_t n)
{
	char text[ADDRESS_MAX + 1];

	for (size_t i = 0; i < n; i++)
		if (rd_str8(&r, text, sizeof text) != CLUSTER_OK || text[0] == '\0' || strspn(text, "0123456789abcdef.:") != strlen(text))
			return false;
	return rd_left(&r) == 0;
}

/* As many blobs as it should say: *ret is the part that they stand in. */
static enum cluster_err take_hostkeys(struct rd *r, size_t n, struct rd *ret)
{
	struct rd ahead = *r;
	const uint8_t *p;
	uint16_t len;

	for (size_t i = 0; i < n; i++)
		if (rd_u16(&ahead, &len) != CLUSTER_OK || len == 0 || len > DIRECTORY_HOSTKEY_MAX || rd_view(&ahead, len, &p) != CLUSTER_OK)
			return CLUSTER_EFORMAT;
	return rd_sub(r, rd_left(r) - rd_left(&ahead), ret);
}

/* What ssh has to know of a node. */
static enum cluster_err take_host(struct rd *r, struct trust_node *n)
{
	uint8_t leader, keys;

	if (rd_u16(r, &n->port) != CLUSTER_OK || rd_u8(r, &leader) != CLUSTER_OK || rd_str8(r, n->instance, sizeof n->instance) != CLUSTER_OK ||
	    trust_take_roles(r, n->roles, &n->n_roles) != CLUSTER_OK || rd_u8(r, &keys) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	if (n->port == 0 || leader > 1 || keys == 0 || keys > DIRECTORY_HOSTKEYS_MAX)
		return CLUSTER_EFORMAT;
	n->leader = leader == 1;
	n->n_hostkeys = keys;
	return take_hostkeys(r, keys, &n->hostkeys);
}

static enum cluster_err parse_node(struct rd *r, struct trust_node *ret)
{
	struct trust_node n;
	uint8_t alg, len, count;

	memset(&n, 0, sizeof n);
	if (trust_take_id(r, &n.id) != CLUSTER_OK || rd_u8(r, &alg) != CLUSTER_OK || rd_u8(r, &len) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	if (alg != CRYPTO_ED25519 && alg != CRYPTO_ES256)
		return CLUSTER_EFORMAT;
	n.hop.alg = (enum crypto_alg)alg;
	if (len != crypto_pub_size(n.hop.alg) || rd_bytes(r, n.hop.bytes, sizeof n.hop.bytes, len) != CLUSTER_OK || rd_str8(r, n.name, sizeof n.name) != CLUSTER_OK ||
	    take_host(r, &n) != CLUSTER_OK || rd_u8(r, &count) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	if (!name_node_ok(n.name) || count > DIRECTORY_ADDRESSES_MAX || !addresses_ok(*r, count))
		return CLUSTER_EFORMAT;
	n.n_addresses = count;
	n.addresses = *r;
	*ret = n;
	return CLUSTER_OK;
}

/* By one of the two keys of a NODES record. */
static enum cluster_err find_node(const struct trust *t, uint32_t index, const void *key, size_t n, struct trust_node *ret)
{
	struct snap_probe probe;
	struct trust_node node;
	enum cluster_err e;
	struct rd body;

	snap_probe_init(&probe, &t->snap, SNAP_T_NODES, index, key, n);
	while ((e = snap_probe_next(&probe, &body)) == CLUSTER_OK) {
		bool found;

		if ((e = parse_node(&body, &node)) != CLUSTER_OK)
			return e;
		if (index == SNAP_T_NODE_BY_ID)
			found = crypto_equal(node.id.b, key, n);
		else
			found = crypto_pub_size(node.hop.alg) == n && crypto_equal(node.hop.bytes, key, n);
		if (found) {
			*ret = node;
			return CLUSTER_OK;
		}
	}
	return e;
}

enum cluster_err trust_node_by_id(const struct trust *t, const struct cluster_id *id, struct trust_node *ret)
{
	return find_node(t, SNAP_T_NODE_BY_ID, id->b, ID_SIZE, ret);
}

enum cluster_err trust_node_by_hop_key(const struct trust *t, const struct crypto_pub *key, struct trust_node *ret)
{
	return find_node(t, SNAP_T_NODE_BY_HOP_KEY, key->bytes, crypto_pub_size(key->alg), ret);
}

enum cluster_err trust_node_by_hostkey(const struct trust *t, const void *blob, size_t n, struct trust_node *ret)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct snap_probe probe;
	struct cluster_id id;
	const uint8_t *key;
	enum cluster_err e;
	struct rd body;

	if ((e = crypto_sha256(blob, n, hash)) != CLUSTER_OK)
		return e;
	snap_probe_init(&probe, &t->snap, SNAP_T_HOSTKEYS, SNAP_T_HOSTKEY_BY_HASH, hash, sizeof hash);
	while ((e = snap_probe_next(&probe, &body)) == CLUSTER_OK) {
		if (rd_view(&body, sizeof hash, &key) != CLUSTER_OK || trust_take_id(&body, &id) != CLUSTER_OK || rd_end(&body) != CLUSTER_OK)
			return CLUSTER_EFORMAT;
		if (!crypto_equal(key, hash, sizeof hash))
			continue;
		e = trust_node_by_id(t, &id, ret);
		return e == CLUSTER_ENOTFOUND ? CLUSTER_EFORMAT : e; /* a key of a node that is not there */
	}
	return e;
}

enum cluster_err trust_node_each(const struct trust *t, uint64_t *cursor, struct trust_node *ret)
{
	enum cluster_err e;
	struct rd body;

	if ((e = snap_each(&t->snap, SNAP_T_NODES, cursor, &body)) != CLUSTER_OK)
		return e;
	return parse_node(&body, ret);
}

enum cluster_err trust_grants_of_node(const struct trust *t, const struct cluster_id *node, const char *account, struct rd *ret)
{
	return trust_find_grants(t, TRUST_NODE, node->b, ID_SIZE, account, ret);
}

enum cluster_err trust_hop_here(const struct trust *t)
{
	uint64_t cursor = 0;
	enum cluster_err e;
	struct rd r, key;
	uint16_t n;

	while ((e = snap_each(&t->snap, SNAP_T_GRANTS, &cursor, &r)) == CLUSTER_OK) {
		struct trust_grant g = { .hop = false };

		if (rd_u16(&r, &n) != CLUSTER_OK || rd_sub(&r, n, &key) != CLUSTER_OK || rd_u16(&r, &n) != CLUSTER_OK)
			return CLUSTER_EFORMAT;
		while ((e = trust_grant_next(&r, &g)) == CLUSTER_OK)
			if (g.hop)
				return CLUSTER_OK;
		if (e != CLUSTER_ENOTFOUND)
			return e;
	}
	return e;
}

enum cluster_err trust_hop_anywhere(const struct trust *t)
{
	uint64_t cursor = 0;
	struct rd r;

	return snap_each(&t->snap, SNAP_T_HOPS, &cursor, &r);
}

enum cluster_err trust_hops(const struct trust *t, enum trust_subject subject, const void *value, size_t n, struct rd *ret)
{
	uint8_t key[1 + NAME_ROLE_MAX], count;
	char account[NAME_ACCOUNT_MAX + 1];
	struct rd names, end;
	enum cluster_err e;

	if (n > NAME_ROLE_MAX)
		return CLUSTER_ENOTFOUND;
	key[0] = (uint8_t)subject;
	memcpy(key + 1, value, n);
	if ((e = trust_find_keyed(t, SNAP_T_HOPS, SNAP_T_HOP_BY_KEY, key, 1 + n, &names)) != CLUSTER_OK)
		return e;
	if (rd_u8(&names, &count) != CLUSTER_OK || count == 0 || count > TRUST_HOPS_MAX)
		return CLUSTER_EFORMAT;
	end = names;
	for (unsigned i = 0; i < count; i++)
		if (trust_hops_next(&end, account) != CLUSTER_OK)
			return CLUSTER_EFORMAT;
	if (rd_left(&end) > 0)
		return CLUSTER_EFORMAT;
	*ret = names;
	return CLUSTER_OK;
}

enum cluster_err trust_hops_next(struct rd *r, char ret[NAME_ACCOUNT_MAX + 1])
{
	char name[NAME_ACCOUNT_MAX + 1];

	if (rd_left(r) == 0)
		return CLUSTER_ENOTFOUND;
	if (rd_str8(r, name, sizeof name) != CLUSTER_OK || !name_account_ok(name))
		return CLUSTER_EFORMAT;
	memcpy(ret, name, sizeof name);
	return CLUSTER_OK;
}
