/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAM_VIEW_H
#define PAM_VIEW_H

#include "cluster/reason.h"
#include "cluster/snap.h"
#include "cluster/trust_snap.h"

#include "pam_conf.h"
#include "pam_facts.h"

/* The present snapshots and the clocks, read together. Zeroes where something could not be had. */
struct pam_view {
	struct moment now;
	struct trust trust;
	struct snap accounts;
	enum reason reason; /* REASON_OK, or why nobody can be let in */
	struct diag detail;
};

/* Never fails: what went wrong is in v->reason. Released by pam_view_close, which is harmless on a zeroed struct and when called twice. */
void pam_view_open(struct pam_view *v, const struct pam_conf *conf);
void pam_view_close(struct pam_view *v);

/* A fresh snapshot does not have the name, and another name service does. */
bool pam_view_foreign(const struct pam_view *v, const struct pam_facts *f, int64_t max_stale);

#endif
