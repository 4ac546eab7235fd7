/* SPDX-License-Identifier: Apache-2.0 */
/* The log of the hop socket: the first of each kind is in it, however often others ask, and of what is not the number. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "hop_lines.h"

static struct hop_lines l;
static struct hop_talk_note note;
static uint64_t vouched, refused;

static int setup(void **state)
{
	(void)state;
	memset(&l, 0, sizeof l);
	memset(&note, 0, sizeof note);
	vouched = refused = 999;
	return 0;
}

static bool vouch(const char *person, const char *account, const char *target, int64_t now)
{
	note.what = HOP_TALK_VOUCHED;
	strcpy(note.person, person);
	strcpy(note.account, account);
	strcpy(note.target, target);
	return hop_lines_says(&l, &note, 1000, now);
}

static bool refuse(enum reason r, uint32_t uid, int64_t now)
{
	note.what = HOP_TALK_REFUSED;
	note.reason = r;
	return hop_lines_says(&l, &note, uid, now);
}

static void test_first_of_each(void **state)
{
	(void)state;
	assert_true(vouch("alice", "emr-user", "core-1-1", 1));
	for (int i = 0; i < 1000; i++)
		assert_false(vouch("alice", "emr-user", i & 1 ? "core-1-1" : "task-1-1", 2));
	assert_true(vouch("bob", "emr-user", "core-1-1", 2));
	assert_true(vouch("alice", "ecs-user", "core-1-1", 2));
	assert_true(vouch("-", "emr-user", "core-1-1", 2));
	assert_true(refuse(REASON_NO_HOP, 1000, 2));
	assert_false(refuse(REASON_NO_HOP, 1000, 3));
	assert_true(refuse(REASON_NO_HOP, 1001, 3));
	assert_true(refuse(REASON_EXPIRED, 1000, 3));
	note.what = HOP_TALK_NOTHING;
	assert_false(hop_lines_says(&l, &note, 1000, 4));
	assert_false(vouch("alice", "emr-user", "core-1-1", QUIET_SECONDS));
	assert_true(vouch("alice", "emr-user", "core-1-1", 1 + QUIET_SECONDS));
}

/* A crowd of refused ones does not have the first of who is vouched for said again and again, nor forgotten. */
static void test_crowd(void **state)
{
	char person[20];

	(void)state;
	assert_true(vouch("alice", "emr-user", "core-1-1", 1));
	for (uint32_t uid = 0; uid < 10 * QUIET_LINES; uid++)
		assert_true(refuse(REASON_NO_HOP, uid, 2));
	assert_false(vouch("alice", "emr-user", "core-1-1", 3));
	for (int i = 0; i < 10 * QUIET_LINES; i++) {
		snprintf(person, sizeof person, "p%d", i);
		assert_true(vouch(person, "emr-user", "core-1-1", 4));
	}
}

static void test_left_out(void **state)
{
	(void)state;
	assert_false(hop_lines_left(&l, INT64_MAX, &vouched, &refused));
	assert_true(vouch("alice", "emr-user", "core-1-1", 1));
	assert_true(refuse(REASON_NO_HOP, 1000, 1));
	assert_false(hop_lines_left(&l, INT64_MAX, &vouched, &refused));
	for (int i = 0; i < 7; i++)
		assert_false(vouch("alice", "emr-user", "core-1-1", 100 + i));
	assert_false(refuse(REASON_NO_HOP, 1000, 200));
	assert_false(hop_lines_left(&l, 99 + QUIET_SECONDS, &vouched, &refused));
	assert_int_equal(vouched, 999);
	assert_true(hop_lines_left(&l, 100 + QUIET_SECONDS, &vouched, &refused));
	assert_true(vouched == 7 && refused == 1);
	assert_false(hop_lines_left(&l, INT64_MAX, &vouched, &refused));
	assert_true(vouch("alice", "emr-user", "core-1-1", 100 + QUIET_SECONDS));
	assert_false(vouch("alice", "emr-user", "core-1-1", 101 + QUIET_SECONDS));
	assert_true(hop_lines_left(&l, INT64_MAX, &vouched, &refused));
	assert_true(vouched == 1 && refused == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup(test_first_of_each, setup), cmocka_unit_test_setup(test_crowd, setup), cmocka_unit_test_setup(test_left_out, setup) };

	return cmocka_run_group_tests_name("lines of hops", tests, NULL, NULL);
}
