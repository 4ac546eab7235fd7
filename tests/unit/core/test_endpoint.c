/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "cluster/endpoint.h"

static void test_parse(void **state)
{
	static const struct { const char *text, *host; unsigned int port; } good[] = {
		{ "host:1", "host", 1 }, { "a.example.org:65535", "a.example.org", 65535 }, { "10.0.0.1:7444", "10.0.0.1", 7444 }, { "[::1]:7444", "::1", 7444 },
		{ "[2001:db8::a]:80", "2001:db8::a", 80 }, { "h-1:80", "h-1", 80 },
	};
	static const char *const bad[] = {
		"", ":", "host", "host:", ":80", "host:0", "host:65536", "host:08", "host:+8", "host: 8", "ho st:80", "-h:80", ".h:80", "a:b:80", "::1:80", "[::1]", "[::1]80", "[]:80", "[a]:80",
		"[10.0.0.1]:80", "[::1:80", "h_1:80", "user@host:80", "host:80/", "https://host:80", "h\xc3\xa4:80",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:80",
	};
	struct endpoint e;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_ok(endpoint_parse(good[i].text, &e));
		assert_string_equal(e.host, good[i].host);
		assert_int_equal(e.port, good[i].port);
		assert_true(endpoint_ok(good[i].text));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (endpoint_parse(bad[i], &e) != CLUSTER_EFORMAT || endpoint_ok(bad[i]))
			fail_msg("taken: %s", bad[i]);
	assert_err(endpoint_parse(NULL, &e), CLUSTER_EFORMAT);
}

static void test_url_and_listen(void **state)
{
	struct endpoint e;

	(void)state;
	assert_ok(endpoint_of_url("https://authority.example:7443", &e));
	assert_string_equal(e.host, "authority.example");
	assert_int_equal(e.port, 7443);
	assert_ok(endpoint_of_url("https://[::1]", &e));
	assert_string_equal(e.host, "::1");
	assert_int_equal(e.port, 443);
	assert_err(endpoint_of_url("http://a:1", &e), CLUSTER_EFORMAT);
	assert_err(endpoint_of_url("https://a:1/", &e), CLUSTER_EFORMAT);
	assert_err(endpoint_of_url("https://", &e), CLUSTER_EFORMAT);
	assert_err(endpoint_of_url(NULL, &e), CLUSTER_EFORMAT);
	assert_true(endpoint_listen_ok("0.0.0.0:7444") && endpoint_listen_ok("[::]:7444") && endpoint_listen_ok("10.1.2.3:1"));
	assert_false(endpoint_listen_ok("localhost:7444") || endpoint_listen_ok("0.0.0.0") || endpoint_listen_ok("10.1.2:1") || endpoint_listen_ok("[::g]:1") || endpoint_listen_ok("[fe80:::1]:1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_parse), cmocka_unit_test(test_url_and_listen) };

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
