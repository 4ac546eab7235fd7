/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_PUBLISH_H
#define AGENT_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/snap.h"
#include "cluster/trust_snap.h"

#include "assemble.h"

/*
 * The state directory, written by root alone (PROTOCOL.md 5.5). `fresh` says which generation holds; it is replaced, durably, after everything that it names is durable,
 * so that a stop at any point leaves the old or the new set (THREATS.md H2).
 */
struct publish;

/*
 * Makes the directories that are missing, clears away what an earlier stop left, looks at what is there. Damage is not an error: publish_damaged tells. CLUSTER_ESYSTEM (also if
 * something is there that cannot be read for now: nothing is changed), CLUSTER_EUNTRUSTED. The caller calls publish_close.
 */
enum cluster_err publish_open(const char *state_dir, uid_t owner, const struct cluster_id *cluster, const struct cluster_id *node, struct publish **ret, struct diag *d) CLUSTER_MUST_USE;
void publish_close(struct publish *p);

/* What is installed; generation 0: nothing. */
const struct snap_fresh *publish_fresh(const struct publish *p);
/* The installed trust.snap; NULL: there is none that can be read. Borrowed until the next publish_put. */
const struct trust *publish_trust(const struct publish *p);
/* Is a snapshot of the installed generation missing or damaged, as far as is known? publish_look looks again, at what does not grow with the size of the files. */
bool publish_damaged(const struct publish *p);
void publish_look(struct publish *p);
struct assemble_floor publish_floor(const struct publish *p);

struct publish_bytes {
	const uint8_t *p; /* a snapshot, or a change of the installed one (cluster/snap_change.h); NULL: as installed */
	size_t n;
};

struct publish_set {
	struct publish_bytes accounts, trust, docs;
	int64_t head_version, head_iat;
	bool rebuilt; /* may have the head that is installed */
};

/*
 * Judges the set once more with the readers' code and puts it in place. CLUSTER_EVERSION: something goes back. CLUSTER_EFORMAT, CLUSTER_EUNTRUSTED: not a set of this node.
 * CLUSTER_ESYSTEM (disk full, ...): what was installed stays installed. *ret_changed: there is a new generation.
 */
enum cluster_err publish_put(struct publish *p, const struct publish_set *set, bool *ret_changed, struct diag *d) CLUSTER_MUST_USE;

/* Takes away what a set that publish_put has put in place replaces: older generations but one, documents that it does not name. Takes its time; nothing depends on it. */
void publish_tidy(struct publish *p, const struct publish_set *set);

/* For tests: called before each step with its name; what it returns is the step's failure. */
void publish_hook(enum cluster_err (*hook)(const char *step));

#endif
