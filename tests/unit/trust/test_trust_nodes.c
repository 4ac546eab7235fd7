/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes, their keys and who may hop in trust.snap (PROTOCOL.md 5.3), and the grants that say so (3.4). THREATS.md B9, I9. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/json.h"
#include "cluster/trust_snap.h"
#include "trustgen.h"

#define NOW INT64_C(1800000000)

static struct trustgen *g;
static struct directory *dir;
static struct revoke_list *revocations;
static uint8_t *bytes;
static size_t size;
static struct trust t;

static int setup(void **state)
{
	(void)state;
	g = trustgen_new("prod", NOW);
	return 0;
}

static void drop(void)
{
	free(bytes);
	bytes = NULL;
	directory_free(dir);
	dir = NULL;
	revoke_free(revocations);
	revocations = NULL;
}

static int teardown(void **state)
{
	(void)state;
	drop();
	trustgen_free(g);
	return 0;
}

static const char *grant(const char *label, const char *rest)
{
	return trustgen_format(g, "{\"id\":\"%s\",%s}", trustgen_id_text(g, label), rest);
}

/* The snapshot of a node; `grants` NULL: those of the sample. */
static void make(const char *grants, const char *nodes, const char *self)
{
	struct trust_documents from = { .root = &g->root, .keyset = &g->keyset };
	struct trustgen_records r = trustgen_sample(g);
	struct cluster_id id = trustgen_id(self);

	drop();
	if (grants)
		r.kind[DIRECTORY_GRANTS] = grants;
	if (nodes)
		r.kind[DIRECTORY_NODES] = nodes;
	from.dir = dir = trustgen_directory_read(g, trustgen_directory(g, 5, r));
	from.revocations = revocations = trustgen_revocations_read(g, trustgen_revocations(g, 7, "[]"));
	assert_ok(trust_build(&from, &id, &bytes, &size, NULL));
	assert_ok(trust_parse(bytes, size, &t));
	assert_ok(snap_verify(&t.snap));
}

static const char *hops(enum trust_subject subject, const void *value, size_t n)
{
	char name[NAME_ACCOUNT_MAX + 1];
	const char *all = "";
	enum cluster_err e;
	struct rd r;

	if (trust_hops(&t, subject, value, n, &r) != CLUSTER_OK)
		return NULL;
	while ((e = trust_hops_next(&r, name)) == CLUSTER_OK)
		all = trustgen_format(g, "%s %s", all, name);
	assert_err(e, CLUSTER_ENOTFOUND);
	return all;
}

static size_t of_node(const char *node, const char *account, struct trust_grant *last)
{
	struct cluster_id id = trustgen_id(node);
	enum cluster_err e;
	struct rd r;
	size_t n = 0;

	if ((e = trust_grants_of_node(&t, &id, account, &r)) == CLUSTER_OK)
		for (; (e = trust_grant_next(&r, last)) == CLUSTER_OK; n++)
			;
	assert_err(e, CLUSTER_ENOTFOUND);
	return n;
}

static void blob_of(const char *line, uint8_t *blob, size_t *n)
{
	assert_ok(directory_hostkey_blob(line, blob, n));
}

static void test_nodes(void **state)
{
	static const char *const names[] = { "master-1-1", "core-1-1", "task-1-1" };
	uint8_t blob[DIRECTORY_HOSTKEY_MAX];
	struct trust_node n;
	uint64_t cursor = 0;
	struct cluster_id id, last = { .b = "" };
	struct crypto_pub pub;
	char address[64];
	size_t count = 0, blob_n;

	(void)state;
	make(NULL, NULL, "core-1-1");
	for (size_t i = 0; i < 3; i++) {
		const struct directory_node *want = directory_node_by_host(dir, names[i]);

		id = trustgen_id(names[i]);
		assert_ok(trust_node_by_id(&t, &id, &n));
		assert_string_equal(n.name, names[i]);
		assert_true(crypto_pub_equal(&n.hop, &want->hop) && n.port == 22 && !n.leader && n.instance[0] == '\0' && n.n_roles == 1 && n.n_hostkeys == 1 && n.n_addresses == 1);
		assert_string_equal(n.roles[0], want->roles[0]);
		assert_ok(rd_str8(&n.addresses, address, sizeof address));
		assert_string_equal(address, want->addresses[0]);
		assert_ok(trust_node_by_hop_key(&t, &want->hop, &n));
		assert_true(id_equal(&n.id, &id));
		blob_of(want->hostkeys[0], blob, &blob_n);
		assert_ok(trust_node_by_hostkey(&t, blob, blob_n, &n));
		assert_true(id_equal(&n.id, &id));
		assert_err(trust_node_by_hostkey(&t, blob, blob_n - 1, &n), CLUSTER_ENOTFOUND);
		pub = want->hop;
		pub.bytes[0] ^= 1;
		assert_err(trust_node_by_hop_key(&t, &pub, &n), CLUSTER_ENOTFOUND);
		assert_err(trust_node_by_hop_key(&t, &want->key, &n), CLUSTER_ENOTFOUND); /* B9: the node key is no hop key */
	}
	id = trustgen_id("elsewhere");
	assert_err(trust_node_by_id(&t, &id, &n), CLUSTER_ENOTFOUND);
	for (; trust_node_each(&t, &cursor, &n) == CLUSTER_OK; count++, last = n.id)
		assert_true(memcmp(last.b, n.id.b, ID_SIZE) < 0);
	assert_int_equal(count, 3);
}

static const char *rsa_line(void)
{
	static const uint8_t rest[] = { 0, 0, 0, 3, 1, 0, 1, 0, 0, 0, 1, 5 };
	uint8_t blob[11 + sizeof rest] = { 0, 0, 0, 7, 's', 's', 'h', '-', 'r', 's', 'a' };
	char text[64];

	memcpy(blob + 11, rest, sizeof rest);
	assert_ok(b64_encode(blob, sizeof blob, text, sizeof text)); /* 23 bytes: 31 characters and one of padding */
	return trustgen_format(g, "ssh-rsa %s=", text);
}

/* Everything a record may have, with either kind of hop key; an RSA host key is known, and told of only where there is no other. */
static void test_full_nodes(void **state)
{
	struct trustgen *p256 = trustgen_new_with("p256", NOW, CRYPTO_ES256, 1, 1);
	const char *nodes = trustgen_format(g, "[{\"addresses\":[\"10.0.0.1\",\"fd00::1\"],\"hop\":%s,\"hostkeys\":[\"%s\",\"%s\",\"%s\"],\"id\":\"%s\",\"instance\":\"i-1\",\"key\":%s,\"leader\":true,"
		"\"name\":\"full\",\"port\":2222,\"roles\":[\"core\",\"master\"]},{\"addresses\":[],\"hop\":%s,\"hostkeys\":[\"%s\"],\"id\":\"%s\",\"key\":%s,\"name\":\"bare\",\"roles\":[]}]",
		trustgen_jwk(p256, trustgen_key(p256)), trustgen_hostkey(g, "one"), rsa_line(), trustgen_hostkey(g, "two"), trustgen_id_text(g, "full"), trustgen_jwk(g, trustgen_key(g)),
		trustgen_jwk(g, trustgen_key(g)), trustgen_hostkey(g, "three"), trustgen_id_text(g, "bare"), trustgen_jwk(g, trustgen_key(g)));
	uint8_t blob[DIRECTORY_HOSTKEY_MAX];
	struct cluster_id id = trustgen_id("full");
	struct trust_node n;
	const uint8_t *p;
	size_t blob_n;
	uint16_t len;

	(void)state;
	make("[]", nodes, "bare");
	blob_of(rsa_line(), blob, &blob_n);
	assert_ok(trust_node_by_hostkey(&t, blob, blob_n, &n));
	assert_string_equal(n.name, "full");
	assert_true(n.hop.alg == CRYPTO_ES256 && n.port == 2222 && n.leader && n.n_roles == 2 && n.n_addresses == 2 && n.n_hostkeys == 2);
	assert_string_equal(n.instance, "i-1");
	for (size_t i = 0; i < 2; i++) {
		blob_of(trustgen_hostkey(g, i ? "two" : "one"), blob, &blob_n);
		assert_ok(rd_u16(&n.hostkeys, &len));
		assert_ok(rd_view(&n.hostkeys, len, &p));
		assert_true(len == blob_n && memcmp(p, blob, len) == 0);
	}
	assert_int_equal(rd_left(&n.hostkeys), 0);
	assert_ok(trust_node_by_hop_key(&t, &directory_node_by_id(dir, &id)->hop, &n));
	assert_string_equal(n.name, "full");
	id = trustgen_id("bare");
	assert_ok(trust_node_by_id(&t, &id, &n));
	assert_true(n.n_addresses == 0 && n.n_roles == 0 && !n.leader && rd_left(&n.addresses) == 0);
	trustgen_free(p256);
}

/* A grant from nodes stands under each node that it names, on the nodes where it holds; what somebody may hop to is told wherever that holds. */
static void test_hops(void **state)
{
	struct cluster_id alice = trustgen_id("alice"), bob = trustgen_id("bob"), master = trustgen_id("master-1-1"), core = trustgen_id("core-1-1"), want;
	const char *grants = trustgen_format(g, "[%s,%s,%s,%s,%s]",
		grant("a", "\"accounts\":[\"ecs-user\",\"emr-user\"],\"from\":[\"role:master\",\"node:master-1-1\",\"node:core-1-1\"],\"hop\":true,\"nodes\":[\"role:core\"]"),
		grant("b", "\"accounts\":[\"emr-user\"],\"from\":[\"role:master\"],\"hop\":true,\"nodes\":[\"role:task\"],\"on_revoke\":\"keep\""),
		grant("c", trustgen_format(g, "\"accounts\":[\"emr-user\",\"alice\"],\"hop\":true,\"nodes\":[\"role:task\"],\"person\":\"%s\"", trustgen_id_text(g, "alice"))),
		grant("d", "\"accounts\":[\"ecs-user\"],\"hop\":true,\"nodes\":[\"node:core-1-1\"],\"role\":\"ops\""),
		grant("e", trustgen_format(g, "\"accounts\":[\"emr-user\"],\"nodes\":[\"any\"],\"person\":\"%s\"", trustgen_id_text(g, "bob"))));
	struct trust_grant last;

	(void)state;
	make(grants, NULL, "core-1-1");
	assert_int_equal(of_node("master-1-1", "emr-user", &last), 1); /* named twice, there once */
	want = trustgen_id("a");
	assert_true(last.hop && !last.sudo && !last.onetime && !last.end_at_expiry && last.ttl == 0 && id_equal(&last.id, &want));
	assert_int_equal(of_node("master-1-1", "ecs-user", &last), 1);
	assert_int_equal(of_node("core-1-1", "emr-user", &last), 1);
	assert_int_equal(of_node("task-1-1", "emr-user", &last), 0);
	assert_int_equal(of_node("master-1-1", "alice", &last), 0);
	assert_ok(trust_hop_here(&t));
	assert_ok(trust_hop_anywhere(&t));
	assert_string_equal(hops(TRUST_PERSON, alice.b, ID_SIZE), " alice emr-user");
	assert_null(hops(TRUST_PERSON, bob.b, ID_SIZE)); /* a grant without hop */
	assert_string_equal(hops(TRUST_ROLE, "ops", 3), " ecs-user");
	assert_null(hops(TRUST_ROLE, "op", 2));
	assert_string_equal(hops(TRUST_NODE, core.b, ID_SIZE), " ecs-user emr-user");
	assert_null(hops(TRUST_NODE, master.b, ID_SIZE)); /* another node's are not this one's business */
	make(grants, NULL, "master-1-1");
	assert_string_equal(hops(TRUST_NODE, master.b, ID_SIZE), " ecs-user emr-user");
	assert_int_equal(of_node("master-1-1", "emr-user", &last), 0);
	assert_err(trust_hop_here(&t), CLUSTER_ENOTFOUND);
	make(grants, NULL, "task-1-1");
	assert_int_equal(of_node("master-1-1", "emr-user", &last), 1);
	assert_int_equal(last.on_revoke, DIRECTORY_KEEP);
	assert_null(hops(TRUST_NODE, trustgen_id("task-1-1").b, ID_SIZE));
	make(NULL, NULL, "core-1-1");
	assert_err(trust_hop_here(&t), CLUSTER_ENOTFOUND);
	assert_err(trust_hop_anywhere(&t), CLUSTER_ENOTFOUND);
}

/* More accounts than are told of one subject: the first. */
static void test_many_hops(void **state)
{
	const char *accounts = "", *second = "";
	char name[NAME_ACCOUNT_MAX + 1];
	struct rd r;
	size_t n = 0;

	(void)state;
	for (int i = 99; i >= 0; i--) {
		accounts = trustgen_format(g, "%s%s\"a%02d\"", accounts, *accounts ? "," : "", i);
		second = i % 2 ? trustgen_format(g, "%s%s\"a%02d\"", second, *second ? "," : "", i) : second;
	}
	make(trustgen_format(g, "[%s,%s]", grant("a", trustgen_format(g, "\"accounts\":[%s],\"hop\":true,\"nodes\":[\"any\"],\"role\":\"ops\"", accounts)),
		grant("b", trustgen_format(g, "\"accounts\":[%s],\"hop\":true,\"nodes\":[\"node:x\"],\"role\":\"ops\"", second))), NULL, "core-1-1");
	assert_ok(trust_hops(&t, TRUST_ROLE, "ops", 3, &r));
	for (; trust_hops_next(&r, name) == CLUSTER_OK; n++)
		assert_int_equal(atoi(name + 1), n);
	assert_int_equal(n, TRUST_HOPS_MAX);
}

/* Every cut, and every bit: an answer may be "damaged" or "not there", never another one. */
static void test_damage(void **state)
{
	const char *grants = trustgen_format(g, "[%s]", grant("a", "\"accounts\":[\"emr-user\"],\"from\":[\"node:core-1-1\"],\"hop\":true,\"nodes\":[\"any\"]"));
	struct cluster_id id = trustgen_id("core-1-1");
	uint8_t blob[DIRECTORY_HOSTKEY_MAX];
	char name[NAME_ACCOUNT_MAX + 1];
	struct trust_node good, n;
	struct trust other;
	size_t blob_n;
	struct rd r;

	(void)state;
	make(grants, NULL, "core-1-1");
	assert_ok(trust_node_by_id(&t, &id, &good));
	blob_of(directory_node_by_id(dir, &id)->hostkeys[0], blob, &blob_n);
	for (size_t i = 0; i < size; i += 5) {
		uint8_t *cut = malloc(i ? i : 1);

		assert_non_null(cut);
		memcpy(cut, bytes, i);
		assert_int_not_equal(trust_parse(cut, i, &other), CLUSTER_OK);
		free(cut);
	}
	for (size_t i = 0; i < size * 8; i += 3) {
		bytes[i / 8] = (uint8_t)(bytes[i / 8] ^ 1u << i % 8);
		if (trust_parse(bytes, size, &t) == CLUSTER_OK) {
			if (trust_node_by_hostkey(&t, blob, blob_n, &n) == CLUSTER_OK)
				assert_true(id_equal(&n.id, &id) && crypto_pub_equal(&n.hop, &good.hop));
			if (trust_node_by_hop_key(&t, &good.hop, &n) == CLUSTER_OK)
				assert_true(id_equal(&n.id, &id));
			if (trust_hops(&t, TRUST_NODE, id.b, ID_SIZE, &r) == CLUSTER_OK) {
				assert_ok(trust_hops_next(&r, name));
				assert_string_equal(name, "emr-user");
			}
		}
		bytes[i / 8] = (uint8_t)(bytes[i / 8] ^ 1u << i % 8);
	}
}

/* What a grant from nodes may not say. */
static void test_grants(void **state)
{
	static const char *const bad[] = {
		"\"accounts\":[\"emr-user\"],\"from\":[\"role:master\"],\"nodes\":[\"any\"]",
		"\"accounts\":[\"emr-user\"],\"from\":[\"role:master\"],\"hop\":false,\"nodes\":[\"any\"]",
		"\"accounts\":[\"emr-user\"],\"from\":[\"any\"],\"hop\":true,\"nodes\":[\"any\"]",
		"\"accounts\":[\"emr-user\"],\"from\":[],\"hop\":true,\"nodes\":[\"any\"]",
		"\"accounts\":[\"emr-user\"],\"from\":\"role:master\",\"hop\":true,\"nodes\":[\"any\"]",
		"\"accounts\":[\"emr-user\"],\"from\":[\"master\"],\"hop\":true,\"nodes\":[\"any\"]",
		"\"accounts\":[\"emr-user\"],\"from\":[\"role:master\",\"role:master\"],\"hop\":true,\"nodes\":[\"any\"]",
		"\"accounts\":[\"emr-user\"],\"from\":[\"role:master\"],\"hop\":true,\"nodes\":[\"any\"],\"role\":\"ops\"",
		"\"accounts\":[\"emr-user\"],\"from\":[\"role:master\"],\"hop\":true,\"nodes\":[\"any\"],\"person\":\"AQEBAQEBAQEBAQEBAQEBAQ\"",
		"\"accounts\":[\"emr-user\"],\"from\":[\"role:master\"],\"hop\":true,\"nodes\":[\"any\"],\"sudo\":true",
		"\"accounts\":[\"emr-user\"],\"from\":[\"role:master\"],\"hop\":true,\"nodes\":[\"any\"],\"onetime\":true",
		"\"accounts\":[\"emr-user\"],\"from\":[\"role:master\"],\"hop\":true,\"nodes\":[\"any\"],\"on_expiry\":\"keep\"",
		"\"accounts\":[\"emr-user\"],\"from\":[\"role:master\"],\"hop\":true,\"nodes\":[\"any\"],\"ttl\":60",
		"\"accounts\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\",\"q\"],\"from\":[\"role:master\"],\"hop\":true,\"nodes\":[\"any\"]",
	};
	struct directory_shard shard = { .kind = DIRECTORY_GRANTS };
	struct diag d;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *text = trustgen_format(g, "[%s]", grant("a", bad[i]));
		struct directory one = { .n_shards = 1, .shards = &shard };
		struct directory *made = malloc(sizeof *made);
		struct directory_shard *own = malloc(sizeof *own);

		assert_true(made && own);
		*made = one;
		made->shards = own;
		*own = shard;
		own->size = strlen(text);
		assert_ok(crypto_sha256(text, own->size, own->sha256));
		if (directory_shard_add(made, 0, text, strlen(text), &d) == CLUSTER_OK)
			fail_msg("accepted: %s", bad[i]);
		directory_free(made);
	}
}

/* Out again as it came in. */
static void test_grant_json(void **state)
{
	const char *text = trustgen_format(g, "{\"accounts\":[\"emr-user\"],\"from\":[\"role:master\",\"node:core-1-1\"],\"hop\":true,\"id\":\"%s\",\"nodes\":[\"role:core\"],\"on_revoke\":\"warn\"}",
		trustgen_id_text(g, "a"));
	struct json *j;
	char *again = NULL;

	(void)state;
	make(trustgen_format(g, "[%s]", text), NULL, "core-1-1");
	j = directory_grant_json(&dir->grants[0]);
	assert_non_null(j);
	assert_ok(json_text(j, &again, NULL));
	assert_string_equal(again, text);
	free(again);
	json_free(j);
}

/* A hop key is one node's. */
static void test_hop_key_twice(void **state)
{
	const char *hop = trustgen_jwk(g, trustgen_key(g)), *nodes[2];
	struct directory *made = calloc(1, sizeof *made);
	struct directory_shard *own = calloc(1, sizeof *own);
	const char *text;
	struct diag d;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		nodes[i] = trustgen_format(g, "{\"addresses\":[],\"hop\":%s,\"hostkeys\":[\"%s\"],\"id\":\"%s\",\"key\":%s,\"name\":\"%s\",\"roles\":[]}", hop,
			trustgen_hostkey(g, i ? "a" : "b"), trustgen_id_text(g, i ? "a" : "b"), trustgen_jwk(g, trustgen_key(g)), i ? "a" : "b");
	text = trustgen_format(g, "[%s,%s]", nodes[0], nodes[1]);
	assert_true(made && own);
	made->shards = own;
	made->n_shards = 1;
	own->kind = DIRECTORY_NODES;
	own->size = strlen(text);
	assert_ok(crypto_sha256(text, own->size, own->sha256));
	assert_ok(directory_shard_add(made, 0, text, strlen(text), &d));
	assert_err(directory_check(made, &d), CLUSTER_EFORMAT);
	assert_non_null(strstr(d.text, "hop key"));
	directory_free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nodes, setup, teardown), cmocka_unit_test_setup_teardown(test_full_nodes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hops, setup, teardown), cmocka_unit_test_setup_teardown(test_many_hops, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown), cmocka_unit_test_setup_teardown(test_grants, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grant_json, setup, teardown), cmocka_unit_test_setup_teardown(test_hop_key_twice, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
