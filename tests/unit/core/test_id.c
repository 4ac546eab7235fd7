/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "cluster/id.h"

static void test_there_and_back(void **state)
{
	const struct cluster_id id = { { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255 } };
	struct cluster_id back;
	char text[ID_TEXT + 1];

	(void)state;
	id_text(&id, text);
	assert_string_equal(text, "AAECAwQFBgcICQoLDA0O_w");
	assert_ok(id_parse(text, &back));
	assert_true(id_equal(&id, &back));
	back.b[15] ^= 1;
	assert_false(id_equal(&id, &back));
}

static void test_zero(void **state)
{
	struct cluster_id id = { { 0 } };

	(void)state;
	assert_true(id_is_zero(&id));
	id.b[7] = 1;
	assert_false(id_is_zero(&id));
}

static void test_other_texts_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "AAECAwQFBgcICQoLDA0O_", "AAECAwQFBgcICQoLDA0O_wA", "AAECAwQFBgcICQoLDA0O_x", "AAECAwQFBgcICQoLDA0O/w", "AAECAwQFBgcICQoLDA0O_w==",
	};
	struct cluster_id id = { { 42 } };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_err(id_parse(bad[i], &id), CLUSTER_EFORMAT);
	assert_err(id_parse(NULL, &id), CLUSTER_EFORMAT);
	assert_int_equal(id.b[0], 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_zero),
		cmocka_unit_test(test_other_texts_are_refused),
	};
	return cmocka_run_group_tests_name("id", tests, NULL, NULL);
}
