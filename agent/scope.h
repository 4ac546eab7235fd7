/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_SCOPE_H
#define AGENT_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The cgroup of a login session, where systemd-logind made one: killing it leaves no time for a fork. Only cgroup v2, only a session-*.scope. */

#define SCOPE_ROOT "/sys/fs/cgroup"
#define SCOPE_MAX 512

/* From the text of /proc/<pid>/cgroup: the path of the unified hierarchy if its last part is session-<name>.scope and nothing in it climbs. False, and ret empty: it is none. */
bool scope_parse(const char *text, char ret[SCOPE_MAX]);
/* That of a session's leader; empty if there is none, if it is another process by now, or if its parent or this process is in it too: then it is not the session's own. */
void scope_of_leader(pid_t leader, uint64_t start, char ret[SCOPE_MAX]);
/* Kills what is in <root><scope>; nothing happens for an empty scope or where the kernel cannot. */
void scope_kill(const char *root, const char *scope);

#endif
