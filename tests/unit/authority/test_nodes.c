/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/directory.h"
#include "nodes.h"

static struct nodes *fresh(void)
{
	struct nodes *n = calloc(1, sizeof *n);

	assert_non_null(n);
	return n;
}

static struct nodes_one *add(struct nodes *n, unsigned char first, const char *name)
{
	struct directory_node node = { .id = { { first } } };

	strcpy(node.name, name);
	assert_ok(nodes_set(n, &node));
	return nodes_find(n, &node.id);
}

static void test_set(void **state)
{
	struct cluster_id id = { { 2 } };
	struct nodes_one **sorted = NULL;
	struct nodes *n = fresh();

	(void)state;
	add(n, 3, "a");
	add(n, 1, "c");
	add(n, 2, "b");
	assert_int_equal(n->n, 3);
	assert_string_equal(nodes_find(n, &id)->name, "b");
	assert_ptr_equal(add(n, 2, "z"), n->one[1]);
	assert_int_equal(n->n, 3);
	assert_ok(nodes_by_name(n, &sorted));
	assert_string_equal(sorted[0]->name, "a");
	assert_string_equal(sorted[2]->name, "z");
	free(sorted);
	nodes_remove(n, &id);
	nodes_remove(n, &id);
	assert_null(nodes_find(n, &id));
	assert_int_equal(n->n, 2);
	nodes_free(n);
}

static void test_progress(void **state)
{
	struct nodes *n = fresh();
	struct nodes_one *o = add(n, 1, "a");

	(void)state;
	assert_int_equal(nodes_when(o, 1), -1);
	nodes_progress(o, 10, 0, 12, 1000);
	nodes_progress(o, 99, 0, 12, 1001); /* there is no such head: no proof */
	assert_int_equal(nodes_applied(o), 10);
	nodes_progress(o, 10, 2, 12, 1500); /* two sessions ended meanwhile */
	nodes_progress(o, 12, 2, 12, 2000);
	nodes_progress(o, 12, 5, 12, 2500);
	assert_int_equal(nodes_when(o, 9), 1000);
	assert_int_equal(nodes_when(o, 11), 2000);
	assert_int_equal(nodes_when(o, 12), 2000);
	assert_int_equal(nodes_when(o, 13), -1);
	assert_int_equal(nodes_ended_for(o, 12), 3);
	assert_int_equal(nodes_ended(o), 5);
	/* reinstalled: it starts again, and has proved nothing of before */
	nodes_progress(o, 0, 0, 12, 3000);
	assert_int_equal(nodes_applied(o), 0);
	assert_int_equal(nodes_when(o, 10), -1);
	nodes_free(n);
}

/* More heads than are remembered: what was too long ago is not known, what was lately is. */
static void test_many_steps(void **state)
{
	struct nodes *n = fresh();
	struct nodes_one *o = add(n, 1, "a");

	(void)state;
	for (int64_t v = 1; v <= 100; v++)
		nodes_progress(o, v, 0, 100, v * 10);
	assert_int_equal(nodes_applied(o), 100);
	assert_int_equal(nodes_when(o, 100), 1000);
	assert_int_equal(nodes_when(o, 99), 990);
	assert_int_equal(nodes_when(o, 5), -1);
	nodes_free(n);
}

static void test_inherit(void **state)
{
	struct nodes *old = fresh(), *n = fresh();

	(void)state;
	nodes_progress(add(old, 1, "a"), 7, 0, 9, 5);
	add(n, 1, "a");
	add(n, 2, "b");
	nodes_inherit(n, old);
	assert_int_equal(nodes_applied(n->one[0]), 7);
	assert_int_equal(nodes_applied(n->one[1]), 0);
	nodes_free(old);
	nodes_free(n);
}

/* H8: a node is silent when it has not asked for longer than the longest poll; after our own start everybody is given that time first. */
static void test_reachable(void **state)
{
	struct nodes *n = fresh();
	struct nodes_one *a = add(n, 1, "a"), *b = add(n, 2, "b");

	(void)state;
	n->since = 1000;
	a->seen = 2000;
	assert_true(nodes_reachable(n, b, 1000 + NODES_SILENT));
	assert_false(nodes_reachable(n, b, 1001 + NODES_SILENT));
	assert_true(nodes_reachable(n, a, 2000 + NODES_SILENT));
	assert_false(nodes_reachable(n, a, 2001 + NODES_SILENT));
	assert_int_equal(nodes_least(n), 0);
	nodes_progress(a, 7, 0, 9, 1);
	assert_int_equal(nodes_least(n), 0);
	nodes_progress(b, 5, 0, 9, 1);
	assert_int_equal(nodes_least(n), 5);
	nodes_remove(n, &b->id);
	assert_int_equal(nodes_least(n), 7);
	nodes_remove(n, &a->id);
	assert_int_equal(nodes_least(n), INT64_MAX);
	nodes_free(n);
}

static void test_roles(void **state)
{
	char roles[2][NAME_ROLE_MAX + 1] = { "core", "data" };
	struct directory_node node = { .id = { { 1 } }, .name = "a", .n_roles = 2, .roles = roles };
	struct nodes *n = fresh();

	(void)state;
	assert_ok(nodes_set(n, &node));
	assert_true(nodes_role(n, "data"));
	assert_false(nodes_role(n, "dat"));
	node.n_roles = 1;
	assert_ok(nodes_set(n, &node));
	assert_false(nodes_role(n, "data"));
	nodes_free(n);
}

/* What a reload takes over: progress, and the sessions, which are counted once. */
static void test_inherit_sessions(void **state)
{
	struct report_session s = { .kind = SESSION_CREDENTIAL, .account = "a" };
	struct report r = { .full = true, .n_opened = 1, .opened = &s };
	struct nodes *old = fresh(), *n = fresh();
	struct nodes_one *o = add(old, 1, "a"), *same = add(n, 1, "a");

	(void)state;
	old->since = 9;
	assert_ok(live_apply(&o->live, &old->sessions, &r));
	assert_ok(live_apply(&add(old, 2, "gone")->live, &old->sessions, &r));
	nodes_inherit(n, old);
	assert_int_equal(n->since, 9);
	assert_int_equal(n->sessions, 1);
	assert_int_equal(old->sessions, 1);
	assert_true(same->live.known && same->live.n == 1 && o->live.n == 0);
	nodes_free(old);
	nodes_remove(n, &same->id);
	assert_int_equal(n->sessions, 0);
	nodes_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set), cmocka_unit_test(test_progress), cmocka_unit_test(test_many_steps), cmocka_unit_test(test_inherit), cmocka_unit_test(test_reachable),
		cmocka_unit_test(test_roles), cmocka_unit_test(test_inherit_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
