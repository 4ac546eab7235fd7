/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* <run>/metrics.prom: what this node knows of itself, in the text format of Prometheus, for a collector that reads files. Nothing in it is secret. */

#define METRICS_FILE "metrics.prom"
#define METRICS_MAX 32768
#define METRICS_ERRORS 32 /* more than enum cluster_err has */

struct wr;

struct metrics {
	const char *version;          /* of the program */
	int64_t written;              /* wall clock */
	uint64_t generation, head_version;
	int64_t head_iat, last_contact, revocations; /* 0: none yet */
	bool connected, fresh;        /* fresh: people may log on as far as clocks are concerned */
	bool has_age;                 /* the next four are known */
	int64_t age_wall, age_boot, age_limit, age_limit_sudo;
	uint32_t sessions;
	uint64_t sessions_ended, polls;
	uint64_t refused[METRICS_ERRORS]; /* by enum cluster_err: fetches that did not go well */
	bool hop;                     /* this node vouches */
	uint64_t hop_now, hop_vouched, hop_refused;
	bool relay;                   /* this node is one */
	uint64_t relay_now, relay_accepted, relay_refused, relay_failed;
};

/* The whole text. */
void metrics_text(const struct metrics *m, struct wr *w);
/* Replaces <run>/metrics.prom. It is not made durable: the directory does not outlive the machine anyway. */
enum cluster_err metrics_store(const char *run, const struct metrics *m, struct diag *d) CLUSTER_MUST_USE;
/* Takes it away: an agent that has stopped says nothing of the node any more. */
void metrics_remove(const char *run);

#endif
