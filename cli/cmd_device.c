/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "admin.h"
#include "cluster/json.h"
#include "cmd.h"
#include "out.h"
#include "table.h"

struct list_words {
	struct admin_words admin;
	const char *person;
};

static const struct command_option plain_options[] = { ADMIN_OPTIONS(struct list_words) };

static const struct command_option list_options[] = {
	{ "person", 0, COMMAND_TEXT, offsetof(struct list_words, person), 0, 0, "NAME", "of this person only" },
	ADMIN_OPTIONS(struct list_words),
};

static int run_list(const struct command *self, int argc, char **argv)
{
	static const char *const columns[] = { "ID", "PERSON", "LABEL", "KEY", "ADDED", NULL };
	struct list_words w = { .person = NULL };
	struct command_operands rest;
	const struct json *devices;
	struct json *answer;
	struct table *t;
	int status;
	size_t i;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if ((answer = admin_once(&w.admin, "device/list", json_make("{s:s*}", "person", w.person), &status)) == NULL)
		return status;
	if (w.admin.json)
		return out_json(answer);
	devices = json_member(answer, "devices");
	t = table_new(columns);
	for (i = 0; i < json_count(devices); i++) {
		const struct json *d = json_at(devices, i);

		table_cell(t, "%s", admin_text(d, "id"));
		table_cell(t, "%s", admin_text(d, "person_name"));
		table_cell(t, "%s", admin_text(d, "label"));
		if (json_member_text(d, "fingerprint") != NULL)
			table_cell(t, "%s %s", admin_text(d, "type"), admin_text(d, "fingerprint"));
		else
			table_cell(t, "file");
		table_cell(t, "%s", admin_time(json_member_int(d, "added", 0)));
	}
	json_free(answer);
	return table_end(t);
}

static int run_remove(const struct command *self, int argc, char **argv)
{
	struct list_words w = { .person = NULL };
	struct command_operands rest;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	return admin_simple(&w.admin, "device/remove", json_make("{s:s}", "device", rest.v[0]), NULL);
}

static int run_rename(const struct command *self, int argc, char **argv)
{
	struct list_words w = { .person = NULL };
	struct command_operands rest;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	return admin_simple(&w.admin, "device/rename", json_make("{s:s, s:s}", "device", rest.v[0], "label", rest.v[1]), NULL);
}

static const struct command rename_ = {
	.run = run_rename,
	.usage = "ID LABEL",
	.example = "  cluster-login device rename 2hJ0dQe3bWm0r5m9cQpF8g \"the old laptop\"\n",
	COMMAND_OPTIONS(plain_options),
	.least = 2,
	.most = 2,
};

static const struct command list = { .run = run_list, .usage = "", .example = "  cluster-login device list --person alice\n", COMMAND_OPTIONS(list_options) };

static const struct command remove_ = {
	.run = run_remove,
	.usage = "ID",
	.example = "  cluster-login device remove 2hJ0dQe3bWm0r5m9cQpF8g\n\nLost or stolen? Then also: cluster-login revoke device ID --wait\n",
	COMMAND_OPTIONS(plain_options),
	.least = 1,
	.most = 1,
};

static const struct command_row verbs[] = {
	{ "list", &list, "enrolled devices", COMMAND_ADMIN },
	{ "rename", &rename_, "another label for a device", COMMAND_ADMIN },
	{ "remove", &remove_, "a device gets no credential any more", COMMAND_ADMIN },
};

const struct command cmd_device = { .verbs = verbs, .n_verbs = sizeof verbs / sizeof verbs[0] };
