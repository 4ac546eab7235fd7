/* SPDX-License-Identifier: Apache-2.0 */
/* Places at the hop socket: nobody keeps others out. THREATS.md I2. */
#include "unit.h"

#include <string.h>

#include "hop_room.h"

static struct hop_room r;

/* Who came in, or -1. Like the process: whoever has the place goes. */
static int come(uint32_t uid)
{
	int place = hop_room_find(&r, uid);

	if (place >= 0) {
		if (r.place[place].taken)
			hop_room_leave(&r, place);
		assert_true(hop_room_take(&r, place, uid) == r.last);
	}
	return place;
}

static unsigned int has(uint32_t uid)
{
	unsigned int n = 0;

	for (int i = 0; i < HOP_ROOM_ALL; i++)
		n += r.place[i].taken && r.place[i].uid == uid;
	return n;
}

static void test_one(void **state)
{
	(void)state;
	memset(&r, 0, sizeof r);
	for (int i = 0; i < HOP_ROOM_OF_ONE; i++)
		assert_int_equal(come(7), i);
	assert_int_equal(come(7), -1);
	assert_int_equal(come(8), HOP_ROOM_OF_ONE);
	hop_room_leave(&r, 3);
	assert_int_equal(come(7), 3);
	assert_int_equal(come(7), -1);
}

/* Full of eight greedy users: a ninth, and many more, come in; it is the greedy who lose, the oldest of theirs first. */
static void test_full(void **state)
{
	int place;

	(void)state;
	memset(&r, 0, sizeof r);
	for (uint32_t i = 0; i < HOP_ROOM_ALL; i++)
		assert_true(come(i % (HOP_ROOM_ALL / HOP_ROOM_OF_ONE)) >= 0);
	place = come(100);
	assert_true(place >= 0);
	assert_int_equal(place, 0); /* the first one's first */
	assert_int_equal(has(0), HOP_ROOM_OF_ONE - 1);
	assert_int_equal(come(0), 1); /* who has fewer than others is one of those who come in */
	assert_int_equal(come(0), -1);
	for (uint32_t uid = 101; uid < 200; uid++)
		assert_true(come(uid) >= 0);
	for (uint32_t uid = 0; uid < 8; uid++)
		assert_true(has(uid) >= (HOP_ROOM_ALL - 100) / 8 && has(uid) <= HOP_ROOM_OF_ONE);
	for (uint32_t uid = 100; uid < 200; uid++)
		assert_int_equal(has(uid), 1);
}

/* Everybody has one: the last to come takes the oldest one's place. */
static void test_all_alike(void **state)
{
	(void)state;
	memset(&r, 0, sizeof r);
	for (uint32_t i = 0; i < HOP_ROOM_ALL; i++)
		assert_true(come(1000 + i) >= 0);
	assert_true(come(1) >= 0);
	assert_int_equal(has(1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_one), cmocka_unit_test(test_full), cmocka_unit_test(test_all_alike) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
