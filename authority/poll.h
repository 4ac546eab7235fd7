/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_POLL_H
#define AUTHORITY_POLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/err.h"

struct authority;
struct conn;
struct crowd;
struct nodes_one;

/*
 * Those who wait: nodes and people for the next head, administrators for nodes to have applied one. An answer to many is built once and shared. A waiter whose
 * connection goes is forgotten; none waits longer than POLL_SECONDS.
 */
#define POLL_SECONDS 60

struct poll;

enum cluster_err poll_new(struct authority *a, struct poll **ret) CLUSTER_MUST_USE;
/* Answers all with what there is. */
void poll_free(struct poll *p);

/* Answers with the head now if its version is above `after`, else when it is or after `seconds`. `objects`: changed documents may travel with it. */
enum cluster_err poll_head(struct poll *p, struct conn *c, int64_t after, int64_t seconds, bool objects) CLUSTER_MUST_USE;
/* Answers `wait` of PROTOCOL.md 6.4 when every node that can be reached has proved `version`, or after `ms`. */
enum cluster_err poll_wait(struct poll *p, struct conn *c, int64_t version, int64_t ms) CLUSTER_MUST_USE;
/* The connection goes. */
void poll_forget(struct poll *p, struct conn *c);

/* Whose patience is relied on: while a new head is on its way to those who wait, others who have waited before have no turn. NULL: nobody's. */
void poll_crowd(struct poll *p, struct crowd *crowd);
/* There is a new head: everybody who waits for one is answered, in short turns that begin after this call. */
void poll_publish(struct poll *p);
/* A node has proved something new. */
void poll_progress(struct poll *p);
/* How many wait for a head. */
size_t poll_held(const struct poll *p);
/* When that head was published, monotonic ms; -1: too long ago. */
int64_t poll_when(const struct poll *p, int64_t version);

#endif
