/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_RELAY_H
#define AGENT_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/endpoint.h"
#include "cluster/err.h"

#include "relay_find.h"

/* TCP from nodes without a way out to the authority and back (PROTOCOL.md 6.6): bytes are copied, not read. */

struct event_base;
struct relay;

struct relay_conf {
	const struct endpoint *target; /* borrowed; the authority, in order of preference */
	size_t n_targets;
	size_t most, most_of_address;
	unsigned int connect_ms; /* for one address; for all twice as long */
	unsigned int idle_ms, sweep_ms;
	void (*log)(void *arg, int level, const char *line);
	void *log_arg;
};

struct relay_counts {
	uint64_t now, accepted, refused, failed; /* refused: over a limit; failed: the authority could not be reached */
};

/* `base` and `conf` are borrowed. The caller calls relay_free before event_base_free. */
enum cluster_err relay_new(struct event_base *base, const struct relay_conf *conf, struct relay **ret, struct diag *d) CLUSTER_MUST_USE;
void relay_free(struct relay *r);
/* One more address to accept connections at; the port 0 is any. CLUSTER_EUNAVAIL: it is taken, or not there yet: try again. */
enum cluster_err relay_listen(struct relay *r, const struct endpoint *where, uint16_t *ret_port, struct diag *d) CLUSTER_MUST_USE;
struct relay_counts relay_counts(const struct relay *r);

#endif
