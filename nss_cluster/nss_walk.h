/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NSS_WALK_H
#define NSS_WALK_H

#include "nss_state.h"

/*
 * An enumeration: one of passwd and one of group in each process, as glibc has it, and behind glibc's lock. It keeps the generation it began with, so it
 * names everybody once and ends, whatever is published meanwhile.
 */
struct nss_walk {
	struct nss_hold hold;
	uint64_t cursor; /* of the next record */
	bool held, ended;
};

/* Back to the start; what is held is dropped. */
void nss_walk_reset(struct nss_walk *w);
/* The snapshot to go on in. Errors as nss_state_take; CLUSTER_ENOTFOUND also after the end. */
enum cluster_err nss_walk_snap(struct nss_walk *w, const struct snap **ret) CLUSTER_MUST_USE;
/* What became of the record behind which `next` stands: only one that was handed out is passed. Returns `e`. */
enum cluster_err nss_walk_done(struct nss_walk *w, enum cluster_err e, uint64_t next);

#endif
