/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_TRUST_START_H
#define AGENT_TRUST_START_H

#include <stdbool.h>
#include <stdint.h>

#include "agent.h"
#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

struct crypto_key;

/* The process that verifies. It reads what fetch brings, believes nothing of it, and hands what holds to root. */
struct verifier {
	const struct agent *agent;
	struct assemble *a;
	struct crypto_key *key;
	int root, fetch;
	bool publishing;    /* root has a set of ours and has not answered */
	bool owed;          /* fetch waits for an answer */
	bool started;       /* the local files are known, and what was on disk is installed or given up */
	bool restored;      /* an offer from disk is ready */
	bool again;         /* the installed set has to be built again: local files changed, or it is damaged */
	uint64_t ended;
	int64_t proved;     /* the head version whose revocations have reached every session */
};

/* Everything before the first message: the key, privileges, the documents on disk, the system call filter. */
enum cluster_err trust_start(struct verifier *v, const struct assemble_floor *floor, struct diag *d) CLUSTER_MUST_USE;

#endif
