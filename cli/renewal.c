/* SPDX-License-Identifier: Apache-2.0 */
#include "renewal.h"

#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cluster/file.h"
#include "issue.h"
#include "out.h"
#include "view.h"

#define PAUSE 30 /* seconds between two tries while the one in hand still serves */

int64_t renewal_lead(const struct credential *c)
{
	int64_t life = c->exp - c->iat, lead = life / 10;

	if (lead > 0)
		lead += (c->jti.b[0] << 8 | c->jti.b[1]) % lead;
	if (lead < RENEWAL_LATEST)
		lead = RENEWAL_LATEST;
	return lead < life / 2 ? lead : life / 2;
}

struct in_hand {
	struct wallet w;
	struct view *v;
	int64_t left; /* seconds; 0: nothing that serves */
};

static void done(struct in_hand *h)
{
	view_free(h->v);
	wallet_done(&h->w);
	*h = (struct in_hand){ .v = NULL };
}

static enum cluster_err load(const struct profile *p, struct in_hand *ret, struct diag *d)
{
	enum cluster_err e;

	done(ret);
	if ((e = wallet_load(p, &ret->w, d)) != CLUSTER_OK)
		return e == CLUSTER_ENOTFOUND || e == CLUSTER_EFORMAT ? CLUSTER_OK : e;
	if (view_load(p, &ret->v, d) == CLUSTER_OK)
		ret->left = ret->w.claims.exp - time(NULL);
	return CLUSTER_OK;
}

static bool is_due(const struct in_hand *h)
{
	return h->left <= 0 || h->left < renewal_lead(&h->w.claims);
}

/* The lock's file remembers the last try: when it was, and whether the authority could be reached. */
#define TRY_BEGUN "\n"
#define TRY_VAIN "-"

static bool tried_lately(int lock)
{
	struct stat st;

	return fstat(lock, &st) == 0 && st.st_size > 0 && st.st_mtime <= time(NULL) && time(NULL) - st.st_mtime < PAUSE;
}

static void note_try(int lock, const char *what)
{
	if (lock >= 0 && pwrite(lock, what, 1, 0) < 0)
		return; /* then the next process tries again, too */
}

static bool was_vain(int lock)
{
	char what;

	return lock >= 0 && pread(lock, &what, 1, 0) == 1 && what == TRY_VAIN[0];
}

/* Asks for another credential like the one in hand and puts it and a new view in the place of the old ones, which stay as they are on failure. */
static enum cluster_err renew(const struct profile *p, struct in_hand *h, struct diag *d)
{
	const struct credential *c = &h->w.claims;
	struct issue_wish wish = { 0 };
	struct in_hand fresh = { .v = NULL };
	enum cluster_err e;

	if (h->w.token != NULL) {
		wish = (struct issue_wish){ .ttl = c->exp - c->iat, .n_acc = c->n_acc, .n_nod = c->n_nod, .instead = h->w.token };
		memcpy(wish.acc, c->acc, sizeof wish.acc);
		memcpy(wish.nod, c->nod, sizeof wish.nod);
	}
	if ((e = issue_all(p, &wish, &fresh.w, &fresh.v, d)) != CLUSTER_OK)
		return e;
	done(h);
	*h = fresh;
	return CLUSTER_OK;
}

/* What another command has put in its place meanwhile, or that it was dropped, stays so: that is later than what was begun here. */
static enum cluster_err ask(const struct profile *p, struct in_hand *h, int lock, struct diag *d)
{
	struct in_hand now = { .v = NULL };
	struct diag other;
	enum cluster_err e;

	note_try(lock, TRY_BEGUN);
	if ((e = renew(p, h, d)) == CLUSTER_EUNAVAIL)
		note_try(lock, TRY_VAIN);
	diag_clear(&other);
	if (e != CLUSTER_EDENIED || h->w.token == NULL || load(p, &now, &other) != CLUSTER_OK)
		goto out;
	if (now.w.token == NULL || strcmp(now.w.token, h->w.token) != 0) {
		done(h);
		*h = now;
		now = (struct in_hand){ .v = NULL };
		e = h->left > 0 ? CLUSTER_OK : e;
	}
out:
	done(&now);
	return e;
}

static enum cluster_err renew_once(const struct profile *p, struct in_hand *h, struct diag *d)
{
	bool early = h->left >= RENEWAL_LATEST, waited = false;
	int lock = profile_lock(p, PROFILE_RENEWAL_LOCK, LOCK_EX | LOCK_NB);
	enum cluster_err e = CLUSTER_OK;

	if (lock < 0 && !early) {
		waited = true;
		lock = profile_lock(p, PROFILE_RENEWAL_LOCK, LOCK_EX);
	}
	if (early && (lock < 0 || tried_lately(lock)))
		goto out;
	/* meanwhile another process may have done it */
	if (lock >= 0 && (e = load(p, h, d)) != CLUSTER_OK)
		goto out;
	if (!is_due(h))
		goto out;
	/* those who waited do not wait for as many timeouts as they are */
	if (waited && was_vain(lock))
		e = diag_set(d, CLUSTER_EUNAVAIL, "the authority cannot be reached: another cluster-login has just tried");
	else
		e = ask(p, h, lock, d);
	if (e == CLUSTER_OK || h->left <= 0)
		goto out;
	if (h->left < RENEWAL_LATEST)
		out_note("cluster-login: could not renew the credential (%s); it serves until it expires", d->text);
	e = CLUSTER_OK;
out:
	file_close(lock);
	return e;
}

enum cluster_err renewal_ensure(const struct profile *p, struct wallet *ret, struct view **ret_view, struct diag *d)
{
	struct in_hand h = { .v = NULL };
	enum cluster_err e;

	if ((e = load(p, &h, d)) != CLUSTER_OK || (is_due(&h) && (e = renew_once(p, &h, d)) != CLUSTER_OK))
		goto out;
	*ret = h.w;
	*ret_view = h.v;
	h = (struct in_hand){ .v = NULL };
	e = CLUSTER_OK;
out:
	done(&h);
	return e;
}
