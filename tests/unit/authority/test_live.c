/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"

static struct live l;
static size_t total;

static int set_up(void **state)
{
	(void)state;
	memset(&l, 0, sizeof l);
	total = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	live_done(&l, &total);
	return total == 0 && l.n == 0 ? 0 : -1;
}

static struct report_session session(unsigned n, const char *account)
{
	struct report_session s = { .kind = SESSION_CERTIFICATE, .auth_time = 1, .iat = 2, .exp = 3, .opened = 4, .closed = true, .end_at_expiry = true, .cert = { .serial = UINT64_MAX, .ca = "SHA256:x" } };

	s.source.b[3] = s.parent.b[4] = s.hops = 3; /* kept, whatever it is */
	s.way[0].node.b[5] = s.way[1].session.b[15] = (uint8_t)n;
	s.id.b[0] = (uint8_t)(n >> 8);
	s.id.b[1] = (uint8_t)n;
	snprintf(s.account, sizeof s.account, "%s", account);
	strcpy(s.tty, "pts/7");
	strcpy(s.role, "ops");
	memset(s.rhost, 'r', sizeof s.rhost - 1);
	return s;
}

/* Nothing counts before a full list; then what is opened, closed and changed. */
static void test_apply(void **state)
{
	struct report_session two[] = { session(2, "a"), session(1, "b") }, again = session(2, "c"), got;
	struct report r = { .n_opened = 2, .opened = two };

	(void)state;
	assert_ok(live_apply(&l, &total, &r));
	assert_false(l.known);
	assert_int_equal(l.n, 0);
	r.full = true;
	assert_ok(live_apply(&l, &total, &r));
	assert_true(l.known);
	assert_int_equal(l.n, 2);
	assert_int_equal(total, 2);
	live_get(&l, 0, &got);
	assert_memory_equal(&got, &two[1], sizeof got);
	live_get(&l, 1, &got);
	assert_memory_equal(&got, &two[0], sizeof got);
	r = (struct report){ .n_opened = 1, .opened = &again, .n_closed = 1, .closed = &two[1].id };
	assert_ok(live_apply(&l, &total, &r));
	assert_int_equal(l.n, 1);
	live_get(&l, 0, &got);
	assert_string_equal(got.account, "c");
	assert_ok(live_apply(&l, &total, &r)); /* closing what is not there */
	assert_int_equal(total, 1);
	r = (struct report){ .full = true };
	assert_ok(live_apply(&l, &total, &r));
	assert_int_equal(l.n, 0);
	assert_true(l.known);
}

/* A node cannot fill the memory: what is too much is left out, and it is said. */
static void test_limit(void **state)
{
	struct report_session *many = calloc(REPORT_SESSIONS_MAX, sizeof *many);
	struct report r = { .full = true, .n_opened = REPORT_SESSIONS_MAX, .opened = many };

	(void)state;
	assert_non_null(many);
	for (unsigned at = 0; at < LIVE_NODE_MAX + REPORT_SESSIONS_MAX; at += REPORT_SESSIONS_MAX) {
		for (unsigned i = 0; i < REPORT_SESSIONS_MAX; i++)
			many[i] = session(at + i, "a");
		assert_false(l.cut);
		assert_ok(live_apply(&l, &total, &r));
		r.full = false;
	}
	assert_true(l.cut && l.known);
	assert_int_equal(l.n, LIVE_NODE_MAX);
	total = LIVE_MAX;
	many[0] = session(60000, "a");
	r = (struct report){ .full = false, .n_opened = 1, .n_closed = 1, .opened = many, .closed = &many[1].id };
	assert_ok(live_apply(&l, &total, &r));
	assert_int_equal(total, LIVE_MAX);
	total = l.n;
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_apply), TEST(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
