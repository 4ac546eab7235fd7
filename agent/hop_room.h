/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_HOP_ROOM_H
#define AGENT_HOP_ROOM_H

#include <stdbool.h>
#include <stdint.h>

/* Who has a connection to the hop socket: so many in all, so many of one user, and a place for others is always left. */

#define HOP_ROOM_ALL 256
#define HOP_ROOM_OF_ONE 32

struct hop_room {
	struct {
		bool taken;
		uint32_t uid;
		uint64_t number; /* rising with time */
	} place[HOP_ROOM_ALL];
	uint64_t last;
};

/* A place for a connection of this user; who has it now must go first. -1: none, this user has enough. */
int hop_room_find(const struct hop_room *r, uint32_t uid);
/* Its number, which no other has had. */
uint64_t hop_room_take(struct hop_room *r, int place, uint32_t uid);
void hop_room_leave(struct hop_room *r, int place);

#endif
