/* SPDX-License-Identifier: Apache-2.0 */
#include "standing.h"

#include <stdio.h>
#include <time.h>

#include "issue.h"
#include "out.h"
#include "remote.h"

#define TIMEOUT_MS 5000

const char *standing_word(enum standing_kind k)
{
	switch (k) {
	case STANDING_GOOD:
		return "good";
	case STANDING_REVOKED:
		return "revoked";
	case STANDING_REFUSED:
		return "refused";
	case STANDING_UNKNOWN:
		break;
	}
	return "unknown";
}

static enum standing_kind kind_of(enum cluster_err e)
{
	if (e == CLUSTER_OK)
		return STANDING_GOOD;
	if (e == CLUSTER_EREVOKED)
		return STANDING_REVOKED;
	return e == CLUSTER_EDENIED ? STANDING_REFUSED : STANDING_UNKNOWN;
}

void standing_ask(const struct profile *p, const struct wallet *w, struct standing *ret)
{
	struct remote *r = NULL;
	enum cluster_err e;
	struct diag d;

	*ret = (struct standing){ .why = "it has expired" };
	if (w->claims.exp <= time(NULL))
		return;
	diag_clear(&d);
	out_progress("Asking %s", p->url);
	if ((e = remote_open(p, &r, &d)) == CLUSTER_OK)
		e = issue_accounts(p, r, w, TIMEOUT_MS, &d);
	out_progress_end();
	ret->kind = kind_of(e);
	(void)snprintf(ret->why, sizeof ret->why, "%s", e == CLUSTER_OK ? "" : d.text[0] != '\0' ? d.text : err_name(e));
	remote_close(r);
}
