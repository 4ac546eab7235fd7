/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_SSH_FILES_H
#define AGENT_SSH_FILES_H

#include <stdint.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/trust_snap.h"

/* What ssh on this node reads of the cluster's nodes (PROTOCOL.md 5.5): how it reaches them and asks the agent to vouch, and their host keys. */
#define SSH_FILES_CONFIG "ssh_config"
#define SSH_FILES_KNOWN_HOSTS "known_hosts"

struct ssh_files {
	const char *state_dir;
	const char *run_dir; /* where the hop socket is; NULL: there is none */
	uid_t owner;
	int64_t now;
};

/*
 * Makes both files say what `t` says; of a node that is revoked the keys are left out, and an instance id that more than one node has is told of none.
 * Of nodes only names and addresses stand there that NSS would answer too, and instance ids that could be such a name; nothing in them is said of another host.
 * CLUSTER_ECONFIG: a path that ssh cannot be told of. CLUSTER_EFORMAT: the snapshot is damaged. In any case of an error the old ones stand.
 */
enum cluster_err ssh_files_put(const struct ssh_files *f, const struct trust *t, struct diag *d) CLUSTER_MUST_USE;

#endif
