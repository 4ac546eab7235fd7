/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "unit.h"

#include "cluster/reason.h"

/* Words are what scripts and logs hold on to: unique, lower case, and everything but the four that mean "yes" or "not ours" is a refusal. */
static void test_table(void **state)
{
	(void)state;
	for (int i = 0; i < REASON_N; i++) {
		const char *word = reason_word((enum reason)i);
		bool yes = i == REASON_OK || i == REASON_LOCAL || i == REASON_NOT_ENROLLED || i == REASON_FOREIGN_IGNORED;

		assert_true(word[0] != '\0' && strspn(word, "abcdefghijklmnopqrstuvwxyz_") == strlen(word));
		assert_true(reason_text((enum reason)i)[0] != '\0');
		assert_non_null(reason_advice((enum reason)i));
		assert_int_equal(reason_err((enum reason)i) == CLUSTER_OK, yes);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(word, reason_word((enum reason)j));
		assert_int_equal(reason_of(word), i);
	}
}

static void test_unknown_values(void **state)
{
	(void)state;
	assert_string_equal(reason_word(REASON_N), "system_error");
	assert_string_equal(reason_word((enum reason)-1), "system_error");
	assert_int_equal(reason_err((enum reason)12345), CLUSTER_EUNAVAIL);
	assert_int_equal(reason_of(""), REASON_N);
	assert_int_equal(reason_of("no_grants"), REASON_N);
}

static void test_refuse(void **state)
{
	struct diag d;

	(void)state;
	diag_clear(&d);
	assert_int_equal(reason_refuse(&d, REASON_NO_GRANT, "on this node"), REASON_NO_GRANT);
	assert_int_equal(d.code, reason_err(REASON_NO_GRANT));
	assert_string_equal(d.text, "on this node");
	assert_int_equal(reason_refuse(NULL, REASON_LOCKDOWN, ""), REASON_LOCKDOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_unknown_values),
		cmocka_unit_test(test_refuse),
	};

	return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
