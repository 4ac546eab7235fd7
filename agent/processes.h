/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_PROCESSES_H
#define AGENT_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cluster/session.h"

/* A look at all processes. */
struct process {
	pid_t pid;
	struct session_facts facts;
	bool marked, follow; /* for whoever looks */
};

struct processes {
	struct process *p; /* in order of pid */
	size_t n;
	bool incomplete; /* some could not be looked at */
};

/* False: /proc cannot be read, or out of memory. */
bool processes_read(struct processes *ret);
/* Looks if nobody has; what fails leaves it empty and incomplete. *t begins as zeros. */
void processes_once(struct processes *t);
void processes_done(struct processes *t);
const struct process *processes_find(const struct processes *t, pid_t pid);

#endif
