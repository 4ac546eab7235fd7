/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/enrolled.h"
#include "cluster/node_conf.h"

#include "assemble.h"
#include "sandbox.h"

#define AGENT_VERSION "1.0"

/* What all processes of the agent know from the start. */
struct agent {
	struct node_conf conf;
	struct enrolled enrolled;
	struct conf_list authority; /* of node.conf, else of the marker */
	struct conf_list relay;     /* likewise: the ways to it; empty: directly */
	uid_t owner;                /* of the state: root, or whoever runs a test */
	struct sandbox_user user;
	uid_t gate;                 /* whom sshd runs cluster-login-principals as, who tells of refusals; `owner`: nobody but the owner */
	pid_t parent;               /* root's process */
	bool once;
};

/* The bodies of the unprivileged processes: they return the exit status. The descriptors are theirs. */
int fetch_process(const struct agent *a, int root, int trust);
int trust_process(const struct agent *a, int root, int fetch, const struct assemble_floor *floor);
int serve_process(const struct agent *a, int root, int listener);
int relay_process(const struct agent *a, int root);
int hop_process(const struct agent *a, int root, int listener);

/* Root's process: starts the others and stays until it is told to stop, or with `once` until the first result. Returns the exit status. */
int supervise(struct agent *a);

#endif
