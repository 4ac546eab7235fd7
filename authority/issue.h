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

/* What a device asks for, checked; then a credential, signed and remembered; in a change that the caller commits. Starts as zeros. */
struct issue {
	struct request_credential request;
	struct credential claims;
	struct directory *person; /* its record is people[0] */
	int64_t life;             /* the longest that the grants allow */
	struct change change;
	char *token;
};
/* The request in the body, and whether this person may have anything at all. Refusals as /v1/credential has them. issue_done in any case. */
enum cluster_err issue_ask(struct call *c, struct issue *i, struct diag *d) CLUSTER_MUST_USE;
/* issue_ask, and the credential. */
enum cluster_err issue_begin(struct call *c, struct issue *i, struct diag *d) CLUSTER_MUST_USE;
/* Kept until it expires, so that this one credential can be revoked. */
enum cluster_err issue_remember(struct change *ch, const struct credential *cred, struct diag *d) CLUSTER_MUST_USE;
/* Rolls back unless committed; releases. */
void issue_done(struct issue *i);

#endif
