/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_METRICS_H
#define AUTHORITY_METRICS_H

#include <stdint.h>

#include "cluster/err.h"

struct call;
struct diag;
struct json;

/* What can be counted of an authority, for its administrators (GET /metrics on the admin socket, Prometheus text format). */

/* Answers by status; those that are not listed count as 500. */
#define METRICS_STATUS 10
struct metrics {
	uint64_t answers[METRICS_STATUS];
};
void metrics_count(struct metrics *m, int status);

enum cluster_err metrics_run(struct call *c, struct json **ret, struct diag *d); /* a call_handler */

#endif
