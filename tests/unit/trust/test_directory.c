/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trustgen.h"

#include "cluster/json.h"

#define NOW INT64_C(1790000000)

static struct trustgen *g;

static int set_up(void **state)
{
	(void)state;
	g = trustgen_new("prod", NOW);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	trustgen_free(g);
	return 0;
}

/* Reads a whole directory as the agent does; the first failure is the answer. */
static enum cluster_err read_all(const struct trustgen_directory *t, struct directory **ret, struct diag *d)
{
	const struct keyring_at at = trustgen_at(g);
	struct directory *dir = NULL;
	enum cluster_err e;

	if ((e = directory_parse(t->text, strlen(t->text), &at, &dir, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; e == CLUSTER_OK && i < t->n_shards; i++)
		e = directory_shard_add(dir, i, t->shard[i], strlen(t->shard[i]), d);
	if (e == CLUSTER_OK)
		e = directory_check(dir, d);
	if (e == CLUSTER_OK)
		*ret = dir;
	else
		directory_free(dir);
	return e;
}

/* One kind alone, as a JSON array. */
static enum cluster_err read_kind(enum directory_kind kind, const char *records)
{
	struct trustgen_records r = { 0 };
	struct directory *dir = NULL;
	struct diag d = { 0 };
	enum cluster_err e;

	r.kind[kind] = records;
	e = read_all(trustgen_directory(g, 1, r), &dir, &d);
	directory_free(dir);
	if (e != CLUSTER_OK && (!d.text[0] || d.code != e))
		fail_msg("no sentence for %s", records);
	return e;
}

static void test_sample(void **state)
{
	struct directory *dir = trustgen_directory_read(g, trustgen_directory(g, 9, trustgen_sample(g)));
	struct cluster_id core = trustgen_id("core-1-1"), nobody = trustgen_id("nobody");

	(void)state;
	assert_int_equal(dir->version, 9);
	assert_int_equal(dir->iat, NOW);
	assert_int_equal(dir->max_stale, 900);
	assert_int_equal(dir->skew, 30);
	assert_int_equal(dir->sudo_fresh, 900);
	assert_int_equal(dir->n_accounts, 3);
	assert_string_equal(dir->accounts[0].name, "emr-user");
	assert_false(dir->accounts[0].personal);
	assert_true(dir->accounts[2].personal);
	assert_int_equal(dir->accounts[2].uid, 1880000003);
	assert_string_equal(dir->accounts[2].home, "/home/alice");
	assert_string_equal(dir->groups[0].members[0], "emr-user");
	assert_string_equal(dir->people[0].roles[0], "ops");
	assert_int_equal(dir->people[1].n_roles, 0);
	assert_int_equal(dir->people[0].n_devices, 1);
	assert_true(dir->grants[0].to_role && dir->grants[0].sudo && !dir->grants[0].hop && dir->grants[0].on_revoke == DIRECTORY_END);
	assert_false(dir->grants[1].to_role || dir->grants[1].sudo);
	assert_true(id_equal(&dir->grants[1].person, &dir->people[1].id));
	assert_int_equal(dir->nodes[1].port, 22);
	assert_ptr_equal(directory_node_by_id(dir, &core), &dir->nodes[1]);
	assert_null(directory_node_by_id(dir, &nobody));
	assert_ptr_equal(directory_node_by_host(dir, "core-1-1"), &dir->nodes[1]);
	assert_ptr_equal(directory_node_by_host(dir, "10.0.0.3"), &dir->nodes[2]);
	assert_null(directory_node_by_host(dir, "10.0.0.33"));
	assert_null(directory_node_by_host(dir, "CORE-1-1"));
	assert_true(directory_selects(dir->grants[1].nodes[0], &dir->nodes[1]));
	assert_false(directory_selects(dir->grants[1].nodes[0], &dir->nodes[0]));
	assert_true(directory_selects("any", &dir->nodes[0]));
	assert_true(directory_selects("node:task-1-1", &dir->nodes[2]));
	assert_false(directory_selects("node:task-1-1", &dir->nodes[1]));
	assert_false(directory_selects("core-1-1", &dir->nodes[1]));
	directory_free(dir);
}

static void test_selectors(void **state)
{
	static const char *const bad[] = { "", "Any", "any ", "all", "role:", "role:A", "role:a b", "node:", "node:a.b", "node:localhost", "node:1", "user:x", "role:\n", "any,role:x" };

	(void)state;
	assert_true(directory_selector_ok("any"));
	assert_true(directory_selector_ok("role:core"));
	assert_true(directory_selector_ok("node:core-1-1"));
	assert_false(directory_selector_ok(NULL));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(directory_selector_ok(bad[i]));
}

#define ACCOUNT(name, uid, gid, gecos, home, shell, more) \
	"{\"gecos\":\"" gecos "\",\"gid\":" gid ",\"home\":\"" home "\",\"name\":\"" name "\",\"shell\":\"" shell "\",\"uid\":" uid more "}"
#define PLAIN(name, uid) ACCOUNT(name, uid, "1880000000", "", "/home/x", "/bin/sh", "")

/* D1, D3, D6 at the directory's own door. */
static void test_account_records(void **state)
{
	static const char *const bad[] = {
		PLAIN("root", "1880000001"), PLAIN("sshd", "1880000001"), PLAIN("systemd-network", "1880000001"), PLAIN("Alice", "1880000001"), PLAIN("", "1880000001"),
		PLAIN("a b", "1880000001"), PLAIN("a:b", "1880000001"), PLAIN("-a", "1880000001"), PLAIN("123", "1880000001"), PLAIN("a\\nb", "1880000001"),
		PLAIN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "1880000001"),
		PLAIN("a", "0"), PLAIN("a", "999"), PLAIN("a", "60001"), PLAIN("a", "61184"), PLAIN("a", "65534"), PLAIN("a", "65535"), PLAIN("a", "2147483648"), PLAIN("a", "4294967295"),
		PLAIN("a", "4294968296"), PLAIN("a", "-1"), PLAIN("a", "1000.0"), PLAIN("a", "\"1000\""),
		ACCOUNT("a", "1000", "0", "", "/home/x", "/bin/sh", ""), ACCOUNT("a", "1000", "27", "", "/home/x", "/bin/sh", ""),
		ACCOUNT("a", "1000", "1000", "a:b", "/home/x", "/bin/sh", ""), ACCOUNT("a", "1000", "1000", "a,b", "/home/x", "/bin/sh", ""),
		ACCOUNT("a", "1000", "1000", "a\\nroot", "/home/x", "/bin/sh", ""), ACCOUNT("a", "1000", "1000", "", "home", "/bin/sh", ""),
		ACCOUNT("a", "1000", "1000", "", "/home/../etc", "/bin/sh", ""), ACCOUNT("a", "1000", "1000", "", "/home/x:", "/bin/sh", ""),
		ACCOUNT("a", "1000", "1000", "", "/home/x", "sh", ""), ACCOUNT("a", "1000", "1000", "", "/home/x", "", ""), ACCOUNT("a", "1000", "1000", "", "", "/bin/sh", ""),
		ACCOUNT("a", "1000", "1000", "", "/home/x", "/bin/sh", ",\"person\":\"alice\""), ACCOUNT("a", "1000", "1000", "", "/home/x", "/bin/sh", ",\"person\":null"),
		ACCOUNT("a", "1000", "1000", "", "/home/x", "/bin/sh", ",\"passwd\":\"\""), ACCOUNT("a", "1000", "1000", "", "/home/x", "/bin/sh", ",\"uid\":1001"),
		ACCOUNT("a", "1000", "1000", "", "/home/x", "/bin/sh", ",\"person\":\"AAAAAAAAAAAAAAAAAAAAAA\""),
		"{}", "[]", "null", "1", "\"a\"", "{\"name\":\"a\"}",
	};

	(void)state;
	assert_ok(read_kind(DIRECTORY_ACCOUNTS, "[]"));
	assert_ok(read_kind(DIRECTORY_ACCOUNTS, "[" PLAIN("a", "1000") "," PLAIN("b", "60000") "," PLAIN("c", "65536") "," PLAIN("d", "2147483647") "]"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (read_kind(DIRECTORY_ACCOUNTS, trustgen_format(g, "[" PLAIN("good", "1880000009") ",%s]", bad[i])) != CLUSTER_EFORMAT)
			fail_msg("accepted: %s", bad[i]);
	assert_err(read_kind(DIRECTORY_ACCOUNTS, "{}"), CLUSTER_EFORMAT);
	assert_err(read_kind(DIRECTORY_ACCOUNTS, "[[]"), CLUSTER_EFORMAT);
	assert_err(read_kind(DIRECTORY_ACCOUNTS, " []"), CLUSTER_EFORMAT);
}

static void test_group_records(void **state)
{
	static const char *const bad[] = {
		"{\"gid\":1000,\"members\":[],\"name\":\"wheel\"}", "{\"gid\":1000,\"members\":[],\"name\":\"sudo\"}", "{\"gid\":1000,\"members\":[],\"name\":\"docker\"}",
		"{\"gid\":0,\"members\":[],\"name\":\"a\"}", "{\"gid\":27,\"members\":[],\"name\":\"a\"}", "{\"gid\":1000,\"members\":[\"root\"],\"name\":\"a\"}",
		"{\"gid\":1000,\"members\":[\"a\",\"a\"],\"name\":\"a\"}", "{\"gid\":1000,\"members\":[1],\"name\":\"a\"}", "{\"gid\":1000,\"members\":\"a\",\"name\":\"a\"}",
		"{\"gid\":1000,\"members\":[\"a,b\"],\"name\":\"a\"}", "{\"gid\":1000,\"name\":\"a\"}", "{\"gid\":1000,\"members\":[],\"name\":\"a\",\"passwd\":\"\"}",
	};

	(void)state;
	assert_ok(read_kind(DIRECTORY_GROUPS, "[{\"gid\":1000,\"members\":[\"b\",\"a\"],\"name\":\"a\"}]"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (read_kind(DIRECTORY_GROUPS, trustgen_format(g, "[%s]", bad[i])) != CLUSTER_EFORMAT)
			fail_msg("accepted: %s", bad[i]);
}

static void test_person_records(void **state)
{
	const char *id = trustgen_id_text(g, "x"), *jkt = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
	const char *const bad[] = {
		trustgen_format(g, "{\"devices\":[],\"id\":\"%s\",\"name\":\"Alice\",\"roles\":[]}", id),
		trustgen_format(g, "{\"devices\":[],\"id\":\"%s\",\"name\":\"a\",\"roles\":[\"A\"]}", id),
		trustgen_format(g, "{\"devices\":[],\"id\":\"%s\",\"name\":\"a\",\"roles\":[\"a\",\"a\"]}", id),
		trustgen_format(g, "{\"devices\":[],\"id\":\"%s\",\"name\":\"a\"}", id),
		trustgen_format(g, "{\"devices\":[],\"id\":\"%.21s\",\"name\":\"a\",\"roles\":[]}", id),
		trustgen_format(g, "{\"devices\":[],\"id\":\"%sA\",\"name\":\"a\",\"roles\":[]}", id),
		trustgen_format(g, "{\"admin\":1,\"devices\":[],\"id\":\"%s\",\"name\":\"a\",\"roles\":[]}", id),
		trustgen_format(g, "{\"admin\":\"true\",\"devices\":[],\"id\":\"%s\",\"name\":\"a\",\"roles\":[]}", id),
		trustgen_format(g, "{\"devices\":[],\"id\":\"%s\",\"name\":\"a\",\"roles\":[],\"uid\":0}", id),
		trustgen_format(g, "{\"devices\":[{\"id\":\"%s\"}],\"id\":\"%s\",\"name\":\"a\",\"roles\":[]}", id, id),
		trustgen_format(g, "{\"devices\":[{\"id\":\"%s\",\"jkt\":\"%.42s\"}],\"id\":\"%s\",\"name\":\"a\",\"roles\":[]}", id, jkt, id),
		trustgen_format(g, "{\"devices\":[{\"id\":\"%s\",\"jkt\":\"%.42sl\"}],\"id\":\"%s\",\"name\":\"a\",\"roles\":[]}", id, jkt, id), /* an unused bit */
		trustgen_format(g, "{\"devices\":[{\"id\":\"%s\",\"jkt\":\"%s\"},{\"id\":\"%s\",\"jkt\":\"%s\"}],\"id\":\"%s\",\"name\":\"a\",\"roles\":[]}", id, jkt, id, jkt, id),
		"{\"devices\":[],\"id\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"name\":\"a\",\"roles\":[]}", /* the zero id is nobody's */
	};

	(void)state;
	assert_ok(read_kind(DIRECTORY_PEOPLE, trustgen_format(g, "[{\"admin\":true,\"devices\":[{\"id\":\"%s\",\"jkt\":\"%s\"}],\"disabled\":true,\"id\":\"%s\","
		"\"name\":\"alice@example.com\",\"roles\":[\"b\",\"a\"]}]", id, jkt, id)));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (read_kind(DIRECTORY_PEOPLE, trustgen_format(g, "[%s]", bad[i])) != CLUSTER_EFORMAT)
			fail_msg("accepted: %s", bad[i]);
}

/* A node record; NULL for what a test does not care about. */
static const char *node(const char *name, const char *addresses, const char *hostkeys, const char *more)
{
	return trustgen_format(g, "{\"addresses\":%s,\"hop\":%s,\"hostkeys\":%s,\"id\":\"%s\",\"key\":%s,\"name\":\"%s\",\"roles\":[\"core\"]%s}", addresses ? addresses : "[]",
		trustgen_jwk(g, trustgen_key(g)), hostkeys ? hostkeys : trustgen_format(g, "[\"%s\"]", trustgen_hostkey(g, name)), trustgen_id_text(g, name),
		trustgen_jwk(g, trustgen_key(g)), name, more ? more : "");
}

static enum cluster_err read_node(const char *record)
{
	return read_kind(DIRECTORY_NODES, trustgen_format(g, "[%s]", record));
}

static void test_node_records(void **state)
{
	static const char *const bad_more[] = {
		",\"port\":0", ",\"port\":65536", ",\"port\":\"22\"", ",\"leader\":1", ",\"jump\":\"\"",
		",\"jump\":\"-oProxyCommand=x\"", ",\"jump\":\"-v\"", ",\"instance\":\"-v\"", ",\"jump\":\"a b\"", ",\"jump\":\"a,b\"",
		",\"jump\":\"a%b\"", ",\"jump\":\"a\\nHost *\"", ",\"instance\":\"\"", ",\"instance\":\"i-1 x\"", ",\"instance\":\"$(id)\"", ",\"instance\":\"*\"", ",\"more\":1",
	};
	static const char *const bad_names[] = { "localhost", "leader", "a.b", "A", "-a", "a-", "123", "" };

	(void)state;
	assert_ok(read_node(node("core-1-1", "[\"10.0.0.1\",\"fd00::1\"]", NULL, ",\"instance\":\"i-bp1.x_y:z\",\"jump\":\"bastion.example.com\",\"leader\":true,\"port\":2222")));
	for (size_t i = 0; i < sizeof bad_more / sizeof bad_more[0]; i++)
		if (read_node(node("core-1-1", NULL, NULL, bad_more[i])) != CLUSTER_EFORMAT)
			fail_msg("accepted: %s", bad_more[i]);
	for (size_t i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++)
		if (read_node(node(bad_names[i], NULL, NULL, NULL)) != CLUSTER_EFORMAT)
			fail_msg("accepted: %s", bad_names[i]);
}

/* Addresses in canonical text only: two spellings of one address would be two nodes. */
static void test_addresses(void **state)
{
	static const char *const good[] = { "10.0.0.1", "255.255.255.254", "fd00::1", "fe80::1:2", "2001:db8::" };
	static const char *const bad[] = {
		"", "10.0.0", "10.0.0.1 ", "010.0.0.1", "10.0.0.1/24", "10.0.0.256", "0x0a000001", "167772161", "0.0.0.0", "::", "::ffff:10.0.0.1", "FD00::1", "fd00:0:0:0:0:0:0:1",
		"fd00::0001", "fd00::1%eth0", "[fd00::1]", "host", "10.0.0.1\\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_ok(read_node(node("a", trustgen_format(g, "[\"%s\"]", good[i]), NULL, NULL)));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (read_node(node("a", trustgen_format(g, "[\"%s\"]", bad[i]), NULL, NULL)) != CLUSTER_EFORMAT)
			fail_msg("accepted: %s", bad[i]);
	assert_err(read_node(node("a", "[\"10.0.0.1\",\"10.0.0.1\"]", NULL, NULL)), CLUSTER_EFORMAT);
}

#define BLOB "AAAAC3NzaC1lZDI1NTE5AAAAIEii7YviGxaLq5iKOXZSLTUqZg3voNbbXSw7m3xZKUYQ"

static void test_hostkeys(void **state)
{
	static const char *const bad[] = {
		"[]", "[\"\"]", "[\"" BLOB "\"]", "[\"ssh-ed25519\"]", "[\"ssh-ed25519 \"]", "[\"ssh-ed25519 " BLOB " comment\"]", "[\"ssh-ed25519  " BLOB "\"]", "[\"ssh-ed25519\\t" BLOB "\"]",
		"[\"ssh-rsa " BLOB "\"]", "[\"ssh-ed25519 " BLOB "=\"]", "[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5\"]", "[\"ssh-ed25519 AAAA\"]", "[\"ssh-ed25519 ====\"]",
		"[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEii7YviGxaLq5iKOXZSLTUqZg3voNbbXSw7m3xZKUY-\"]", "[\"* ssh-ed25519 " BLOB "\"]", "[\"@cert-authority " BLOB "\"]",
		"[\"ssh-ed25519 " BLOB "\\n* ssh-ed25519 " BLOB "\"]", "[\"ssh-ed25519 " BLOB "\",\"ssh-ed25519 " BLOB "\"]", "[7]",
	};

	(void)state;
	assert_ok(read_node(node("a", NULL, "[\"ssh-ed25519 " BLOB "\"]", NULL)));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (read_node(node("a", NULL, bad[i], NULL)) != CLUSTER_EFORMAT)
			fail_msg("accepted: %s", bad[i]);
}

/* PROTOCOL.md 3.4: sorted by bytes, so the order of the lines does not matter; length before bytes. */
static void test_hostkey_hash(void **state)
{
	char one[] = "ssh-ed25519 " BLOB, two[200];
	char *lines[2] = { one, two }, *reversed[2] = { two, one };
	uint8_t a[CRYPTO_SHA256_SIZE], b[CRYPTO_SHA256_SIZE], hashed[4 + 51] = { 0, 0, 0, 51 };

	(void)state;
	snprintf(two, sizeof two, "%s", trustgen_hostkey(g, "two"));
	assert_ok(directory_hostkey_hash(lines, 2, a));
	assert_ok(directory_hostkey_hash(reversed, 2, b));
	assert_memory_equal(a, b, sizeof a);
	assert_ok(directory_hostkey_hash(lines, 1, b));
	assert_memory_not_equal(a, b, sizeof a);
	memcpy(hashed + 4, "\0\0\0\x0bssh-ed25519\0\0\0\x20", 19);
	memcpy(hashed + 4 + 19, "\x48\xa2\xed\x8b\xe2\x1b\x16\x8b\xab\x98\x8a\x39\x76\x52\x2d\x35\x2a\x66\x0d\xef\xa0\xd6\xdb\x5d\x2c\x3b\x9b\x7c\x59\x29\x46\x10", 32);
	assert_ok(crypto_sha256(hashed, sizeof hashed, a));
	assert_memory_equal(a, b, sizeof a);
	assert_err(directory_hostkey_hash(lines, 0, b), CLUSTER_EFORMAT);
	two[3] = 'x';
	assert_err(directory_hostkey_hash(lines, 2, b), CLUSTER_EFORMAT);
	lines[1] = NULL;
	assert_err(directory_hostkey_hash(lines, 2, b), CLUSTER_EFORMAT);
}

static void test_node_keys(void **state)
{
	char *record = trustgen_format(g, "%s", node("a", NULL, NULL, NULL)), *x = strstr(strstr(record, "\"key\":"), "\"x\":\"");

	(void)state;
	assert_ok(read_node(record));
	memcpy(x + 5, "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 43); /* B8 */
	assert_err(read_node(record), CLUSTER_EFORMAT);
}

static void test_grant_records(void **state)
{
	const char *id = trustgen_id_text(g, "grant"), *person = trustgen_id_text(g, "p");
	const char *const bad[] = {
		trustgen_format(g, "{\"accounts\":[\"a\"],\"id\":\"%s\",\"nodes\":[\"any\"]}", id),                                                  /* to nobody */
		trustgen_format(g, "{\"accounts\":[\"a\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"person\":\"%s\",\"role\":\"r\"}", id, person),      /* to both */
		trustgen_format(g, "{\"accounts\":[],\"id\":\"%s\",\"nodes\":[\"any\"],\"role\":\"r\"}", id),
		trustgen_format(g, "{\"accounts\":[\"root\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"role\":\"r\"}", id),
		trustgen_format(g, "{\"accounts\":[\"*\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"role\":\"r\"}", id),
		trustgen_format(g, "{\"accounts\":[\"a\"],\"id\":\"%s\",\"nodes\":[],\"role\":\"r\"}", id),
		trustgen_format(g, "{\"accounts\":[\"a\"],\"id\":\"%s\",\"nodes\":[\"*\"],\"role\":\"r\"}", id),
		trustgen_format(g, "{\"accounts\":[\"a\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"role\":\"R\"}", id),
		trustgen_format(g, "{\"accounts\":[\"a\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"person\":\"alice\"}", id),
		trustgen_format(g, "{\"accounts\":[\"a\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"on_expiry\":\"warn\",\"role\":\"r\"}", id),
		trustgen_format(g, "{\"accounts\":[\"a\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"on_revoke\":\"never\",\"role\":\"r\"}", id),
		trustgen_format(g, "{\"accounts\":[\"a\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"role\":\"r\",\"ttl\":0}", id),
		trustgen_format(g, "{\"accounts\":[\"a\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"role\":\"r\",\"ttl\":86401}", id),
		trustgen_format(g, "{\"accounts\":[\"a\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"role\":\"r\",\"sudo\":\"yes\"}", id),
		trustgen_format(g, "{\"accounts\":[\"a\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"role\":\"r\",\"uid\":0}", id),
	};

	(void)state;
	assert_ok(read_kind(DIRECTORY_GRANTS, trustgen_format(g, "[{\"accounts\":[\"a\",\"b\"],\"hop\":true,\"id\":\"%s\",\"nodes\":[\"any\",\"role:x\",\"node:y\"],\"on_expiry\":\"end\",\"on_revoke\":\"keep\","
		"\"onetime\":true,\"person\":\"%s\",\"sudo\":true,\"ttl\":60}]", id, person)));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (read_kind(DIRECTORY_GRANTS, trustgen_format(g, "[%s]", bad[i])) != CLUSTER_EFORMAT)
			fail_msg("accepted: %s", bad[i]);
}

/* Across records: each kind of key twice. */
static void test_unique(void **state)
{
	const char *hostkey = trustgen_format(g, "[\"%s\"]", trustgen_hostkey(g, "shared")), *x = trustgen_id_text(g, "x"), *y = trustgen_id_text(g, "y");
	const char *jkt = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
	const char *device = trustgen_format(g, "{\"id\":\"%s\",\"jkt\":\"%s\"}", x, jkt);
	const char *grant = trustgen_format(g, "{\"accounts\":[\"a\"],\"id\":\"%s\",\"nodes\":[\"any\"],\"role\":\"r\"}", x);

	(void)state;
	assert_err(read_kind(DIRECTORY_ACCOUNTS, "[" PLAIN("a", "1000") "," PLAIN("b", "1002") "," PLAIN("a", "1001") "]"), CLUSTER_EFORMAT);
	assert_err(read_kind(DIRECTORY_ACCOUNTS, "[" PLAIN("a", "1000") "," PLAIN("b", "1001") "," PLAIN("c", "1000") "]"), CLUSTER_EFORMAT);
	assert_err(read_kind(DIRECTORY_GROUPS, "[{\"gid\":1000,\"members\":[],\"name\":\"a\"},{\"gid\":1001,\"members\":[],\"name\":\"a\"}]"), CLUSTER_EFORMAT);
	assert_err(read_kind(DIRECTORY_GROUPS, "[{\"gid\":1000,\"members\":[],\"name\":\"a\"},{\"gid\":1000,\"members\":[],\"name\":\"b\"}]"), CLUSTER_EFORMAT);
#define PERSON(devices, id, name) trustgen_format(g, "{\"devices\":[%s],\"id\":\"%s\",\"name\":\"%s\",\"roles\":[]}", devices, id, name)
	assert_ok(read_kind(DIRECTORY_PEOPLE, trustgen_format(g, "[%s,%s]", PERSON(device, x, "a"), PERSON("", y, "b"))));
	assert_err(read_kind(DIRECTORY_PEOPLE, trustgen_format(g, "[%s,%s]", PERSON("", x, "a"), PERSON("", y, "a"))), CLUSTER_EFORMAT);
	assert_err(read_kind(DIRECTORY_PEOPLE, trustgen_format(g, "[%s,%s]", PERSON("", x, "a"), PERSON("", x, "b"))), CLUSTER_EFORMAT);
	assert_err(read_kind(DIRECTORY_PEOPLE, trustgen_format(g, "[%s,%s]", PERSON(device, x, "a"), PERSON(device, y, "b"))), CLUSTER_EFORMAT);
	assert_ok(read_kind(DIRECTORY_NODES, trustgen_format(g, "[%s,%s]", node("a", "[\"10.0.0.1\"]", NULL, NULL), node("b", "[\"10.0.0.2\"]", NULL, NULL))));
	assert_err(read_kind(DIRECTORY_NODES, trustgen_format(g, "[%s,%s]", node("a", "[\"10.0.0.1\"]", NULL, NULL), node("b", "[\"10.0.0.1\"]", NULL, NULL))), CLUSTER_EFORMAT);
	assert_err(read_kind(DIRECTORY_NODES, trustgen_format(g, "[%s,%s]", node("a", NULL, hostkey, NULL), node("b", NULL, hostkey, NULL))), CLUSTER_EFORMAT); /* a cloned image */
	assert_err(read_kind(DIRECTORY_NODES, trustgen_format(g, "[%s,%s]", node("a", NULL, NULL, NULL), node("a", NULL, hostkey, NULL))), CLUSTER_EFORMAT);
	assert_err(read_kind(DIRECTORY_GRANTS, trustgen_format(g, "[%s,%s]", grant, grant)), CLUSTER_EFORMAT);
}

/* H4, H6: a shard is the one that the index names, and as long. */
static void test_shards(void **state)
{
	struct trustgen_directory *t = trustgen_directory(g, 1, trustgen_sample(g));
	const struct keyring_at judge = trustgen_at(g);
	struct directory *dir = NULL;
	char *text = trustgen_format(g, "%s", t->shard[0]);
	size_t n = strlen(text);

	(void)state;
	assert_ok(directory_parse(t->text, strlen(t->text), &judge, &dir, NULL));
	assert_int_equal(dir->n_shards, 5);
	assert_int_equal(dir->n_accounts, 0);
	assert_err(directory_shard_add(dir, 0, text, n - 1, NULL), CLUSTER_ESIGNATURE);
	assert_err(directory_shard_add(dir, 5, text, n, NULL), CLUSTER_EFORMAT);
	assert_err(directory_shard_add(dir, 1, text, n, NULL), CLUSTER_ESIGNATURE);
	*strstr(text, "emr-user") = 'f';
	assert_err(directory_shard_add(dir, 0, text, n, NULL), CLUSTER_ESIGNATURE);
	assert_int_equal(dir->n_accounts, 0);
	assert_ok(directory_shard_add(dir, 0, t->shard[0], n, NULL));
	assert_int_equal(dir->n_accounts, 3);
	directory_free(dir);
	directory_free(NULL);
}

/* An index whose payload is changed in one place. */
static enum cluster_err changed_index(const char *from, const char *to)
{
	struct trustgen_directory *t = trustgen_directory(g, 1, trustgen_sample(g));
	const struct keyring_at judge = trustgen_at(g);
	struct directory *dir = NULL;
	struct jws j;
	const char *at, *payload, *text;
	enum cluster_err e;

	assert_ok(jws_parse(t->text, strlen(t->text) - 1, JWS_DIRECTORY, &j, NULL));
	at = strstr((const char *)j.payload, from);
	assert_non_null(at);
	payload = trustgen_format(g, "%.*s%s%s", (int)(at - (const char *)j.payload), (const char *)j.payload, to, at + strlen(from));
	jws_done(&j);
	text = trustgen_sign(g, JWS_DIRECTORY, KEYRING_DIRECTORY, payload);
	e = directory_parse(text, strlen(text), &judge, &dir, NULL);
	directory_free(dir);
	return e;
}

static void test_index(void **state)
{
	struct trustgen_directory *t = trustgen_directory(g, 1, trustgen_sample(g));
	struct cluster_id other = { { 7 } };
	struct keyring_at judge = trustgen_at(g);
	struct directory *dir = NULL;

	(void)state;
	assert_ok(changed_index("\"skew\":30", "\"skew\":300"));
	assert_err(changed_index("\"skew\":30", "\"skew\":301"), CLUSTER_ELIMIT);
	assert_err(changed_index("\"skew\":30", "\"skew\":-1"), CLUSTER_ELIMIT);
	assert_err(changed_index("\"max_stale\":900", "\"max_stale\":0"), CLUSTER_ELIMIT);
	assert_err(changed_index("\"max_stale\":900", "\"max_stale\":999999999"), CLUSTER_ELIMIT);
	assert_err(changed_index("\"max_stale\":900,", ""), CLUSTER_EFORMAT);
	assert_err(changed_index("\"kind\":\"accounts\"", "\"kind\":\"secrets\""), CLUSTER_EFORMAT);
	assert_err(changed_index("\"size\":", "\"size\":999999"), CLUSTER_ELIMIT);
	assert_err(changed_index("\"version\":1", "\"version\":0"), CLUSTER_ELIMIT);
	assert_err(changed_index("\"iat\":1790000000", "\"iat\":0"), CLUSTER_ELIMIT);
	assert_err(changed_index("\"iat\":1790000000", "\"iat\":1790000000,\"more\":{}"), CLUSTER_EFORMAT);
	judge.cluster = &other;
	assert_err(directory_parse(t->text, strlen(t->text), &judge, &dir, NULL), CLUSTER_EFORMAT);
	judge = trustgen_at(g);
	judge.now += 400 * 86400;
	assert_err(directory_parse(t->text, strlen(t->text), &judge, &dir, NULL), CLUSTER_EEXPIRED);
	assert_null(dir);
}

/* What is built from what was read is the same text. */
static void same_records(enum directory_kind kind, const char *want)
{
	struct trustgen_records r = { 0 };
	struct directory *dir;
	struct json *list = json_list();
	char *text = NULL;

	r.kind[kind] = want;
	dir = trustgen_directory_read(g, trustgen_directory(g, 1, r));
	for (size_t i = 0; i < dir->n_accounts; i++)
		assert_ok(json_append(list, directory_account_json(&dir->accounts[i])));
	for (size_t i = 0; i < dir->n_groups; i++)
		assert_ok(json_append(list, directory_group_json(&dir->groups[i])));
	for (size_t i = 0; i < dir->n_people; i++)
		assert_ok(json_append(list, directory_person_json(&dir->people[i])));
	for (size_t i = 0; i < dir->n_nodes; i++)
		assert_ok(json_append(list, directory_node_json(&dir->nodes[i])));
	for (size_t i = 0; i < dir->n_grants; i++)
		assert_ok(json_append(list, directory_grant_json(&dir->grants[i])));
	assert_ok(json_text(list, &text, NULL));
	assert_string_equal(text, want);
	free(text);
	json_free(list);
	directory_free(dir);
}

static void test_build(void **state)
{
	struct trustgen_records r = trustgen_sample(g);
	const char *id = trustgen_id_text(g, "x"), *jwk = trustgen_jwk(g, trustgen_key(g));

	(void)state;
	for (unsigned k = 0; k < DIRECTORY_KIND_N; k++)
		if (k != DIRECTORY_ACCOUNTS)
			same_records((enum directory_kind)k, r.kind[k]);
	same_records(DIRECTORY_ACCOUNTS, trustgen_format(g, "[" ACCOUNT("a", "1000", "1001", "A \xc3\xa9", "/home/a", "/bin/sh", "") ",{\"gecos\":\"\",\"gid\":1001,\"home\":\"/home/b\",\"name\":\"b\","
		"\"person\":\"%s\",\"shell\":\"/bin/sh\",\"uid\":1002}]", id));
	same_records(DIRECTORY_PEOPLE, trustgen_format(g, "[{\"admin\":true,\"devices\":[],\"disabled\":true,\"id\":\"%s\",\"name\":\"a\",\"roles\":[\"r\",\"s\"]}]", id));
	same_records(DIRECTORY_GRANTS, trustgen_format(g, "[{\"accounts\":[\"a\",\"b\"],\"hop\":true,\"id\":\"%s\",\"nodes\":[\"any\",\"role:x\"],\"on_expiry\":\"end\","
		"\"on_revoke\":\"warn\",\"onetime\":true,\"person\":\"%s\","
		"\"sudo\":true,\"ttl\":60}]", id, id));
	same_records(DIRECTORY_NODES, trustgen_format(g, "[{\"addresses\":[\"10.0.0.1\",\"fd00::1\"],\"hop\":%s,\"hostkeys\":[\"%s\"],\"id\":\"%s\",\"instance\":\"i-1\",\"jump\":\"b\",\"key\":%s,"
		"\"leader\":true,\"name\":\"a\",\"port\":2222,\"roles\":[]}]", jwk, trustgen_hostkey(g, "a"), id, jwk));
}

/* What a node calls its instance is its own word: nobody is found by it. */
static void test_by_host(void **state)
{
	struct trustgen_records r = { 0 };
	struct directory *dir;

	(void)state;
	r.kind[DIRECTORY_NODES] = trustgen_format(g, "[%s,%s]", node("a", NULL, NULL, ",\"instance\":\"b\""), node("b", "[\"10.0.0.2\"]", NULL, ",\"instance\":\"i-2\""));
	dir = trustgen_directory_read(g, trustgen_directory(g, 1, r));
	assert_string_equal(directory_node_by_host(dir, "b")->name, "b");
	assert_null(directory_node_by_host(dir, "i-2"));
	assert_string_equal(directory_node_by_host(dir, "10.0.0.2")->name, "b");
	directory_free(dir);
}

/* Many records in many shards; what is quadratic would not end here. */
static void test_large(void **state)
{
	enum { SHARDS = 40, EACH = 1000 };
	struct directory index = { .version = 1, .iat = NOW, .max_stale = 900, .skew = 30, .sudo_fresh = 900, .n_shards = SHARDS };
	struct directory_shard shards[SHARDS];
	char *text[SHARDS], *payload = NULL;
	struct directory *dir = NULL;
	const struct keyring_at judge = trustgen_at(g);
	const char *token;

	(void)state;
	for (unsigned s = 0; s < SHARDS; s++) {
		size_t room = EACH * 150, n = 0;

		text[s] = malloc(room);
		assert_non_null(text[s]);
		for (unsigned i = 0; i < EACH; i++)
			n += (size_t)snprintf(text[s] + n, room - n, "%c{\"gecos\":\"\",\"gid\":1880000000,\"home\":\"/home/u\",\"name\":\"u%06u\",\"shell\":\"/bin/sh\",\"uid\":%u}", i ? ',' : '[',
				s * EACH + i, 1880000000 + s * EACH + i);
		n += (size_t)snprintf(text[s] + n, room - n, "]");
		shards[s] = (struct directory_shard){ .kind = DIRECTORY_ACCOUNTS, .size = n };
		assert_ok(crypto_sha256(text[s], n, shards[s].sha256));
	}
	index.shards = shards;
	assert_ok(directory_index_build(&index, &g->root.cluster, &payload));
	token = trustgen_sign(g, JWS_DIRECTORY, KEYRING_DIRECTORY, payload);
	free(payload);
	assert_ok(directory_parse(token, strlen(token), &judge, &dir, NULL));
	for (unsigned s = 0; s < SHARDS; s++) {
		assert_ok(directory_shard_add(dir, s, text[s], shards[s].size, NULL));
		free(text[s]);
	}
	assert_int_equal(dir->n_accounts, SHARDS * EACH);
	assert_ok(directory_check(dir, NULL));
	strcpy(dir->accounts[SHARDS * EACH - 1].name, "u000000");
	assert_err(directory_check(dir, NULL), CLUSTER_EFORMAT);
	directory_free(dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_sample), TEST(test_selectors), TEST(test_account_records), TEST(test_group_records), TEST(test_person_records), TEST(test_node_records), TEST(test_addresses),
		TEST(test_hostkeys), TEST(test_hostkey_hash), TEST(test_node_keys), TEST(test_grant_records), TEST(test_unique), TEST(test_shards), TEST(test_index), TEST(test_build),
		TEST(test_by_host), TEST(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
