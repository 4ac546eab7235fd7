/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_REFUSALS_H
#define CLUSTER_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/refusal.h"

/*
 * The latest refusals, in memory: of a node in its agent, of all nodes at the authority. When there is no place left, strangers (nothing is proved) lose theirs first as
 * long as they hold more than half; and one source never holds more than its share: whoever knocks at one door all day does not make the others forgotten. A source is the
 * node if one is named, else the client's address (of IPv6 its first 64 bits), else all that came from the machine itself. Pure but for its own memory.
 */
struct refusals;

/* `most` places, at most `share` of them for one source. CLUSTER_ENOMEM. */
enum cluster_err refusals_new(size_t most, size_t share, struct refusals **ret) CLUSTER_MUST_USE;
void refusals_free(struct refusals *r);

/* A copy; `node` NULL: this one. The same id from the same source once more changes nothing. CLUSTER_EFORMAT: not refusal_ok. CLUSTER_ENOMEM. */
enum cluster_err refusals_add(struct refusals *r, const struct refusal *x, const struct cluster_id *node) CLUSTER_MUST_USE;
/* The next with this id from place *at on (0 to begin), which moves behind it. False: none. `ret_node` may be NULL. */
bool refusals_find(const struct refusals *r, const char *id, size_t *at, struct refusal *ret, struct cluster_id *ret_node);
/* What nobody has been told yet: what proves something first, then of sources that are rarely heard of. It counts as told from now on. False: all is told. */
bool refusals_next(struct refusals *r, struct refusal *ret);

#endif
