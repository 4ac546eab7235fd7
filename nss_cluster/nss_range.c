/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_range.h"

#include <errno.h>
#include <sys/mman.h>

#define LEAST ((size_t)1 << 18)
#define BEHIND ((size_t)1 << 16) /* zeros for ever behind a range: a page on any architecture */
#define SAME_MAX 5               /* ranges of one size: the one in use, the next, and one for each enumeration that keeps an old one */

/* Free: zeros or no range. Claimed: for one thread alone. Ready: a snapshot is mapped. One that is current may for a moment be claimed, by who made it so. */
enum life { SLOT_FREE, SLOT_CLAIMED, SLOT_READY };

#define ZEROS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE) /* they cost nothing while nobody writes there */

static bool claim_if(unsigned int i, int life)
{
	return atomic_load_explicit(&nss_state.life[i], memory_order_relaxed) == life &&
	    atomic_compare_exchange_strong(&nss_state.life[i], &life, SLOT_CLAIMED);
}

static size_t room_of(unsigned int i)
{
	return atomic_load_explicit(&nss_state.room[i], memory_order_relaxed);
}

/* A power of two, so that a snapshot that grows a little needs no new one. 0: none is large enough. */
static size_t room_for(size_t size)
{
	size_t room = LEAST;

	while (room < size && room < SIZE_MAX / 4)
		room *= 2;
	return room < size ? 0 : room;
}

static bool reserve(unsigned int i, size_t room)
{
	void *base = mmap(NULL, room + BEHIND, PROT_READ, ZEROS, -1, 0);
	void *judged = base == MAP_FAILED ? base : mmap(NULL, snap_judged_size(room), PROT_READ | PROT_WRITE, ZEROS, -1, 0);

	if (judged == MAP_FAILED) {
		if (base != MAP_FAILED)
			munmap(base, room + BEHIND);
		return false;
	}
	nss_state.slot[i].base = base;
	nss_state.slot[i].judged = judged;
	atomic_store_explicit(&nss_state.room[i], room, memory_order_relaxed);
	return true;
}

struct nss_slot *nss_range_claim(size_t size)
{
	const size_t room = room_for(size);
	unsigned int same = 0;

	for (unsigned int i = 0; i < NSS_SLOTS; i++) {
		size_t has = room_of(i);

		if (has >= size && claim_if(i, SLOT_FREE))
			return &nss_state.slot[i];
		same += has == room;
	}
	for (unsigned int i = 0; room && same < SAME_MAX && i < NSS_SLOTS; i++) {
		if (room_of(i) || !claim_if(i, SLOT_FREE))
			continue;
		if (room_of(i) >= size || reserve(i, room))
			return &nss_state.slot[i];
		atomic_store(&nss_state.life[i], SLOT_FREE);
		break;
	}
	return NULL;
}

void nss_range_release(struct nss_slot *s)
{
	atomic_store(&nss_state.life[s - nss_state.slot], SLOT_READY);
}

static bool is_current(const struct nss_slot *s)
{
	return (atomic_load(&nss_state.current) & NSS_SLOT_BITS) == (uint64_t)(s - nss_state.slot) + 1;
}

/* `current` has moved on before the holds are counted: whoever counts itself later sees that and reads nothing. */
static bool is_idle(struct nss_slot *s)
{
	return !is_current(s) && atomic_load(&s->holds) == 0;
}

/*
 * A kernel before 6.12 that runs out of memory in the middle of replacing a mapping leaves a hole and says ENOMEM. It is filled at once, if it is one: where
 * the old mapping still stands, or another thread's has come into the hole, nothing is put over it.
 */
static bool put_zeros(void *at, size_t n)
{
	void *p;

	if (snap_map_over(at, n, PROT_READ, ZEROS, -1) != MAP_FAILED)
		return true;
	p = mmap(at, n, PROT_READ, ZEROS | MAP_FIXED_NOREPLACE, -1, 0);
	if (p != MAP_FAILED && p != at) /* before 4.17 it was a wish */
		munmap(p, n);
	return p == at;
}

/* Zeros where the snapshot was, and for what was judged in it. */
static bool clear(unsigned int i)
{
	const struct nss_slot *s = &nss_state.slot[i];
	const size_t room = room_of(i);

	return put_zeros(s->base, room) &&
	    snap_map_over((void *)(uintptr_t)s->judged, snap_judged_size(room), PROT_READ | PROT_WRITE, ZEROS, -1) != MAP_FAILED;
}

void nss_range_reclaim(void)
{
	const int saved = errno;

	for (unsigned int i = 0; i < NSS_SLOTS; i++) {
		struct nss_slot *s = &nss_state.slot[i];

		if (atomic_load_explicit(&nss_state.life[i], memory_order_relaxed) != SLOT_READY || !is_idle(s) || !claim_if(i, SLOT_READY))
			continue;
		atomic_store(&nss_state.life[i], is_idle(s) && clear(i) ? SLOT_FREE : SLOT_READY);
	}
	errno = saved;
}
