/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PAM_STACK_H
#define CLI_PAM_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/err.h"

/* Reading a PAM service's files as far as `doctor` needs it. Pure. */
struct pam_stack {
	bool cluster;    /* pam_cluster.so is in it */
	bool early_env;  /* pam_env.so or pam_exec.so stands before it: the user could set variables first (THREATS.md F4) */
};

/*
 * The stack of `type` ("session") in `text`. `include` gives the text of an included file, NULL if there is none; what it returns stays its own. CLUSTER_ELIMIT: includes
 * too deep.
 */
enum cluster_err pam_stack_read(const char *text, const char *type, const char *(*include)(void *arg, const char *name), void *arg, struct pam_stack *ret) CLUSTER_MUST_USE;

#endif
