/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/secret.h"

static void test_new_is_zero_and_terminated(void **state)
{
	static const uint8_t zero[33];
	struct secret *s = NULL;

	(void)state;
	assert_ok(secret_new(32, &s));
	assert_int_equal(s->n, 32);
	assert_memory_equal(s->bytes, zero, 33);
	secret_free(s);
	assert_ok(secret_new(0, &s));
	assert_int_equal(s->n, 0);
	assert_int_equal(s->bytes[0], 0);
	secret_free(s);
	secret_free(NULL);
}

static void test_copy(void **state)
{
	struct secret *s = NULL;

	(void)state;
	assert_ok(secret_copy("hidden", 6, &s));
	assert_string_equal((const char *)s->bytes, "hidden");
	secret_free(s);
	assert_ok(secret_copy(NULL, 0, &s));
	secret_free(s);
}

static void test_the_limit(void **state)
{
	struct secret *s = NULL;

	(void)state;
	assert_err(secret_new(((size_t)64 << 20) + 1, &s), CLUSTER_ELIMIT);
	assert_err(secret_new(SIZE_MAX, &s), CLUSTER_ELIMIT);
	assert_err(secret_copy("x", SIZE_MAX, &s), CLUSTER_ELIMIT);
	assert_null(s);
}

static void test_wipe(void **state)
{
	char array[8] = "hidden";
	static const char zero[8];

	(void)state;
	secret_wipe(array);
	assert_memory_equal(array, zero, sizeof array);
	secret_free_string(strdup("a reply"));
	secret_free_string(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_is_zero_and_terminated),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_the_limit),
		cmocka_unit_test(test_wipe),
	};
	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
