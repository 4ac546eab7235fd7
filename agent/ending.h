/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_ENDING_H
#define AGENT_ENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "processes.h"

/*
 * Ending the processes of sessions (DESIGN.md 3.6): all with the session's audit id, or where there is none the leader and what descends from it; never by uid, never
 * pid 1, never this process or its children.
 */
struct ending_target {
	pid_t leader;
	uint64_t start;  /* of the leader: another process of that number is not touched */
	uint32_t audit;
	bool by_audit;   /* `audit` is this session's alone */
	uint64_t until;  /* 0, or only of processes that started before: then another session got the same audit id */
};

/* SIGHUP and SIGTERM, after `grace_ms` SIGKILL, again until none is left (bounded). Returns how many processes were left, or may have been, all the same. */
size_t ending_run(const struct ending_target *targets, size_t n, unsigned int grace_ms);

/* Writes a line to the terminals of the session's processes, never waiting. Only pseudo-terminals. Looks at the processes if *t is empty. Returns how many have it now. */
size_t ending_tell(struct processes *t, const struct ending_target *target, const char *line);

#endif
