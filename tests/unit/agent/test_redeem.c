/* SPDX-License-Identifier: Apache-2.0 */
/* Each one-time credential once. THREATS.md C1, H7. */
#include "unit.h"

#include <string.h>

#include "redeem.h"

#define START INT64_C(1800000000)
#define SKEW 30

static struct redeem_use use(uint8_t number, int64_t iat)
{
	struct redeem_use u = { .iat = iat, .exp = iat + 120, .skew = SKEW };

	memset(u.jti.b, number, ID_SIZE);
	memset(u.person.b, number, ID_SIZE);
	memset(u.receipt.b, 255 - number, ID_SIZE);
	return u;
}

#define BEGAN (START - SKEW - 1) /* the latest start after which START is good */

static void test_once(void **state)
{
	struct redeem *r = redeem_new(8, BEGAN);
	struct redeem_use u = use(1, START);

	(void)state;
	assert_ok(redeem_take(r, &u, START + 1));
	assert_err(redeem_take(r, &u, START + 2), CLUSTER_EDENIED);
	memset(u.receipt.b, 7, ID_SIZE);
	assert_err(redeem_take(r, &u, START + 2), CLUSTER_EDENIED);
	redeem_free(r);
}

/* A restart forgets the uses, and therefore takes nothing that may be from before it. */
static void test_before_start(void **state)
{
	struct redeem *r = redeem_new(8, BEGAN);
	struct redeem_use u = use(1, START - 1);

	(void)state;
	assert_err(redeem_take(r, &u, START), CLUSTER_EDENIED);
	redeem_free(r);
}

/* H7: the node's clock is behind the authority's by as much as is allowed. Used, the agent starts anew, shown again. */
static void test_clock_behind(void **state)
{
	const int64_t issued = START, behind = issued - SKEW;
	struct redeem *r = redeem_new(8, behind - 1000);
	struct redeem_use u = use(1, issued);

	(void)state;
	assert_ok(redeem_take(r, &u, behind));
	redeem_free(r);
	r = redeem_new(8, behind); /* in the same second */
	assert_err(redeem_take(r, &u, behind + 1), CLUSTER_EDENIED);
	u = use(2, issued + 1);
	assert_ok(redeem_take(r, &u, behind + 1));
	redeem_free(r);
}

/* I2: one person fills no more than a part; what is of the past and confirmed makes room. */
static void test_person(void **state)
{
	struct redeem *r = redeem_new(REDEEM_PERSON_MAX + 2, BEGAN);
	struct redeem_use u = use(1, START), other = use(2, START);

	(void)state;
	for (unsigned int i = 0; i < REDEEM_PERSON_MAX; i++) {
		memcpy(u.jti.b, &i, sizeof i);
		assert_ok(redeem_take(r, &u, START));
	}
	assert_ok(redeem_confirm(r, &u.jti, &u.receipt, START));
	memset(u.jti.b, 99, ID_SIZE);
	assert_err(redeem_take(r, &u, START), CLUSTER_ELIMIT);
	assert_ok(redeem_take(r, &other, START));
	u = use(1, START + 100);
	memset(u.jti.b, 99, ID_SIZE);
	assert_ok(redeem_take(r, &u, START + 130));
	redeem_free(r);
}

/* H7: a clock that goes back makes nothing good again, forgotten or not. */
static void test_clock_back(void **state)
{
	struct redeem *r = redeem_new(1, BEGAN);
	struct redeem_use a = use(1, START), b = use(2, START + 500), late = use(3, START + 10);

	(void)state;
	assert_ok(redeem_take(r, &a, START + 1));
	assert_ok(redeem_take(r, &b, START + 500)); /* room for one: the first is forgotten */
	assert_err(redeem_take(r, &a, START + 2), CLUSTER_EEXPIRED);
	assert_err(redeem_take(r, &late, START + 11), CLUSTER_EEXPIRED);
	redeem_free(r);
}

static void test_full(void **state)
{
	struct redeem *r = redeem_new(2, BEGAN);
	struct redeem_use a = use(1, START), b = use(2, START), c = use(3, START), late = use(4, START + 400);

	(void)state;
	assert_ok(redeem_take(r, &a, START));
	assert_ok(redeem_take(r, &b, START));
	assert_err(redeem_take(r, &c, START), CLUSTER_ELIMIT);
	assert_err(redeem_take(r, &a, START), CLUSTER_EDENIED);
	assert_ok(redeem_take(r, &late, START + 400));
	redeem_free(r);
}

static void test_confirm(void **state)
{
	struct redeem *r = redeem_new(8, BEGAN);
	struct redeem_use u = use(1, START), late = use(2, START);

	(void)state;
	assert_err(redeem_confirm(r, &u.jti, &u.receipt, START), CLUSTER_EDENIED);
	assert_ok(redeem_take(r, &u, START));
	assert_ok(redeem_take(r, &late, START));
	assert_err(redeem_confirm(r, &u.jti, &late.receipt, START), CLUSTER_EDENIED);
	assert_ok(redeem_confirm(r, &u.jti, &u.receipt, START + 5));
	assert_err(redeem_confirm(r, &u.jti, &u.receipt, START + 5), CLUSTER_EDENIED);
	assert_err(redeem_confirm(r, &late.jti, &late.receipt, START + REDEEM_CONFIRM + 1), CLUSTER_EDENIED);
	redeem_free(r);
}

/* H7: a signed time ahead of the clock counts as the start; heads that merely arrive, minute by minute, put nothing out of date. */
static void test_signed_time(void **state)
{
	struct redeem *r = redeem_new(8, START);
	struct redeem_use early = use(1, START + 50), late = use(2, START + 300 + SKEW), known = use(3, START + 301 + SKEW);

	(void)state;
	redeem_floor(r, START + 60, START + 61);
	assert_ok(redeem_take(r, &early, START + 70));
	redeem_free(r);
	r = redeem_new(8, START);
	redeem_floor(r, START + 300, START + 61); /* this clock is behind */
	assert_err(redeem_take(r, &late, START + 70), CLUSTER_EDENIED);
	assert_ok(redeem_take(r, &known, START + 70));
	redeem_floor(r, START + 310, START + 71);
	assert_err(redeem_take(r, &known, START + 72), CLUSTER_EDENIED);
	redeem_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once), cmocka_unit_test(test_before_start), cmocka_unit_test(test_clock_behind), cmocka_unit_test(test_person),
		cmocka_unit_test(test_clock_back), cmocka_unit_test(test_full), cmocka_unit_test(test_confirm),
		cmocka_unit_test(test_signed_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
