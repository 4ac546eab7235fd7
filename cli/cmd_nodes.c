/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "admin.h"
#include "cluster/json.h"
#include "cmd.h"
#include "out.h"
#include "renewal.h"
#include "table.h"
#include "view.h"

struct words {
	bool json;
};

static const struct command_option options[] = {
	{ "json", 0, COMMAND_FLAG, offsetof(struct words, json), 0, 0, NULL, "JSON" },
};

/* The signed records, in name order. */
static int by_name(const void *a, const void *b)
{
	const struct directory_node *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

struct shown {
	const struct directory_node **nodes;
	size_t n;
	struct accounts accounts; /* as of the last `get`; may be none */
};

static struct json *node_json(const struct shown *s, const struct directory_node *node)
{
	struct json *one = directory_node_json(node);

	if (one == NULL || json_set(one, "accounts", accounts_on(&s->accounts, node)) == CLUSTER_OK)
		return one;
	json_free(one);
	return NULL;
}

static int print_json(const struct shown *s)
{
	struct json *list = json_list();
	size_t i;

	for (i = 0; i < s->n && list != NULL; i++) {
		if (json_append(list, node_json(s, s->nodes[i])) != CLUSTER_OK) {
			json_free(list);
			list = NULL;
		}
	}
	return out_json(json_make("{s:o}", "nodes", list));
}

static void accounts_cell(struct table *t, const struct shown *s, const struct directory_node *node)
{
	struct json *list = accounts_on(&s->accounts, node);
	char text[600];

	admin_words_of(list, NULL, text, sizeof text);
	table_cell(t, "%s", text);
	json_free(list);
}

static int print_table(const struct shown *s)
{
	static const char *const columns[] = { "NAME", "ROLES", "ADDRESS", ">PORT", "INSTANCE", "JUMP", "ACCOUNTS", NULL };
	struct table *t = table_new(columns);
	size_t i, k;

	for (i = 0; i < s->n; i++) {
		const struct directory_node *node = s->nodes[i];
		char roles[600] = "";
		size_t at = 0;

		for (k = 0; k < node->n_roles && at < sizeof roles; k++)
			at += (size_t)snprintf(roles + at, sizeof roles - at, "%s%s", k > 0 ? " " : "", node->roles[k]);
		if (node->leader && at < sizeof roles)
			(void)snprintf(roles + at, sizeof roles - at, "%sleader", at > 0 ? " " : "");
		table_cell(t, "%s", node->name);
		table_cell(t, "%s", roles);
		table_cell(t, "%s", node->n_addresses > 0 ? node->addresses[0] : "");
		table_cell(t, "%u", (unsigned int)node->port);
		table_cell(t, "%s", node->instance != NULL ? node->instance : "");
		table_cell(t, "%s", node->jump != NULL ? node->jump : "");
		accounts_cell(t, s, node);
	}
	return table_end(t);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct shown s = { .nodes = NULL };
	struct command_operands rest;
	struct wallet wallet = { 0 };
	struct words w = { 0 };
	struct view *v = NULL;
	struct profile p;
	struct diag d;
	int status;
	size_t i;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, profile_next(d.code));
	if (view_load(&p, &v, &d) == CLUSTER_ENOTFOUND && renewal_ensure(&p, &wallet, &v, &d) == CLUSTER_OK)
		diag_clear(&d);
	if (v == NULL) {
		status = out_failed(&d, CMD_TRY_GET);
		goto out;
	}
	if ((s.nodes = calloc(v->dir->n_nodes + 1, sizeof *s.nodes)) == NULL) {
		status = out_failed(&(struct diag){ .code = CLUSTER_ENOMEM }, NULL);
		goto out;
	}
	for (i = 0; i < v->dir->n_nodes; i++)
		s.nodes[s.n++] = &v->dir->nodes[i];
	qsort(s.nodes, s.n, sizeof *s.nodes, by_name);
	if (accounts_load(&p, &s.accounts) != CLUSTER_OK)
		s.accounts = (struct accounts){ .n = 0 };
	status = w.json ? print_json(&s) : print_table(&s);
out:
	accounts_done(&s.accounts);
	free(s.nodes);
	view_free(v);
	wallet_done(&wallet);
	return status;
}

const struct command cmd_nodes = {
	.run = run,
	.usage = "",
	.example = "  cluster-login nodes\n  cluster-login ssh emr-user@master-1-1\n\n"
		   "From the signed directory as of the last \"cluster-login get\", with the accounts that you may use on each; nothing is asked of the network if it is there.\n",
	COMMAND_OPTIONS(options),
};
