/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "renewal.h"

static int64_t lead(int64_t life, unsigned int id)
{
	struct credential c = { .iat = 1800000000, .exp = 1800000000 + life };

	c.jti.b[0] = (uint8_t)(id >> 8);
	c.jti.b[1] = (uint8_t)id;
	return renewal_lead(&c);
}

/* Always the same for one credential, spread over as much again for many, and always before the end. */
static void test_lead(void **state)
{
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	for (unsigned int id = 0; id < 0x10000; id += 7) {
		int64_t s = lead(3600, id);

		assert_int_equal(s, lead(3600, id));
		assert_in_range(s, 360, 719);
		least = s < least ? s : least;
		most = s > most ? s : most;
	}
	assert_in_range(least, 360, 365);
	assert_in_range(most, 714, 719);
}

static void test_short_lives(void **state)
{
	(void)state;
	assert_int_equal(lead(60, 0xffff), 30);
	assert_int_equal(lead(120, 0), RENEWAL_LATEST);
	assert_int_equal(lead(300, 0), RENEWAL_LATEST);
	assert_int_equal(lead(5, 0xffff), 2);
	assert_int_equal(lead(1, 0), 0);
	assert_int_equal(lead(0, 0), 0);
}

static void test_every_life(void **state)
{
	(void)state;
	for (int64_t life = 0; life <= CREDENTIAL_LIFE_MAX; life += 17) {
		int64_t s = lead(life, (unsigned int)life * 40503U);

		assert_true(s >= 0 && s <= life / 2);
		assert_true(s >= RENEWAL_LATEST || s == life / 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lead),
		cmocka_unit_test(test_short_lives),
		cmocka_unit_test(test_every_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
