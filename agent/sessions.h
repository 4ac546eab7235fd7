/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_SESSIONS_H
#define AGENT_SESSIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/trust_snap.h"

/* The live sessions of this node: records that root's PAM writes, judged by policy_session_check, ended when they must end (DESIGN.md 3.6). */
struct sessions;

struct sessions_conf {
	const char *run_dir;      /* records are in <run_dir>/sessions */
	uid_t owner;
	unsigned int grace_ms;
	void (*log)(int level, const char *line); /* enum log_level */
};

/* Makes the directory. The caller calls sessions_free. */
enum cluster_err sessions_new(const struct sessions_conf *conf, struct sessions **ret, struct diag *d) CLUSTER_MUST_USE;
void sessions_free(struct sessions *s);

/*
 * Reads all records, removes dead ones (leader gone, another boot), judges the others and ends those that must end. `t` NULL: there is nothing to judge by, and nothing ends.
 * Blocks for as long as processes take to die, at most about the grace time.
 */
void sessions_sweep(struct sessions *s, const struct trust *t);

/* Live sessions at the last sweep, and how many have been ended since the start. */
uint32_t sessions_live(const struct sessions *s);
uint64_t sessions_ended(const struct sessions *s);

#endif
