/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals that are counted: nobody fills the audit trail with his own. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "tally.h"

static struct tally t;

static int clear(void **state)
{
	(void)state;
	memset(&t, 0, sizeof t);
	return 0;
}

static struct tally_one one(const char *actor, const char *device, const char *reason)
{
	struct tally_one x = { .action = "credential" };

	snprintf(x.actor, sizeof x.actor, "%s", actor);
	snprintf(x.device, sizeof x.device, "%s", device);
	snprintf(x.reason, sizeof x.reason, "%s", reason);
	return x;
}

static void test_counted(void **state)
{
	const struct tally_one alice = one("person:alice", "device-1", "revoked_device"), last = one("person:alice", "device-1", "no_grant");
	struct tally_one got;

	(void)state;
	for (unsigned i = 0; i < TALLY_ROWS; i++)
		assert_true(tally_row(&t, &alice, 100));
	for (unsigned i = 0; i < 1000; i++)
		assert_false(tally_row(&t, &alice, 101));
	assert_false(tally_row(&t, &last, 102));
	assert_false(tally_over(&t, 100 + TALLY_SECONDS - 1, &got));
	assert_false(tally_row(&t, &last, 100 + TALLY_SECONDS)); /* nothing is dropped before it has been taken */
	assert_true(tally_over(&t, 100 + TALLY_SECONDS, &got));
	assert_true(got.more == 1002);
	assert_string_equal(got.actor, "person:alice");
	assert_string_equal(got.device, "device-1");
	assert_string_equal(got.reason, "no_grant");
	assert_false(tally_over(&t, 100 + TALLY_SECONDS, &got));
	assert_true(tally_row(&t, &alice, 100 + TALLY_SECONDS));
}

/* One device keeps no other from being written, also of the same person; who has no device is told by name. */
static void test_each(void **state)
{
	const struct tally_one first = one("person:alice", "device-1", "x"), second = one("person:alice", "device-2", "x"), node = one("node:core-1-1", "", "x"), other = one("node:core-1-2", "", "x");
	struct tally_one got;

	(void)state;
	for (unsigned i = 0; i < TALLY_ROWS + 1; i++) {
		assert_true(tally_row(&t, &first, 100) == (i < TALLY_ROWS));
		assert_true(tally_row(&t, &node, 100) == (i < TALLY_ROWS));
	}
	assert_true(tally_row(&t, &second, 100));
	assert_true(tally_row(&t, &other, 100));
	/* few in a while are all written */
	for (unsigned i = 1; i < 20; i++)
		assert_true(tally_row(&t, &second, 100 + i * TALLY_SECONDS));
	assert_true(tally_over(&t, INT64_MAX, &got) && tally_over(&t, INT64_MAX, &got));
	assert_false(tally_over(&t, INT64_MAX, &got));
}

static void test_full(void **state)
{
	struct tally_one x, got;
	char device[ID_TEXT + 1];
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < TALLY_SLOTS; i++) {
		snprintf(device, sizeof device, "device-%u", i);
		x = one("person:alice", device, "x");
		for (unsigned k = 0; k < TALLY_ROWS + 1; k++)
			assert_true(tally_row(&t, &x, 100) == (k < TALLY_ROWS));
	}
	x = one("person:bob", "device-bob", "x");
	for (unsigned k = 0; k < 2 * TALLY_ROWS; k++)
		assert_true(tally_row(&t, &x, 100)); /* nothing is lost for want of a place */
	while (tally_over(&t, 100 + TALLY_SECONDS, &got))
		n++;
	assert_int_equal(n, TALLY_SLOTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup(test_counted, clear), cmocka_unit_test_setup(test_each, clear), cmocka_unit_test_setup(test_full, clear) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
