/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/reason.h"

#include <string.h>

struct row {
	const char *word, *text, *advice;
	enum cluster_err err;
};

static const struct row rows[REASON_N] = {
#define REASON_ROW(e, w, er, t, a) [REASON_##e] = { .word = w, .text = t, .advice = a, .err = er },
	REASON_TABLE(REASON_ROW)
#undef REASON_ROW
};

static const struct row *row_of(enum reason r)
{
	return (unsigned)r < REASON_N ? &rows[r] : &rows[REASON_SYSTEM];
}

const char *reason_word(enum reason r)
{
	return row_of(r)->word;
}

const char *reason_text(enum reason r)
{
	return row_of(r)->text;
}

const char *reason_advice(enum reason r)
{
	return row_of(r)->advice;
}

enum cluster_err reason_err(enum reason r)
{
	return row_of(r)->err;
}

enum reason reason_of(const char *word)
{
	enum reason r = REASON_OK;

	while (r < REASON_N && strcmp(rows[r].word, word) != 0)
		r++;
	return r;
}

enum reason reason_refuse(struct diag *d, enum reason r, const char *seen)
{
	diag_set(d, reason_err(r), "%s", seen);
	return r;
}
