/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_START_H
#define AGENT_START_H

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* Two agents would write the same files: <state>/lock is this process's until it ends. CLUSTER_EUNAVAIL: another has it. */
enum cluster_err start_lock(const char *state, struct diag *d) CLUSTER_MUST_USE;
/* The agent socket, for everybody, non-blocking; what an earlier agent left in its place is removed. */
enum cluster_err start_listen(const char *path, int *ret, struct diag *d) CLUSTER_MUST_USE;

#endif
