/* SPDX-License-Identifier: Apache-2.0 */
/* What of the directory's nodes stands in accounts.snap, and in which order. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/snap.h"
#include "cluster/snap_write.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const struct cluster_id cluster = { { 0xc1 } };
static char worker[][NAME_ROLE_MAX + 1] = { "worker", "worker" }, odd[][NAME_ROLE_MAX + 1] = { "localhost", "leader", "_gateway", "any", "node-1", "gpu_a" };
static char one[][SNAP_ADDRESS_TEXT] = { "10.0.0.1", "fd00::1", "10.1.0.1" }, two[][SNAP_ADDRESS_TEXT] = { "10.0.0.2" };
static char bad[][SNAP_ADDRESS_TEXT] = { "127.0.0.1", "::1", "fe80::1", "169.254.169.254", "224.0.0.1", "0.0.0.0", "255.255.255.255", "::ffff:10.0.0.9" };

static enum cluster_err build(const struct snap_node_in *nodes, size_t n, uint8_t **ret, struct snap *ret_snap)
{
	const struct snap_names names = { .nodes = nodes, .n_nodes = n };
	enum cluster_err e;
	struct diag d;
	size_t size;

	diag_clear(&d);
	e = snap_accounts_build(&cluster, &names, ret, &size, &d);
	if (e != CLUSTER_OK) {
		assert_int_equal(d.code, e);
		assert_true(d.text[0] != '\0');
		return e;
	}
	assert_ok(snap_parse(*ret, size, SNAP_ACCOUNTS, ret_snap));
	assert_ok(snap_verify(ret_snap));
	return CLUSTER_OK;
}

static enum cluster_err find(const struct snap *s, const char *name, struct snap_host *ret)
{
	struct snap_host_name key;

	return snap_host_name(name, &key) ? snap_host_by_name(s, &key, ret) : CLUSTER_ENOTFOUND;
}

static void test_roles_in_name_order(void **state)
{
	static const uint8_t v4[] = { 10, 0, 0, 1, 10, 1, 0, 1, 10, 0, 0, 2 };
	const struct snap_node_in nodes[] = {
		{ "node-2", worker, 1, two, COUNT(two), true },
		{ "node-1", worker, 2, one, COUNT(one), true }, /* has the role twice, and counts once */
	};
	struct snap_host h;
	struct snap s;
	uint8_t *p;

	(void)state;
	assert_ok(build(nodes, COUNT(nodes), &p, &s));
	assert_ok(find(&s, "worker", &h));
	assert_true(h.role);
	assert_int_equal(h.n_v4, 3);
	assert_memory_equal(h.v4, v4, sizeof v4);
	assert_int_equal(h.n_v6, 1);
	assert_ok(find(&s, "leader", &h)); /* both are marked */
	assert_int_equal(h.n_v4, 3);
	assert_ok(find(&s, "node-1", &h));
	assert_int_equal(h.n_v4, 2);
	assert_memory_equal(h.v4, v4, 8);
	free(p);
}

static void test_reserved_names_and_addresses_are_left_out(void **state)
{
	const struct snap_node_in nodes[] = {
		{ "node-1", odd, COUNT(odd), one, COUNT(one), false },
		{ "node-2", odd, COUNT(odd), two, COUNT(two), false },
		{ "node-3", worker, 1, bad, COUNT(bad), false }, /* without an address that may be told it has no name, nor the role a member */
		{ "metadata", worker, 1, one + 1, 0, false },
	};
	struct snap_address a;
	uint64_t cursor = 0;
	struct snap_host h;
	struct snap s;
	uint8_t *p;
	size_t n = 0;

	(void)state;
	assert_ok(build(nodes, COUNT(nodes), &p, &s));
	for (size_t i = 0; i < 4; i++)
		assert_err(find(&s, odd[i], &h), CLUSTER_ENOTFOUND); /* nobody is marked as leader: a role of that name does not make one */
	assert_err(find(&s, "node-3", &h), CLUSTER_ENOTFOUND);
	assert_err(find(&s, "worker", &h), CLUSTER_ENOTFOUND);
	assert_ok(find(&s, "node-1", &h)); /* also a role's name: the node's wins */
	assert_false(h.role);
	assert_int_equal(h.n_v4, 2);
	assert_ok(find(&s, "gpu_a", &h));
	assert_int_equal(h.n_v4, 3);
	while (snap_host_each(&s, &cursor, &a) == CLUSTER_OK)
		n++;
	assert_int_equal(n, 4);
	free(p);
}

static void test_refused(void **state)
{
	static char twice[][SNAP_ADDRESS_TEXT] = { "10.0.0.5", "10.0.0.5" }, other[][SNAP_ADDRESS_TEXT] = { "10.0.0.1" }, text[][SNAP_ADDRESS_TEXT] = { "10.0.0" };
	const struct snap_node_in tables[][2] = {
		{ { "node-1", NULL, 0, one, 1, false }, { "node-1", NULL, 0, two, 1, false } },
		{ { "node-1", NULL, 0, twice, 2, false }, { "node-2", NULL, 0, two, 1, false } },
		{ { "node-1", NULL, 0, one, 1, false }, { "node-2", NULL, 0, other, 1, false } },
		{ { "node-1", NULL, 0, text, 1, false }, { "node-2", NULL, 0, two, 1, false } },
		{ { "node.1", NULL, 0, one, 1, false }, { "node-2", NULL, 0, two, 1, false } },
		{ { "localhost", NULL, 0, one, 1, false }, { "node-2", NULL, 0, two, 1, false } },
		{ { NULL, NULL, 0, one, 1, false }, { "node-2", NULL, 0, two, 1, false } },
	};
	struct snap s;
	uint8_t *p;

	(void)state;
	for (size_t i = 0; i < COUNT(tables); i++)
		assert_err(build(tables[i], 2, &p, &s), CLUSTER_EFORMAT);
}

/* A role of as many nodes as a large cluster has, each found by name and by address. */
static void test_many(void **state)
{
	enum { MANY = 20000 };
	struct snap_node_in *nodes = calloc(MANY, sizeof *nodes);
	char(*names)[16] = calloc(MANY, sizeof *names), (*text)[SNAP_ADDRESS_TEXT] = calloc(MANY, sizeof *text);
	struct snap_address a;
	struct snap_host h;
	struct snap s;
	uint8_t *p;

	(void)state;
	assert_true(nodes && names && text);
	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof names[i], "n%05u", i);
		snprintf(text[i], sizeof text[i], "10.%u.%u.%u", i / 10000, i / 100 % 100, i % 100);
		nodes[i] = (struct snap_node_in){ names[i], worker, 1, &text[i], 1, false };
	}
	assert_ok(build(nodes, MANY, &p, &s));
	assert_ok(find(&s, "worker", &h));
	assert_int_equal(h.n_v4, MANY);
	for (unsigned int i = 0; i < MANY; i += 777) {
		assert_ok(find(&s, names[i], &h));
		assert_ok(snap_host_by_address(&s, h.v4, 4, &a));
		assert_string_equal(a.name, names[i]);
	}
	free(p);
	free(text);
	free(names);
	free(nodes);
}

static void test_too_many(void **state)
{
	enum { MANY = SNAP_HOST_ADDRESSES_MAX + 1 };
	char(*text)[SNAP_ADDRESS_TEXT] = calloc(MANY, sizeof *text);
	struct snap_node_in node = { "node-1", NULL, 0, text, MANY, false }, pair[2];
	struct snap_host h;
	struct snap s;
	uint8_t *p;

	(void)state;
	assert_non_null(text);
	for (unsigned int i = 0; i < MANY; i++)
		snprintf(text[i], sizeof text[i], "11.%u.%u.%u", i / 65536, i / 256 % 256, i % 256);
	assert_err(build(&node, 1, &p, &s), CLUSTER_ELIMIT);
	node.n_addresses--;
	assert_ok(build(&node, 1, &p, &s));
	free(p);
	/* a role of so many is left out, and takes nobody with it */
	pair[0] = node;
	pair[0].roles = worker;
	pair[0].n_roles = 1;
	pair[1] = (struct snap_node_in){ "node-2", worker, 1, two, 1, true };
	assert_ok(build(pair, 2, &p, &s));
	assert_err(find(&s, "worker", &h), CLUSTER_ENOTFOUND);
	assert_ok(find(&s, "node-1", &h));
	assert_ok(find(&s, "leader", &h));
	free(p);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roles_in_name_order),
		cmocka_unit_test(test_reserved_names_and_addresses_are_left_out),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
