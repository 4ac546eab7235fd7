/* SPDX-License-Identifier: Apache-2.0 */
/* THREATS.md F4: pam_env or pam_exec before our session line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "pam_stack.h"

static const char *include(void *arg, const char *name)
{
	(void)arg;
	if (strcmp(name, "common-session") == 0)
		return "session [default=1] pam_permit.so\nsession required pam_cluster.so\n";
	if (strcmp(name, "loop") == 0)
		return "@include loop\n";
	return NULL;
}

static struct pam_stack look(const char *text)
{
	struct pam_stack s = { false, false };

	assert_int_equal(pam_stack_read(text, "session", include, NULL, &s), CLUSTER_OK);
	return s;
}

static void test_order(void **state)
{
	struct pam_stack s;

	(void)state;
	s = look("# pam_env.so\nauth required pam_env.so\nsession optional pam_keyinit.so force revoke\n@include common-session\nsession required pam_env.so user_readenv=1\n");
	assert_true(s.cluster);
	assert_false(s.early_env);
	s = look("session required pam_env.so\n@include common-session\n");
	assert_true(s.cluster && s.early_env);
	s = look("-session\t[success=ok ignore=ignore]   /lib/security/pam_exec.so /bin/x\nsession include common-session\n");
	assert_true(s.cluster && s.early_env);
	s = look("session substack common-session\nsession required pam_exec.so");
	assert_true(s.cluster && !s.early_env);
	s = look("session required pam_envy.so\nsession required pam_cluster.so.bak\n");
	assert_false(s.cluster || s.early_env);
	s = look("session [unclosed\nsession required pam_cluster.so\nsession [unclosed");
	assert_true(s.cluster);
	s = look("");
	assert_false(s.cluster || s.early_env);
	s = look("@include missing\nsession\nsession required\n\n#\n");
	assert_false(s.cluster || s.early_env);
}

static void test_loop(void **state)
{
	struct pam_stack s = { false, false };

	(void)state;
	assert_int_equal(pam_stack_read("@include loop\n", "session", include, NULL, &s), CLUSTER_ELIMIT);
	assert_int_equal(pam_stack_read("@include ../../etc/x\n", "session", include, NULL, &s), CLUSTER_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_order), cmocka_unit_test(test_loop) };

	return cmocka_run_group_tests_name("pam_stack", tests, NULL, NULL);
}
