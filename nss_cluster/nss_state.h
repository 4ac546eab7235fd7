/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NSS_STATE_H
#define NSS_STATE_H

#include <stdatomic.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/snap.h"

/*
 * The snapshot that this process reads, renewed when the agent publishes another (PROTOCOL.md 5.5). While nothing has changed, taking and
 * dropping it costs no system call, no lock and no allocation. Any thread may call at any time; a fork at any time leaves both sides working.
 */

/* A snapshot held: it stays mapped until it is dropped. Not to be copied. */
struct nss_hold {
	const struct snap *snap;
	_Atomic uint32_t *readers; /* where this hold is counted; NULL: `own` is mapped for this hold alone */
	struct snap own;
};

/*
 * CLUSTER_ENOTFOUND: this node is not enrolled. CLUSTER_ESYSTEM: the process lacks something, errno says which: EMFILE, ENFILE, ENOMEM.
 * CLUSTER_EUNAVAIL: enrolled, and there is no snapshot to believe. errno is kept otherwise.
 */
enum cluster_err nss_state_take(struct nss_hold *ret) CLUSTER_MUST_USE;
/* errno is kept. */
void nss_state_drop(struct nss_hold *h);

#endif
