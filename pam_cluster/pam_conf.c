/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_conf.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/snap.h"

#define PASSWD_PATH "/etc/passwd"
#define FIELD(f) offsetof(struct pam_conf_args, f)

static const struct conf_key keys[] = {
	{ .section = "pam", .name = "config", .type = CONF_PATH, .offset = FIELD(config) },
	{ .section = "pam", .name = "state", .type = CONF_PATH, .offset = FIELD(state) },
	{ .section = "pam", .name = "run", .type = CONF_PATH, .offset = FIELD(run) },
	{ .section = "pam", .name = "passwd", .type = CONF_PATH, .offset = FIELD(passwd) },
	{ .section = "pam", .name = "owner", .type = CONF_NUMBER, .offset = FIELD(owner), .min = 0, .max = INT_MAX },
	{ .section = "pam", .name = "debug", .type = CONF_BOOL, .offset = FIELD(debug) },
};

void pam_conf_args(struct pam_conf *c, int argc, const char **argv)
{
	struct diag d;

	memset(c, 0, sizeof *c);
	memcpy(c->args.config, NODE_CONF_PATH, sizeof NODE_CONF_PATH);
	memcpy(c->args.passwd, PASSWD_PATH, sizeof PASSWD_PATH);
	for (int i = 0; i < argc; i++) {
		const char *word = strcmp(argv[i], "debug") == 0 ? "debug=yes" : argv[i];

		if (conf_word(word, "module argument", keys, sizeof keys / sizeof keys[0], &c->args, &d) != CLUSTER_OK && c->diag.code == CLUSTER_OK)
			c->diag = d;
	}
}

void pam_conf_node(struct pam_conf *c)
{
	struct diag d;

	c->node = malloc(sizeof *c->node);
	if (!c->node) {
		diag_set(&c->diag, CLUSTER_ENOMEM, "out of memory");
		return;
	}
	if (node_conf_load(c->args.config, (uid_t)c->args.owner, c->node, &d) != CLUSTER_OK && c->diag.code == CLUSTER_OK)
		c->diag = d;
}

void pam_conf_done(struct pam_conf *c)
{
	free(c->node);
	c->node = NULL;
}

const char *pam_conf_state(const struct pam_conf *c)
{
	if (c->args.state[0] == '\0' && c->node)
		return c->node->state;
	return c->args.state[0] ? c->args.state : SNAP_STATE_DIR;
}

const char *pam_conf_run(const struct pam_conf *c)
{
	if (c->args.run[0] == '\0' && c->node)
		return c->node->run;
	return c->args.run[0] ? c->args.run : "/run/cluster-login";
}
