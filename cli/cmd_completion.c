/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "cmd.h"
#include "completion.h"
#include "view.h"

/* ---- completion: the script ---- */

static int run_completion(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	char none[1] = "";
	const char *text;
	int status;

	if ((status = command_parse(self, argc, argv, none, &rest)) != COMMAND_GO)
		return status;
	if ((text = completion_script(rest.v[0])) == NULL)
		return command_usage_error(argv[0], "%s: bash, zsh or fish", rest.v[0]);
	fputs(text, stdout);
	return EXIT_DONE;
}

const struct command cmd_completion = {
	.run = run_completion,
	.usage = "bash|zsh|fish",
	.example = "  source <(cluster-login completion bash)\n"
		   "  cluster-login completion fish | source\n"
		   "\nCommands, options, and the names of nodes and accounts, which come from the signed directory as of the last \"cluster-login get\".\n",
	.least = 1,
	.most = 1,
};

/* ---- complete: what the scripts ask ---- */

struct known {
	struct view *v;
	struct accounts accounts;
	struct completion_names names;
	const char **nodes;
	bool asked;
};

static void add_once(const char **list, size_t *n, const char *name)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(list[i], name) == 0)
			return;
	list[(*n)++] = name;
}

static void add_nodes(struct known *k, const struct directory *dir)
{
	size_t room = 1;

	for (size_t i = 0; i < dir->n_nodes; i++)
		room += 2 + dir->nodes[i].n_roles;
	if ((k->nodes = calloc(room, sizeof *k->nodes)) == NULL)
		return;
	for (size_t i = 0; i < dir->n_nodes; i++)
		k->nodes[k->names.n_nodes++] = dir->nodes[i].name;
	for (size_t i = 0; i < dir->n_nodes; i++) {
		const struct directory_node *node = &dir->nodes[i];

		for (size_t r = 0; r < node->n_roles; r++)
			add_once(k->nodes, &k->names.n_nodes, node->roles[r]);
		if (node->leader)
			add_once(k->nodes, &k->names.n_nodes, "leader");
	}
	k->names.nodes = k->nodes;
}

static const struct completion_names *names(void *arg)
{
	struct known *k = arg;
	struct profile p;
	struct diag d;

	diag_clear(&d);
	if (k->asked || profile_load(&p, &d) != CLUSTER_OK)
		return k->asked ? &k->names : NULL;
	k->asked = true;
	if (view_load(&p, &k->v, &d) == CLUSTER_OK)
		add_nodes(k, k->v->dir);
	if (accounts_load(&p, &k->accounts) == CLUSTER_OK) {
		k->names.accounts = k->accounts.names;
		k->names.n_accounts = k->accounts.n;
	}
	return &k->names;
}

static void emit(void *arg, const char *word, const char *help)
{
	(void)arg;
	printf("%s%s%s\n", word, *help != '\0' ? "\t" : "", help);
}

static int run_complete(const struct command *self, int argc, char **argv)
{
	struct known k = { 0 };
	struct completion c = { .names = names, .emit = emit, .arg = &k };
	struct command_operands rest;
	char none[1] = "";
	int status;

	if ((status = command_parse(self, argc, argv, none, &rest)) != COMMAND_GO)
		return status;
	c.rows = cmd_rows(&c.n_rows);
	completion_each(&c, rest.v[0]);
	accounts_done(&k.accounts);
	free(k.nodes);
	view_free(k.v);
	return EXIT_DONE;
}

const struct command cmd_complete = {
	.run = run_complete,
	.usage = "LINE",
	.example = "  cluster-login complete -- \"cluster-login ssh emr-user@m\"\n",
	.least = 1,
	.most = 1,
};
