/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "cluster/api.h"
#include "cluster/json.h"
#include "cluster/request.h"
#include "cmd.h"
#include "out.h"
#include "profile.h"
#include "table.h"

/* A person's own devices where there is no authority, everybody's on its host or with --remote. */

struct list_words {
	struct admin_words admin;
	const char *person;
	bool mine, force;
};

#define MINE_OPTION { "mine", 0, COMMAND_FLAG, offsetof(struct list_words, mine), 0, 0, NULL, "your own devices, on the authority's host too" }

static const struct command_option plain_options[] = { MINE_OPTION, ADMIN_OPTIONS(struct list_words) };

static const struct command_option remove_options[] = {
	{ "force", 0, COMMAND_FLAG, offsetof(struct list_words, force), 0, 0, NULL, "also the device that this command is given on" },
	MINE_OPTION,
	ADMIN_OPTIONS(struct list_words),
};

static const struct command_option list_options[] = {
	{ "person", 0, COMMAND_TEXT, offsetof(struct list_words, person), 0, 0, "NAME", "of this person only, by an administrator" },
	MINE_OPTION,
	ADMIN_OPTIONS(struct list_words),
};

static void choose(struct list_words *w)
{
	bool told = w->admin.remote || w->admin.socket != NULL || w->person != NULL;

	w->admin.own = w->mine || (!told && access(API_ADMIN_SOCKET, F_OK) != 0);
}

/* The id of the device at which somebody sits; empty if nobody has set it up. */
static void here(char dst[ID_TEXT + 1])
{
	struct profile p;

	dst[0] = '\0';
	if (profile_load(&p, NULL) == CLUSTER_OK)
		id_text(&p.device, dst);
}

static int print_list(const struct json *devices, bool own)
{
	static const char *const all[] = { "ID", "PERSON", "LABEL", "KEY", "ADDED", NULL }, *const mine[] = { "ID", "LABEL", "KEY", "ADDED", "", NULL };
	struct table *t = table_new(own ? mine : all);
	char this[ID_TEXT + 1];

	here(this);
	for (size_t i = 0; i < json_count(devices); i++) {
		const struct json *d = json_at(devices, i);

		table_cell(t, "%s", admin_text(d, "id"));
		if (!own)
			table_cell(t, "%s", admin_text(d, "person_name"));
		table_cell(t, "%s", admin_text(d, "label"));
		if (json_member_text(d, "fingerprint") != NULL)
			table_cell(t, "%s %s", admin_text(d, "type"), admin_text(d, "fingerprint"));
		else
			table_cell(t, "file");
		table_cell(t, "%s", admin_time(json_member_int(d, "added", 0)));
		if (own)
			table_cell(t, "%s", strcmp(admin_text(d, "id"), this) == 0 ? "this one" : "");
	}
	return table_end(t);
}

static int run_list(const struct command *self, int argc, char **argv)
{
	struct list_words w = { .person = NULL };
	struct command_operands rest;
	struct json *answer;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	choose(&w);
	if ((answer = admin_once(&w.admin, "device/list", json_make("{s:s*}", "person", w.admin.own ? NULL : w.person), &status)) == NULL)
		return status;
	if (w.admin.json)
		return out_json(answer);
	status = print_list(json_member(answer, "devices"), w.admin.own);
	json_free(answer);
	return status;
}

/* One of the caller's own by its label. COMMAND_GO, or the exit status. */
static int by_label(const struct list_words *w, const char *label, char dst[ID_TEXT + 1])
{
	const struct json *devices;
	struct json *answer;
	size_t found = 0;
	int status;

	if ((answer = admin_once(&w->admin, "device/list", json_make("{}"), &status)) == NULL)
		return status;
	devices = json_member(answer, "devices");
	for (size_t i = 0; i < json_count(devices); i++) {
		const struct json *d = json_at(devices, i);

		if (strcmp(admin_text(d, "label"), label) == 0 && strlen(admin_text(d, "id")) == ID_TEXT) {
			memcpy(dst, admin_text(d, "id"), ID_TEXT + 1);
			found++;
		}
	}
	json_free(answer);
	if (found == 1)
		return COMMAND_GO;
	out_error(found == 0 ? "you have no device \"%s\"" : "several of your devices are called \"%s\": name one by its id", label);
	out_try("cluster-login device list");
	return EXIT_NO;
}

static int find(const struct list_words *w, const char *word, char dst[ID_TEXT + 1])
{
	struct cluster_id id;

	if (w->admin.own && id_parse(word, &id) != CLUSTER_OK)
		return by_label(w, word, dst);
	(void)snprintf(dst, ID_TEXT + 1, "%s", word);
	return COMMAND_GO;
}

static int run_remove(const struct command *self, int argc, char **argv)
{
	char id[ID_TEXT + 1], this[ID_TEXT + 1];
	struct list_words w = { .person = NULL };
	struct command_operands rest;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	choose(&w);
	if ((status = find(&w, rest.v[0], id)) != COMMAND_GO)
		return status;
	here(this);
	if (w.admin.own && strcmp(id, this) == 0 && !w.force) {
		out_error("that is the device that you are sitting at: without it only an administrator's invitation lets you in again");
		out_try("cluster-login device remove --force");
		return EXIT_REFUSED;
	}
	return admin_simple(&w.admin, "device/remove", json_make("{s:s}", "device", id), "Removed: it gets no credential any more, those that it has open nothing, and its sessions end.");
}

static int run_rename(const struct command *self, int argc, char **argv)
{
	struct list_words w = { .person = NULL };
	struct command_operands rest;
	char id[ID_TEXT + 1];
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (!request_label_ok(rest.v[1]))
		return command_usage_error(argv[0], "\"%s\": a label has 1 to 63 characters", rest.v[1]);
	choose(&w);
	if ((status = find(&w, rest.v[0], id)) != COMMAND_GO)
		return status;
	return admin_simple(&w.admin, "device/rename", json_make("{s:s, s:s}", "device", id, "label", rest.v[1]), NULL);
}

static const struct command rename_ = {
	.run = run_rename,
	.usage = "DEVICE LABEL",
	.example = "  cluster-login device rename laptop \"the old laptop\"\n  cluster-login device rename 2hJ0dQe3bWm0r5m9cQpF8g phone --remote\n\nDEVICE is an id; of your own devices also a label.\n",
	COMMAND_OPTIONS(plain_options),
	.least = 2,
	.most = 2,
};

static const struct command list = {
	.run = run_list,
	.usage = "",
	.example = "  cluster-login device list\n  cluster-login device list --person alice --remote\n\nYour own devices; on the authority's host, and with --remote, those of everybody, for administrators.\n",
	COMMAND_OPTIONS(list_options),
};

static const struct command remove_ = {
	.run = run_remove,
	.usage = "DEVICE",
	.example = "  cluster-login device remove \"the old laptop\"\n"
		   "  cluster-login device remove 2hJ0dQe3bWm0r5m9cQpF8g --remote\n"
		   "\nIts credentials open nothing any more, and its sessions end. For proof that every node knows: cluster-login revoke device ID --wait, by an administrator.\n",
	COMMAND_OPTIONS(remove_options),
	.least = 1,
	.most = 1,
};

static const struct command_row verbs[] = {
	{ "list", &list, "enrolled devices", COMMAND_PERSON },
	{ "rename", &rename_, "another label for a device", COMMAND_PERSON },
	{ "remove", &remove_, "a device gets no credential any more", COMMAND_PERSON },
};

const struct command cmd_device = { .verbs = verbs, .n_verbs = sizeof verbs / sizeof verbs[0] };
