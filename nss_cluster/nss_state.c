/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_state.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

/*
 * A few slots for mapped snapshots. `current` names the one to use: serial << 4 | slot + 1, or slot bits 0 for none; every change takes a new serial, so
 * that a value seen twice means nothing happened in between. A reader counts itself in and then looks at `current` again: if it still names
 * the slot, whoever retires it will see the count. Counts are striped, because one would be the cache line that all threads fight for.
 *
 * A thread that is gone in a forked child may leave a count or a claimed slot behind there: that slot is lost to the child, and without free slots every
 * lookup maps for itself. Nothing waits for anybody.
 */
#define STATE_OWNER 0
#define SLOTS 8
#define STRIPES 16
#define SLOT_BITS 15u
#define CHECK_NS UINT64_C(1000000000)

enum life { SLOT_FREE, SLOT_CLAIMED, SLOT_LIVE, SLOT_RETIRED };

struct stripe {
	_Alignas(64) _Atomic uint32_t readers;
};

struct slot {
	struct snap snap;
	_Atomic uint64_t word_seen; /* the generation word before fresh was last read */
	_Atomic int life;
	struct stripe stripes[STRIPES];
};

static struct slot slots[SLOTS];
static _Atomic uint64_t current;
static _Atomic uint64_t next_check; /* when to look at fresh although the word has not changed */
static const uint64_t *_Atomic word;
static _Atomic uint64_t word_file; /* its inode, which a mapping keeps from being given out again */

static struct slot *slot_of(uint64_t cur)
{
	return cur & SLOT_BITS ? &slots[(cur & SLOT_BITS) - 1] : NULL;
}

static uint64_t word_now(void)
{
	const uint64_t *w = atomic_load_explicit(&word, memory_order_acquire);

	return w ? __atomic_load_n(w, __ATOMIC_ACQUIRE) : 0;
}

/* Threads have stacks of their own, so an address on it tells them apart well enough. */
static _Atomic uint32_t *stripe_of(struct slot *s, const void *stack)
{
	return &s->stripes[((uintptr_t)stack >> 12) * UINT64_C(0x9e3779b97f4a7c15) >> 60].readers;
}

/* Holds what `cur` names, unless that has been replaced. */
static bool take_slot(uint64_t cur, struct nss_hold *h)
{
	struct slot *s = slot_of(cur);
	_Atomic uint32_t *readers;

	if (!s)
		return false;
	readers = stripe_of(s, h);
	atomic_fetch_add(readers, 1);
	if (atomic_load(&current) != cur) {
		atomic_fetch_sub(readers, 1);
		return false;
	}
	h->snap = &s->snap;
	h->readers = readers;
	return true;
}

static uint64_t now_ns(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* True for one caller a second. */
static bool check_is_due(void)
{
	uint64_t now = now_ns(), due = atomic_load_explicit(&next_check, memory_order_relaxed);

	return now >= due && atomic_compare_exchange_strong(&next_check, &due, now + CHECK_NS);
}

/* Only a marker that is positively absent means that the node is not enrolled. */
static bool is_enrolled(void)
{
	struct stat st;

	return lstat(SNAP_STATE_DIR "/enrolled", &st) == 0 || errno != ENOENT;
}

static bool is_shortage(enum cluster_err e)
{
	return e == CLUSTER_ENOMEM || (e == CLUSTER_ESYSTEM && (errno == EMFILE || errno == ENFILE || errno == ENOMEM));
}

/*
 * Maps the generation word, and once more if another file stands in its place: the node has left and joined again. What was mapped before stays, since any
 * thread may be reading it: a page for each time, or for each of the threads that come here at once.
 */
static void map_word(void)
{
	const uint64_t *mapped;
	struct stat st;

	if (lstat(SNAP_STATE_DIR "/generation", &st) != 0 || atomic_load(&word_file) == (uint64_t)st.st_ino)
		return;
	if (snap_word_map(SNAP_STATE_DIR, STATE_OWNER, &mapped) != CLUSTER_OK)
		return;
	atomic_store(&word, mapped);
	atomic_store(&word_file, (uint64_t)st.st_ino);
}

static bool is_unread(struct slot *s)
{
	for (unsigned int i = 0; i < STRIPES; i++)
		if (atomic_load(&s->stripes[i].readers))
			return false;
	return true;
}

/* Unmaps what was retired and nobody reads any more. */
static void reclaim(void)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		int life = SLOT_RETIRED;

		if (!atomic_compare_exchange_strong(&slots[i].life, &life, SLOT_CLAIMED))
			continue;
		life = SLOT_RETIRED;
		if (is_unread(&slots[i])) {
			snap_close(&slots[i].snap);
			life = SLOT_FREE;
		}
		atomic_store(&slots[i].life, life);
	}
}

/* Moves `current` on from `cur`, and retires what that named. False: somebody else did. */
static bool replace(uint64_t cur, unsigned int slot_number)
{
	uint64_t expected = cur, next = ((cur & ~(uint64_t)SLOT_BITS) + SLOT_BITS + 1) | slot_number;

	if (!atomic_compare_exchange_strong(&current, &expected, next))
		return false;
	if (slot_of(cur))
		atomic_store(&slot_of(cur)->life, SLOT_RETIRED);
	return true;
}

/* The number of a free slot, now claimed, counted from 1; 0: there is none. */
static unsigned int claim(void)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		int life = SLOT_FREE;

		if (atomic_compare_exchange_strong(&slots[i].life, &life, SLOT_CLAIMED))
			return i + 1;
	}
	return 0;
}

/* Puts `s` into a slot in place of what `cur` names, and holds it. False: no slot is free, or another thread was faster. */
static bool install(uint64_t cur, uint64_t seen, const struct snap *s, struct nss_hold *h)
{
	unsigned int number = claim();
	struct slot *slot;
	_Atomic uint32_t *readers;

	if (!number) /* nothing stale may stay current */
		replace(cur, 0);
	if (!number)
		return false;
	slot = &slots[number - 1];
	slot->snap = *s;
	atomic_store(&slot->word_seen, seen);
	readers = stripe_of(slot, h);
	atomic_fetch_add(readers, 1);
	atomic_store(&slot->life, SLOT_LIVE);
	if (!replace(cur, number)) {
		atomic_fetch_sub(readers, 1);
		atomic_store(&slot->life, SLOT_FREE);
		return false;
	}
	h->snap = &slot->snap;
	h->readers = readers;
	return true;
}

/* What `h` holds, of which nothing better is known, or else nothing. */
static enum cluster_err settle(enum cluster_err e, uint64_t cur, bool held, struct nss_hold *h)
{
	int saved = errno;

	if (is_shortage(e) && held)
		return CLUSTER_OK;
	if (held)
		nss_state_drop(h);
	if (is_shortage(e)) {
		errno = saved;
		return e;
	}
	replace(cur, 0);
	reclaim();
	errno = saved;
	return e == CLUSTER_ENOTFOUND ? e : CLUSTER_EUNAVAIL;
}

/* Asks the files, and makes current what they name. */
static enum cluster_err take_anew(struct nss_hold *h)
{
	bool held, same = false;
	struct snap_fresh f;
	enum cluster_err e;
	uint64_t cur, seen;
	struct snap s;

	map_word();
	atomic_store_explicit(&next_check, now_ns() + CHECK_NS, memory_order_relaxed);
	cur = atomic_load(&current);
	seen = word_now();
	held = take_slot(cur, h);
	if (!is_enrolled())
		return settle(CLUSTER_ENOTFOUND, cur, held, h);
	e = held ? snap_still_current(SNAP_STATE_DIR, STATE_OWNER, h->snap, &same) : CLUSTER_OK;
	if (e == CLUSTER_OK && same) {
		atomic_store(&slot_of(cur)->word_seen, seen);
		reclaim();
		return CLUSTER_OK;
	}
	if (e == CLUSTER_OK)
		e = snap_open_current(SNAP_STATE_DIR, STATE_OWNER, SNAP_ACCOUNTS, &s, &f);
	if (e != CLUSTER_OK)
		return settle(e == CLUSTER_ENOTFOUND ? CLUSTER_EUNAVAIL : e, cur, held, h);
	if (held)
		nss_state_drop(h);
	if (!install(cur, seen, &s, h)) {
		h->own = s;
		h->snap = &h->own;
		h->readers = NULL;
	}
	reclaim();
	return CLUSTER_OK;
}

enum cluster_err nss_state_take(struct nss_hold *ret)
{
	uint64_t cur = atomic_load_explicit(&current, memory_order_acquire);
	struct slot *s = slot_of(cur);
	enum cluster_err e;
	int saved;

	if (s && atomic_load_explicit(&s->word_seen, memory_order_relaxed) == word_now() && !check_is_due() && take_slot(cur, ret))
		return CLUSTER_OK;
	saved = errno;
	e = take_anew(ret);
	if (e != CLUSTER_ESYSTEM)
		errno = saved;
	return e;
}

void nss_state_drop(struct nss_hold *h)
{
	int saved;

	if (h->readers) {
		atomic_fetch_sub_explicit(h->readers, 1, memory_order_release);
		return;
	}
	saved = errno;
	snap_close(&h->own);
	errno = saved;
}
