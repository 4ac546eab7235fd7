/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

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

struct add_words {
	struct admin_words admin;
	uint64_t gid;
};

static const struct command_option add_options[] = {
	{ "gid", 0, COMMAND_NUMBER, offsetof(struct add_words, gid), 1000, UINT32_MAX - 1, "N", "gid (given out by the authority)" },
	ADMIN_OPTIONS(struct add_words),
};

static int run_add(const struct command *self, int argc, char **argv)
{
	struct add_words w = { .gid = 0 };
	struct command_operands rest;
	struct json *answer;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (!name_group_ok(rest.v[0]))
		return command_usage_error(argv[0], "\"%s\" is not the name of a group", rest.v[0]);
	if ((answer = admin_once(&w.admin, "group/add", admin_with_number(json_make("{s:s}", "name", rest.v[0]), "gid", w.gid), &status)) == NULL)
		return status;
	if (w.admin.json)
		return out_json(answer);
	out_note("Group %s: gid %lld.", admin_text(answer, "name"), (long long)json_member_int(answer, "gid", -1));
	json_free(answer);
	return EXIT_DONE;
}

static int run_list(const struct command *self, int argc, char **argv)
{
	static const char *const columns[] = { "NAME", ">GID", "MEMBERS", NULL };
	struct list_words w = { .admin = { .json = false } };
	struct command_operands rest;
	const struct json *groups;
	struct json *answer;
	char members[1000];
	struct table *t;
	int status;
	size_t i;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if ((answer = admin_once(&w.admin, "group/list", json_map(), &status)) == NULL)
		return status;
	if (w.admin.json)
		return out_json(answer);
	groups = json_member(answer, "groups");
	t = table_new(columns);
	for (i = 0; i < json_count(groups); i++) {
		const struct json *g = json_at(groups, i);

		admin_words_of(json_member(g, "members"), NULL, members, sizeof members);
		table_cell(t, "%s", admin_text(g, "name"));
		table_cell(t, "%lld", (long long)json_member_int(g, "gid", -1));
		table_cell(t, "%s", members);
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
	return admin_simple(&w.admin, "group/remove", json_make("{s:s}", "name", rest.v[0]), NULL);
}

static int set_members(const struct command *self, int argc, char **argv, bool present)
{
	struct list_words w = { .admin = { .json = false } };
	struct command_operands rest;
	int status, i;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	for (i = 1, status = EXIT_DONE; i < rest.n && status == EXIT_DONE; i++)
		status = admin_simple(&w.admin, "group/member", json_make("{s:s, s:s, s:b}", "group", rest.v[0], "account", rest.v[i], "present", present), NULL);
	return status;
}

static int run_member_add(const struct command *self, int argc, char **argv)
{
	return set_members(self, argc, argv, true);
}

static int run_member_remove(const struct command *self, int argc, char **argv)
{
	return set_members(self, argc, argv, false);
}

static const struct command add = {
	.run = run_add,
	.usage = "NAME",
	.example = "  cluster-login group add hadoop-users\n",
	COMMAND_OPTIONS(add_options),
	.least = 1,
	.most = 1,
};

static const struct command list = { .run = run_list, .usage = "", .example = "  cluster-login group list\n", COMMAND_OPTIONS(list_options) };

static const struct command remove_ = {
	.run = run_remove,
	.usage = "NAME",
	.example = "  cluster-login group remove hadoop-users\n",
	COMMAND_OPTIONS(list_options),
	.least = 1,
	.most = 1,
};

static const struct command member_add = {
	.run = run_member_add,
	.usage = "GROUP ACCOUNT ...",
	.example = "  cluster-login group member-add hadoop-users emr-user\n",
	COMMAND_OPTIONS(list_options),
	.least = 2,
	.most = -1,
};

static const struct command member_remove = {
	.run = run_member_remove,
	.usage = "GROUP ACCOUNT ...",
	.example = "  cluster-login group member-remove hadoop-users emr-user\n",
	COMMAND_OPTIONS(list_options),
	.least = 2,
	.most = -1,
};

static const struct command_row verbs[] = {
	{ "add", &add, "make a group on all nodes", COMMAND_ADMIN },
	{ "list", &list, "all groups", COMMAND_ADMIN },
	{ "remove", &remove_, "take a group away", COMMAND_ADMIN },
	{ "member-add", &member_add, "put accounts into a group", COMMAND_ADMIN },
	{ "member-remove", &member_remove, "take accounts out of a group", COMMAND_ADMIN },
};

const struct command cmd_group = { .verbs = verbs, .n_verbs = sizeof verbs / sizeof verbs[0] };
