/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "cluster/json.h"
#include "cluster/name.h"
#include "cmd.h"
#include "out.h"
#include "table.h"

struct add_words {
	struct admin_words admin;
	uint64_t uid, gid;
	const char *gecos, *home, *shell, *person;
};

static const struct command_option add_options[] = {
	{ "uid", 0, COMMAND_NUMBER, offsetof(struct add_words, uid), 1000, UINT32_MAX - 1, "N", "uid (given out by the authority)" },
	{ "gid", 0, COMMAND_NUMBER, offsetof(struct add_words, gid), 1000, UINT32_MAX - 1, "N", "gid of the primary group (the uid)" },
	{ "gecos", 0, COMMAND_TEXT, offsetof(struct add_words, gecos), 0, 0, "TEXT", "full name" },
	{ "home", 0, COMMAND_TEXT, offsetof(struct add_words, home), 0, 0, "PATH", "home directory (/home/NAME)" },
	{ "shell", 0, COMMAND_TEXT, offsetof(struct add_words, shell), 0, 0, "PATH", "shell (/bin/bash)" },
	{ "person", 0, COMMAND_TEXT, offsetof(struct add_words, person), 0, 0, "NAME", "a personal account of this person" },
	ADMIN_OPTIONS(struct add_words),
};

static int run_add(const struct command *self, int argc, char **argv)
{
	struct add_words w = { .uid = 0 };
	struct command_operands rest;
	struct json *answer, *body;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (!name_account_ok(rest.v[0]))
		return command_usage_error(argv[0], "\"%s\": an account's name begins with a-z or _ and has at most 32 characters of a-z 0-9 _ -", rest.v[0]);
	if ((w.home != NULL && !name_path_ok(w.home)) || (w.shell != NULL && !name_path_ok(w.shell)))
		return command_usage_error(argv[0], "--home and --shell are absolute paths of at most %d bytes, without ':'", NAME_PATH_MAX);
	if (w.gecos != NULL && !name_gecos_ok(w.gecos))
		return command_usage_error(argv[0], "--gecos: at most %d bytes, without ':' and ','", NAME_GECOS_MAX);
	body = json_make("{s:s, s:s*, s:s*, s:s*, s:s*}", "name", rest.v[0], "gecos", w.gecos, "home", w.home, "shell", w.shell, "person", w.person);
	body = admin_with_number(admin_with_number(body, "uid", w.uid), "gid", w.gid);
	if ((answer = admin_once(&w.admin, "account/add", body, &status)) == NULL)
		return status;
	if (w.admin.json)
		return out_json(answer);
	out_note("Account %s: uid %lld, gid %lld.", admin_text(answer, "name"), (long long)json_member_int(answer, "uid", -1), (long long)json_member_int(answer, "gid", -1));
	json_free(answer);
	return EXIT_DONE;
}

struct list_words {
	struct admin_words admin;
};

static const struct command_option list_options[] = { ADMIN_OPTIONS(struct list_words) };

static int run_list(const struct command *self, int argc, char **argv)
{
	static const char *const columns[] = { "NAME", ">UID", ">GID", "HOME", "SHELL", "GECOS", "PERSON", NULL };
	struct list_words w = { .admin = { .json = false } };
	struct command_operands rest;
	const struct json *accounts;
	struct json *answer;
	struct table *t;
	int status;
	size_t i;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if ((answer = admin_once(&w.admin, "account/list", json_map(), &status)) == NULL)
		return status;
	if (w.admin.json)
		return out_json(answer);
	accounts = json_member(answer, "accounts");
	t = table_new(columns);
	for (i = 0; i < json_count(accounts); i++) {
		const struct json *a = json_at(accounts, i);

		table_cell(t, "%s", admin_text(a, "name"));
		table_cell(t, "%lld", (long long)json_member_int(a, "uid", -1));
		table_cell(t, "%lld", (long long)json_member_int(a, "gid", -1));
		table_cell(t, "%s", admin_text(a, "home"));
		table_cell(t, "%s", admin_text(a, "shell"));
		table_cell(t, "%s", admin_text(a, "gecos"));
		table_cell(t, "%s", admin_text(a, "person"));
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
	return admin_simple(&w.admin, "account/remove", json_make("{s:s}", "name", rest.v[0]), NULL);
}

static const struct command add = {
	.run = run_add,
	.usage = "NAME",
	.example = "  cluster-login account add emr-user --shell /bin/bash\n  cluster-login grant add --role data --account emr-user --node role:master\n",
	COMMAND_OPTIONS(add_options),
	.least = 1,
	.most = 1,
};

static const struct command list = { .run = run_list, .usage = "", .example = "  cluster-login account list\n", COMMAND_OPTIONS(list_options) };

static const struct command remove_ = {
	.run = run_remove,
	.usage = "NAME",
	.example = "  cluster-login account remove emr-user\n\nIts uid is never given out again.\n",
	COMMAND_OPTIONS(list_options),
	.least = 1,
	.most = 1,
};

static const struct command_row verbs[] = {
	{ "add", &add, "make an account on all nodes", COMMAND_ADMIN },
	{ "import", &cmd_account_import, "make accounts from a file in the form of /etc/passwd", COMMAND_ADMIN },
	{ "list", &list, "all accounts", COMMAND_ADMIN },
	{ "remove", &remove_, "take an account away", COMMAND_ADMIN },
};

const struct command cmd_account = { .verbs = verbs, .n_verbs = sizeof verbs / sizeof verbs[0] };
