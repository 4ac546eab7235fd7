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
		"[node]\nservice_max_stale = sudo\n", "[node]\nservice_max_stale = sudo:\n", "[node]\nservice_max_stale = sudo:0\n", "[node]\nservice_max_stale = :5m\n",
		"[node]\nservice_max_stale = sudo:2d\n", "[node]\nservice_max_stale = a/b:5m\n", "[agent]\nrelay = host\n", "[agent]\nrelay = host:0\n", "[agent]\nrelay = https://a:1\n",
		"[relay]\nlisten = host:7444\n", "[relay]\nlisten = 0.0.0.0\n", "[relay]\nmax_connections = 0\n", "[relay]\nmax_per_address = 16385\n",
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

/* A limit is only ever tightened: the strictest of the node's and the service's. */
static void test_service_limits(void **state)
{
	static const struct { const char *text, *service; int64_t want; } rows[] = {
		{ "", "sudo", 300 }, { "", "sudo-i", 300 }, { "", "sshd", 0 }, { "", NULL, 0 }, { "[node]\nmax_stale = 1m\n", "sudo", 60 }, { "[node]\nmax_stale = 1m\n", "sshd", 60 },
		{ "[node]\nmax_stale = 10m\n", "sudo", 300 }, { "[node]\nmax_stale = 10m\n", NULL, 600 }, { "[node]\nservice_max_stale = su:90, sshd:10m\n", "su", 90 },
		{ "[node]\nservice_max_stale = su:90, sshd:10m\n", "sudo", 0 }, { "[node]\nservice_max_stale = su:90 su:30\n", "su", 30 }, { "[node]\nservice_max_stale = su:90\n", "s", 0 },
		{ "[node]\nservice_max_stale =\n", "sudo", 0 }, { "[node]\nservice_max_stale = sudo:1d\nmax_stale = 5m\n", "sudo", 300 },
	};
	struct node_conf c;
	struct diag d;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(parse(rows[i].text, &c, &d), CLUSTER_OK);
		if (node_conf_max_stale(&c, rows[i].service) != rows[i].want)
			fail_msg("%s for %s", rows[i].text, rows[i].service ? rows[i].service : "all");
	}
}

static void test_relay(void **state)
{
	struct node_conf c;
	struct diag d;

	(void)state;
	node_conf_init(&c);
	assert_int_equal(c.relay.n, 0);
	assert_int_equal(c.relay_listen.n, 0);
	assert_int_equal(parse("[agent]\nrelay = master-1-1:7444, [2001:db8::1]:7444 direct\n[relay]\nlisten = 0.0.0.0:7444 [::]:7444\nmax_connections = 10\nmax_per_address = 3\n", &c, &d),
	    CLUSTER_OK);
	assert_int_equal(c.relay.n, 3);
	assert_string_equal(c.relay.item[2], NODE_CONF_DIRECT);
	assert_int_equal(c.relay_listen.n, 2);
	assert_int_equal(c.relay_connections, 10);
	assert_int_equal(c.relay_per_address, 3);
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
		cmocka_unit_test(test_service_limits),
		cmocka_unit_test(test_relay),
	};

	return cmocka_run_group_tests_name("node_conf", tests, NULL, NULL);
}
