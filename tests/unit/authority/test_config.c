/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "status.h"

static struct diag d;

/* Writes a file and loads it. */
static enum cluster_err load(const char *text, struct config *c)
{
	char path[] = "/tmp/test_config.XXXXXX";
	int fd = mkstemp(path);
	enum cluster_err e;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	config_defaults(c);
	diag_clear(&d);
	e = config_load(path, c, &d);
	unlink(path);
	return e;
}

static void test_values(void **state)
{
	struct config c;

	(void)state;
	assert_ok(load("", &c));
	assert_int_equal(c.max_stale, 900);
	assert_string_equal(c.listen.item[0], CONFIG_LISTEN);
	assert_ok(load("[authority]\nlisten = 127.0.0.1:1 [::1]:2\nmax_stale = 20m\nurl = https://a.example:7443\n", &c));
	assert_int_equal(c.listen.n, 2);
	assert_int_equal(c.max_stale, 1200);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"max_stale = 900\n", "[authority]\nmaxstale = 900\n", "[authority]\nmax_stale = 1s\n", "[authority]\nskew = 301\n", "[authority]\nskew = 30\nskew = 30\n",
		"[authority]\ncredential_life = 13h\n", "[authority]\nlisten = localhost:7443\n", "[authority]\nlisten = 127.0.0.1\n", "[authority]\nlisten = 127.0.0.1:65536\n",
		"[authority]\nlisten = ::1:7443\n", "[authority]\nurl = http://a\n", "[authority]\nuid_min = 1000\n", "[authority]\nuid_min = 100000\nuid_max = 99999\n",
		"[authority]\nhead_interval = 10m\n", "[authority]\ndir = relative\n", "[authority]\nplain = 0.0.0.0:1\n", "[authority]\nplain = [::]:1\n",
	};
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (load(bad[i], &c) == CLUSTER_OK)
			fail_msg("taken: %s", bad[i]);
		assert_true(d.text[0]);
	}
	assert_int_not_equal(load("[authority]\nmax_stal = 900\n", &c), CLUSTER_OK);
	assert_non_null(strstr(d.text, ":2:"));
	assert_non_null(strstr(d.text, "max_stale"));
}

static void test_url(void **state)
{
	static const char *const good[] = { "https://a", "https://a:1", "https://10.0.0.1:7443", "https://[fd00::1]:7443", "https://[::1]" },
				 *const bad[] = { "", "https://", "https://a/", "https://a:0", "https://a:65536", "https://a:x", "https://u@a", "https://a b", "https://[::1", "https://[x]",
					 "https://a?x", "HTTPS://a" };
	char host[64];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		if (!config_url_ok(good[i]))
			fail_msg("%s", good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (config_url_ok(bad[i]))
			fail_msg("%s", bad[i]);
	}
	config_url_host("https://[fd00::1]:7443", host, sizeof host);
	assert_string_equal(host, "fd00::1");
	config_url_host("https://authority:7443", host, sizeof host);
	assert_string_equal(host, "authority");
}

/* The whole map from errors to HTTP: what a client's table takes back (api.h). */
static void test_status(void **state)
{
	static const struct {
		enum cluster_err e;
		int status;
	} map[] = {
		{ CLUSTER_OK, 200 }, { CLUSTER_ENOMEM, 500 }, { CLUSTER_ESYSTEM, 500 }, { CLUSTER_ELIMIT, 413 }, { CLUSTER_ETRUNC, 400 }, { CLUSTER_EFORMAT, 400 }, { CLUSTER_EVERSION, 409 },
		{ CLUSTER_ECRYPTO, 500 }, { CLUSTER_ESIGNATURE, 401 }, { CLUSTER_EEXPIRED, 401 }, { CLUSTER_EEARLY, 401 }, { CLUSTER_EREVOKED, 403 }, { CLUSTER_EDENIED, 403 },
		{ CLUSTER_ENOTFOUND, 404 }, { CLUSTER_EUNAVAIL, 503 }, { CLUSTER_EUNTRUSTED, 401 }, { CLUSTER_ECONFIG, 400 },
	};
	struct blob *b = status_body(CLUSTER_EFORMAT, NULL, "a \"quote\" and a \n");

	(void)state;
	for (size_t i = 0; i < sizeof map / sizeof *map; i++)
		assert_int_equal(status_http(map[i].e), map[i].status);
	assert_int_equal(sizeof map / sizeof *map, CLUSTER_ECONFIG + 1);
	assert_non_null(b);
	assert_string_equal(b->bytes, "{\"error\":\"format\",\"message\":\"a \\\"quote\\\" and a \\n\"}");
	blob_unref(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_values), cmocka_unit_test(test_refused), cmocka_unit_test(test_url), cmocka_unit_test(test_status) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
