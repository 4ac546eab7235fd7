/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_walk.h"

void nss_walk_reset(struct nss_walk *w)
{
	if (w->held)
		nss_state_drop(&w->hold);
	w->held = false;
	w->ended = false;
	w->cursor = 0;
}

enum cluster_err nss_walk_snap(struct nss_walk *w, const struct snap **ret)
{
	enum cluster_err e;

	if (w->ended)
		return CLUSTER_ENOTFOUND;
	if (!w->held) {
		e = nss_state_take(&w->hold);
		if (e != CLUSTER_OK)
			return e;
		w->held = true;
	}
	*ret = w->hold.snap;
	return CLUSTER_OK;
}

enum cluster_err nss_walk_done(struct nss_walk *w, enum cluster_err e, uint64_t next)
{
	if (e == CLUSTER_OK)
		w->cursor = next;
	if (e == CLUSTER_ENOTFOUND && w->held) { /* the end: no need to keep the old generation mapped until endpwent */
		nss_walk_reset(w);
		w->ended = true;
	}
	return e;
}
