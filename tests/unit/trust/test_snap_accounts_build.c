/* SPDX-License-Identifier: Apache-2.0 */
/* Requirements D1, D3, D6 (refused when built), E3 (caps), I9 (equal input gives equal bytes). `--print` writes the golden file anew. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/snap_quick.h"
#include "cluster/snap_write.h"
#include "snap_vector.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define ID(n) (UINT32_C(1880000000) + (n))

static const struct cluster_id cluster = { { 0xc1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } };

/* In no order; "ecs-user" is a member without being an account, as an adopted one is. */
static const struct snap_account_in accounts[] = {
	{ "zoe", "Zo\xc3\xab M\xc3\xbcller", "/home/zoe", "/bin/bash", ID(102), ID(102) },
	{ "emr-user", "", "/home/emr-user", "/bin/bash", ID(1), ID(1) },
	{ "alice", "Alice Example", "/home/alice", "/bin/zsh", ID(100), ID(200) },
	{ "bob", "Bob", "/srv/home.d/bob", "/usr/sbin/nologin", ID(101), 60000 },
};
static const char *const hadoop[] = { "zoe", "alice", "ecs-user", "alice" };
static const char *const analysts[] = { "alice" };
static const struct snap_group_in groups[] = {
	{ "hadoop", ID(200), hadoop, COUNT(hadoop) },
	{ "emr-user", ID(1), NULL, 0 },
	{ "analysts", 1500, analysts, COUNT(analysts) },
};

static char master[][NAME_ROLE_MAX + 1] = { "master" }, core[][NAME_ROLE_MAX + 1] = { "core" };
static char on_master_1[][SNAP_ADDRESS_TEXT] = { "10.0.0.11", "fd00::11" }, on_master_2[][SNAP_ADDRESS_TEXT] = { "10.0.0.12", "127.0.0.1" };
static char on_core_1[][SNAP_ADDRESS_TEXT] = { "fe80::1", "fd00::21" };
static const struct snap_node_in nodes[] = {
	{ "master-2", master, 1, on_master_2, 2, false },
	{ "core-1", core, 1, on_core_1, 2, false },
	{ "master-1", master, 1, on_master_1, 2, true },
};

static enum cluster_err build_names(const struct snap_names *names, uint8_t **ret, size_t *ret_n)
{
	struct diag d;
	enum cluster_err e;

	diag_clear(&d);
	e = snap_accounts_build(&cluster, names, ret, ret_n, &d);
	if (e != CLUSTER_OK) {
		assert_int_equal(d.code, e);
		assert_true(d.text[0] != '\0');
	}
	return e;
}

static enum cluster_err build(const struct snap_account_in *a, size_t n_a, const struct snap_group_in *g, size_t n_g, uint8_t **ret, size_t *ret_n)
{
	const struct snap_names names = { .accounts = a, .n_accounts = n_a, .groups = g, .n_groups = n_g };

	return build_names(&names, ret, ret_n);
}

static const struct snap_names golden = { accounts, COUNT(accounts), groups, COUNT(groups), nodes, COUNT(nodes), NULL, 0 };

static int print_golden(void)
{
	uint8_t *p;
	size_t n;

	if (build_names(&golden, &p, &n) != CLUSTER_OK)
		return 1;
	for (size_t i = 0; i < n; i++)
		printf("%02x%s", p[i], i % 32 == 31 ? "\n" : "");
	free(p);
	return 0;
}

static void test_golden_bytes(void **state)
{
	uint8_t want[SNAP_VECTOR_MAX];
	size_t want_n = snap_vector_read(SNAP_VECTOR_FILE, want, sizeof want), n;
	uint8_t *p;

	(void)state;
	assert_ok(build_names(&golden, &p, &n));
	assert_int_equal(n, want_n);
	assert_memory_equal(p, want, n);
	free(p);
}

static void test_i9_order_of_input_does_not_matter(void **state)
{
	const struct snap_account_in other[] = { accounts[2], accounts[0], accounts[3], accounts[1] };
	const struct snap_group_in other_groups[] = { groups[2], groups[0], groups[1] };
	const struct snap_node_in other_nodes[] = { nodes[2], nodes[1], nodes[0] };
	const struct snap_names names = { other, 4, other_groups, 3, other_nodes, 3, NULL, 0 };
	uint8_t *p, *q;
	size_t n, m;

	(void)state;
	assert_ok(build_names(&golden, &p, &n));
	assert_ok(build_names(&names, &q, &m));
	assert_int_equal(n, m);
	assert_memory_equal(p, q, n);
	free(p);
	free(q);
}

static void test_empty(void **state)
{
	struct snap_account a;
	struct snap s;
	uint64_t cursor = 0;
	uint8_t *p;
	size_t n;

	(void)state;
	assert_ok(build(NULL, 0, NULL, 0, &p, &n));
	assert_ok(snap_parse(p, n, SNAP_ACCOUNTS, &s));
	assert_ok(snap_verify(&s));
	assert_err(snap_account_by_name(&s, "alice", &a), CLUSTER_ENOTFOUND);
	assert_err(snap_account_by_uid(&s, ID(1), &a), CLUSTER_ENOTFOUND);
	assert_err(snap_account_each(&s, &cursor, &a), CLUSTER_ENOTFOUND);
	free(p);
}

static void refuse_account(struct snap_account_in a)
{
	const struct snap_account_in two[] = { accounts[0], a };
	uint8_t *p;
	size_t n;

	assert_err(build(two, 2, NULL, 0, &p, &n), CLUSTER_EFORMAT);
}

static void test_d1_d6_accounts_refused(void **state)
{
	static const uint32_t ids[] = { 0, 1, 27, 999, 60001, 61184, 65534, 65535, UINT32_C(0x80000000), UINT32_MAX };
	static const char *const names[] = { "", "root", "systemd-x", "www-data", "A", "a b", "a\n", "1a", "..", NULL };
	static const char *const paths[] = { "", "home", "/home/../etc", "/a:b", "/a\nb", "/", "/home/", "//x", "/a/./b", NULL };
	struct snap_account_in a = accounts[1];

	(void)state;
	for (size_t i = 0; i < COUNT(ids); i++) {
		a = accounts[1];
		a.uid = ids[i];
		refuse_account(a);
		a = accounts[1];
		a.gid = ids[i];
		refuse_account(a);
	}
	for (size_t i = 0; i < COUNT(names); i++) {
		a = accounts[1];
		a.name = names[i];
		refuse_account(a);
	}
	for (size_t i = 0; i < COUNT(paths); i++) {
		a = accounts[1];
		a.home = paths[i];
		refuse_account(a);
		a = accounts[1];
		a.shell = paths[i];
		refuse_account(a);
	}
	a = accounts[1];
	a.gecos = "a:b";
	refuse_account(a);
	a.gecos = NULL;
	refuse_account(a);
	a = accounts[1];
	a.name = accounts[0].name;
	refuse_account(a);
	a = accounts[1];
	a.uid = accounts[0].uid;
	refuse_account(a);
}

static void refuse_group(struct snap_group_in g, enum cluster_err want)
{
	const struct snap_group_in two[] = { groups[0], g };
	uint8_t *p;
	size_t n;

	assert_err(build(NULL, 0, two, 2, &p, &n), want);
}

static void test_d3_groups_refused(void **state)
{
	static const char *const names[] = { "sudo", "wheel", "docker", "root", "shadow", "systemd-journal", "", "a:b", NULL };
	static const char *const members[] = { "root" }, *const odd[] = { "a,b" }, *const none[] = { NULL };
	struct snap_group_in g;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		g = groups[1];
		g.name = names[i];
		refuse_group(g, CLUSTER_EFORMAT);
	}
	g = groups[1];
	g.gid = 27;
	refuse_group(g, CLUSTER_EFORMAT);
	g.gid = groups[0].gid;
	refuse_group(g, CLUSTER_EFORMAT);
	g = groups[1];
	g.name = groups[0].name;
	refuse_group(g, CLUSTER_EFORMAT);
	refuse_group((struct snap_group_in){ "g", 2000, members, 1 }, CLUSTER_EFORMAT);
	refuse_group((struct snap_group_in){ "g", 2000, odd, 1 }, CLUSTER_EFORMAT);
	refuse_group((struct snap_group_in){ "g", 2000, none, 1 }, CLUSTER_EFORMAT);
	refuse_group((struct snap_group_in){ "g", 2000, members, SNAP_GROUP_MEMBERS_MAX + 1 }, CLUSTER_ELIMIT);
}

/* The longest of everything: 32, 127, 255 and 255 bytes, and a group of the most members with the longest names. */
static void test_e3_largest(void **state)
{
	char name[33], gecos[128], path[256], (*names)[33] = calloc(SNAP_GROUP_MEMBERS_MAX, sizeof *names);
	const char **members = calloc(SNAP_GROUP_MEMBERS_MAX, sizeof *members);
	struct snap_account_in a = { name, gecos, path, path, 1000, INT32_MAX };
	struct snap_group_in g = { name, 65536, members, SNAP_GROUP_MEMBERS_MAX };
	struct snap_account got;
	struct snap_group got_group;
	const uint8_t *gids;
	uint32_t n_gids;
	struct snap s;
	uint8_t *p;
	size_t n;

	(void)state;
	memset(name, 'n', 32);
	memset(gecos, 'g', 127);
	memset(path, 'p', 255);
	path[0] = '/';
	name[32] = gecos[127] = path[255] = '\0';
	for (size_t i = 0; i < SNAP_GROUP_MEMBERS_MAX; i++) {
		snprintf(names[i], sizeof names[i], "m%06zu-------------------------", i);
		members[i] = names[i];
	}
	assert_ok(build(&a, 1, &g, 1, &p, &n));
	assert_ok(snap_parse(p, n, SNAP_ACCOUNTS, &s));
	assert_ok(snap_verify(&s));
	assert_ok(snap_account_by_name(&s, name, &got));
	assert_string_equal(got.home, path);
	assert_string_equal(got.gecos, gecos);
	assert_ok(snap_group_by_gid(&s, 65536, &got_group));
	assert_int_equal(got_group.n_members, SNAP_GROUP_MEMBERS_MAX);
	assert_ok(snap_member_groups(&s, names[77777], &gids, &n_gids));
	assert_int_equal(n_gids, 1);
	assert_int_equal(snap_be32(gids), 65536);
	free(p);
	free(members);
	free(names);
}

/* E1: a short group is copied and judged inside a room of exactly its size. */
static void test_e1_short_group(void **state)
{
	static const struct snap_group_in one[] = { { "ab", ID(300), NULL, 0 } };
	const size_t size = sizeof(char *) + sizeof "ab";
	struct snap_room room = { .p = malloc(size), .n = size };
	struct snap_group_copy g;
	struct snap_table t;
	uint8_t *p = NULL;
	struct snap s;
	size_t n = 0;

	(void)state;
	assert_non_null(room.p);
	assert_ok(build(accounts, COUNT(accounts), one, COUNT(one), &p, &n));
	assert_ok(snap_parse(p, n, SNAP_ACCOUNTS, &s));
	t = snap_table(&s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_NAME);
	assert_ok(snap_copy_group_by_name(&t, "ab", &room, &g));
	assert_string_equal(g.name, "ab");
	assert_ptr_equal(g.end, room.p + size);
	free(room.p);
	free(p);
}

/* `count` members, with names from the shortest to the longest or all of one length, come out as they went in, the second time by the quick way. */
static void copy_members(uint32_t count, size_t shortest, size_t longest)
{
	static char names[301][33];
	static const char *members[301];
	const struct snap_group_in in = { "many", ID(300), members, count };
	_Atomic uint8_t judged[1024] = { 0 };
	struct snap_room room = { .n = (count + 1) * sizeof(char *) + sizeof "many" };
	struct snap_group_copy g;
	struct snap_table t;
	uint8_t *p = NULL;
	struct snap s;
	size_t n = 0;

	for (uint32_t i = 0; i < count; i++) {
		const int pad = (int)(shortest + i * 7 % (longest - shortest + 1));

		room.n += 1 + (size_t)snprintf(names[i], sizeof names[i], "m%03u%.*s", i, pad - 4, "----------------------------");
		members[i] = names[i];
	}
	room.p = malloc(room.n);
	assert_non_null(room.p);
	assert_ok(build(NULL, 0, &in, 1, &p, &n));
	assert_ok(snap_parse(p, n, SNAP_ACCOUNTS, &s));
	assert_true(snap_judged_size(n) <= sizeof judged);
	t = snap_table(&s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_NAME);
	t.judged = judged;
	assert_err(snap_quick_group_by_name(&t, "many", &room, &g), CLUSTER_EUNAVAIL);
	for (int again = 0; again < 2; again++) {
		memset(room.p, 'x', room.n);
		assert_ok(again ? snap_quick_group_by_name(&t, "many", &room, &g) : snap_copy_group_by_name(&t, "many", &room, &g));
		for (uint32_t i = 0; i < count; i++)
			assert_string_equal(g.members[i], names[i]);
		assert_null(g.members[count]);
		assert_ptr_equal(g.end, room.p + room.n);
	}
	free(room.p);
	free(p);
}

/* E1: whatever the number of members and their lengths. */
static void test_e1_many_members(void **state)
{
	(void)state;
	for (uint32_t count = 0; count <= 300; count += count < 150 ? 1 : 37) {
		copy_members(count, 4, 32);
		copy_members(count, 4, 4);
		copy_members(count, 32, 32);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_e1_short_group),
		cmocka_unit_test(test_e1_many_members),
		cmocka_unit_test(test_golden_bytes),
		cmocka_unit_test(test_i9_order_of_input_does_not_matter),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_d1_d6_accounts_refused),
		cmocka_unit_test(test_d3_groups_refused),
		cmocka_unit_test(test_e3_largest),
	};

	if (argc > 1 && strcmp(argv[1], "--print") == 0)
		return print_golden();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
