/* SPDX-License-Identifier: Apache-2.0 */
#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/document.h"
#include "cluster/file.h"
#include "cluster/moment.h"

#include "docs.h"
#include "generation.h"
#include "publish_file.h"

#define FUTURE_MAX DIRECTORY_SKEW_MAX

struct publish {
	char state[PATH_MAX], gen[PATH_MAX], docs[PATH_MAX];
	uid_t owner;
	struct cluster_id cluster, node;
	struct snap_fresh fresh;
	bool have_trust, damaged;
	struct trust trust;
	struct assemble_floor floor; /* of every trust.snap that was read; the head's is in `fresh` */
	uint64_t *word; /* the mapped generation word */
};

struct files {
	struct publish_file accounts, trust;
	struct publish_place place;
};

static enum cluster_err (*hook_function)(const char *step);

void publish_hook(enum cluster_err (*hook)(const char *step))
{
	hook_function = hook;
}

static enum cluster_err step(const char *name, struct diag *d)
{
	enum cluster_err e = hook_function ? hook_function(name) : CLUSTER_OK;

	return e == CLUSTER_OK ? CLUSTER_OK : diag_set(d, e, "%s: stopped by a test", name);
}

/* Can both be opened, and are they of this generation, node and cluster? */
static bool opens(const struct publish *p)
{
	char path[PATH_MAX];
	struct snap s;
	struct trust t;
	bool ok;

	if (!p->have_trust || snap_path(path, sizeof path, p->state, p->fresh.generation, "accounts.snap") != CLUSTER_OK ||
	    snap_open(path, p->owner, SNAP_ACCOUNTS, &s) != CLUSTER_OK)
		return false;
	ok = id_equal(&s.cluster, &p->cluster) && trust_open(p->state, p->owner, &t) == CLUSTER_OK;
	snap_close(&s);
	if (!ok)
		return false;
	ok = t.fresh.generation == p->fresh.generation && id_equal(&t.self.node, &p->node);
	trust_close(&t);
	return ok;
}

/* Every byte of both. */
static bool sound(const struct publish *p)
{
	char path[PATH_MAX];
	struct snap s;
	bool ok;

	if (!opens(p) || snap_verify(&p->trust.snap) != CLUSTER_OK)
		return false;
	if (snap_path(path, sizeof path, p->state, p->fresh.generation, "accounts.snap") != CLUSTER_OK || snap_open(path, p->owner, SNAP_ACCOUNTS, &s) != CLUSTER_OK)
		return false;
	ok = snap_verify(&s) == CLUSTER_OK;
	snap_close(&s);
	return ok;
}

static void raise_floor(int64_t *floor, int64_t version)
{
	if (*floor < version)
		*floor = version;
}

/* Takes trust.snap from disk into *p. False: it cannot be read for now. */
static bool take_trust(struct publish *p)
{
	enum cluster_err e;

	if (p->have_trust)
		trust_close(&p->trust);
	p->have_trust = false;
	if (p->fresh.generation == 0)
		return true;
	e = trust_open(p->state, p->owner, &p->trust);
	p->have_trust = e == CLUSTER_OK;
	if (!p->have_trust)
		return e != CLUSTER_ENOMEM && (e != CLUSTER_ESYSTEM || (errno != EMFILE && errno != ENFILE && errno != ENOMEM));
	raise_floor(&p->floor.keyset, p->trust.self.keyset_version);
	raise_floor(&p->floor.directory, p->trust.self.directory_version);
	raise_floor(&p->floor.revocations, p->trust.self.revocations_version);
	return true;
}

/* Takes `fresh` from disk into *p. False: it cannot be read for now, errno says why, and stays what it was: nothing may be forgotten for want of a descriptor. */
static bool take_fresh(struct publish *p)
{
	struct snap_fresh f;
	enum cluster_err e = snap_fresh_read(p->state, p->owner, &f);

	if (e == CLUSTER_OK && id_equal(&f.cluster, &p->cluster))
		p->fresh = f;
	else if (e != CLUSTER_ESYSTEM)
		memset(&p->fresh, 0, sizeof p->fresh);
	return e != CLUSTER_ESYSTEM;
}

/* The first look. What is there and cannot be read for now is not taken for nothing: that would throw it away, and with it what has been seen of versions. */
static enum cluster_err take_first(struct publish *p, struct diag *d)
{
	enum cluster_err e = step("look", d);

	if (e != CLUSTER_OK)
		return e;
	if (!take_fresh(p))
		return diag_errno(d, "%s/fresh cannot be read", p->state);
	return take_trust(p) ? CLUSTER_OK : diag_errno(d, "%s: trust.snap cannot be read for now", p->state);
}

/* Moves the generation word on, as `next` has it. Sequentially: before whatever system call comes next, after whatever came before. */
static void move_word(const struct publish *p, uint64_t (*next)(uint64_t))
{
	__atomic_store_n(p->word, next(__atomic_load_n(p->word, __ATOMIC_RELAXED)), __ATOMIC_SEQ_CST);
}

void publish_look(struct publish *p)
{
	if (p->fresh.generation == 0 || p->damaged)
		return;
	p->damaged = !opens(p);
	if (p->damaged)
		move_word(p, snap_word_begun); /* what readers believe to be settled is not */
}

static enum cluster_err make_directories(struct publish *p, struct diag *d)
{
	enum cluster_err e;

	if ((e = file_join(p->gen, sizeof p->gen, p->state, "gen")) != CLUSTER_OK || (e = file_join(p->docs, sizeof p->docs, p->state, DOCS_DIR)) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", p->state);
	if ((e = file_mkdir(p->gen, 0755, d)) != CLUSTER_OK)
		return e;
	return file_mkdir(p->docs, 0755, d);
}

enum cluster_err publish_open(const char *state_dir, uid_t owner, const struct cluster_id *cluster, const struct cluster_id *node, struct publish **ret, struct diag *d)
{
	struct publish *p = calloc(1, sizeof *p);
	enum cluster_err e = CLUSTER_ENOMEM;

	if (!p) {
		diag_set(d, e, "out of memory");
		goto out;
	}
	p->owner = owner;
	p->cluster = *cluster;
	p->node = *node;
	if (snprintf(p->state, sizeof p->state, "%s", state_dir) >= (int)sizeof p->state) {
		e = diag_set(d, CLUSTER_ELIMIT, "%s: the path is too long", state_dir);
		goto out;
	}
	if ((e = make_directories(p, d)) != CLUSTER_OK || (e = generation_word_open(p->state, owner, &p->word, d)) != CLUSTER_OK || (e = take_first(p, d)) != CLUSTER_OK)
		goto out;
	p->damaged = !sound(p);
	if (p->fresh.generation != 0)
		move_word(p, snap_word_done); /* a stop may have left it as it was while `fresh` was changed */
	generation_clear(p->gen, p->fresh.generation);
	*ret = p;
	p = NULL;
	e = CLUSTER_OK;
out:
	publish_close(p);
	return e;
}

void publish_close(struct publish *p)
{
	if (!p)
		return;
	if (p->have_trust)
		trust_close(&p->trust);
	generation_word_close(p->word);
	free(p);
}

const struct snap_fresh *publish_fresh(const struct publish *p)
{
	return &p->fresh;
}

const struct trust *publish_trust(const struct publish *p)
{
	return p->have_trust ? &p->trust : NULL;
}

bool publish_damaged(const struct publish *p)
{
	return p->damaged;
}

struct assemble_floor publish_floor(const struct publish *p)
{
	struct assemble_floor f = p->floor;

	f.head = (int64_t)p->fresh.head_version;
	return f;
}

static bool is_change(const struct publish_bytes *b)
{
	return b->p && snap_change_is(b->p, b->n);
}

static enum cluster_err check_accounts(const struct publish *p, const struct publish_bytes *b, struct diag *d)
{
	enum cluster_err e;
	struct snap s;

	if ((e = snap_parse(b->p, b->n, SNAP_ACCOUNTS, &s)) != CLUSTER_OK || (e = snap_verify(&s)) != CLUSTER_OK)
		return diag_set(d, e, "accounts.snap as built does not hold: %s", err_name(e));
	if (!id_equal(&s.cluster, &p->cluster))
		return diag_set(d, CLUSTER_EUNTRUSTED, "accounts.snap as built is another cluster's");
	return CLUSTER_OK;
}

/* Is it this node's, and not older than the installed one? */
static enum cluster_err check_self(const struct publish *p, const uint8_t *bytes, size_t n, struct diag *d)
{
	const struct assemble_floor f = publish_floor(p);
	enum cluster_err e;
	struct trust t;

	if ((e = trust_parse(bytes, n, &t)) != CLUSTER_OK)
		return diag_set(d, e, "trust.snap as built does not hold: %s", err_name(e));
	if (!id_equal(&t.snap.cluster, &p->cluster) || !id_equal(&t.self.node, &p->node))
		return diag_set(d, CLUSTER_EUNTRUSTED, "trust.snap as built is another node's");
	if (t.self.keyset_version < f.keyset || t.self.directory_version < f.directory || t.self.revocations_version < f.revocations)
		return diag_set(d, CLUSTER_EVERSION, "trust.snap as built is older than the installed one");
	return CLUSTER_OK;
}

static enum cluster_err check_trust(const struct publish *p, const struct publish_bytes *b, struct diag *d)
{
	enum cluster_err e;
	struct snap s;

	if ((e = snap_parse(b->p, b->n, SNAP_TRUST, &s)) != CLUSTER_OK || (e = snap_verify(&s)) != CLUSTER_OK)
		return diag_set(d, e, "trust.snap as built does not hold: %s", err_name(e));
	return check_self(p, b->p, b->n, d);
}

static enum cluster_err check_set(const struct publish *p, const struct publish_set *s, const struct moment *now, struct diag *d)
{
	enum cluster_err e;

	if (s->head_version <= 0 || (!s->rebuilt && s->head_version <= (int64_t)p->fresh.head_version))
		return diag_set(d, CLUSTER_EVERSION, "head version %lld after %llu", (long long)s->head_version, (unsigned long long)p->fresh.head_version);
	if (s->head_version > DOCUMENT_VERSION_MAX || (p->fresh.head_version > 0 && s->head_version - (int64_t)p->fresh.head_version > DOCUMENT_VERSION_STEP))
		return diag_set(d, CLUSTER_EVERSION, "head jumped from version %llu to %lld", (unsigned long long)p->fresh.head_version, (long long)s->head_version);
	if (s->head_iat < MOMENT_MIN || s->head_iat > now->wall + FUTURE_MAX)
		return diag_set(d, CLUSTER_EEARLY, "the head's time %lld is not acceptable", (long long)s->head_iat);
	if (p->damaged && (!s->accounts.p || !s->trust.p))
		return diag_set(d, CLUSTER_EUNAVAIL, "the installed snapshots are damaged, and the new ones are not complete");
	if (s->accounts.p && !is_change(&s->accounts) && (e = check_accounts(p, &s->accounts, d)) != CLUSTER_OK)
		return e;
	return s->trust.p && !is_change(&s->trust) ? check_trust(p, &s->trust, d) : CLUSTER_OK;
}

/* `fresh` as it will be: a head that is not newer keeps the times at which the installed one came. */
static struct snap_fresh next_fresh(const struct publish *p, const struct publish_set *s, uint64_t generation, const struct moment *now)
{
	struct snap_fresh f = p->fresh;
	int64_t age;

	f.cluster = p->cluster;
	f.generation = generation;
	if (s->head_version <= (int64_t)f.head_version)
		return f;
	f.head_version = (uint64_t)s->head_version;
	f.head_iat = s->head_iat;
	if (f.newest_iat < s->head_iat)
		f.newest_iat = s->head_iat;
	f.boot_id = now->boot_id;
	f.boot_time = now->boot;
	age = s->rebuilt && now->wall > s->head_iat ? now->wall - s->head_iat : 0; /* it has lain on disk: nobody knows since when */
	f.boot_time = f.boot_time > age ? f.boot_time - age : 0;
	return f;
}

/* What trust.snap of the generation to be says of itself must not be older than what is installed, nor another node's. */
static enum cluster_err check_written(const struct publish *p, uint64_t number, struct diag *d)
{
	char path[PATH_MAX];
	enum cluster_err e;
	struct snap s;

	if ((e = generation_path(path, sizeof path, p->gen, number, "trust.snap", d)) != CLUSTER_OK)
		return e;
	if ((e = snap_open(path, p->owner, SNAP_TRUST, &s)) != CLUSTER_OK)
		return diag_set(d, e, "trust.snap as written cannot be opened: %s", err_name(e));
	e = check_self(p, s.base, s.size, d);
	snap_close(&s);
	return e;
}

static enum cluster_err put_generation(struct publish *p, uint64_t number, struct files *f, struct diag *d)
{
	enum cluster_err e;

	if ((e = step("begin", d)) != CLUSTER_OK || (e = generation_begin(p->gen, number, d)) != CLUSTER_OK || (e = step("accounts", d)) != CLUSTER_OK ||
	    (e = publish_file_write(&f->accounts, &f->place, number, d)) != CLUSTER_OK || (e = step("trust", d)) != CLUSTER_OK ||
	    (e = publish_file_write(&f->trust, &f->place, number, d)) != CLUSTER_OK || (e = check_written(p, number, d)) != CLUSTER_OK ||
	    (e = publish_file_sync(&f->accounts, d)) != CLUSTER_OK || (e = publish_file_sync(&f->trust, d)) != CLUSTER_OK || (e = step("rename", d)) != CLUSTER_OK)
		goto out;
	e = generation_end(p->gen, number, d);
out:
	if (e != CLUSTER_OK)
		generation_drop(p->gen, number);
	return e;
}

static enum cluster_err put_fresh(struct publish *p, const struct snap_fresh *f, struct diag *d)
{
	uint8_t bytes[SNAP_FRESH_SIZE];
	char path[PATH_MAX];
	enum cluster_err e;

	if ((e = file_join(path, sizeof path, p->state, "fresh")) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", p->state);
	snap_fresh_build(f, bytes);
	return file_replace(path, bytes, sizeof bytes, 0644, d);
}

static void files_init(const struct publish *p, const struct publish_set *s, struct files *f)
{
	memset(f, 0, sizeof *f);
	f->accounts = (struct publish_file){ .kind = SNAP_ACCOUNTS, .name = "accounts.snap", .bytes = s->accounts };
	f->trust = (struct publish_file){ .kind = SNAP_TRUST, .name = "trust.snap", .bytes = s->trust };
	f->place = (struct publish_place){ .state = p->state, .gen = p->gen, .owner = p->owner, .generation = p->fresh.generation, .damaged = p->damaged || !p->have_trust };
	if (p->have_trust)
		f->place.base = (struct snap_base){ { (uint64_t)p->trust.self.keyset_version, (uint64_t)p->trust.self.directory_version, (uint64_t)p->trust.self.revocations_version } };
}

/* Plans both, and makes the generation if there is one to make. */
static enum cluster_err put_files(struct publish *p, const struct publish_set *s, bool *ret_changed, struct diag *d)
{
	struct files f;
	enum cluster_err e;
	bool changed = false;

	files_init(p, s, &f);
	if ((e = publish_file_plan(&f.accounts, &f.place, d)) == CLUSTER_OK && (e = publish_file_plan(&f.trust, &f.place, d)) == CLUSTER_OK) {
		changed = !f.accounts.same || !f.trust.same;
		e = changed ? put_generation(p, p->fresh.generation + 1, &f, d) : CLUSTER_OK;
	}
	/* a change that does not fit, or gives what does not hold: only a whole set helps */
	if (e != CLUSTER_OK && e != CLUSTER_ESYSTEM && (is_change(&s->accounts) || is_change(&s->trust)))
		p->damaged = true;
	publish_file_done(&f.accounts);
	publish_file_done(&f.trust);
	if (e == CLUSTER_OK)
		*ret_changed = changed;
	return e;
}

/*
 * Makes `f` the one that holds. A reader whose word is at rest asks nobody, so the word says that a change is under way before there is anything to
 * see, and that it is done when all is there; a stop in between leaves it said, and readers look at `fresh` once a second until the next start.
 */
static enum cluster_err install_fresh(struct publish *p, const struct snap_fresh *f, bool changed, struct diag *d)
{
	enum cluster_err e;
	bool known = true;

	if (changed)
		move_word(p, snap_word_begun);
	e = step("word", d);
	if (e == CLUSTER_OK && memcmp(f, &p->fresh, sizeof *f) != 0)
		e = put_fresh(p, f, d);
	if (e == CLUSTER_OK)
		e = step("settle", d);
	if (e != CLUSTER_OK)
		known = take_fresh(p); /* the new file may stand */
	else
		p->fresh = *f;
	if (e != CLUSTER_OK || changed)
		(void)take_trust(p);
	if (changed)
		p->damaged = !opens(p);
	if (changed && known && p->fresh.generation != f->generation)
		generation_drop(p->gen, f->generation);
	if (changed && p->fresh.generation != 0)
		move_word(p, snap_word_done);
	return e;
}

enum cluster_err publish_put(struct publish *p, const struct publish_set *s, bool *ret_changed, struct diag *d)
{
	struct snap_fresh f;
	struct moment now;
	bool changed = false;
	enum cluster_err e;

	if (moment_now(&now) != CLUSTER_OK)
		return diag_errno(d, "cannot read the clocks");
	if ((e = check_set(p, s, &now, d)) != CLUSTER_OK || (e = put_files(p, s, &changed, d)) != CLUSTER_OK)
		return e;
	f = next_fresh(p, s, p->fresh.generation + changed, &now);
	if ((e = step("docs", d)) != CLUSTER_OK || (s->docs.p && (e = docs_store(p->docs, s->docs.p, s->docs.n, d)) != CLUSTER_OK) ||
	    (e = step("fresh", d)) != CLUSTER_OK) {
		if (changed)
			generation_drop(p->gen, f.generation);
		return e;
	}
	e = install_fresh(p, &f, changed, d);
	if (e == CLUSTER_OK)
		*ret_changed = changed;
	return e;
}

void publish_tidy(struct publish *p, const struct publish_set *s)
{
	struct diag d;

	diag_clear(&d);
	if (step("tidy", &d) != CLUSTER_OK)
		return;
	generation_clear(p->gen, p->fresh.generation);
	if (s->docs.p)
		docs_prune(p->docs, s->docs.p, s->docs.n);
}
