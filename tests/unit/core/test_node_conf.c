/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/node_conf.h"
#include "cluster/wr.h"

static enum cluster_err parse(const char *text, struct node_conf *c, struct diag *d)
{
	node_conf_init(c);
	diag_clear(d);
	return conf_parse(text, strlen(text), "node.conf", node_conf_keys, node_conf_n_keys, c, d);
}

static void test_defaults(void **state)
{
	struct node_conf c;

	(void)state;
	node_conf_init(&c);
	assert_true(node_conf_listed(&c.job_services, "cron"));
	assert_true(node_conf_listed(&c.sudo_services, "sudo-i"));
	assert_false(node_conf_listed(&c.job_services, "sshd"));
	assert_int_equal(c.adopt.n, 0);
	assert_int_equal(c.foreign, NODE_CONF_FOREIGN_REFUSE);
	assert_int_equal(c.static_keys, NODE_CONF_STATIC_KEYS_REFUSE);
}

static void test_both_sections(void **state)
{
	struct node_conf c;
	struct diag d;

	(void)state;
	assert_int_equal(parse("[node]\nadopt = ecs-user, core\nforeign = ignore\nmax_stale = 5m\nstatic_keys = report\n"
			       "[agent]\nauthority = https://a.example:7443\nkill_grace_ms = 50\nlog_level = debug\n", &c, &d), CLUSTER_OK);
	assert_int_equal(c.adopt.n, 2);
	assert_true(node_conf_listed(&c.adopt, "core"));
	assert_int_equal(c.foreign, NODE_CONF_FOREIGN_IGNORE);
	assert_int_equal(c.max_stale, 300);
	assert_int_equal(c.static_keys, NODE_CONF_STATIC_KEYS_REPORT);
	assert_int_equal(c.kill_grace_ms, 50);
	assert_string_equal(c.authority.item[0], "https://a.example:7443");
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"[node]\nadopt = Root\n", "[node]\nadopt = a:b\n", "[node]\nforeign = maybe\n", "[node]\nmax_stale = 2d\n", "[agent]\nauthority = http://a\n",
		"[agent]\nauthority = https://\n", "[agent]\nstate = var\n", "[agent]\npoll_wait = 61\n", "[node]\nstate = /x\n", "[nodes]\n", "adopt = x\n",
	};
	struct node_conf c;
	struct diag d;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (parse(bad[i], &c, &d) != CLUSTER_ECONFIG)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(parse("[node]\nadopted = x\n", &c, &d), CLUSTER_ECONFIG);
	assert_non_null(strstr(d.text, "adopt"));
}

/* What --dump prints is a file that gives the same values. */
static void test_dump_is_input(void **state)
{
	struct node_conf a, b;
	struct diag d;
	struct wr w;

	(void)state;
	assert_int_equal(parse("[node]\nadopt = ecs-user\n[agent]\nretry_max = 2m\nauthority = https://x\n", &a, &d), CLUSTER_OK);
	wr_grow(&w, CONF_FILE_MAX);
	conf_dump(node_conf_keys, node_conf_n_keys, &a, &w);
	wr_terminate(&w);
	assert_int_equal(wr_end(&w), CLUSTER_OK);
	assert_int_equal(parse((const char *)w.p, &b, &d), CLUSTER_OK);
	assert_memory_equal(&a, &b, sizeof a);
	wr_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_both_sections),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_dump_is_input),
	};

	return cmocka_run_group_tests_name("node_conf", tests, NULL, NULL);
}
