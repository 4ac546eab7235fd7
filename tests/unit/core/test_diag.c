/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "cluster/diag.h"

static void test_set_returns_the_code(void **state)
{
	struct diag d;

	(void)state;
	diag_clear(&d);
	assert_int_equal(d.code, CLUSTER_OK);
	assert_string_equal(d.text, "");
	assert_err(diag_set(&d, CLUSTER_EFORMAT, "record %u", 7u), CLUSTER_EFORMAT);
	assert_int_equal(d.code, CLUSTER_EFORMAT);
	assert_string_equal(d.text, "record 7");
}

static void test_no_diag_is_allowed(void **state)
{
	(void)state;
	diag_clear(NULL);
	assert_err(diag_set(NULL, CLUSTER_EDENIED, "x"), CLUSTER_EDENIED);
	assert_err(diag_errno(NULL, "x"), CLUSTER_ESYSTEM);
	assert_err(diag_prefix(NULL, "x"), CLUSTER_OK);
}

static void test_errno_is_stored_and_kept(void **state)
{
	struct diag d;

	(void)state;
	errno = ENOENT;
	assert_err(diag_errno(&d, "open %s", "x"), CLUSTER_ESYSTEM);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(d.sys_errno, ENOENT);
	assert_string_equal(d.text, "open x: No such file or directory");
	assert_err(diag_set(&d, CLUSTER_EFORMAT, "y"), CLUSTER_EFORMAT);
	assert_int_equal(d.sys_errno, 0);
}

static void test_prefix(void **state)
{
	struct diag d;

	(void)state;
	(void)diag_set(&d, CLUSTER_ELIMIT, "too long");
	assert_err(diag_prefix(&d, "line %d", 3), CLUSTER_ELIMIT);
	assert_string_equal(d.text, "line 3: too long");
	diag_clear(&d);
	assert_err(diag_prefix(&d, "alone"), CLUSTER_OK);
	assert_string_equal(d.text, "alone");
}

static void test_control_bytes_are_escaped(void **state)
{
	struct diag d;

	(void)state;
	(void)diag_set(&d, CLUSTER_EFORMAT, "name \"%s\"", "a\nb\x1b[2J\x7f");
	assert_string_equal(d.text, "name \"a\\x0ab\\x1b[2J\\x7f\"");
	(void)diag_prefix(&d, "%s", "\r");
	assert_string_equal(d.text, "\\x0d: name \"a\\x0ab\\x1b[2J\\x7f\"");
}

static void test_long_text_is_cut(void **state)
{
	char longer[3 * DIAG_TEXT_MAX], controls[DIAG_TEXT_MAX];
	struct diag d;

	(void)state;
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	memset(controls, '\n', sizeof controls);
	controls[sizeof controls - 1] = '\0';
	(void)diag_set(&d, CLUSTER_EFORMAT, "%s", longer);
	assert_int_equal(strlen(d.text), DIAG_TEXT_MAX - 1);
	(void)diag_prefix(&d, "%s", longer);
	assert_int_equal(strlen(d.text), DIAG_TEXT_MAX - 1);
	errno = EIO;
	(void)diag_errno(&d, "%s", longer);
	assert_int_equal(strlen(d.text), DIAG_TEXT_MAX - 1);
	(void)diag_set(&d, CLUSTER_EFORMAT, "%s", controls);
	assert_true(strlen(d.text) < DIAG_TEXT_MAX);
	assert_null(strchr(d.text, '\n'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_returns_the_code),
		cmocka_unit_test(test_no_diag_is_allowed),
		cmocka_unit_test(test_errno_is_stored_and_kept),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_control_bytes_are_escaped),
		cmocka_unit_test(test_long_text_is_cut),
	};
	return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
