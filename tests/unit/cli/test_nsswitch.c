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
	assert_true(nsswitch_has_hosts(text) || strstr(text, "hosts:")); /* a line without files is left alone */
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
#define TAIL "shadow:         files\ngshadow:        files\n\n"
#define LAST "netgroup:       nis\n"
#define HOSTS "hosts: files cluster dns\n"
static const char debian[] = HEAD "passwd:         files\ngroup:          files\n" TAIL "hosts:          files dns\n" LAST;
static const char debian_after[] = HEAD "passwd:         files cluster\ngroup:          files cluster\n" TAIL "hosts:          files cluster dns\n" LAST;

#define IDS "passwd: files\ngroup: files\n"
#define IDS_AFTER "passwd: files cluster\ngroup: files cluster\n"
#define NO_HOSTS "hosts: dns\n"

static void test_add_and_remove(void **state)
{
	(void)state;
	expect_both(debian, debian_after);
	expect_both(NO_HOSTS "passwd: files systemd\ngroup: files systemd\n", NO_HOSTS "passwd: files cluster systemd\ngroup: files cluster systemd\n");
	expect_both(NO_HOSTS "passwd:\tfiles\t sss # trailing files\ngroup:files\n", NO_HOSTS "passwd:\tfiles cluster\t sss # trailing files\ngroup:files cluster\n");
	expect_both(NO_HOSTS "  passwd: compat\ngroup: sss files\n", NO_HOSTS "  passwd: compat cluster\ngroup: sss files cluster\n");
	expect_both(NO_HOSTS "passwd: files [NOTFOUND=return] sss\ngroup: files [SUCCESS=merge] systemd\n",
	    NO_HOSTS "passwd: files cluster [NOTFOUND=return] sss\ngroup: files cluster [SUCCESS=merge] systemd\n");
	/* an initgroups line would hide our groups */
	expect_both(NO_HOSTS IDS "initgroups: files sss\n", NO_HOSTS IDS_AFTER "initgroups: files cluster sss\n");
	expect_both(NO_HOSTS "passwd: files\ngroup: files", NO_HOSTS "passwd: files cluster\ngroup: files cluster");
}

/* Behind files, before everything that asks the network, and actions stay where they are. */
static void test_hosts(void **state)
{
	(void)state;
	expect_both(IDS "hosts: files dns\n", IDS_AFTER "hosts: files cluster dns\n");
	expect_both(IDS "hosts:\tfiles mdns4_minimal [NOTFOUND=return] dns myhostname\n", IDS_AFTER "hosts:\tfiles cluster mdns4_minimal [NOTFOUND=return] dns myhostname\n");
	expect_both(IDS "hosts: files [NOTFOUND=continue] resolve [!UNAVAIL=return] dns\n", IDS_AFTER "hosts: files cluster [NOTFOUND=continue] resolve [!UNAVAIL=return] dns\n");
	expect_both(IDS "hosts: myhostname files # dns\n", IDS_AFTER "hosts: myhostname files cluster # dns\n");
	expect_both(IDS "hosts: dns\n", IDS_AFTER "hosts: dns\n"); /* never before the local names */
	expect_both(IDS "hosts: compat [files] dns # files\n", IDS_AFTER "hosts: compat [files] dns # files\n");
	assert_false(nsswitch_has_hosts("hosts: files dns\npasswd: files cluster\n"));
	assert_false(nsswitch_has_hosts("hosts: files # cluster\n"));
	assert_true(nsswitch_has_hosts("hosts: files cluster dns\n"));
}

static void test_missing_lines(void **state)
{
	(void)state;
	expect_add("", IDS_AFTER HOSTS);
	expect_add("hosts: files", "hosts: files cluster\n" IDS_AFTER);
	expect_add("group: files\n#passwd: files\n", "group: files cluster\n#passwd: files\npasswd: files cluster\n" HOSTS);
	expect_add("passwd: files\ngroup: files\nhosts_old: files", IDS_AFTER "hosts_old: files\n" HOSTS);
}

static void test_word_boundaries(void **state)
{
	(void)state;
	expect_add(NO_HOSTS "passwd: myfiles files\npasswd_compat: nis\ngroup: files cluster2\n",
	    NO_HOSTS "passwd: myfiles files cluster\npasswd_compat: nis\ngroup: files cluster cluster2\n");
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
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_missing_lines),
		cmocka_unit_test(test_word_boundaries),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("nsswitch", tests, NULL, NULL);
}
