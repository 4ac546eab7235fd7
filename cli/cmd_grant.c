/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "cluster/directory.h"
#include "cluster/json.h"
#include "cmd.h"
#include "out.h"
#include "table.h"

struct add_words {
	struct admin_words admin;
	const char *person, *role, *on_revoke, *on_expiry;
	struct command_list accounts, nodes;
	uint64_t ttl;
	bool sudo, onetime, hop;
};

static const struct command_option add_options[] = {
	{ "person", 0, COMMAND_TEXT, offsetof(struct add_words, person), 0, 0, "NAME", "to this person" },
	{ "role", 0, COMMAND_TEXT, offsetof(struct add_words, role), 0, 0, "ROLE", "to everybody with this role" },
	{ "account", 0, COMMAND_LIST, offsetof(struct add_words, accounts), 0, 0, "ACCOUNT", "to log on as; may be given again" },
	{ "node", 0, COMMAND_LIST, offsetof(struct add_words, nodes), 0, 0, "NODE", "any, role:ROLE or a name (any); may be given again" },
	{ "sudo", 0, COMMAND_FLAG, offsetof(struct add_words, sudo), 0, 0, NULL, "with sudo" },
	{ "hop", 0, COMMAND_FLAG, offsetof(struct add_words, hop), 0, 0, NULL, "may go on from node to node" },
	{ "onetime", 0, COMMAND_FLAG, offsetof(struct add_words, onetime), 0, 0, NULL, "one-time credentials are allowed" },
	{ "ttl", 0, COMMAND_SECONDS, offsetof(struct add_words, ttl), 60, 86400, "TIME", "longest life of a credential" },
	{ "on-revoke", 0, COMMAND_TEXT, offsetof(struct add_words, on_revoke), 0, 0, "WHAT", "end, warn or keep open sessions (end)" },
	{ "on-expiry", 0, COMMAND_TEXT, offsetof(struct add_words, on_expiry), 0, 0, "WHAT", "keep or end open sessions when their credential expires (keep)" },
	ADMIN_OPTIONS(struct add_words),
};

/* A selector as the directory has it: a plain name is a node's, and role=x is role:x. False: none. */
static bool selector(const char *given, char dst[80])
{
	bool plain = strchr(given, ':') == NULL && strchr(given, '=') == NULL && strcmp(given, "any") != 0;
	int n = snprintf(dst, 80, "%s%s", plain ? "node:" : "", given);

	if (n < 5 || n >= 80)
		return directory_selector_ok(dst);
	if (dst[4] == '=')
		dst[4] = ':';
	return directory_selector_ok(dst);
}

/* Those of an option; `otherwise` if there are none. */
static int selectors(const struct command_list *given, const char *command, const char *option, const char *otherwise, struct json **ret)
{
	struct json *list = json_list();
	char text[80];

	for (size_t i = 0; i < given->n && list != NULL; i++) {
		if (!selector(given->item[i], text)) {
			json_free(list);
			return command_usage_error(command, "--%s %s: %srole:ROLE or the name of a node", option, given->item[i], otherwise != NULL ? "any, " : "");
		}
		if (json_append(list, json_make("s", text)) != CLUSTER_OK) {
			json_free(list);
			list = NULL;
		}
	}
	if (given->n == 0 && otherwise != NULL && list != NULL && json_append(list, json_make("s", otherwise)) != CLUSTER_OK) {
		json_free(list);
		list = NULL;
	}
	*ret = list;
	return COMMAND_GO;
}

/* Not given, or one of three words. */
static bool one_of(const char *s, const char *a, const char *b, const char *c)
{
	return s == NULL || strcmp(s, a) == 0 || strcmp(s, b) == 0 || (c != NULL && strcmp(s, c) == 0);
}

static int ask(const struct admin_words *admin, struct json *body)
{
	struct json *answer;
	int status;

	if ((answer = admin_once(admin, "grant/add", body, &status)) == NULL)
		return status;
	if (admin->json)
		return out_json(answer);
	out_line("%s", admin_text(answer, "grant"));
	json_free(answer);
	return EXIT_DONE;
}

static int run_add(const struct command *self, int argc, char **argv)
{
	struct add_words w = { .person = NULL };
	struct json *nodes = NULL;
	struct command_operands rest;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if ((w.person == NULL) == (w.role == NULL))
		return command_usage_error(argv[0], "to whom? Either --person or --role");
	if (w.accounts.n == 0)
		return command_usage_error(argv[0], "as what? --account is needed");
	if (!one_of(w.on_revoke, "end", "warn", "keep") || !one_of(w.on_expiry, "end", "keep", NULL))
		return command_usage_error(argv[0], "--on-revoke is end, warn or keep; --on-expiry is keep or end");
	if ((status = selectors(&w.nodes, argv[0], "node", "any", &nodes)) != COMMAND_GO)
		return status;
	return ask(&w.admin, json_make("{s:s*, s:s*, s:o, s:o, s:b, s:b, s:b, s:s*, s:s*, s:o*}", "person", w.person, "role", w.role, "accounts", admin_texts(&w.accounts, false), "nodes", nodes,
	    "sudo", w.sudo, "hop", w.hop, "onetime", w.onetime, "on_revoke", w.on_revoke, "on_expiry", w.on_expiry, "ttl", w.ttl > 0 ? json_make("I", (long long)w.ttl) : NULL));
}

struct hop_words {
	struct admin_words admin;
	struct command_list accounts, from, to;
	const char *on_revoke;
};

static const struct command_option hop_options[] = {
	{ "account", 0, COMMAND_LIST, offsetof(struct hop_words, accounts), 0, 0, "ACCOUNT", "the account, on both sides; may be given again" },
	{ "from", 0, COMMAND_LIST, offsetof(struct hop_words, from), 0, 0, "NODE", "role:ROLE or a name: where its jobs run; may be given again" },
	{ "to", 0, COMMAND_LIST, offsetof(struct hop_words, to), 0, 0, "NODE", "any, role:ROLE or a name: where they may log on; may be given again" },
	{ "on-revoke", 0, COMMAND_TEXT, offsetof(struct hop_words, on_revoke), 0, 0, "WHAT", "end, warn or keep open sessions (end)" },
	ADMIN_OPTIONS(struct hop_words),
};

static int run_hop(const struct command *self, int argc, char **argv)
{
	struct hop_words w = { .on_revoke = NULL };
	struct json *from = NULL, *to = NULL;
	struct command_operands rest;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (w.accounts.n == 0 || w.from.n == 0 || w.to.n == 0)
		return command_usage_error(argv[0], "whose jobs, from where, to where? --account, --from and --to are needed");
	if (!one_of(w.on_revoke, "end", "warn", "keep"))
		return command_usage_error(argv[0], "--on-revoke is end, warn or keep");
	for (size_t i = 0; i < w.from.n; i++)
		if (strcmp(w.from.item[i], "any") == 0)
			return command_usage_error(argv[0], "--from any: name roles or nodes, for whatever joins some day would be one of them");
	if ((status = selectors(&w.from, argv[0], "from", NULL, &from)) != COMMAND_GO)
		return status;
	if ((status = selectors(&w.to, argv[0], "to", "any", &to)) != COMMAND_GO) {
		json_free(from);
		return status;
	}
	return ask(&w.admin, json_make("{s:o, s:o, s:o, s:s*}", "accounts", admin_texts(&w.accounts, false), "from", from, "nodes", to, "on_revoke", w.on_revoke));
}

struct list_words {
	struct admin_words admin;
};

static const struct command_option list_options[] = { ADMIN_OPTIONS(struct list_words) };

static void rights(const struct json *g, char dst[64])
{
	(void)snprintf(dst, 64, "%s%s%s", json_member_bool(g, "sudo", false) ? "sudo " : "", json_member_bool(g, "hop", false) ? "hop " : "", json_member_bool(g, "onetime", false) ? "onetime " : "");
}

/* Whom a grant is to. */
static void subject(const struct json *g, char dst[600])
{
	const char *role = json_member_text(g, "role"), *name = json_member_text(g, "person_name");
	const struct json *from = json_member(g, "from");
	size_t n;

	if (from == NULL) {
		(void)snprintf(dst, 600, "%s%s", role != NULL ? "role:" : "", role != NULL ? role : name != NULL ? name : admin_text(g, "person"));
		return;
	}
	n = (size_t)snprintf(dst, 600, "from ");
	admin_words_of(from, NULL, dst + n, 600 - n);
}

static int run_list(const struct command *self, int argc, char **argv)
{
	static const char *const columns[] = { "TO", "ACCOUNTS", "NODES", "WITH", ">TTL", "ID", NULL };
	struct list_words w = { .admin = { .json = false } };
	char accounts[600], nodes[600], to[600], with[64];
	struct command_operands rest;
	const struct json *grants;
	struct json *answer;
	struct table *t;
	int status;
	size_t i;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if ((answer = admin_once(&w.admin, "grant/list", json_map(), &status)) == NULL)
		return status;
	if (w.admin.json)
		return out_json(answer);
	grants = json_member(answer, "grants");
	t = table_new(columns);
	for (i = 0; i < json_count(grants); i++) {
		const struct json *g = json_at(grants, i);
		long long ttl = json_member_int(g, "ttl", 0);

		admin_words_of(json_member(g, "accounts"), NULL, accounts, sizeof accounts);
		admin_words_of(json_member(g, "nodes"), NULL, nodes, sizeof nodes);
		rights(g, with);
		subject(g, to);
		table_cell(t, "%s", to);
		table_cell(t, "%s", accounts);
		table_cell(t, "%s", nodes);
		table_cell(t, "%s", with);
		table_cell(t, ttl > 0 ? "%llds" : "%.0lld", ttl);
		table_cell(t, "%s", admin_text(g, "id"));
	}
	json_free(answer);
	return table_end(t);
}

static int run_remove(const struct command *self, int argc, char **argv)
{
	struct list_words w = { .admin = { .json = false } };
	struct command_operands rest;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	return admin_simple(&w.admin, "grant/remove", json_make("{s:s}", "grant", rest.v[0]), NULL);
}

static const struct command add = {
	.run = run_add,
	.usage = "",
	.example = "  cluster-login grant add --person alice --account emr-user\n"
		   "  cluster-login grant add --role data --account emr-user,hadoop --node role:core --node master-1-1 --ttl 1h\n"
		   "\nPrints the id of the grant.\n",
	COMMAND_OPTIONS(add_options),
};

static const struct command hop = {
	.run = run_hop,
	.usage = "",
	.example = "  cluster-login grant hop --account hadoop --from role:master --to role:core,role:task\n"
		   "\nStart scripts and cron jobs of the account then log on with plain ssh, with nobody behind them. Prints the id of the grant.\n"
		   "For people who go on from node to node: grant add --hop.\n",
	COMMAND_OPTIONS(hop_options),
};

static const struct command list = { .run = run_list, .usage = "", .example = "  cluster-login grant list\n", COMMAND_OPTIONS(list_options) };

static const struct command remove_ = {
	.run = run_remove,
	.usage = "ID",
	.example = "  cluster-login grant remove 2hJ0dQe3bWm0r5m9cQpF8g\n",
	COMMAND_OPTIONS(list_options),
	.least = 1,
	.most = 1,
};

static const struct command_row verbs[] = {
	{ "add", &add, "let a person or a role log on as an account", COMMAND_ADMIN },
	{ "hop", &hop, "let the jobs of an account go on from node to node", COMMAND_ADMIN },
	{ "list", &list, "all grants", COMMAND_ADMIN },
	{ "remove", &remove_, "take a grant away", COMMAND_ADMIN },
};

const struct command cmd_grant = { .verbs = verbs, .n_verbs = sizeof verbs / sizeof verbs[0] };
