/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CONFIGURE_H
#define CLI_CONFIGURE_H

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "command.h"

/*
 * The system side of join (DESIGN.md 3.10): sshd's drop-in, the PAM profile, nsswitch.conf and node.conf. Originals go to <state>/backup first; what cannot be checked
 * afterwards is put back byte for byte.
 */
struct configure {
	const char *state;            /* the node's state directory, which exists */
	const struct command_list *adopt;
};

/* Whatever would make configure_apply fail and can be known before anything is done or sent. CLUSTER_ECONFIG. */
enum cluster_err configure_check(const struct configure *c, struct diag *d) CLUSTER_MUST_USE;
/* CLUSTER_ECONFIG and others: everything is as it was. */
enum cluster_err configure_apply(const struct configure *c, struct diag *d) CLUSTER_MUST_USE;
/* Undoes it. Files that somebody has changed since are edited where that is possible and named otherwise. CLUSTER_OK also when nothing was configured. */
enum cluster_err configure_undo(const char *state, struct diag *d) CLUSTER_MUST_USE;

#endif
