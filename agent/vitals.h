/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_VITALS_H
#define AGENT_VITALS_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/err.h"
#include "cluster/moment.h"
#include "cluster/node_conf.h"
#include "cluster/reason.h"
#include "cluster/trust_snap.h"

#include "ipc.h"
#include "metrics.h"

/* How root's process looks after the age of the head: one line in the log at each crossing, and metrics. */

#define VITALS_SECONDS 5        /* between looks */
#define VITALS_WRITE_SECONDS 15 /* between metrics without other cause */

enum vitals_state { VITALS_WELL, VITALS_OLD, VITALS_REFUSING };

struct vitals {
	const struct node_conf *conf;
	struct metrics m;
	enum vitals_state state; /* as it was said last */
	int64_t written;         /* by the boot clock */
	void (*log)(int level, const char *line);
};

/* `conf` is borrowed. */
void vitals_init(struct vitals *v, const struct node_conf *conf, const char *version, void (*log)(int level, const char *line));
void vitals_contact(struct vitals *v, enum cluster_err e, int64_t wall);
void vitals_hop(struct vitals *v, const struct ipc_hop_counts *h);
void vitals_relay(struct vitals *v, const struct ipc_relay *r);
/* Judges the age, says what has changed of it, once. `t` NULL: there is no snapshot. True: it is time to write the metrics. */
bool vitals_look(struct vitals *v, const struct trust *t, const struct moment *now);
/* Writes the metrics with what only the caller knows. A failure is said and forgotten. */
void vitals_write(struct vitals *v, const struct agent_msg_status *s, uint64_t ended);

#endif
