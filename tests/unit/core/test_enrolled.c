/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/enrolled.h"

#define PIN "sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define GOOD "[enrolled]\npin = " PIN "\ncluster = AAECAwQFBgcICQoLDA0ODw\nnode = DxAREhMUFRYXGBkaGxwdHg\nname = master-1-1\nauthority = https://a:7443, https://[::1]:7443\n"

static enum cluster_err parse(const char *text, struct enrolled *ret)
{
	struct diag d;

	diag_clear(&d);
	return enrolled_parse(text, strlen(text), "enrolled", ret, &d);
}

static void test_good(void **state)
{
	struct enrolled e;

	(void)state;
	assert_ok(parse(GOOD, &e));
	assert_string_equal(e.name, "master-1-1");
	assert_string_equal(e.pin_text, PIN);
	assert_int_equal(e.pin[31], 31);
	assert_int_equal(e.node.b[0], 15);
	assert_int_equal(e.authority.n, 2);
	assert_string_equal(e.authority.item[1], "https://[::1]:7443");
}

static void test_each_line_is_needed_and_judged(void **state)
{
	static const char *const bad[][2] = {
		{ "pin = sha256", "# sha256" }, { "pin = sha256:A", "pin = sha256:" }, { "pin = sha256:A", "pin = sha512:A" }, { "Hh8\n", "Hh9\n" },
		{ "cluster = A", "cluster = " }, { "cluster = ", "# " }, { "node = D", "node = " }, { "node =", "nodes =" }, { "master-1-1", "Master" },
		{ "master-1-1", "localhost" }, { "name = ", "# " }, { "https://a:7443, ", "http://a:7443, " }, { "https://a:7443", "https://a:7443/x" },
		{ "authority", "# " }, { "[enrolled]", "[enroled]" }, { "name", "pin" },
	};
	char text[1024];
	struct enrolled e;
	const char *at;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		at = strstr(GOOD, bad[i][0]);
		assert_non_null(at);
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, bad[i][1], at + strlen(bad[i][0]));
		if (parse(text, &e) != CLUSTER_ECONFIG)
			fail_msg("accepted with \"%s\" for \"%s\"", bad[i][1], bad[i][0]);
	}
}

static void test_store_and_read(void **state)
{
	char dir[] = "/tmp/enrolled-XXXXXX", path[64];
	struct enrolled e, again;
	struct stat st;
	struct diag d;

	(void)state;
	diag_clear(&d);
	assert_non_null(mkdtemp(dir));
	assert_err(enrolled_read(dir, geteuid(), &again, &d), CLUSTER_ENOTFOUND);
	assert_ok(parse(GOOD, &e));
	assert_ok(enrolled_store(dir, &e, &d));
	assert_ok(enrolled_read(dir, geteuid(), &again, &d));
	assert_memory_equal(&e, &again, sizeof e);
	snprintf(path, sizeof path, "%s/%s", dir, ENROLLED_FILE);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(chmod(path, 0666), 0);
	assert_err(enrolled_read(dir, geteuid(), &again, &d), CLUSTER_EUNTRUSTED);
	e.name[0] = '\0';
	assert_err(enrolled_store(dir, &e, &d), CLUSTER_ECONFIG);
	unlink(path);
	rmdir(dir);
}

/* The ways that the node joined by; the line may be absent. */
static void test_relay(void **state)
{
	char dir[] = "/tmp/enrolled-XXXXXX", path[64], text[1024];
	struct enrolled e, again;
	struct diag d;

	(void)state;
	diag_clear(&d);
	assert_ok(parse(GOOD, &e));
	assert_int_equal(e.relay.n, 0);
	snprintf(text, sizeof text, "%srelay = task-1-1:7444 direct\n", GOOD);
	assert_ok(parse(text, &e));
	assert_int_equal(e.relay.n, 2);
	assert_non_null(mkdtemp(dir));
	assert_ok(enrolled_store(dir, &e, &d));
	assert_ok(enrolled_read(dir, geteuid(), &again, &d));
	assert_memory_equal(&e, &again, sizeof e);
	snprintf(path, sizeof path, "%s/%s", dir, ENROLLED_FILE);
	unlink(path);
	rmdir(dir);
	snprintf(text, sizeof text, "%srelay = a:1 b:2 c:3 d:4 direct\n", GOOD);
	assert_err(parse(text, &e), CLUSTER_ECONFIG);
	snprintf(text, sizeof text, "%srelay = https://a:1\n", GOOD);
	assert_err(parse(text, &e), CLUSTER_ECONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_each_line_is_needed_and_judged),
		cmocka_unit_test(test_store_and_read),
		cmocka_unit_test(test_relay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
