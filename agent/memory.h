/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_MEMORY_H
#define AGENT_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* Memory that is written from its beginning to its end, and can be handed to another process: as large as a snapshot, without being in this process's way. */
struct memory {
	const uint8_t *p; /* once memory_end has run: n bytes, read-only; NULL: nothing was written */
	size_t n;
	int fd;           /* what holds them; valid if p is */
};

/* The caller calls memory_done, which is harmless on a zeroed struct. */
enum cluster_err memory_begin(const char *name, struct memory *ret, struct diag *d) CLUSTER_MUST_USE;
/* As the function of a struct snap_sink. */
enum cluster_err memory_put(void *memory, const void *p, size_t n) CLUSTER_MUST_USE;
enum cluster_err memory_end(struct memory *m, struct diag *d) CLUSTER_MUST_USE;
void memory_done(struct memory *m);

#endif
