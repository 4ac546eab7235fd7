/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_START_H
#define AGENT_START_H

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* Two agents would write the same files: <state>/lock is this process's until it ends. CLUSTER_EUNAVAIL: another has it. */
enum cluster_err start_lock(const char *state, struct diag *d) CLUSTER_MUST_USE;
#define SERVE_SOCKET "agent.sock"
#define HOP_SOCKET "hop.sock"

/* <run>/<name>, a socket of that type for everybody, non-blocking; what an earlier agent left in its place is removed. */
enum cluster_err start_listen(const char *run, const char *name, int type, int *ret, struct diag *d) CLUSTER_MUST_USE;
/* Closes it and takes it away; nothing happens if `fd` is negative. */
void start_unlisten(const char *run, const char *name, int fd);

#endif
