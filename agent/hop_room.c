/* SPDX-License-Identifier: Apache-2.0 */
#include "hop_room.h"

static unsigned int count(const struct hop_room *r, uint32_t uid)
{
	unsigned int n = 0;

	for (int i = 0; i < HOP_ROOM_ALL; i++)
		n += r->place[i].taken && r->place[i].uid == uid;
	return n;
}

/* The oldest connection of the user who has most of them. */
static int of_the_greediest(const struct hop_room *r)
{
	unsigned int most = 0;
	int found = 0;

	for (int i = 0; i < HOP_ROOM_ALL; i++) {
		unsigned int n = count(r, r->place[i].uid);

		if (n > most || (n == most && r->place[i].uid == r->place[found].uid && r->place[i].number < r->place[found].number)) {
			most = n;
			found = i;
		}
	}
	return found;
}

int hop_room_find(const struct hop_room *r, uint32_t uid)
{
	int found;

	if (count(r, uid) >= HOP_ROOM_OF_ONE)
		return -1;
	for (int i = 0; i < HOP_ROOM_ALL; i++)
		if (!r->place[i].taken)
			return i;
	found = of_the_greediest(r);
	return r->place[found].uid == uid ? -1 : found;
}

uint64_t hop_room_take(struct hop_room *r, int place, uint32_t uid)
{
	r->place[place].taken = true;
	r->place[place].uid = uid;
	return r->place[place].number = ++r->last;
}

void hop_room_leave(struct hop_room *r, int place)
{
	r->place[place].taken = false;
}
