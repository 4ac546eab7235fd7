/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>

#include "cluster/crypto.h"
#include "cluster/request.h"
#include "replay.h"

#define NOW INT64_C(1790000000)

static struct cluster_id id_of(uint32_t n)
{
	struct cluster_id id = { { 1 } };

	memcpy(id.b + 4, &n, sizeof n);
	return id;
}

static void test_once(void **state)
{
	struct cluster_id a = id_of(1), b = id_of(2), zero = { { 0 } };
	struct replay *r = NULL;

	(void)state;
	assert_ok(replay_new(NOW, 1000, &r));
	assert_ok(replay_check(r, &a, NOW, NOW, NULL));
	assert_err(replay_check(r, &a, NOW, NOW, NULL), CLUSTER_EDENIED);
	assert_ok(replay_check(r, &b, NOW, NOW, NULL));
	assert_err(replay_check(r, &zero, NOW, NOW, NULL), CLUSTER_EDENIED);
	replay_free(r);
}

/* As long as a signature is good (60 s before to 60 s after), its jti is known: at every moment in between. */
static void test_window(void **state)
{
	(void)state;
	for (int64_t first = 0; first < 300; first += 7) {
		struct replay *r = NULL;
		uint32_t other = 100;

		assert_ok(replay_new(NOW - 1000, 100000, &r));
		for (int64_t t = 0; t < first; t++) {
			struct cluster_id noise = id_of(other++);

			assert_ok(replay_check(r, &noise, NOW + t, NOW + t, NULL));
		}
		for (int64_t t = first; t <= first + 2 * REQUEST_WINDOW; t += 5) {
			struct cluster_id id = id_of(1), noise = id_of(other++);

			assert_err(replay_check(r, &id, NOW + first + REQUEST_WINDOW, NOW + t, NULL), t == first ? CLUSTER_OK : CLUSTER_EDENIED);
			assert_ok(replay_check(r, &noise, NOW + t, NOW + t, NULL));
		}
		replay_free(r);
	}
}

/* An earlier process may have taken what was signed before this one began. */
static void test_floor(void **state)
{
	struct cluster_id a = id_of(1);
	struct replay *r = NULL;

	(void)state;
	assert_ok(replay_new(NOW, 1000, &r));
	assert_err(replay_check(r, &a, NOW - 1, NOW + 5, NULL), CLUSTER_EUNAVAIL);
	assert_ok(replay_check(r, &a, NOW, NOW + 5, NULL));
	replay_free(r);
}

/* Full means refused, not forgotten; it grows until then. */
static void test_full(void **state)
{
	struct replay *r = NULL;
	struct cluster_id id;

	(void)state;
	assert_ok(replay_new(NOW, 5000, &r));
	for (uint32_t i = 1; i <= 5000; i++) {
		id = id_of(i);
		assert_ok(replay_check(r, &id, NOW, NOW, NULL));
	}
	id = id_of(5001);
	assert_err(replay_check(r, &id, NOW, NOW, NULL), CLUSTER_EUNAVAIL);
	for (uint32_t i = 1; i <= 5000; i++) {
		id = id_of(i);
		assert_err(replay_check(r, &id, NOW, NOW, NULL), CLUSTER_EDENIED);
	}
	id = id_of(5001);
	assert_ok(replay_check(r, &id, NOW + 200, NOW + 200, NULL));
	replay_free(r);
}

static int set_up(void **state)
{
	(void)state;
	return crypto_start() == CLUSTER_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_once), cmocka_unit_test(test_window), cmocka_unit_test(test_floor), cmocka_unit_test(test_full) };

	return cmocka_run_group_tests(tests, set_up, NULL);
}
