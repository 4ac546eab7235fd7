/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "cluster/id.h"
#include "limit.h"

static struct limit l;

static int clear(void **state)
{
	(void)state;
	memset(&l, 0, sizeof l);
	return 0;
}

static bool ok(const char *address, int64_t now)
{
	return limit_ok(&l, limit_key(address), LIMIT_TRIES, now);
}

static void wrong(const char *address, int n, int64_t now)
{
	for (int i = 0; i < n; i++)
		limit_count(&l, limit_key(address), now);
}

static void test_tries(void **state)
{
	(void)state;
	assert_true(ok("10.0.0.1", 100));
	wrong("10.0.0.1", LIMIT_TRIES - 1, 100);
	assert_true(ok("10.0.0.1", 100));
	wrong("10.0.0.1", 1, 110);
	assert_false(ok("10.0.0.1", 110));
	assert_true(ok("10.0.0.2", 110));
	assert_false(ok("10.0.0.1", 159));
	assert_true(ok("10.0.0.1", 160));
	wrong("10.0.0.1", 1, 160); /* a new minute, counted from one */
	assert_true(ok("10.0.0.1", 160));
}

/* One network of 64 bits is one; the two spellings of an IPv4 address are one. */
static void test_networks(void **state)
{
	(void)state;
	wrong("2001:db8::1", 3, 1);
	wrong("2001:db8::ffff", 2, 1);
	assert_false(ok("2001:db8:0:0:1::", 1));
	assert_true(ok("2001:db8:0:1::1", 1));
	wrong("10.0.0.1", 5, 1);
	assert_false(ok("::ffff:10.0.0.1", 1));
	wrong("nonsense", 5, 1);
	assert_false(ok("", 1));
}

/* Many addresses push out the oldest, and never crash. */
static void test_many(void **state)
{
	char address[32];

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(address, sizeof address, "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
		limit_count(&l, limit_key(address), 1000 + i / 1000);
	}
	wrong("192.0.2.1", 5, 2000);
	assert_false(ok("192.0.2.1", 2000));
}

/* People are counted by their ids, and an id of zeros is one. */
static void test_people(void **state)
{
	struct cluster_id one = { { 1 } }, two = { { 2 } }, none = { { 0 } };

	(void)state;
	for (int i = 0; i < 3; i++)
		limit_count(&l, limit_key_id(&one), 50);
	assert_false(limit_ok(&l, limit_key_id(&one), 3, 109));
	assert_true(limit_ok(&l, limit_key_id(&one), 4, 109));
	assert_true(limit_ok(&l, limit_key_id(&one), 3, 110));
	assert_true(limit_ok(&l, limit_key_id(&two), 3, 109));
	assert_true(limit_key_id(&none) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup(test_tries, clear), cmocka_unit_test_setup(test_networks, clear), cmocka_unit_test_setup(test_many, clear), cmocka_unit_test_setup(test_people, clear) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
