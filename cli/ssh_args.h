/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SSH_ARGS_H
#define CLI_SSH_ARGS_H

#include <stdbool.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/directory.h"
#include "cluster/err.h"

/* What stock ssh must be told about one node, the same on its command line and in its configuration file. */
struct ssh_args {
	const struct directory *dir;
	const struct directory_node *node;
	const char *self;  /* absolute path of this program */
	const char *home;  /* the person's directory if it is not the usual one, else NULL */
	const char *proxy; /* a jump host, whatever the directory says, or NULL */
	bool own_way;      /* how to get there is what the caller says elsewhere */
};

typedef void ssh_args_emit(void *arg, const char *key, const char *value);
/* Calls `emit` for each keyword and value. CLUSTER_ECONFIG: the node has no address. CLUSTER_ELIMIT. */
enum cluster_err ssh_args_each(const struct ssh_args *a, ssh_args_emit *emit, void *arg, struct diag *d) CLUSTER_MUST_USE;

/* Does ssh's option letter take a value? */
bool ssh_args_takes_value(char letter);
/* Is it an option letter of ssh at all? */
bool ssh_args_letter_ok(char letter);

#endif
