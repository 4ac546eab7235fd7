/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_ADMIN_REVOKE_H
#define AUTHORITY_ADMIN_REVOKE_H

#include "call.h"
#include "cluster/revoke.h"

/* A revocation as somebody wishes it, read from the body of a call: the entry's texts are borrowed from there, or from here. */
struct admin_revoke_wish {
	struct revoke_entry entry;  /* kind, value, before, reason, iat, until; seq is 0 */
	char id[ID_TEXT + 1];       /* what a name means */
};

/* Kind, value (a name or an id), before?, reason?. CLUSTER_EFORMAT, CLUSTER_ENOTFOUND with a sentence. */
enum cluster_err admin_revoke_read(struct call *c, struct admin_revoke_wish *w, struct diag *d) CLUSTER_MUST_USE;
/* The same of fields that were read already. */
enum cluster_err admin_revoke_make(struct call *c, const char *kind, struct admin_revoke_wish *w, struct diag *d) CLUSTER_MUST_USE;

#endif
