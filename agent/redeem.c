/* SPDX-License-Identifier: Apache-2.0 */
#include "redeem.h"

#include <stdbool.h>
#include <stdlib.h>

#include "cluster/crypto.h"

struct used {
	struct redeem_use use;
	int64_t at;
	bool confirmed;
};

struct redeem {
	int64_t start, newest; /* the latest time seen */
	size_t most, n;
	struct used used[];
};

struct redeem *redeem_new(size_t most, int64_t now)
{
	struct redeem *r = calloc(1, sizeof *r + most * sizeof r->used[0]);

	if (r) {
		r->most = most;
		r->start = r->newest = now;
	}
	return r;
}

void redeem_free(struct redeem *r)
{
	free(r);
}

static struct used *find(struct redeem *r, const struct cluster_id *jti)
{
	for (size_t i = 0; i < r->n; i++)
		if (id_equal(&r->used[i].use.jti, jti))
			return &r->used[i];
	return NULL;
}

static size_t count_person(const struct redeem *r, const struct cluster_id *person)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += id_equal(&r->used[i].use.person, person);
	return n;
}

/* Forgets what no clock can make good again: take refuses all that expired before `newest`. */
static void forget(struct redeem *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->used[i].use.exp > r->newest || (!r->used[i].confirmed && r->used[i].at + REDEEM_CONFIRM > r->newest))
			r->used[kept++] = r->used[i];
	r->n = kept;
}

static void advance(struct redeem *r, int64_t now)
{
	if (now > r->newest)
		r->newest = now;
}

void redeem_floor(struct redeem *r, int64_t signed_time, int64_t now)
{
	advance(r, signed_time);
	if (r->n == 0 && signed_time > now && signed_time > r->start)
		r->start = signed_time;
}

enum cluster_err redeem_take(struct redeem *r, const struct redeem_use *use, int64_t now)
{
	advance(r, now);
	if (use->iat <= r->start + use->skew || find(r, &use->jti))
		return CLUSTER_EDENIED;
	if (use->exp <= r->newest)
		return CLUSTER_EEXPIRED;
	if (r->n == r->most || count_person(r, &use->person) >= REDEEM_PERSON_MAX)
		forget(r);
	if (r->n == r->most || count_person(r, &use->person) >= REDEEM_PERSON_MAX)
		return CLUSTER_ELIMIT;
	r->used[r->n++] = (struct used){ .use = *use, .at = r->newest };
	return CLUSTER_OK;
}

enum cluster_err redeem_confirm(struct redeem *r, const struct cluster_id *jti, const struct cluster_id *receipt, int64_t now)
{
	struct used *u = find(r, jti);

	advance(r, now);
	if (!u || u->confirmed || u->at + REDEEM_CONFIRM < r->newest || !crypto_equal(u->use.receipt.b, receipt->b, ID_SIZE))
		return CLUSTER_EDENIED;
	u->confirmed = true;
	return CLUSTER_OK;
}
