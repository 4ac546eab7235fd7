/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_ISSUE_H
#define AUTHORITY_ISSUE_H

#include "call.h"
#include "change.h"
#include "cluster/attr.h"
#include "cluster/credential.h"
#include "cluster/directory.h"
#include "cluster/request.h"

/* POST /v1/credential (PROTOCOL.md 6.3, 4.1). */
#define ISSUE_LIFE_MAX 43200
call_handler issue_run;

/* A credential that is checked, signed and remembered, in a change that the caller commits. Starts as zeros. */
struct issue {
	struct request_credential request;
	struct credential claims;
	struct directory *person; /* its record is people[0] */
	struct change change;
	char *token;
};
/* The request in the body. Refusals as /v1/credential has them. issue_done in any case. */
enum cluster_err issue_begin(struct call *c, struct issue *i, struct diag *d) CLUSTER_MUST_USE;
/* Rolls back unless committed; releases. */
void issue_done(struct issue *i);

#endif
