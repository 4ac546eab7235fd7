/* SPDX-License-Identifier: Apache-2.0 */
/* What makes sudo ask for another user's password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sudoers.h"

static void expect(const char *text, const char *on)
{
	struct sudoers s = { .include = NULL };
	char got[64] = "";

	sudoers_read(&s, text);
	for (unsigned i = 0; i < SUDOERS_N; i++) {
		if (s.on[i])
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", got[0] ? " " : "", sudoers_name((enum sudoers_setting)i));
	}
	if (strcmp(got, on) != 0)
		fail_msg("%s: \"%s\" and not \"%s\"", text, got, on);
}

static void test_settings(void **state)
{
	(void)state;
	expect("", "");
	expect("Defaults env_reset\nDefaults mail_badpass\nroot ALL=(ALL:ALL) ALL\n", "");
	expect("Defaults targetpw # ask for the password of the target user\nALL ALL=(ALL) ALL\n", "targetpw");
	expect("  Defaults\trootpw,insults", "rootpw");
	expect("Defaults env_reset, runaspw", "runaspw");
	expect("Defaults rootpw, !rootpw", "");
	expect("Defaults rootpw\nDefaults !rootpw, targetpw\n", "targetpw");
	expect("Defaults !!rootpw", "rootpw");
	expect("Defaults ! rootpw", "");
	expect("#Defaults targetpw\n# Defaults rootpw\n", "");
	expect("Defaults passprompt=\"a, rootpw\", lecture=never, targetpw", "targetpw");
	expect("Defaults env_keep += \"A B\", rootpw", "rootpw");
	expect("Defaults env_keep+=\"A\\\" rootpw, targetpw\"", "");
	expect("Defaults secure_path=/bin\\, rootpw", "");
	expect("Defaults \\\n  rootpw\n", "rootpw");
	expect("Defaultsrootpw\nDefaults_x rootpw\nalice ALL = rootpw\n", "");
	expect("Defaults", "");
	expect("Defaults passwd_tries=", "");
	expect("Defaults passprompt=\"rootpw", "");
}

/* For some only: on for them is on; off for them changes nothing for the others. */
static void test_scopes(void **state)
{
	(void)state;
	expect("Defaults:alice targetpw", "targetpw");
	expect("Defaults:alice, %wheel ,bob rootpw", "rootpw");
	expect("Defaults:rootpw !insults", "");
	expect("Defaults@core-1-1 runaspw\nDefaults>root rootpw\nDefaults!/bin/ls targetpw", "rootpw runaspw targetpw");
	expect("Defaults:#1000 rootpw", "rootpw");
	expect("Defaults rootpw\nDefaults:alice !rootpw", "rootpw");
	expect("Defaults:alice rootpw\nDefaults !rootpw", "");
}

static char included[256];

static void include(struct sudoers *s, const char *path, bool folder)
{
	char *end = included + strlen(included);

	snprintf(end, sizeof included - (size_t)(end - included), "%s%s;", path, folder ? "/*" : "");
	if (strcmp(path, "/etc/sudoers.off") == 0)
		sudoers_read(s, "Defaults !rootpw\n");
}

static void test_includes(void **state)
{
	struct sudoers s = { .include = include };

	(void)state;
	sudoers_read(&s, "Defaults rootpw, targetpw\n@includedir /etc/sudoers.d\n#includedir /old\n@include /etc/sudoers.off\n#include \"/etc/with space\"\n@include /a\\ b\n@include\n@includedirx /no\n# include /no\n");
	assert_string_equal(included, "/etc/sudoers.d/*;/old/*;/etc/sudoers.off;/etc/with space;/a b;");
	assert_false(s.on[SUDOERS_ROOTPW]);
	assert_true(s.on[SUDOERS_TARGETPW]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_settings), cmocka_unit_test(test_scopes), cmocka_unit_test(test_includes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
