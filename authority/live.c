/* SPDX-License-Identifier: Apache-2.0 */
#include "live.h"

#include <stdlib.h>
#include <string.h>

/* A session as it is kept: its texts behind each other, each with its NUL, because most are short and there are many; then the way that a hop came, which few have. */
struct live_one {
	struct cluster_id id, person, device, jti, source, parent;
	int64_t auth_time, iat, exp, opened;
	uint64_t serial;
	enum session_kind kind;
	bool closed, end_at_expiry;
	uint8_t hops;
	char text[];
};

#define TEXTS 9

static const struct {
	size_t at, size;
} texts[TEXTS] = {
#define PLACE(member) { offsetof(struct report_session, member), sizeof(((struct report_session *)0)->member) }
	PLACE(account), PLACE(service), PLACE(tty), PLACE(rhost), PLACE(issuer), PLACE(role), PLACE(cert.key_id), PLACE(cert.key), PLACE(cert.ca),
};

static size_t way_size(uint8_t hops)
{
	return hops > 1 && hops <= HOP_COUNT_MAX ? (hops - 1U) * sizeof(struct hop_place) : 0;
}

static struct live_one *pack(const struct report_session *s)
{
	const char *text[TEXTS];
	size_t n = 0, size[TEXTS];
	struct live_one *o;

	for (size_t i = 0; i < TEXTS; i++) {
		text[i] = (const char *)s + texts[i].at;
		size[i] = strnlen(text[i], texts[i].size - 1) + 1;
		n += size[i];
	}
	if (!(o = calloc(1, sizeof *o + n + way_size(s->hops))))
		return NULL;
	o->id = s->id;
	o->person = s->person;
	o->device = s->device;
	o->jti = s->jti;
	o->source = s->source;
	o->parent = s->parent;
	o->hops = s->hops;
	o->auth_time = s->auth_time;
	o->iat = s->iat;
	o->exp = s->exp;
	o->opened = s->opened;
	o->serial = s->cert.serial;
	o->kind = s->kind;
	o->closed = s->closed;
	o->end_at_expiry = s->end_at_expiry;
	n = 0;
	for (size_t i = 0; i < TEXTS; i++) {
		memcpy(o->text + n, text[i], size[i] - 1); /* calloc has written the NUL */
		n += size[i];
	}
	memcpy(o->text + n, s->way, way_size(s->hops));
	return o;
}

void live_get(const struct live *l, size_t i, struct report_session *ret)
{
	const struct live_one *o = l->one[i];
	const char *from = o->text;

	memset(ret, 0, sizeof *ret);
	ret->id = o->id;
	ret->person = o->person;
	ret->device = o->device;
	ret->jti = o->jti;
	ret->source = o->source;
	ret->parent = o->parent;
	ret->hops = o->hops;
	ret->auth_time = o->auth_time;
	ret->iat = o->iat;
	ret->exp = o->exp;
	ret->opened = o->opened;
	ret->cert.serial = o->serial;
	ret->kind = o->kind;
	ret->closed = o->closed;
	ret->end_at_expiry = o->end_at_expiry;
	for (size_t k = 0; k < TEXTS; k++) {
		size_t n = strlen(from) + 1;

		memcpy((char *)ret + texts[k].at, from, n);
		from += n;
	}
	memcpy(ret->way, from, way_size(o->hops));
}

/* Where `id` is, or where it would stand. */
static size_t place(const struct live *l, const struct cluster_id *id)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (memcmp(l->one[mid]->id.b, id->b, sizeof id->b) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_at(const struct live *l, size_t i, const struct cluster_id *id)
{
	return i < l->n && id_equal(&l->one[i]->id, id);
}

static enum cluster_err make_room(struct live *l, size_t total)
{
	size_t room = l->room ? 2 * l->room : 16;
	struct live_one **grown;

	if (l->n >= LIVE_NODE_MAX || total >= LIVE_MAX)
		return CLUSTER_ELIMIT;
	if (l->n < l->room)
		return CLUSTER_OK;
	if (!(grown = reallocarray(l->one, room, sizeof *grown)))
		return CLUSTER_ENOMEM;
	l->one = grown;
	l->room = room;
	return CLUSTER_OK;
}

static enum cluster_err put(struct live *l, size_t *total, const struct report_session *s)
{
	size_t i = place(l, &s->id);
	struct live_one *o;
	enum cluster_err e;

	if (!is_at(l, i, &s->id) && (e = make_room(l, *total)) != CLUSTER_OK)
		return e;
	if (!(o = pack(s)))
		return CLUSTER_ENOMEM;
	if (is_at(l, i, &s->id)) {
		free(l->one[i]);
	} else {
		memmove(&l->one[i + 1], &l->one[i], (l->n - i) * sizeof *l->one);
		l->n++;
		++*total;
	}
	l->one[i] = o;
	return CLUSTER_OK;
}

static void drop(struct live *l, size_t *total, const struct cluster_id *id)
{
	size_t i = place(l, id);

	if (!is_at(l, i, id))
		return;
	free(l->one[i]);
	memmove(&l->one[i], &l->one[i + 1], (l->n - i - 1) * sizeof *l->one);
	l->n--;
	--*total;
}

void live_done(struct live *l, size_t *total)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->one[i]);
	*total -= l->n;
	free(l->one);
	memset(l, 0, sizeof *l);
}

enum cluster_err live_apply(struct live *l, size_t *total, const struct report *r)
{
	enum cluster_err e = CLUSTER_OK;

	if (!r->full && !l->known)
		return CLUSTER_OK;
	if (r->full)
		live_done(l, total);
	l->known = true;
	for (size_t i = 0; i < r->n_closed; i++)
		drop(l, total, &r->closed[i]);
	for (size_t i = 0; i < r->n_opened && e != CLUSTER_ENOMEM; i++) {
		e = put(l, total, &r->opened[i]);
		l->cut = l->cut || e == CLUSTER_ELIMIT;
	}
	l->known = e != CLUSTER_ENOMEM;
	return l->known ? CLUSTER_OK : e;
}
