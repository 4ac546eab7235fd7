/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_QUIET_H
#define CLUSTER_QUIET_H

#include <stdbool.h>
#include <stdint.h>

/* Each distinct line once, then at most every ten minutes: a fault that lasts does not fill the log. */
#define QUIET_LINES 64
#define QUIET_SECONDS 600

struct quiet {
	struct { uint64_t hash; int64_t said; } line[QUIET_LINES];
};

/* Is this line to be said now? */
bool quiet_says(struct quiet *q, const char *line, int64_t now);

#endif
