/* SPDX-License-Identifier: Apache-2.0 */
#include "hop_lines.h"

#include <stdio.h>

/* Not by target: whoever goes round all nodes could fill the log, and what else is to be said would be lost. */
static bool says(struct hop_lines *l, const struct hop_talk_note *x, uint32_t uid, int64_t now)
{
	char kind[NAME_PERSON_MAX + NAME_ACCOUNT_MAX + 50];

	if (x->what == HOP_TALK_VOUCHED)
		(void)snprintf(kind, sizeof kind, "%s %s", x->person, x->account);
	else
		(void)snprintf(kind, sizeof kind, "%s %u", reason_word(x->reason), (unsigned int)uid);
	return quiet_says(x->what == HOP_TALK_VOUCHED ? &l->vouched : &l->refused, kind, now);
}

bool hop_lines_says(struct hop_lines *l, const struct hop_talk_note *x, uint32_t uid, int64_t now)
{
	if (x->what == HOP_TALK_NOTHING)
		return false;
	if (says(l, x, uid, now))
		return true;
	*(x->what == HOP_TALK_VOUCHED ? &l->n_vouched : &l->n_refused) += 1;
	if (l->since == 0)
		l->since = now;
	return false;
}

bool hop_lines_left(struct hop_lines *l, int64_t now, uint64_t *ret_vouched, uint64_t *ret_refused)
{
	if (l->since == 0 || now - l->since < QUIET_SECONDS)
		return false;
	*ret_vouched = l->n_vouched;
	*ret_refused = l->n_refused;
	l->n_vouched = l->n_refused = 0;
	l->since = 0;
	return true;
}
