/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_SANDBOX_H
#define AGENT_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* How the unprivileged processes of the agent give things up (DESIGN.md 3.4, THREATS.md I1). */

struct sandbox_user {
	bool drop; /* false: started without root, there is nothing to give up */
	uid_t uid;
	gid_t gid;
};

/* The user of this name. CLUSTER_ECONFIG with a sentence if there is none, or if it is root. */
enum cluster_err sandbox_user_find(const char *name, struct sandbox_user *ret, struct diag *d) CLUSTER_MUST_USE;

/* Closes every descriptor but 0 to 2 and the `n` given ones; 0 and 1 become /dev/null; empties the environment. */
enum cluster_err sandbox_descriptors(const int *keep, size_t n, struct diag *d) CLUSTER_MUST_USE;

/*
 * For good: user and groups, no new privileges, no core file, not traceable, killed when the parent dies, deaf to the terminal's SIGINT. `name` is shown by ps.
 */
enum cluster_err sandbox_enter(const char *name, const struct sandbox_user *u, pid_t parent, struct diag *d) CLUSTER_MUST_USE;

/*
 * From now on only system calls on memory, on descriptors that are open, and the clock: no file, no socket, no process, nothing executable. Another one kills the process.
 * Nothing happens in a build with a sanitizer, which needs more.
 */
enum cluster_err sandbox_filter(struct diag *d) CLUSTER_MUST_USE;
/* The same, and connections at a socket that listens, files to be read, and other processes to be named: no socket of its own, nothing to be written, nothing executable. */
enum cluster_err sandbox_filter_local(struct diag *d) CLUSTER_MUST_USE;
/* The same as the first, and TCP and UDP, and files to be read: no other socket, nothing to be written, no process, nothing executable. */
enum cluster_err sandbox_filter_network(struct diag *d) CLUSTER_MUST_USE;

#endif
