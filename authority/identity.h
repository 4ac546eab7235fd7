/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_IDENTITY_H
#define AUTHORITY_IDENTITY_H

#include "call.h"
#include "cluster/reason.h"
#include "cluster/request.h"

struct directory_person;

/*
 * Who makes this request (PROTOCOL.md 6.1): root on the admin socket, a node or a person by a signed header, nobody without one. Sets is, actor, person, device,
 * node and known of `c`. A header that is there must hold: an error otherwise.
 */
enum cluster_err identity_read(struct call *c, struct diag *d) CLUSTER_MUST_USE;

/* Method, path, time and novelty of a request whose signature holds. */
enum cluster_err identity_fresh(struct call *c, const struct request_common *r, struct diag *d) CLUSTER_MUST_USE;

/* May this person with this device have or use a credential issued at `iat`? The reason, REASON_OK if so. */
enum reason identity_person(const struct authority *a, const struct directory_person *p, const struct cluster_id *device, int64_t iat);
/* The error of a reason, with its sentence; sets c->word. */
enum cluster_err identity_refuse(struct call *c, enum reason r, struct diag *d) CLUSTER_MUST_USE;

#endif
