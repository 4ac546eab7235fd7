/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NSS_STATE_H
#define NSS_STATE_H

#include <stdatomic.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/snap.h"
#include "cluster/snap_seen.h"

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
 *    page faults take. Kernels before 6.12 would leave a hole if they ran out of memory in the middle; it is filled at once.)
 * 2. `state.current` names the slot in use together with a serial that never comes twice. A slot is written only while it is not current, after
 *    `current` has moved on. A view copies the slot's table and looks at `current` again: if it is the same, then the table is whole, and
 *    all of it lies in the slot's range, whatever happens later.
 * 3. What is read through the table is copied, and each length is read once (snap.h, "copy"), so wrong bytes lead to a wrong answer at worst. Then
 *    `current` is looked at a third time. If it is the same, the slot was current throughout, its pages were the snapshot's, and the answer holds. If
 *    not, the answer is thrown away, and the next try is a hold. So no reader waits for another, and none tries more than twice.
 * 4. What was judged on the way is remembered (snap_seen.h) after that third look, under the serial in `current`: so it was judged in the snapshot of that
 *    serial, and whoever finds it remembered looks at `current` himself before his answer counts.
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
	_Atomic int life;
	_Atomic size_t room; /* of the range; 0: there is none yet */
	uint8_t *base;
	struct snap snap; /* for holds */
};

struct nss_counter {
	_Alignas(64) _Atomic uint32_t lookups;
};

#define NSS_COUNTERS 32

struct nss_state {
	_Alignas(64) _Atomic uint64_t current; /* serial << 6 | slot + 1, or slot bits 0: none */
	const uint64_t *_Atomic word;
	_Atomic uint64_t next_check; /* when to look at fresh although the word has not changed */
	_Atomic uint64_t word_file;  /* its inode, which a mapping keeps from being given out again */
	struct nss_counter counter[NSS_COUNTERS];
	struct nss_slot slot[NSS_SLOTS];
};

extern struct nss_state nss_state;

/* What was judged in the current snapshot or in earlier ones: pages that nothing is remembered in cost nothing. */
extern struct snap_seen_entry nss_seen[SNAP_SEEN_ENTRIES];

/* A snapshot held: it stays mapped until it is dropped. Not to be copied. */
struct nss_hold {
	const struct snap *snap;
	struct nss_slot *slot; /* NULL: `own` is mapped for this hold alone */
	struct snap own;
};

/*
 * CLUSTER_ENOTFOUND: this node is not enrolled. CLUSTER_ESYSTEM: the process lacks something, errno says which: EMFILE, ENFILE, ENOMEM.
 * CLUSTER_EUNAVAIL: enrolled, and there is no snapshot to believe. errno is kept otherwise.
 */
enum cluster_err nss_state_take(struct nss_hold *ret) CLUSTER_MUST_USE;
/* errno is kept. */
void nss_state_drop(struct nss_hold *h);

/* A view of one table. */
struct nss_view {
	struct snap_table table;
	struct snap_seen seen;
	uint64_t current; /* 0: held */
	bool again;
	struct nss_hold hold;
};

/* Whether the slot's snapshot may be used although its word is not settled or a look is due. */
bool nss_state_usable(struct nss_slot *s, uint64_t word);
/* A hold in place of a view; `look`: at the files, whatever is current. */
enum cluster_err nss_view_held(struct nss_view *v, enum nss_table which, bool look) CLUSTER_MUST_USE;
void nss_view_drop(struct nss_view *v);
struct snap_table nss_table_of(const struct snap *s, enum nss_table which);

static inline uint64_t nss_state_word(void)
{
	const uint64_t *w = atomic_load_explicit(&nss_state.word, memory_order_acquire);

	return w ? __atomic_load_n(w, __ATOMIC_ACQUIRE) : 0;
}

/*
 * The slot is current until the word changes. Now and then, even if the word is at rest, the clock is asked too, and the files once a second: somebody may have removed them by hand. Each
 * thread counts for itself, more or less: it is told by its stack.
 */
static inline bool nss_state_settled(struct nss_slot *s, uint64_t word, const void *stack)
{
	_Atomic uint32_t *n = &nss_state.counter[((uintptr_t)stack >> 14) * UINT64_C(0x9e3779b97f4a7c15) >> 59].lookups;
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

/* As { .again = false }, without touching the rest. */
static inline void nss_view_init(struct nss_view *v)
{
	v->again = false;
	v->seen.entry = nss_seen;
}

/* Errors as nss_state_take. Whatever it says, nss_view_end comes next. */
__attribute__((always_inline)) static inline enum cluster_err nss_view_begin(struct nss_view *v, enum nss_table which)
{
	const uint64_t current = atomic_load_explicit(&nss_state.current, memory_order_acquire), word = nss_state_word();
	struct nss_shared_table *t;
	struct nss_slot *s;

	v->seen.what = 0;
	if (v->again || !(current & NSS_SLOT_BITS))
		return nss_view_held(v, which, !v->again);
	s = &nss_state.slot[(current & NSS_SLOT_BITS) - 1];
	if (!nss_state_settled(s, word, v) && !nss_state_usable(s, word))
		return nss_view_held(v, which, true);
	v->again = true;
	v->seen.mark = snap_seen_mark(current / (NSS_SLOT_BITS + 1));
	t = &s->table[which];
	v->table.buckets = atomic_load_explicit(&t->buckets, memory_order_relaxed);
	v->table.mask = atomic_load_explicit(&t->mask, memory_order_relaxed);
	v->table.records = atomic_load_explicit(&t->records, memory_order_relaxed);
	v->table.size = atomic_load_explicit(&t->size, memory_order_relaxed);
	v->current = current;
	return nss_state_is(current) ? CLUSTER_OK : nss_view_held(v, which, false);
}

/* True: what was read counts, and what was judged is remembered. False: it was replaced meanwhile; begin again. */
static inline bool nss_view_end(struct nss_view *v)
{
	if (!v->current) {
		nss_view_drop(v);
		return true;
	}
	if (!nss_state_is(v->current))
		return false;
	if (v->seen.what)
		snap_seen_keep(&v->seen);
	return true;
}

#endif
