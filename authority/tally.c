/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <string.h>

static bool same(const struct tally_one *a, const struct tally_one *b)
{
	return strcmp(a->device, b->device) == 0 && (a->device[0] || strcmp(a->actor, b->actor) == 0);
}

static bool over(const struct tally_one *x, int64_t now)
{
	return now - x->since >= TALLY_SECONDS;
}

/* Its own place, or one that nobody needs any more. NULL: all are in use. */
static struct tally_one *place(struct tally *t, const struct tally_one *x, int64_t now)
{
	struct tally_one *free = NULL;

	for (unsigned i = 0; i < TALLY_SLOTS; i++) {
		struct tally_one *s = &t->slot[i];

		if (s->rows && same(s, x))
			return s;
		if (!free && (!s->rows || (s->more == 0 && over(s, now))))
			free = s;
	}
	if (free)
		memset(free, 0, sizeof *free);
	return free;
}

bool tally_row(struct tally *t, const struct tally_one *x, int64_t now)
{
	struct tally_one *s = place(t, x, now);

	if (!s)
		return true;
	if (!s->rows || (s->more == 0 && over(s, now))) {
		*s = *x;
		s->since = now;
		s->rows = 1;
		s->more = 0;
		return true;
	}
	if (s->rows < TALLY_ROWS) {
		s->rows++;
		return true;
	}
	memcpy(s->actor, x->actor, sizeof s->actor);
	memcpy(s->action, x->action, sizeof s->action);
	memcpy(s->reason, x->reason, sizeof s->reason);
	s->more++;
	return false;
}

bool tally_over(struct tally *t, int64_t now, struct tally_one *ret)
{
	for (unsigned i = 0; i < TALLY_SLOTS; i++) {
		struct tally_one *s = &t->slot[i];

		if (s->more == 0 || !over(s, now))
			continue;
		*ret = *s;
		memset(s, 0, sizeof *s);
		return true;
	}
	return false;
}
