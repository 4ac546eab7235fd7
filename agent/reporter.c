/* SPDX-License-Identifier: Apache-2.0 */
#include "reporter.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

void reporter_init(struct reporter *r)
{
	memset(r, 0, sizeof *r);
	r->full = r->changed = true;
}

void reporter_done(struct reporter *r)
{
	free(r->told);
	free(r->now);
	memset(r, 0, sizeof *r);
}

enum cluster_err reporter_set(struct reporter *r, const void *list, size_t n)
{
	struct session *copy;

	if (n % sizeof *copy != 0)
		return CLUSTER_EFORMAT;
	copy = malloc(n + 1);
	if (!copy)
		return CLUSTER_ENOMEM;
	if (n > 0)
		memcpy(copy, list, n);
	free(r->now);
	r->now = copy;
	r->n_now = n / sizeof *copy;
	r->heard = r->changed = true;
	return CLUSTER_OK;
}

void reporter_forget(struct reporter *r)
{
	r->full = r->changed = true;
	r->not_before = 0;
}

void reporter_want(struct reporter *r, const struct reporter_renewal *w)
{
	size_t i;

	for (i = 0; i < r->n_renewals; i++) {
		if (id_equal(&r->renewal[i].session, &w->session)) {
			r->renewal[i] = *w;
			return;
		}
	}
	if (r->n_renewals < REPORTER_RENEWALS_MAX)
		r->renewal[r->n_renewals++] = *w; /* who finds no place asks again */
}

int reporter_due(const struct reporter *r, int64_t now_ms)
{
	if ((!r->heard || !r->changed) && r->n_renewals == 0)
		return -1;
	if (r->not_before <= now_ms)
		return 0;
	return r->not_before - now_ms > INT_MAX ? INT_MAX : (int)(r->not_before - now_ms);
}

/* Which of two sessions comes first; a list that has come to its end comes last. */
static int order(const struct session *a, const struct session *b)
{
	return !a ? 1 : !b ? -1 : memcmp(a->id.b, b->id.b, ID_SIZE);
}

enum cluster_err reporter_report(const struct reporter *r, struct report *ret)
{
	struct report x = { .full = r->full };
	size_t i = 0, j = 0, n_told = r->full ? 0 : r->n_told;

	x.opened = calloc(r->n_now + 1, sizeof *x.opened);
	x.closed = calloc(n_told + 1, sizeof *x.closed);
	if (!x.opened || !x.closed) {
		reporter_report_done(&x);
		return CLUSTER_ENOMEM;
	}
	while (i < r->n_now || j < n_told) {
		const struct session *now = i < r->n_now ? &r->now[i] : NULL, *told = j < n_told ? &r->told[j] : NULL;
		int c = order(now, told);

		if (c < 0 || (c == 0 && memcmp(now, told, sizeof *now) != 0))
			report_session_of(now, &x.opened[x.n_opened++]);
		else if (c > 0)
			x.closed[x.n_closed++] = told->id;
		i += c <= 0;
		j += c >= 0;
	}
	*ret = x;
	return CLUSTER_OK;
}

void reporter_report_done(struct report *report)
{
	free(report->opened);
	free(report->closed);
	memset(report, 0, sizeof *report);
}

void reporter_sent(struct reporter *r, bool known, int64_t now_ms)
{
	bool again = !known && !r->full;

	r->not_before = now_ms + (known || again ? REPORTER_PACE_MS : REPORTER_AGAIN_MS);
	if (!known) { /* it has forgotten; or does not even take a full one, then it is asked to rarely */
		r->full = r->changed = true;
		return;
	}
	free(r->told);
	r->told = r->now;
	r->n_told = r->n_now;
	r->now = malloc(r->n_told * sizeof *r->now + 1);
	if (r->now && r->n_told > 0)
		memcpy(r->now, r->told, r->n_told * sizeof *r->now);
	r->n_now = r->now ? r->n_told : 0;
	r->heard = r->now != NULL; /* out of memory: root says it again with the next change */
	r->full = r->changed = false;
}

void reporter_failed(struct reporter *r, int64_t now_ms)
{
	r->not_before = now_ms + REPORTER_AGAIN_MS;
}
