/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_state.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "nss_range.h"
#include "nss_result.h"

/*
 * Renewal. Whoever notices that another snapshot may hold asks the files, maps it into a slot that nobody uses, and moves `current` there. Nothing waits for
 * anybody: several threads may do so at once, each in a slot of its own, and all but one give theirs back. A thread that is gone in a forked
 * child may leave a claimed or a held slot behind there: that slot is lost to the child, and without slots every lookup maps for itself.
 */
#define STATE_OWNER 0
#define CHECK_NS UINT64_C(1000000000)

struct nss_state nss_state;

static const struct { uint32_t records, index; } sections[NSS_TABLES] = {
	[NSS_BY_NAME] = { SNAP_A_ACCOUNTS, SNAP_A_BY_NAME },
	[NSS_BY_UID] = { SNAP_A_ACCOUNTS, SNAP_A_BY_UID },
	[NSS_GROUP_BY_NAME] = { SNAP_A_GROUPS, SNAP_A_GROUP_BY_NAME },
	[NSS_GROUP_BY_GID] = { SNAP_A_GROUPS, SNAP_A_GROUP_BY_GID },
	[NSS_MEMBER] = { SNAP_A_MEMBER, SNAP_A_MEMBER_BY_NAME },
};

static struct snap_table table_of(const struct snap *s, enum nss_table which)
{
	return snap_table(s, sections[which].records, sections[which].index);
}

struct snap_table nss_hold_table(const struct nss_hold *h, enum nss_table which)
{
	struct snap_table t = table_of(h->snap, which);

	t.judged = h->slot && !h->anew ? h->slot->judged : NULL;
	return t;
}

static struct nss_slot *slot_of(uint64_t current)
{
	return current & NSS_SLOT_BITS ? &nss_state.slot[(current & NSS_SLOT_BITS) - 1] : NULL;
}

/* Holds what `current` names, unless that has been replaced: the count is seen by whoever replaces it, or the replacement by us. */
static bool take_slot(uint64_t current, struct nss_hold *h)
{
	struct nss_slot *s = slot_of(current);

	if (!s)
		return false;
	atomic_fetch_add(&s->holds, 1);
	if (atomic_load(&nss_state.current) != current) {
		atomic_fetch_sub(&s->holds, 1);
		return false;
	}
	h->snap = &s->snap;
	h->slot = s;
	return true;
}

static uint64_t now_ns(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

bool nss_state_rests(const struct nss_slot *s, uint64_t word)
{
	return word == atomic_load_explicit(&s->word_seen, memory_order_relaxed) &&
	    now_ns() < atomic_load_explicit(&nss_state.next_check, memory_order_relaxed);
}

/* The same, but that of all who ask when a look is due, one is told so in a second. */
static bool is_usable(const struct nss_slot *s, uint64_t word)
{
	uint64_t now, due;

	if (word != atomic_load_explicit(&s->word_seen, memory_order_relaxed))
		return false;
	now = now_ns();
	due = atomic_load_explicit(&nss_state.next_check, memory_order_relaxed);
	return now < due || !atomic_compare_exchange_strong(&nss_state.next_check, &due, now + CHECK_NS);
}

/* Only a marker that is positively absent means that the node is not enrolled. */
static bool is_enrolled(void)
{
	struct stat st;

	return lstat(SNAP_STATE_DIR "/enrolled", &st) == 0 || errno != ENOENT;
}

static bool is_shortage(enum cluster_err e)
{
	return e == CLUSTER_ENOMEM || (e == CLUSTER_ESYSTEM && nss_is_shortage(errno));
}

/*
 * Maps the generation word, and once more if another file stands in its place: the node has left and joined again. What was mapped before stays, since any
 * thread may be reading it: a page for each time, or for each of the threads that come here at once.
 */
static void map_word(void)
{
	const uint64_t *mapped;
	struct stat st;

	if (lstat(SNAP_STATE_DIR "/generation", &st) != 0 ||
	    (atomic_load(&nss_state.word_file) == (uint64_t)st.st_ino && atomic_load(&nss_state.word_device) == (uint64_t)st.st_dev))
		return;
	if (snap_word_map(SNAP_STATE_DIR, STATE_OWNER, &mapped) != CLUSTER_OK)
		return;
	atomic_store(&nss_state.word, mapped);
	atomic_store(&nss_state.word_file, (uint64_t)st.st_ino);
	atomic_store(&nss_state.word_device, (uint64_t)st.st_dev); /* with another thread's inode it is mapped once more */
}

/* Moves `current` on from what it was. False: somebody else did. */
static bool replace(uint64_t current, uint64_t slot_number)
{
	uint64_t next = ((current | NSS_SLOT_BITS) + 1) | slot_number;

	return atomic_compare_exchange_strong(&nss_state.current, &current, next);
}

static void saw_word(struct nss_slot *s, uint64_t word)
{
	atomic_store_explicit(&s->word_seen, word, memory_order_relaxed);
	atomic_store_explicit(&s->settled, snap_word_settled(word) ? word : 0, memory_order_relaxed);
}

/* Fills a claimed slot, in whose range `s` is mapped. */
static void fill(struct nss_slot *slot, const struct snap *s, uint64_t word)
{
#ifndef __SANITIZE_THREAD__ /* which does not know fences */
	atomic_thread_fence(memory_order_release); /* who sees any of this sees that `current` has moved on */
#endif
	for (unsigned int i = 0; i < NSS_TABLES; i++) {
		const struct snap_table t = table_of(s, (enum nss_table)i);
		struct nss_shared_table *to = &slot->table[i];

		atomic_store_explicit(&to->buckets, t.buckets, memory_order_relaxed);
		atomic_store_explicit(&to->mask, t.mask, memory_order_relaxed);
		atomic_store_explicit(&to->records, t.records, memory_order_relaxed);
		atomic_store_explicit(&to->size, t.size, memory_order_relaxed);
	}
	saw_word(slot, word);
	slot->snap = *s;
}

/* What `h` holds, of which nothing better is known, or else nothing. */
static enum cluster_err settle(enum cluster_err e, uint64_t current, bool held, struct nss_hold *h)
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
	replace(current, 0);
	nss_range_reclaim();
	errno = saved;
	return e == CLUSTER_ENOTFOUND ? e : CLUSTER_EUNAVAIL;
}

/* Maps and judges what `file` is, in a slot if there is one, and holds it. */
static enum cluster_err map_file(const struct snap_file *file, const struct snap_fresh *fresh, uint64_t current, uint64_t word, struct nss_hold *h)
{
	struct nss_slot *slot = nss_range_claim(file->size);
	enum cluster_err e;
	struct snap s;

	e = snap_file_map(file, SNAP_ACCOUNTS, slot ? slot->base : NULL, &s);
	if (e == CLUSTER_OK && !id_equal(&s.cluster, &fresh->cluster)) {
		snap_close(&s);
		e = CLUSTER_EUNTRUSTED;
	}
	if (e != CLUSTER_OK) {
		if (slot)
			nss_range_release(slot);
		nss_range_reclaim();
		return e;
	}
	h->slot = slot;
	if (slot) {
		fill(slot, &s, word);
		h->snap = &slot->snap;
		atomic_fetch_add(&slot->holds, 1);
		replace(current, (uint64_t)(slot - nss_state.slot) + 1); /* if another thread was faster, it is ours alone until it is dropped */
		nss_range_release(slot);
	} else {
		h->own = s;
		h->snap = &h->own;
		replace(current, 0); /* nothing stale may stay current */
	}
	return CLUSTER_OK;
}

/* Asks the files, and makes current what they name. */
static enum cluster_err take_anew(struct nss_hold *h)
{
	bool held, same = false;
	struct nss_hold now = { 0 };
	struct snap_file file;
	struct snap_fresh f;
	enum cluster_err e;
	uint64_t current, word;

	map_word();
	atomic_store_explicit(&nss_state.next_check, now_ns() + CHECK_NS, memory_order_relaxed);
	current = atomic_load(&nss_state.current);
	word = nss_state_word();
	held = take_slot(current, h);
	if (!is_enrolled())
		return settle(CLUSTER_ENOTFOUND, current, held, h);
	e = held ? snap_still_current(SNAP_STATE_DIR, STATE_OWNER, h->snap, &same) : CLUSTER_OK;
	if (e == CLUSTER_OK && same) {
		saw_word(h->slot, word);
		nss_range_reclaim();
		return CLUSTER_OK;
	}
	if (e == CLUSTER_OK)
		e = snap_file_open_current(SNAP_STATE_DIR, STATE_OWNER, SNAP_ACCOUNTS, &file, &f);
	if (e == CLUSTER_OK) {
		e = map_file(&file, &f, current, word, &now);
		snap_file_close(&file);
	}
	if (e != CLUSTER_OK)
		return settle(e == CLUSTER_ENOTFOUND ? CLUSTER_EUNAVAIL : e, current, held, h);
	if (held)
		nss_state_drop(h);
	*h = now;
	if (!h->slot)
		h->snap = &h->own;
	nss_range_reclaim();
	return CLUSTER_OK;
}

enum cluster_err nss_state_take(struct nss_hold *ret)
{
	uint64_t current = atomic_load_explicit(&nss_state.current, memory_order_acquire);
	struct nss_slot *s = slot_of(current);
	enum cluster_err e;
	int saved;

	ret->anew = false;
	if (s && is_usable(s, nss_state_word()) && take_slot(current, ret))
		return CLUSTER_OK;
	saved = errno;
	e = take_anew(ret);
	ret->anew = true;
	if (e != CLUSTER_ESYSTEM)
		errno = saved;
	return e;
}

void nss_state_drop(struct nss_hold *h)
{
	int saved = errno;

	if (!h->slot)
		snap_close(&h->own);
	else if (atomic_fetch_sub(&h->slot->holds, 1) == 1 && slot_of(atomic_load(&nss_state.current)) != h->slot)
		nss_range_reclaim(); /* the last who held what was replaced */
	errno = saved;
}
