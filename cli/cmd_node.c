/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "cluster/json.h"
#include "cluster/name.h"
#include "cmd.h"
#include "out.h"
#include "table.h"

struct list_words {
	struct admin_words admin;
};

static const struct command_option list_options[] = { ADMIN_OPTIONS(struct list_words) };

/* ---- token ---- */

struct token_words {
	struct admin_words admin;
	struct command_list roles;
	const char *name;
	uint64_t ttl;
};

static const struct command_option token_options[] = {
	{ "role", 0, COMMAND_LIST, offsetof(struct token_words, roles), 0, 0, "ROLE", "a role of the node that joins; may be given again" },
	{ "name", 0, COMMAND_TEXT, offsetof(struct token_words, name), 0, 0, "NAME", "the token is good for a node of this name only" },
	{ "ttl", 0, COMMAND_SECONDS, offsetof(struct token_words, ttl), 60, 604800, "TIME", "how long the token is good (1h)" },
	ADMIN_OPTIONS(struct token_words),
};

static int run_token(const struct command *self, int argc, char **argv)
{
	struct token_words w = { .ttl = 0 };
	struct command_operands rest;
	struct json *answer, *body;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if ((status = admin_roles_check(argv[0], &w.roles)) != COMMAND_GO)
		return status;
	if (w.name != NULL && !name_node_ok(w.name))
		return command_usage_error(argv[0], "--name %s: a node's name has 1 to 63 of a-z 0-9 -, as in DNS, and is none that every machine has", w.name);
	body = admin_with_number(json_make("{s:o, s:s*}", "roles", admin_texts(&w.roles, false), "name", w.name), "ttl", w.ttl);
	if ((answer = admin_once(&w.admin, "node/token", body, &status)) == NULL)
		return status;
	if (w.admin.json)
		return out_json(answer);
	out_note("To be run as root on the node, once, before %s:", admin_time(json_member_int(answer, "expires", 0)));
	out_line("cluster-login join %s --pin %s --token %s --configure", admin_text(answer, "url"), admin_text(answer, "pin"), admin_text(answer, "token"));
	json_free(answer);
	return EXIT_DONE;
}

static const struct command token = {
	.run = run_token,
	.usage = "",
	.example = "  cluster-login node token --role master\n\nPrints the command that makes a machine a node. A token is good for one node.\n",
	COMMAND_OPTIONS(token_options),
};

/* ---- list, set, remove ---- */

static int run_list(const struct command *self, int argc, char **argv)
{
	static const char *const columns[] = { "NAME", "ROLES", "ADDRESSES", ">APPLIED", "SEEN", ">ENDED", "ID", NULL };
	struct list_words w = { .admin = { .json = false } };
	struct command_operands rest;
	char roles[600], addresses[600];
	const struct json *nodes;
	struct json *answer;
	struct table *t;
	int status;
	size_t i;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if ((answer = admin_once(&w.admin, "node/list", json_map(), &status)) == NULL)
		return status;
	if (w.admin.json)
		return out_json(answer);
	nodes = json_member(answer, "nodes");
	t = table_new(columns);
	for (i = 0; i < json_count(nodes); i++) {
		const struct json *n = json_at(nodes, i);

		admin_words_of(json_member(n, "roles"), NULL, roles, sizeof roles);
		admin_words_of(json_member(n, "addresses"), NULL, addresses, sizeof addresses);
		table_cell(t, "%s", admin_text(n, "name"));
		table_cell(t, "%s%s", roles, json_member_bool(n, "leader", false) ? " leader" : "");
		table_cell(t, "%s", addresses);
		table_cell(t, "%lld", (long long)json_member_int(n, "applied", 0));
		table_cell(t, "%s", admin_time(json_member_int(n, "seen", 0)));
		table_cell(t, "%lld", (long long)json_member_int(n, "ended", 0));
		table_cell(t, "%s", admin_text(n, "id"));
	}
	out_note("The newest head is %lld.", (long long)json_member_int(answer, "head", 0));
	json_free(answer);
	return table_end(t);
}

static const struct command list = { .run = run_list, .usage = "", .example = "  cluster-login node list\n", COMMAND_OPTIONS(list_options) };

struct set_words {
	struct admin_words admin;
	struct command_list roles;
	const char *jump;
	bool leader, no_leader;
};

static const struct command_option set_options[] = {
	{ "role", 0, COMMAND_LIST, offsetof(struct set_words, roles), 0, 0, "ROLE", "its roles from now on; may be given again" },
	{ "leader", 0, COMMAND_FLAG, offsetof(struct set_words, leader), 0, 0, NULL, "is the leader" },
	{ "no-leader", 0, COMMAND_FLAG, offsetof(struct set_words, no_leader), 0, 0, NULL, "is not the leader" },
	{ "jump", 0, COMMAND_TEXT, offsetof(struct set_words, jump), 0, 0, "HOST", "where it does not answer itself, through this node or host (\"\": none)" },
	ADMIN_OPTIONS(struct set_words),
};

static int run_set(const struct command *self, int argc, char **argv)
{
	struct set_words w = { .jump = NULL };
	struct command_operands rest;
	struct json *body;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (w.leader && w.no_leader)
		return command_usage_error(argv[0], "--leader or --no-leader?");
	if (!w.leader && !w.no_leader && w.jump == NULL && w.roles.n == 0)
		return command_usage_error(argv[0], "what? --role, --leader, --no-leader or --jump");
	if ((status = admin_roles_check(argv[0], &w.roles)) != COMMAND_GO)
		return status;
	body = json_make("{s:s, s:o*, s:s*, s:o*}", "node", rest.v[0], "roles", admin_texts(&w.roles, true), "jump", w.jump, "leader",
	    w.leader || w.no_leader ? json_make("b", w.leader) : NULL);
	return admin_simple(&w.admin, "node/set", body, NULL);
}

static const struct command set = {
	.run = run_set,
	.usage = "NODE",
	.example = "  cluster-login node set master-1-1 --leader\n  cluster-login node set core-1-1 --jump master-1-1\n",
	COMMAND_OPTIONS(set_options),
	.least = 1,
	.most = 1,
};

static int run_remove(const struct command *self, int argc, char **argv)
{
	struct list_words w = { .admin = { .json = false } };
	struct command_operands rest;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	return admin_simple(&w.admin, "node/remove", json_make("{s:s}", "node", rest.v[0]), NULL);
}

static const struct command remove_ = {
	.run = run_remove,
	.usage = "NODE",
	.example = "  cluster-login node remove task-1-1\n",
	COMMAND_OPTIONS(list_options),
	.least = 1,
	.most = 1,
};

static const struct command_row verbs[] = {
	{ "token", &token, "a single-use token for a machine that joins", COMMAND_ADMIN },
	{ "list", &list, "all nodes, what they have applied, and when they were last seen", COMMAND_ADMIN },
	{ "set", &set, "roles, leader, jump host", COMMAND_ADMIN },
	{ "remove", &remove_, "a node is no part of the cluster any more", COMMAND_ADMIN },
};

const struct command cmd_node = { .verbs = verbs, .n_verbs = sizeof verbs / sizeof verbs[0] };
