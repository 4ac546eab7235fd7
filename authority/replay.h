/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_REPLAY_H
#define AUTHORITY_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"

/*
 * The jti of signed requests, never taken twice within the time in which their signature is good (PROTOCOL.md 6.1). In memory: what was signed before this process
 * began is refused, because an earlier process may have taken it.
 */
struct replay;

/* `started`: requests with an earlier iat are refused. `max`: identifiers per span of time; above it requests are refused, not forgotten. */
enum cluster_err replay_new(int64_t started, size_t max, struct replay **ret) CLUSTER_MUST_USE;
void replay_free(struct replay *r);

/* Call only after the signature holds. CLUSTER_EDENIED: seen before. CLUSTER_EUNAVAIL: signed before the start, or too many. */
enum cluster_err replay_check(struct replay *r, const struct cluster_id *jti, int64_t iat, int64_t now, struct diag *d) CLUSTER_MUST_USE;

#endif
