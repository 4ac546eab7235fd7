/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/refusals.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/rd.h"
#include "cluster/snap.h"
#include "cluster/wr.h"

/* One that is kept, its texts as on the wire: most are short, and there are many. */
struct kept {
	uint64_t number;       /* the later, the higher */
	uint64_t source;
	bool stranger, told;
	char id[REFUSAL_ID_MAX + 1];
	struct cluster_id node;
	uint32_t before;       /* how many of its source there were when it came */
	uint16_t n;
	uint8_t *bytes;
};

struct refusals {
	size_t most, share, n;
	uint64_t last;
	struct kept one[];
};

enum cluster_err refusals_new(size_t most, size_t share, struct refusals **ret)
{
	struct refusals *r = calloc(1, sizeof *r + most * sizeof r->one[0]);

	if (!r)
		return CLUSTER_ENOMEM;
	r->most = most;
	r->share = share;
	*ret = r;
	return CLUSTER_OK;
}

void refusals_free(struct refusals *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		free(r->one[i].bytes);
	free(r);
}

/* A neighbour in an IPv6 network has as many addresses as he likes. */
static uint64_t source_of(const struct refusal *x, const struct cluster_id *node)
{
	struct in6_addr six;

	if (node)
		return snap_hash(node->b, ID_SIZE, 0);
	if (inet_pton(AF_INET6, x->rhost, &six) == 1 && !IN6_IS_ADDR_V4MAPPED(&six))
		return snap_hash(six.s6_addr, 8, 1);
	return snap_hash(x->rhost, strlen(x->rhost), 2);
}

/* Those among whom the newcomer has to find his place. */
struct crowd {
	size_t n, strangers;
	struct kept *oldest, *oldest_stranger;
};

static void count(struct crowd *c, struct kept *k)
{
	c->n++;
	if (!c->oldest || k->number < c->oldest->number)
		c->oldest = k;
	if (!k->stranger)
		return;
	c->strangers++;
	if (!c->oldest_stranger || k->number < c->oldest_stranger->number)
		c->oldest_stranger = k;
}

/* Whose place is given away: the oldest stranger's while strangers would hold more than half, else that of the oldest of all. */
static struct kept *leaves(const struct crowd *c, bool stranger)
{
	return c->oldest_stranger && 2 * (c->strangers + stranger) > c->n ? c->oldest_stranger : c->oldest;
}

/* False: it is known already, and stays as it is. */
static bool place(struct refusals *r, const struct kept *k)
{
	struct crowd all = { .n = 0 }, same = { .n = 0 };
	struct kept *p;

	for (size_t i = 0; i < r->n; i++) {
		count(&all, &r->one[i]);
		if (r->one[i].source != k->source)
			continue;
		if (strcmp(r->one[i].id, k->id) == 0)
			return false;
		count(&same, &r->one[i]);
	}
	p = same.n >= r->share ? leaves(&same, k->stranger) : r->n == r->most ? leaves(&all, k->stranger) : &r->one[r->n++];
	free(p->bytes);
	*p = *k;
	p->before = (uint32_t)same.n;
	p->number = ++r->last;
	return true;
}

enum cluster_err refusals_add(struct refusals *r, const struct refusal *x, const struct cluster_id *node)
{
	struct kept k = { .stranger = !refusal_proved(x) };
	uint8_t bytes[REFUSAL_SIZE_MAX];
	enum cluster_err e;
	struct wr w;

	if (!refusal_ok(x))
		return CLUSTER_EFORMAT;
	wr_init(&w, bytes, sizeof bytes);
	refusal_put(&w, x);
	if ((e = wr_end(&w)) != CLUSTER_OK)
		return e;
	k.source = source_of(x, node);
	if (node)
		k.node = *node;
	memcpy(k.id, x->id, sizeof k.id);
	if (!(k.bytes = malloc(w.n)))
		return CLUSTER_ENOMEM;
	memcpy(k.bytes, bytes, w.n);
	k.n = (uint16_t)w.n;
	if (!place(r, &k))
		free(k.bytes);
	return CLUSTER_OK;
}

static bool get(const struct kept *k, struct refusal *ret)
{
	struct rd r;

	rd_init(&r, k->bytes, k->n);
	return refusal_take(&r, ret) == CLUSTER_OK;
}

bool refusals_find(const struct refusals *r, const char *id, size_t *at, struct refusal *ret, struct cluster_id *ret_node)
{
	while (*at < r->n) {
		const struct kept *k = &r->one[(*at)++];

		if (strcmp(k->id, id) != 0 || !get(k, ret))
			continue;
		if (ret_node)
			*ret_node = k->node;
		return true;
	}
	return false;
}

static bool comes_first(const struct kept *a, const struct kept *b)
{
	if (a->stranger != b->stranger)
		return b->stranger;
	return a->before != b->before ? a->before < b->before : a->number < b->number;
}

bool refusals_next(struct refusals *r, struct refusal *ret)
{
	struct kept *next = NULL;

	for (size_t i = 0; i < r->n; i++) {
		if (!r->one[i].told && (!next || comes_first(&r->one[i], next)))
			next = &r->one[i];
	}
	if (!next)
		return false;
	next->told = true;
	return get(next, ret);
}
