/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAM_CONF_H
#define PAM_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/conf.h"
#include "cluster/diag.h"
#include "cluster/node_conf.h"

/* The module's arguments. An empty state or run means the one of node.conf. */
struct pam_conf_args {
	char config[CONF_STRING_SIZE], state[CONF_STRING_SIZE], run[CONF_STRING_SIZE], passwd[CONF_STRING_SIZE];
	uint64_t owner; /* of snapshots, configuration and session records */
	bool debug;
};

struct pam_conf {
	struct pam_conf_args args;
	struct node_conf *node; /* owned; the defaults if diag says that something is wrong; NULL only when out of memory */
	struct diag diag;       /* CLUSTER_OK, or the first thing that is wrong */
};

/* Arguments only; makes no system call and cannot run out of memory. */
void pam_conf_args(struct pam_conf *c, int argc, const char **argv);
/* Then node.conf. Released by pam_conf_done. */
void pam_conf_node(struct pam_conf *c);
void pam_conf_done(struct pam_conf *c);

const char *pam_conf_state(const struct pam_conf *c);
const char *pam_conf_run(const struct pam_conf *c);

#endif
