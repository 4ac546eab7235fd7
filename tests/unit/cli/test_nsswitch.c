/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "nsswitch.h"

static void expect_add(const char *before, const char *after)
{
	char *text = NULL, *again = NULL;
	struct diag d;

	diag_clear(&d);
	if (nsswitch_add(before, &text, &d) != CLUSTER_OK)
		fail_msg("%s: %s", before, d.text);
	assert_string_equal(text, after);
	assert_true(nsswitch_has(text));
	/* twice is once */
	assert_int_equal(nsswitch_add(text, &again, &d), CLUSTER_OK);
	assert_string_equal(again, after);
	free(again);
	free(text);
}

static void expect_both(const char *before, const char *after)
{
	char *text = NULL;

	expect_add(before, after);
	assert_int_equal(nsswitch_remove(after, &text), CLUSTER_OK);
	assert_string_equal(text, before);
	free(text);
}

#define HEAD "# /etc/nsswitch.conf\n#\n# Example: passwd: files\n\n"
#define TAIL "shadow:         files\ngshadow:        files\n\nhosts:          files dns\nnetgroup:       nis\n"
static const char debian[] = HEAD "passwd:         files\ngroup:          files\n" TAIL;
static const char debian_after[] = HEAD "passwd:         files cluster\ngroup:          files cluster\n" TAIL;

static void test_add_and_remove(void **state)
{
	(void)state;
	expect_both(debian, debian_after);
	expect_both("passwd: files systemd\ngroup: files systemd\n", "passwd: files cluster systemd\ngroup: files cluster systemd\n");
	expect_both("passwd:\tfiles\t sss # trailing files\ngroup:files\n", "passwd:\tfiles cluster\t sss # trailing files\ngroup:files cluster\n");
	expect_both("  passwd: compat\ngroup: sss files\n", "  passwd: compat cluster\ngroup: sss files cluster\n");
	expect_both("passwd: files [NOTFOUND=return] sss\ngroup: files [SUCCESS=merge] systemd\n", "passwd: files cluster [NOTFOUND=return] sss\ngroup: files cluster [SUCCESS=merge] systemd\n");
	/* an initgroups line would hide our groups */
	expect_both("passwd: files\ngroup: files\ninitgroups: files sss\n", "passwd: files cluster\ngroup: files cluster\ninitgroups: files cluster sss\n");
	expect_both("passwd: files\ngroup: files", "passwd: files cluster\ngroup: files cluster");
}

static void test_missing_lines(void **state)
{
	(void)state;
	expect_add("", "passwd: files cluster\ngroup: files cluster\n");
	expect_add("hosts: files", "hosts: files\npasswd: files cluster\ngroup: files cluster\n");
	expect_add("group: files\n#passwd: files\n", "group: files cluster\n#passwd: files\npasswd: files cluster\n");
}

static void test_word_boundaries(void **state)
{
	(void)state;
	expect_add("passwd: myfiles files\npasswd_compat: nis\ngroup: files cluster2\n", "passwd: myfiles files cluster\npasswd_compat: nis\ngroup: files cluster cluster2\n");
	assert_false(nsswitch_has("passwd: files cluster\n"));
	assert_false(nsswitch_has("passwd: files cluster\ngroup: files # cluster\n"));
	assert_false(nsswitch_has("passwd: files cluster\ngroup: files clusters\n"));
	assert_true(nsswitch_has("group: cluster\npasswd: files\tcluster\n"));
}

static void test_refused(void **state)
{
	char *text = NULL;
	struct diag d;

	(void)state;
	diag_clear(&d);
	assert_int_equal(nsswitch_add("passwd: sss\ngroup: files\n", &text, &d), CLUSTER_ECONFIG);
	assert_non_null(strstr(d.text, "passwd: sss"));
	assert_int_equal(nsswitch_add("passwd:\ngroup: files\n", &text, &d), CLUSTER_ECONFIG);
	assert_int_equal(nsswitch_add("passwd: [files] # files\ngroup: files\n", &text, &d), CLUSTER_ECONFIG);
	assert_int_equal(nsswitch_add("passwd: files\ngroup: [unclosed", &text, &d), CLUSTER_ECONFIG);
	assert_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_and_remove),
		cmocka_unit_test(test_missing_lines),
		cmocka_unit_test(test_word_boundaries),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("nsswitch", tests, NULL, NULL);
}
