/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "reporter.h"

#define LIST_MAX 8

/* Sessions by their number, in order. */
static void set(struct reporter *r, const char *numbers)
{
	struct session list[LIST_MAX];
	size_t n = 0;

	memset(list, 0, sizeof list);
	for (; numbers[n]; n++) {
		list[n].id.b[0] = (uint8_t)numbers[n];
		list[n].kind = SESSION_CREDENTIAL;
		strcpy(list[n].account, "emr-user");
	}
	assert_ok(reporter_set(r, list, n * sizeof *list));
}

/* "full|opened|closed" of the report that is due. */
static void says(const struct reporter *r, const char *want)
{
	char got[64] = "";
	struct report x;
	size_t n;

	assert_ok(reporter_report(r, &x));
	got[0] = x.full ? 'F' : '-';
	got[1] = '|';
	for (n = 0; n < x.n_opened; n++)
		got[2 + n] = (char)x.opened[n].id.b[0];
	got[2 + n] = '|';
	for (size_t i = 0; i < x.n_closed; i++)
		got[3 + n + i] = (char)x.closed[i].b[0];
	reporter_report_done(&x);
	assert_string_equal(got, want);
}

static void test_changes(void **state)
{
	struct session one;
	struct reporter r;

	(void)state;
	reporter_init(&r);
	assert_int_equal(reporter_due(&r, 0), -1); /* root has not said anything yet */
	set(&r, "");
	assert_int_equal(reporter_due(&r, 0), 0);
	says(&r, "F||");
	reporter_sent(&r, true, 1000);
	assert_int_equal(reporter_due(&r, 1000), -1);
	set(&r, "bd");
	assert_int_equal(reporter_due(&r, 1000), REPORTER_PACE_MS); /* at most one a second */
	says(&r, "-|bd|");
	reporter_sent(&r, true, 2000);
	set(&r, "ade");
	says(&r, "-|ae|b");
	reporter_failed(&r, 3000);
	assert_int_equal(reporter_due(&r, 3000), REPORTER_AGAIN_MS);
	set(&r, "abc"); /* what has changed meanwhile is one report */
	says(&r, "-|ac|d");
	reporter_sent(&r, true, 9000);
	assert_int_equal(reporter_due(&r, 99000), -1);
	/* a session that is another one now, not only one that is new */
	memset(&one, 0, sizeof one);
	one.id.b[0] = 'a';
	one.kind = SESSION_CREDENTIAL;
	one.closed = 5;
	strcpy(one.account, "emr-user");
	assert_ok(reporter_set(&r, &one, sizeof one));
	says(&r, "-|a|bc");
	assert_err(reporter_set(&r, &one, sizeof one - 1), CLUSTER_EFORMAT);
	says(&r, "-|a|bc");
	reporter_done(&r);
}

/* The authority was restarted, or is another one: all of it again. One that never knows is not asked without a pause. */
static void test_forgotten(void **state)
{
	struct reporter r;

	(void)state;
	reporter_init(&r);
	set(&r, "ab");
	reporter_sent(&r, true, 0);
	set(&r, "abc");
	says(&r, "-|c|");
	reporter_sent(&r, false, 10000);
	assert_int_equal(reporter_due(&r, 10000), REPORTER_PACE_MS);
	says(&r, "F|abc|");
	reporter_sent(&r, false, 20000);
	assert_int_equal(reporter_due(&r, 20000), REPORTER_AGAIN_MS);
	reporter_sent(&r, true, 30000);
	assert_int_equal(reporter_due(&r, 40000), -1);
	reporter_forget(&r);
	assert_int_equal(reporter_due(&r, 30001), 0);
	says(&r, "F|abc|");
	reporter_done(&r);
}

static void test_renewals(void **state)
{
	struct reporter_renewal w;
	struct reporter r;

	(void)state;
	reporter_init(&r);
	memset(&w, 0, sizeof w);
	for (unsigned int i = 0; i < REPORTER_RENEWALS_MAX + 5; i++) {
		w.session.b[0] = (uint8_t)i;
		reporter_want(&r, &w);
		reporter_want(&r, &w);
	}
	assert_int_equal(r.n_renewals, REPORTER_RENEWALS_MAX);
	assert_int_equal(reporter_due(&r, 0), 0);
	r.n_renewals = 0;
	assert_int_equal(reporter_due(&r, 0), -1);
	reporter_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_changes), cmocka_unit_test(test_forgotten), cmocka_unit_test(test_renewals) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
