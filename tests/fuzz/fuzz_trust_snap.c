/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "cluster/snap_write.h"
#include "cluster/trust_snap.h"

/* Nodes, their keys, and who may hop. */
static void ask_nodes(const struct trust *t)
{
	char account[NAME_ACCOUNT_MAX + 1] = "emr-user";
	struct trust_node node, same;
	uint64_t cursor = 0;
	struct trust_grant g;
	struct rd r;

	for (size_t i = 0; i < 64 && trust_node_each(t, &cursor, &node) == CLUSTER_OK; i++) {
		if (trust_node_by_id(t, &node.id, &same) == CLUSTER_OK)
			FUZZ_CHECK(id_equal(&node.id, &same.id));
		if (trust_node_by_hop_key(t, &node.hop, &same) == CLUSTER_OK)
			FUZZ_CHECK(crypto_pub_equal(&node.hop, &same.hop));
		for (size_t k = 0; k < node.n_addresses; k++)
			FUZZ_CHECK(rd_str8(&node.addresses, (char[64]){ "" }, 64) == CLUSTER_OK);
		FUZZ_CHECK(rd_left(&node.addresses) == 0);
		if (trust_grants_of_node(t, &node.id, account, &r) == CLUSTER_OK)
			while (trust_grant_next(&r, &g) == CLUSTER_OK)
				;
		if (trust_hops(t, TRUST_NODE, node.id.b, ID_SIZE, &r) == CLUSTER_OK)
			while (rd_left(&r) > 0)
				FUZZ_CHECK(trust_hops_next(&r, account) == CLUSTER_OK && name_account_ok(account));
	}
	if (trust_node_by_hostkey(t, "key", 3, &node) == CLUSTER_OK)
		FUZZ_CHECK(name_node_ok(node.name));
}

/* Reads everything that can be asked of an opened snapshot. */
static void ask(const struct trust *t)
{
	static const uint8_t value[ID_SIZE] = { 1 };
	struct trust_person p, same;
	struct trust_revocation v;
	struct trust_account a;
	struct trust_grant g;
	uint64_t cursor = 0;
	struct rd r;
	size_t i;

	for (i = 0; i < 64 && trust_person_each(t, &cursor, &p) == CLUSTER_OK; i++) {
		if (trust_person_by_name(t, p.name, &same) == CLUSTER_OK)
			FUZZ_CHECK(strcmp(p.name, same.name) == 0);
		if (trust_person_by_id(t, &p.id, &same) == CLUSTER_OK)
			FUZZ_CHECK(id_equal(&p.id, &same.id));
		if (trust_grants(t, &p.id, NULL, "emr-user", &r) == CLUSTER_OK)
			while (trust_grant_next(&r, &g) == CLUSTER_OK)
				;
	}
	if (trust_account_by_name(t, "emr-user", &a) == CLUSTER_OK)
		FUZZ_CHECK(strcmp(a.name, "emr-user") == 0);
	if (trust_grants(t, NULL, "analysts", "emr-user", &r) == CLUSTER_OK)
		while (trust_grant_next(&r, &g) == CLUSTER_OK)
			;
	if (trust_revoked(t, REVOKE_PERSON, value, sizeof value, 0, &v) == CLUSTER_OK)
		FUZZ_CHECK(v.seq >= 0);
	ask_nodes(t);
	if (t->n_lockdown_except > 0)
		FUZZ_CHECK(t->lockdown_except[0] <= 255);
}

/* Puts the record where a reader looks for it: by id and name, by the key that it begins with. */
static bool add_record(struct snap_writer *w, uint32_t type, const struct rd *body)
{
	struct rd r = *body;
	const uint8_t *key;
	uint32_t offset;
	uint16_t len;
	uint8_t n;

	if (snap_writer_record(w, type, r.p, r.n, &offset) != CLUSTER_OK)
		return false;
	if (type == SNAP_T_PEOPLE) {
		if (rd_view(&r, ID_SIZE, &key) == CLUSTER_OK && snap_writer_key(w, SNAP_T_PERSON_BY_ID, key, ID_SIZE, offset) == CLUSTER_OK &&
		    rd_u8(&r, &n) == CLUSTER_OK && rd_u8(&r, &n) == CLUSTER_OK && n > 0 && rd_view(&r, n, &key) == CLUSTER_OK)
			return snap_writer_key(w, SNAP_T_PERSON_BY_NAME, key, n, offset) == CLUSTER_OK;
	} else if (type == SNAP_T_ACCOUNTS) {
		if (rd_u8(&r, &n) == CLUSTER_OK && n > 0 && rd_view(&r, n, &key) == CLUSTER_OK)
			return snap_writer_key(w, SNAP_T_ACCOUNT_BY_NAME, key, n, offset) == CLUSTER_OK;
	} else if (type == SNAP_T_NODES) {
		if (rd_view(&r, ID_SIZE, &key) == CLUSTER_OK && snap_writer_key(w, SNAP_T_NODE_BY_ID, key, ID_SIZE, offset) == CLUSTER_OK &&
		    rd_u8(&r, &n) == CLUSTER_OK && rd_u8(&r, &n) == CLUSTER_OK && n > 0 && rd_view(&r, n, &key) == CLUSTER_OK)
			return snap_writer_key(w, SNAP_T_NODE_BY_HOP_KEY, key, n, offset) == CLUSTER_OK;
	} else if (type == SNAP_T_HOSTKEYS) {
		if (rd_view(&r, CRYPTO_SHA256_SIZE, &key) == CLUSTER_OK)
			return snap_writer_key(w, SNAP_T_HOSTKEY_BY_HASH, key, CRYPTO_SHA256_SIZE, offset) == CLUSTER_OK;
	} else if (rd_u16(&r, &len) == CLUSTER_OK && len > 0 && rd_view(&r, len, &key) == CLUSTER_OK) {
		return snap_writer_key(w, type + 1, key, len, offset) == CLUSTER_OK;
	}
	return true;
}

/*
 * The input as a file; and, so that the checksums do not keep the fuzzer out, the input cut into sections at two-byte lengths, put into a container that holds.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct cluster_id cluster = { { 1 } };
	struct snap_writer *w = NULL;
	uint8_t *file = NULL;
	size_t file_n;
	struct trust t;
	struct rd r, part;
	uint16_t len;
	uint8_t type;
	bool good = true;

	if (trust_parse(data, n, &t) == CLUSTER_OK)
		ask(&t);
	if (snap_writer_new(SNAP_TRUST, &cluster, &w) != CLUSTER_OK)
		return 0;
	rd_init(&r, data, n);
	while (good && rd_u8(&r, &type) == CLUSTER_OK && rd_u16(&r, &len) == CLUSTER_OK && rd_sub(&r, len, &part) == CLUSTER_OK) {
		if (type == SNAP_T_SELF || type == SNAP_T_KEYS || type == SNAP_T_GLOBAL)
			good = snap_writer_flat(w, type, part.p, part.n) == CLUSTER_OK;
		else
			good = add_record(w, type, &part);
	}
	if (good && snap_writer_end(w, &file, &file_n, NULL) == CLUSTER_OK && trust_parse(file, file_n, &t) == CLUSTER_OK)
		ask(&t);
	free(file);
	snap_writer_free(w);
	return 0;
}
