/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "cluster/json.h"
#include "cluster/name.h"
#include "cmd.h"
#include "out.h"
#include "table.h"

#define UID_MIN_EXPLICIT 1000

/* ---- add ---- */

struct add_words {
	struct admin_words admin;
	struct command_list roles;
	uint64_t uid;
	bool account, is_admin;
};

static const struct command_option add_options[] = {
	{ "role", 0, COMMAND_LIST, offsetof(struct add_words, roles), 0, 0, "ROLE", "a role of the person; may be given again" },
	{ "admin", 0, COMMAND_FLAG, offsetof(struct add_words, is_admin), 0, 0, NULL, "may administer the cluster" },
	{ "account", 0, COMMAND_FLAG, offsetof(struct add_words, account), 0, 0, NULL, "with a personal account of the same name, granted on all nodes" },
	{ "uid", 0, COMMAND_NUMBER, offsetof(struct add_words, uid), UID_MIN_EXPLICIT, UINT32_MAX - 1, "N", "uid of that account (given out by the authority)" },
	ADMIN_OPTIONS(struct add_words),
};

/* The person's own account, and the grant without which it opens nothing. */
static int add_account(const struct add_words *w, const char *name)
{
	int status = EXIT_DONE;
	struct json *answer = admin_once(&w->admin, "account/add", admin_with_number(json_make("{s:s, s:s}", "name", name, "person", name), "uid", w->uid), &status);

	if (answer == NULL)
		return status;
	out_note("Account %s has uid %lld.", name, (long long)json_member_int(answer, "uid", -1));
	json_free(answer);
	answer = admin_once(&w->admin, "grant/add", json_make("{s:s, s:[s], s:[s]}", "person", name, "accounts", name, "nodes", "any"), &status);
	json_free(answer);
	return status;
}

static int run_add(const struct command *self, int argc, char **argv)
{
	struct add_words w = { .uid = 0 };
	struct command_operands rest;
	struct json *answer, *body;
	const char *name;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	name = rest.v[0];
	if (!name_person_ok(name))
		return command_usage_error(argv[0], "\"%s\": a person's name has 1 to 64 characters of a-z 0-9 _ . @ + -", name);
	if ((w.account || w.uid > 0) && (!w.account || !name_account_ok(name)))
		return command_usage_error(argv[0], w.account ? "\"%s\" cannot be the name of an account too" : "%s: --uid belongs to --account", name);
	if ((status = admin_roles_check(argv[0], &w.roles)) != COMMAND_GO)
		return status;
	body = json_make("{s:s, s:o*, s:b}", "name", name, "roles", admin_texts(&w.roles, true), "admin", w.is_admin);
	if ((answer = admin_once(&w.admin, "person/add", body, &status)) == NULL)
		return status;
	status = w.account ? add_account(&w, name) : EXIT_DONE;
	if (w.admin.json && status == EXIT_DONE)
		return out_json(answer);
	json_free(answer);
	if (status == EXIT_DONE)
		out_note("%s is known. Next: cluster-login user invite %s", name, name);
	return status;
}

static const struct command add = {
	.run = run_add,
	.usage = "NAME",
	.example = "  cluster-login user add alice --role data --account\n",
	COMMAND_OPTIONS(add_options),
	.least = 1,
	.most = 1,
};

/* ---- list, show ---- */

struct list_words {
	struct admin_words admin;
};

static const struct command_option list_options[] = { ADMIN_OPTIONS(struct list_words) };

static int run_list(const struct command *self, int argc, char **argv)
{
	static const char *const columns[] = { "NAME", "ROLES", "ADMIN", "STATE", ">DEVICES", "ID", NULL };
	struct list_words w = { .admin = { .json = false } };
	struct command_operands rest;
	const struct json *people;
	struct json *answer;
	struct table *t;
	char roles[600];
	int status;
	size_t i;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if ((answer = admin_once(&w.admin, "person/list", json_map(), &status)) == NULL)
		return status;
	if (w.admin.json)
		return out_json(answer);
	people = json_member(answer, "people");
	t = table_new(columns);
	for (i = 0; i < json_count(people); i++) {
		const struct json *p = json_at(people, i);

		admin_words_of(json_member(p, "roles"), NULL, roles, sizeof roles);
		table_cell(t, "%s", admin_text(p, "name"));
		table_cell(t, "%s", roles);
		table_cell(t, "%s", json_member_bool(p, "admin", false) ? "yes" : "");
		table_cell(t, "%s", json_member_bool(p, "disabled", false) ? "disabled" : "active");
		table_cell(t, "%zu", json_count(json_member(p, "devices")));
		table_cell(t, "%s", admin_text(p, "id"));
	}
	json_free(answer);
	return table_end(t);
}

static const struct command list = {
	.run = run_list,
	.usage = "",
	.example = "  cluster-login user list --json\n",
	COMMAND_OPTIONS(list_options),
};

static const struct json *find_person(const struct json *answer, const char *name)
{
	const struct json *people = json_member(answer, "people");
	size_t i;

	for (i = 0; i < json_count(people); i++) {
		const struct json *p = json_at(people, i);

		if (strcmp(admin_text(p, "name"), name) == 0 || strcmp(admin_text(p, "id"), name) == 0)
			return p;
	}
	return NULL;
}

/* Grants to the person or to one of the person's roles. */
static bool concerns(const struct json *grant, const struct json *person)
{
	const struct json *roles = json_member(person, "roles");
	const char *role = json_member_text(grant, "role");
	size_t i;

	if (strcmp(admin_text(grant, "person"), admin_text(person, "id")) == 0)
		return true;
	for (i = 0; role != NULL && i < json_count(roles); i++) {
		const char *s = json_string_at(roles, i);

		if (s != NULL && strcmp(s, role) == 0)
			return true;
	}
	return false;
}

static void print_person(const struct json *person, const struct json *devices, const struct json *grants)
{
	char text[600], nodes[600];
	size_t i;

	admin_words_of(json_member(person, "roles"), NULL, text, sizeof text);
	out_line("name    %s", admin_text(person, "name"));
	out_line("id      %s", admin_text(person, "id"));
	out_line("state   %s%s", json_member_bool(person, "disabled", false) ? "disabled" : "active", json_member_bool(person, "admin", false) ? ", administrator" : "");
	out_line("roles   %s", text);
	for (i = 0; i < json_count(devices); i++) {
		const struct json *d = json_at(devices, i);

		out_line("device  %s %s, since %s", admin_text(d, "id"), admin_text(d, "label"), admin_time(json_member_int(d, "added", 0)));
	}
	for (i = 0; i < json_count(grants); i++) {
		const struct json *g = json_at(grants, i);
		const char *role = json_member_text(g, "role");

		if (!concerns(g, person))
			continue;
		admin_words_of(json_member(g, "accounts"), NULL, text, sizeof text);
		admin_words_of(json_member(g, "nodes"), NULL, nodes, sizeof nodes);
		out_line("grant   %s on %s%s%s%s%s", text, nodes, json_member_bool(g, "sudo", false) ? ", sudo" : "", role != NULL ? ", by role " : "", role != NULL ? role : "", "");
	}
}

static int run_show(const struct command *self, int argc, char **argv)
{
	struct list_words w = { .admin = { .json = false } };
	struct json *people, *devices = NULL, *grants = NULL;
	struct command_operands rest;
	const struct json *person;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if ((people = admin_once(&w.admin, "person/list", json_map(), &status)) == NULL)
		return status;
	if ((person = find_person(people, rest.v[0])) == NULL) {
		out_error("there is no person \"%s\"", rest.v[0]);
		out_try("cluster-login user list");
		json_free(people);
		return EXIT_NO;
	}
	if (w.admin.json) {
		status = out_json(json_make("O", person));
	} else if ((devices = admin_once(&w.admin, "device/list", json_make("{s:s}", "person", rest.v[0]), &status)) != NULL &&
	    (grants = admin_once(&w.admin, "grant/list", json_map(), &status)) != NULL) {
		print_person(person, json_member(devices, "devices"), json_member(grants, "grants"));
		status = EXIT_DONE;
	}
	json_free(grants);
	json_free(devices);
	json_free(people);
	return status;
}

static const struct command show = {
	.run = run_show,
	.usage = "NAME",
	.example = "  cluster-login user show alice\n",
	COMMAND_OPTIONS(list_options),
	.least = 1,
	.most = 1,
};

/* ---- disable, enable, remove ---- */

static int set_disabled(const struct command *self, int argc, char **argv, bool disabled)
{
	struct list_words w = { .admin = { .json = false } };
	struct command_operands rest;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	return admin_simple(&w.admin, "person/set", json_make("{s:s, s:b}", "person", rest.v[0], "disabled", disabled), NULL);
}

static int run_disable(const struct command *self, int argc, char **argv)
{
	return set_disabled(self, argc, argv, true);
}

static int run_enable(const struct command *self, int argc, char **argv)
{
	return set_disabled(self, argc, argv, false);
}

static int run_remove(const struct command *self, int argc, char **argv)
{
	struct list_words w = { .admin = { .json = false } };
	struct command_operands rest;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	return admin_simple(&w.admin, "person/remove", json_make("{s:s}", "person", rest.v[0]), NULL);
}

static const struct command disable = {
	.run = run_disable,
	.usage = "NAME",
	.example = "  cluster-login user disable alice\n\nNo login and no credential from the next head on; open sessions end. To know that every node did: cluster-login revoke person alice --wait\n",
	COMMAND_OPTIONS(list_options),
	.least = 1,
	.most = 1,
};

static const struct command enable = {
	.run = run_enable,
	.usage = "NAME",
	.example = "  cluster-login user enable alice\n",
	COMMAND_OPTIONS(list_options),
	.least = 1,
	.most = 1,
};

static const struct command remove_ = {
	.run = run_remove,
	.usage = "NAME",
	.example = "  cluster-login user remove alice\n\nThe id is never given to anybody else.\n",
	COMMAND_OPTIONS(list_options),
	.least = 1,
	.most = 1,
};

/* ---- invite ---- */

struct invite_words {
	struct admin_words admin;
	uint64_t ttl;
};

static const struct command_option invite_options[] = {
	{ "ttl", 0, COMMAND_SECONDS, offsetof(struct invite_words, ttl), 60, 86400, "TIME", "how long the code is good (10m)" },
	ADMIN_OPTIONS(struct invite_words),
};

static int run_invite(const struct command *self, int argc, char **argv)
{
	struct invite_words w = { .ttl = 0 };
	struct command_operands rest;
	struct json *answer, *body;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	body = admin_with_number(json_make("{s:s}", "person", rest.v[0]), "ttl", w.ttl);
	if ((answer = admin_once(&w.admin, "person/invite", body, &status)) == NULL)
		return status;
	if (w.admin.json)
		return out_json(answer);
	out_note("To be run by %s on the device, once, before %s:", rest.v[0], admin_time(json_member_int(answer, "expires", 0)));
	out_line("cluster-login setup %s --pin %s --code %s", admin_text(answer, "url"), admin_text(answer, "pin"), admin_text(answer, "code"));
	json_free(answer);
	return EXIT_DONE;
}

static const struct command invite = {
	.run = run_invite,
	.usage = "NAME",
	.example = "  cluster-login user invite alice\n\nPrints the command that enrols a device for the person. Hand it over on a channel that you trust: whoever runs it first is that person.\n",
	COMMAND_OPTIONS(invite_options),
	.least = 1,
	.most = 1,
};

static const struct command_row verbs[] = {
	{ "add", &add, "make a person known", COMMAND_ADMIN },
	{ "list", &list, "all people", COMMAND_ADMIN },
	{ "show", &show, "one person: devices, roles, grants", COMMAND_ADMIN },
	{ "disable", &disable, "no login until enabled again", COMMAND_ADMIN },
	{ "enable", &enable, "undo disable", COMMAND_ADMIN },
	{ "remove", &remove_, "forget a person for good", COMMAND_ADMIN },
	{ "invite", &invite, "a one-time code for another device", COMMAND_ADMIN },
};

const struct command cmd_user = { .verbs = verbs, .n_verbs = sizeof verbs / sizeof verbs[0] };
