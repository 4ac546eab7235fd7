/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NSS_STATE_H
#define NSS_STATE_H

#include <stdatomic.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/snap.h"
#include "cluster/snap_quick.h"

/*
 * The snapshot that this process reads, renewed when the agent publishes another (PROTOCOL.md 5.5). While nothing has changed, looking up costs no
 * system call, no lock, no allocation and no write that another thread sees. Any thread may call at any time; a fork at any time leaves both sides working.
 *
 * Two ways to read. A *hold* counts its reader, and the snapshot stays until it is dropped: for whatever is not done in one go. A *view* counts nobody; it is
 * a look at bytes that may be replaced at any moment, and at its end it says whether they were. Why that is right:
 *
 * 1. A snapshot is mapped over a range of addresses that is reserved once and then belongs to its slot for the life of the process. A retired mapping is
 *    not unmapped: other pages are put in its place in one step, zeros or another snapshot. So a late reader reads bytes that are
 *    wrong, never an address where nothing is. Behind each range lie zeros for ever, so no string runs out of it. (In one step, says mmap: under the lock that
 *    page faults take. But kernels before 6.12 that run out of memory in the middle leave a hole for the moment until nss_range.c fills it: a view that reads there then would fault.)
 * 2. `state.current` names the slot in use together with a serial that never comes twice. A slot is written only while it is not current, after
 *    `current` has moved on. A view copies the slot's table and looks at `current` again: if it is the same, then the table is whole, and
 *    all of it lies in the slot's range, whatever happens later.
 * 3. What is read through the table is copied, and each length is read once (snap.h, "copy"), so wrong bytes lead to a wrong answer at worst. Then
 *    `current` is looked at a third time. If it is the same, the slot was current throughout, its pages were the snapshot's, and the answer holds. If
 *    not, the answer is thrown away, and the next try is a hold. So no reader waits for another, and none tries more than twice.
 * 4. What has been judged is remembered by the slot (snap.h, `judged`). Only a hold writes there, and nothing else is mapped into the slot before it is
 *    dropped, so a bit says something of this snapshot and no other. A view reads the bits; what it makes of them counts if the third look says so.
 */
#define NSS_SLOTS 32
#define NSS_SLOT_BITS UINT64_C(63)

enum nss_table { NSS_BY_NAME, NSS_BY_UID, NSS_GROUP_BY_NAME, NSS_GROUP_BY_GID, NSS_MEMBER, NSS_TABLES };

struct nss_shared_table {
	const uint8_t *_Atomic buckets, *_Atomic records;
	_Atomic uint64_t mask, size;
};

struct nss_slot {
	_Alignas(1024) struct nss_shared_table table[NSS_TABLES];
	_Atomic uint64_t settled; /* the generation word with which this is current until the word changes; 0: there is none */
	_Atomic uint64_t word_seen; /* the word before fresh was last read */
	_Atomic uint32_t holds;
	uint8_t *base;
	_Atomic uint8_t *judged; /* bits for the room; of the slot as long as its range is */
	struct snap snap;        /* for holds */
};

struct nss_counter {
	_Alignas(64) _Atomic uint32_t lookups;
};

#define NSS_COUNTERS 32

struct nss_state {
	_Alignas(4096) _Atomic uint64_t current; /* serial << 6 | slot + 1, or slot bits 0: none */
	const uint64_t *_Atomic word;
	_Atomic uint64_t next_check; /* when to look at fresh although the word has not changed */
	_Atomic uint64_t word_file;  /* its inode, which a mapping keeps from being given out again */
	_Atomic uint64_t word_device;
	struct nss_counter counter[NSS_COUNTERS];
	_Atomic size_t room[NSS_SLOTS]; /* of each slot's range; 0: there is none yet. Here, so that to look through them touches no page of the others. */
	_Atomic int life[NSS_SLOTS];    /* nss_range.c */
	struct nss_slot slot[NSS_SLOTS]; /* all up to the end of the first is one page, and all that most processes ever write */
};

extern struct nss_state nss_state;

/* A snapshot held: it stays mapped until it is dropped. Not to be copied. */
struct nss_hold {
	const struct snap *snap;
	struct nss_slot *slot; /* NULL: `own` is mapped for this hold alone */
	bool anew;             /* the files have been looked at for it */
	struct snap own;
};

/*
 * CLUSTER_ENOTFOUND: this node is not enrolled. CLUSTER_ESYSTEM: the process lacks something, errno says which: EMFILE, ENFILE, ENOMEM, EAGAIN.
 * CLUSTER_EUNAVAIL: enrolled, and there is no snapshot to believe. errno is kept otherwise.
 */
enum cluster_err nss_state_take(struct nss_hold *ret) CLUSTER_MUST_USE;
/* errno is kept. */
void nss_state_drop(struct nss_hold *h);

/* A table of what is held. With it, what is judged is remembered, but for a hold taken anew: many a process looks up one name and ends. */
struct snap_table nss_hold_table(const struct nss_hold *h, enum nss_table which);

/* Whether a look at the files is not due yet, although they may have changed since the last. */
bool nss_state_rests(const struct nss_slot *s, uint64_t word);

static inline uint64_t nss_state_word(void)
{
	const uint64_t *w = atomic_load_explicit(&nss_state.word, memory_order_acquire);

	return w ? __atomic_load_n(w, __ATOMIC_ACQUIRE) : 0;
}

/*
 * The slot is current until the word changes. Now and then, even if the word is at rest, the clock is asked too, and the files once a second: somebody may have removed them by hand. Each
 * thread counts for itself, more or less: it is told by its stack.
 */
static inline bool nss_state_settled(const struct nss_slot *s, uint64_t word)
{
	const char stack = 0;
	_Atomic uint32_t *n = &nss_state.counter[((uintptr_t)&stack >> 14) * UINT64_C(0x9e3779b97f4a7c15) >> 59].lookups;
	uint32_t count = atomic_load_explicit(n, memory_order_relaxed) + 1;

	atomic_store_explicit(n, count, memory_order_relaxed);
	return word && atomic_load_explicit(&s->settled, memory_order_relaxed) == word && count % 64;
}

/* After all reads before it. */
static inline bool nss_state_is(uint64_t current)
{
#ifdef __SANITIZE_THREAD__ /* which does not know fences */
	return atomic_fetch_add(&nss_state.current, 0) == current;
#else
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&nss_state.current, memory_order_relaxed) == current;
#endif
}

/* A view of one table. */
struct nss_view {
	struct snap_table table;
	uint64_t current;
};

/* False: there is none, or a look at the files is due; take a hold. */
__attribute__((always_inline)) static inline bool nss_view_begin(struct nss_view *v, enum nss_table which)
{
	const uint64_t current = atomic_load_explicit(&nss_state.current, memory_order_acquire), word = nss_state_word();
	const struct nss_shared_table *t;
	const struct nss_slot *s;

	if (!(current & NSS_SLOT_BITS))
		return false;
	s = &nss_state.slot[(current & NSS_SLOT_BITS) - 1];
	if (!nss_state_settled(s, word) && !nss_state_rests(s, word))
		return false;
	t = &s->table[which];
	v->table.buckets = atomic_load_explicit(&t->buckets, memory_order_relaxed);
	v->table.mask = atomic_load_explicit(&t->mask, memory_order_relaxed);
	v->table.records = atomic_load_explicit(&t->records, memory_order_relaxed);
	v->table.size = atomic_load_explicit(&t->size, memory_order_relaxed);
	v->table.base = s->base;
	v->table.judged = s->judged;
	v->current = current;
	return nss_state_is(current);
}

/* `e`, if what was read counts. CLUSTER_EUNAVAIL: it does not, or not enough is known; take a hold. */
static inline enum cluster_err nss_view_end(const struct nss_view *v, enum cluster_err e)
{
	return nss_state_is(v->current) ? e : CLUSTER_EUNAVAIL;
}

#endif
