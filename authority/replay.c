/* SPDX-License-Identifier: Apache-2.0 */
#include "replay.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/crypto.h"
#include "cluster/request.h"

#define SPAN (2 * REQUEST_WINDOW + 5) /* from the earliest to the latest moment at which one signature is good */
#define SLOTS_MIN 1024

/* An open-addressed set; a zero id marks a free slot. */
struct set {
	struct cluster_id *slot;
	size_t size, used; /* size: a power of two */
};

struct replay {
	struct set now, before; /* of this span and of the one before */
	int64_t began, started;
	size_t max;
	uint64_t seed; /* strangers cannot aim at one slot */
};

static size_t place(const struct replay *r, const struct set *s, const struct cluster_id *id)
{
	uint64_t a, b;

	memcpy(&a, id->b, sizeof a);
	memcpy(&b, id->b + sizeof a, sizeof b);
	a = (a ^ r->seed) * UINT64_C(0x9e3779b97f4a7c15);
	a = (a ^ a >> 32 ^ b) * UINT64_C(0xd6e8feb86659fd93);
	return (size_t)(a ^ a >> 32) & (s->size - 1);
}

/* The slot of `id`, or the free one where it belongs. */
static struct cluster_id *find(const struct replay *r, const struct set *s, const struct cluster_id *id)
{
	size_t i = place(r, s, id);

	while (!id_is_zero(&s->slot[i]) && !id_equal(&s->slot[i], id))
		i = (i + 1) & (s->size - 1);
	return &s->slot[i];
}

static enum cluster_err grow(const struct replay *r, struct set *s)
{
	struct set next = { .size = s->size ? s->size * 2 : SLOTS_MIN, .used = s->used };

	if (!(next.slot = calloc(next.size, sizeof *next.slot)))
		return CLUSTER_ENOMEM;
	for (size_t i = 0; i < s->size; i++) {
		if (!id_is_zero(&s->slot[i]))
			*find(r, &next, &s->slot[i]) = s->slot[i];
	}
	free(s->slot);
	*s = next;
	return CLUSTER_OK;
}

enum cluster_err replay_new(int64_t started, size_t max, struct replay **ret)
{
	struct replay *r = calloc(1, sizeof *r);
	enum cluster_err e = CLUSTER_ENOMEM;

	if (!r)
		return CLUSTER_ENOMEM;
	r->started = r->began = started;
	r->max = max;
	if ((e = crypto_random(&r->seed, sizeof r->seed)) != CLUSTER_OK || (e = grow(r, &r->now)) != CLUSTER_OK || (e = grow(r, &r->before)) != CLUSTER_OK) {
		replay_free(r);
		return e;
	}
	*ret = r;
	return CLUSTER_OK;
}

void replay_free(struct replay *r)
{
	if (!r)
		return;
	free(r->now.slot);
	free(r->before.slot);
	free(r);
}

static void clear(struct set *s)
{
	memset(s->slot, 0, s->size * sizeof *s->slot);
	s->used = 0;
}

static void turn(struct replay *r, int64_t now)
{
	struct set old = r->before;

	if (now - r->began < SPAN)
		return;
	r->before = r->now;
	r->now = old;
	clear(&r->now);
	if (now - r->began >= 2 * SPAN)
		clear(&r->before);
	r->began = now;
}

enum cluster_err replay_check(struct replay *r, const struct cluster_id *jti, int64_t iat, int64_t now, struct diag *d)
{
	enum cluster_err e;

	if (iat < r->started)
		return diag_set(d, CLUSTER_EUNAVAIL, "signed before this authority was started: sign again");
	turn(r, now);
	if (id_is_zero(jti) || id_equal(find(r, &r->now, jti), jti) || id_equal(find(r, &r->before, jti), jti))
		return diag_set(d, CLUSTER_EDENIED, "this request has been made before");
	if (r->now.used >= r->max)
		return diag_set(d, CLUSTER_EUNAVAIL, "too many requests: try later");
	if (2 * r->now.used >= r->now.size && (e = grow(r, &r->now)) != CLUSTER_OK)
		return diag_set(d, e, "out of memory");
	*find(r, &r->now, jti) = *jti;
	r->now.used++;
	return CLUSTER_OK;
}
