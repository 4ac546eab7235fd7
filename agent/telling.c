/* SPDX-License-Identifier: Apache-2.0 */
#include "telling.h"

#include <limits.h>
#include <string.h>

enum cluster_err telling_add(struct telling *t, const struct refusal *x)
{
	if (!refusal_ok(x))
		return CLUSTER_EFORMAT;
	if (t->n == TELLING_MAX) {
		t->proved -= refusal_proved(&t->one[0]);
		memmove(&t->one[0], &t->one[1], --t->n * sizeof t->one[0]);
	}
	t->proved += refusal_proved(x);
	t->one[t->n++] = *x;
	return CLUSTER_OK;
}

int telling_due(const struct telling *t, int64_t now_ms, bool at_hand)
{
	int64_t at = at_hand || t->proved > 0 ? t->not_before : t->calm;

	if (t->n == 0)
		return -1;
	return at <= now_ms ? 0 : at - now_ms > INT_MAX ? INT_MAX : (int)(at - now_ms);
}

void telling_sent(struct telling *t, int64_t now_ms)
{
	t->n = t->proved = 0;
	t->not_before = now_ms + TELLING_PACE_MS;
	t->calm = now_ms + TELLING_CALM_MS;
}

void telling_failed(struct telling *t, int64_t now_ms)
{
	t->not_before = now_ms + TELLING_AGAIN_MS;
	t->calm = now_ms + TELLING_CALM_MS;
}
