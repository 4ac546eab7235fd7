/* SPDX-License-Identifier: Apache-2.0 */
/* passwd(5) and group(5) files that are imported: what is taken, left out, or named as wrong (THREATS.md D1, D3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "passwd_file.h"

static char told[200];

static void tell(unsigned int line, const char *name, const char *why)
{
	snprintf(told + strlen(told), sizeof told - strlen(told), "%u %s: %.16s;", line, name, why);
}

static enum cluster_err read_bytes(const char *text, size_t n, enum passwd_form form, struct passwd_file *ret, struct diag *d)
{
	char path[] = "/tmp/test_passwd_file.XXXXXX";
	int fd = mkstemp(path);
	enum cluster_err e;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
	told[0] = '\0';
	diag_clear(d);
	e = passwd_file_read(path, form, tell, ret, d);
	unlink(path);
	return e;
}

static void expect_wrong(enum passwd_form form, const char *text, const char *says)
{
	struct passwd_file f = { .n = 0 };
	struct diag d;

	assert_int_equal(read_bytes(text, strlen(text), form, &f, &d), CLUSTER_EFORMAT);
	if (!strstr(d.text, says))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, d.text, says);
	assert_int_equal(f.n, 0);
}

static void test_accounts(void **state)
{
	static const char text[] = "# comment\n\nann:x:1001:1002:Ann,room,,:/home/ann:/bin/bash\n \t\nben:*:60000:0::/srv/ben:/usr/bin/zsh";
	struct passwd_file f = { .n = 0 };
	struct diag d;

	(void)state;
	assert_int_equal(read_bytes(text, sizeof text - 1, PASSWD_FORM_PASSWD, &f, &d), CLUSTER_OK);
	assert_int_equal(f.n, 2);
	assert_string_equal(f.account[0].name, "ann");
	assert_string_equal(f.account[0].gecos, "Ann");
	assert_string_equal(f.account[0].home, "/home/ann");
	assert_string_equal(f.account[0].shell, "/bin/bash");
	assert_int_equal(f.account[0].uid, 1001);
	assert_int_equal(f.account[0].gid, 1002);
	assert_int_equal(f.account[0].line, 3);
	assert_string_equal(f.account[1].name, "ben");
	assert_int_equal(f.account[1].gid, 0);
	assert_int_equal(f.account[1].line, 5);
	passwd_file_done(&f);
}

static void test_left_out(void **state)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/sh\nJohn Doe:x:65534:1:::\nsshd:x:70000:70000::/run:/bin/false\n";
	struct passwd_file f = { .n = 0 };
	struct diag d;

	(void)state;
	assert_int_equal(read_bytes(text, sizeof text - 1, PASSWD_FORM_PASSWD, &f, &d), CLUSTER_OK);
	assert_int_equal(f.n, 0);
	assert_int_equal(f.left_out, 3);
	assert_string_equal(told, "1 root: the system's own;2 John Doe: the system's own;3 sshd: the system's own;");
	passwd_file_done(&f);
}

static void test_wrong_accounts(void **state)
{
	const enum passwd_form form = PASSWD_FORM_PASSWD;

	(void)state;
	expect_wrong(form, "ann:x:1001:1001:Ann:/home/ann\n", ":1: 7 fields");
	expect_wrong(form, "ann:x:1001:1001:Ann:/home/ann:/bin/sh:\n", "these are 8");
	expect_wrong(form, "\nann:x:01001:1001:Ann:/home/ann:/bin/sh\n", ":2: \"ann\": uid and gid");
	expect_wrong(form, "ann:x:1001:-1:Ann:/home/ann:/bin/sh\n", "uid and gid");
	expect_wrong(form, "ann:x:4294967296:1:Ann:/home/ann:/bin/sh\n", "uid and gid");
	expect_wrong(form, "Ann:x:1001:1001:Ann:/home/ann:/bin/sh\n", "an account's name");
	expect_wrong(form, "ann:x:1001:1001:\033[2J:/home/ann:/bin/sh\n", "full name");
	expect_wrong(form, "ann:x:1001:1001:Ann:/home/ann/:/bin/sh\n", "home directory");
	expect_wrong(form, "ann:x:1001:1001:Ann:/home/../root:/bin/sh\n", "home directory");
	expect_wrong(form, "ann:x:1001:1001:Ann:/home/ann:\n", "shell");
	expect_wrong(form, "+@admins::::::\n", "uid and gid");
}

static void test_zero_byte(void **state)
{
	static const char text[] = "ann:x:1001:1001:Ann:/home/ann:/bin/sh\0:evil\n";
	struct passwd_file f = { .n = 0 };
	struct diag d;

	(void)state;
	assert_int_equal(read_bytes(text, sizeof text - 1, PASSWD_FORM_PASSWD, &f, &d), CLUSTER_EFORMAT);
	assert_non_null(strstr(d.text, ":1: there is a zero byte"));
}

static void test_groups(void **state)
{
	static const char text[] = "root:x:0:\ncrew:x:1100:ann,ben\nempty:x:1101:\nodd:x:1102:,ann,,ben,\ndocker:x:2000:ann\n";
	struct passwd_file f = { .n = 0 };
	struct diag d;

	(void)state;
	assert_int_equal(read_bytes(text, sizeof text - 1, PASSWD_FORM_GROUP, &f, &d), CLUSTER_OK);
	assert_int_equal(f.n, 3);
	assert_string_equal(told, "1 root: the system's own;5 docker: the system's own;");
	assert_string_equal(f.group[0].members, "ann,ben");
	assert_int_equal(f.group[0].gid, 1100);
	assert_string_equal(f.group[1].members, "");
	assert_string_equal(f.group[2].name, "odd");
	passwd_file_done(&f);
	expect_wrong(PASSWD_FORM_GROUP, "crew:x:1100\n", "4 fields");
	expect_wrong(PASSWD_FORM_GROUP, "crew:x:1100:ann,Ben\n", "names of accounts");
	expect_wrong(PASSWD_FORM_GROUP, "crew:x:1100:ann, ben\n", "names of accounts");
	expect_wrong(PASSWD_FORM_GROUP, "crew:x:1100:a23456789012345678901234567890123\n", "names of accounts");
	expect_wrong(PASSWD_FORM_GROUP, "-crew:x:1100:ann\n", "a group's name");
}

static void test_many(void **state)
{
	struct passwd_file f = { .n = 0 };
	char *text = malloc(1000 * 60), *p = text;
	struct diag d;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 1000; i++)
		p += sprintf(p, "p%d:x:%d:%d::/home/p%d:/bin/sh\n", i, 2000 + i, 2000 + i, i);
	assert_int_equal(read_bytes(text, (size_t)(p - text), PASSWD_FORM_PASSWD, &f, &d), CLUSTER_OK);
	assert_int_equal(f.n, 1000);
	assert_string_equal(f.account[999].name, "p999");
	passwd_file_done(&f);
	free(text);
}

static void test_no_file(void **state)
{
	struct passwd_file f = { .n = 0 };
	struct diag d = { .code = CLUSTER_OK };

	(void)state;
	assert_int_equal(passwd_file_read("/nonexistent/passwd", PASSWD_FORM_PASSWD, tell, &f, &d), CLUSTER_ESYSTEM);
	assert_non_null(strstr(d.text, "/nonexistent/passwd: No such file"));
	assert_int_equal(passwd_file_read("/", PASSWD_FORM_PASSWD, tell, &f, &d), CLUSTER_ESYSTEM);
	passwd_file_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accounts), cmocka_unit_test(test_left_out), cmocka_unit_test(test_wrong_accounts), cmocka_unit_test(test_zero_byte),
		cmocka_unit_test(test_groups), cmocka_unit_test(test_many), cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
