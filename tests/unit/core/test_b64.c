/* SPDX-License-Identifier: Apache-2.0 */
/* Requirement B6: strict base64url. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "cluster/b64.h"

static void test_rfc4648_vectors(void **state)
{
	static const struct {
		const char *plain, *text;
	} v[] = { { "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" } };
	char text[16], plain[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		assert_ok(b64_encode(v[i].plain, strlen(v[i].plain), text, sizeof text));
		assert_string_equal(text, v[i].text);
		assert_int_equal(strlen(text), B64_LEN(strlen(v[i].plain)));
		assert_ok(b64_decode(v[i].text, strlen(v[i].text), plain, sizeof plain, &n));
		assert_int_equal(n, strlen(v[i].plain));
		assert_memory_equal(plain, v[i].plain, n);
	}
}

static void test_b6_every_byte_in_every_place(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char text[] = "AAAA";
	uint8_t out[3];
	size_t n;

	(void)state;
	for (size_t place = 0; place < 4; place++) {
		for (int c = 0; c < 256; c++) {
			const char *at = c ? strchr(alphabet, c) : NULL;

			text[place] = (char)c;
			if (!at) {
				assert_err(b64_decode(text, 4, out, sizeof out, &n), CLUSTER_EFORMAT);
				continue;
			}
			assert_ok(b64_decode(text, 4, out, sizeof out, &n));
			assert_int_equal((out[0] << 16 | out[1] << 8 | out[2]) >> (18 - 6 * place), at - alphabet);
		}
		text[place] = 'A';
	}
}

static void test_b6_lax_forms_are_refused(void **state)
{
	static const char *const bad[] = { "A", "AAAAA", "Zg==", "Zg=", "Zm8=", "Zm 9v", "Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zh", "Zm9", "Zm8v.", "AB", "AAB" };
	uint8_t out[16] = { 7 };
	size_t n = 77;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (b64_decode(bad[i], strlen(bad[i]), out, sizeof out, &n) != CLUSTER_EFORMAT)
			fail_msg("\"%s\" was accepted", bad[i]);
	assert_int_equal(n, 77);
}

static void test_limits(void **state)
{
	char text[5];
	uint8_t out[3];
	size_t n;

	(void)state;
	assert_err(b64_encode("abc", 3, text, 4), CLUSTER_ELIMIT);
	assert_ok(b64_encode("abc", 3, text, 5));
	assert_err(b64_encode("abc", SIZE_MAX, text, 5), CLUSTER_ELIMIT);
	assert_err(b64_encode("", 0, text, 0), CLUSTER_ELIMIT);
	assert_err(b64_decode("AAAA", 4, out, 2, &n), CLUSTER_ELIMIT);
	assert_ok(b64_decode("AAA", 3, out, 2, &n));
	assert_int_equal(n, 2);
}

static void test_exact(void **state)
{
	uint8_t out[2];

	(void)state;
	assert_ok(b64_decode_exact("AAA", 3, out, 2));
	assert_err(b64_decode_exact("AA", 2, out, 2), CLUSTER_EFORMAT);
	assert_err(b64_decode_exact("AAAA", 4, out, 2), CLUSTER_EFORMAT);
	assert_err(b64_decode_exact("AAB", 3, out, 2), CLUSTER_EFORMAT);
	assert_err(b64_decode_exact("AAA", 3, out, SIZE_MAX), CLUSTER_EFORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc4648_vectors),
		cmocka_unit_test(test_b6_every_byte_in_every_place),
		cmocka_unit_test(test_b6_lax_forms_are_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_exact),
	};
	return cmocka_run_group_tests_name("b64", tests, NULL, NULL);
}
