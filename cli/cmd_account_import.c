/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "cluster/json.h"
#include "cluster/name.h"
#include "cmd.h"
#include "out.h"
#include "passwd_file.h"

/*
 * Groups without members, then accounts, then who is in which group, in requests of a moderate size each of which holds as a whole or not at all (PROTOCOL.md 6.4).
 * What is there already is let be, so an import that was interrupted is simply run again.
 */

#define BATCH_BYTES ((size_t)192 << 10)
#define BATCH_N 1000
#define ROW_BYTES 80 /* of names and punctuation around an account's or group's values */

struct import_words {
	struct admin_words admin;
	const char *group;
	bool own_groups, dry_run;
};

static const struct command_option options[] = {
	{ "group", 0, COMMAND_TEXT, offsetof(struct import_words, group), 0, 0, "FILE", "groups and their members, in the form of /etc/group" },
	{ "own-groups", 0, COMMAND_FLAG, offsetof(struct import_words, own_groups), 0, 0, NULL, "an account whose primary group is one of the system's gets one of its own" },
	{ "dry-run", 'n', COMMAND_FLAG, offsetof(struct import_words, dry_run), 0, 0, NULL, "only read the files, and say what would be done" },
	ADMIN_OPTIONS(struct import_words),
};

/* Rows on their way, and what the authority has said so far. */
struct import {
	struct admin *admin;
	const char *call, *member; /* of the request, and of its list */
	struct json *list;
	size_t n, bytes;
	long long accounts, groups, members, unknown, present; /* added; and not, as they were there */
};

static void tell_left_out(unsigned int line, const char *name, const char *why)
{
	out_note("line %u: %s is left out: %s.", line, name, why);
}

static void tell_unknown(const struct json *names)
{
	for (size_t i = 0; i < json_count(names); i++)
		out_note("%s is left out of its group: there is no such account.", json_string_at(names, i));
}

/* Sends what is on its way. */
static enum cluster_err flush(struct import *in, struct diag *d)
{
	struct json *answer = NULL, *body;
	enum cluster_err e;

	if (in->n == 0)
		return CLUSTER_OK;
	body = json_make("{s:o}", in->member, in->list);
	in->list = NULL;
	in->n = in->bytes = 0;
	if ((e = admin_call(in->admin, in->call, body, &answer, d)) != CLUSTER_OK)
		return e;
	if (strcmp(in->member, "accounts") == 0) {
		in->accounts += json_member_int(answer, "added", 0);
		in->present += json_member_int(answer, "present", 0);
	} else {
		in->groups += json_member_int(answer, "added", 0);
		in->members += json_member_int(answer, "members", 0);
		in->unknown += (long long)json_count(json_member(answer, "unknown"));
		tell_unknown(json_member(answer, "unknown"));
	}
	json_free(answer);
	return CLUSTER_OK;
}

/* Takes `row`, of about so many bytes. */
static enum cluster_err put(struct import *in, struct json *row, size_t bytes, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;

	if (in->n == BATCH_N || in->bytes + bytes > BATCH_BYTES)
		e = flush(in, d);
	if (e == CLUSTER_OK && in->list == NULL)
		in->list = json_list();
	if (e != CLUSTER_OK) {
		json_free(row);
		return e;
	}
	in->n++;
	in->bytes += bytes;
	e = json_append(in->list, row);
	return e == CLUSTER_OK ? e : diag_set(d, e, "out of memory");
}

static enum cluster_err put_account(struct import *in, const struct passwd_row *a, struct diag *d)
{
	struct json *row = json_make("{s:s, s:s, s:s, s:s, s:I}", "name", a->name, "gecos", a->gecos, "home", a->home, "shell", a->shell, "uid", (long long)a->uid);

	if (name_id_ok(a->gid))
		row = admin_with_number(row, "gid", a->gid);
	return put(in, row, ROW_BYTES + strlen(a->name) + strlen(a->gecos) + strlen(a->home) + strlen(a->shell), d);
}

/* Of the names in `*members`, separated by commas, as many as one request takes; *members moves behind them. */
static struct json *some_members(char **members, size_t *ret_bytes)
{
	struct json *list = json_list();
	char *one;

	for (*ret_bytes = 0; *ret_bytes < BATCH_BYTES / 4 && list && (one = strsep(members, ",")); *ret_bytes += strlen(one) + 3) {
		if (*one && json_append(list, json_make("s", one)) != CLUSTER_OK) {
			json_free(list);
			list = NULL;
		}
	}
	return list;
}

static enum cluster_err put_group(struct import *in, const struct group_row *g, char **members, struct diag *d)
{
	size_t bytes = 0;
	struct json *list = members ? some_members(members, &bytes) : json_list();

	return put(in, json_make("{s:s, s:I, s:o}", "name", g->name, "gid", (long long)g->gid, "members", list), ROW_BYTES + strlen(g->name) + bytes, d);
}

static enum cluster_err run_steps(struct import *in, const struct passwd_file *accounts, const struct passwd_file *groups, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;
	size_t i;

	in->call = "group/import";
	in->member = "groups";
	for (i = 0; i < groups->n && e == CLUSTER_OK; i++)
		e = put_group(in, &groups->group[i], NULL, d);
	if (e != CLUSTER_OK || (e = flush(in, d)) != CLUSTER_OK)
		return e;
	in->call = "account/import";
	in->member = "accounts";
	for (i = 0; i < accounts->n && e == CLUSTER_OK; i++) {
		if (i % BATCH_N == 0)
			out_progress("%zu of %zu accounts", i, accounts->n);
		e = put_account(in, &accounts->account[i], d);
	}
	if (e != CLUSTER_OK || (e = flush(in, d)) != CLUSTER_OK)
		return e;
	in->call = "group/import";
	in->member = "groups";
	for (i = 0; i < groups->n; i++) {
		char *members = groups->group[i].members;

		while (e == CLUSTER_OK && members && *members)
			e = put_group(in, &groups->group[i], &members, d);
	}
	return e == CLUSTER_OK ? flush(in, d) : e;
}

static int report(const struct import_words *w, const struct import *in)
{
	if (w->admin.json)
		return out_json(json_make("{s:I, s:I, s:I, s:I, s:I}", "accounts_added", in->accounts, "accounts_present", in->present, "groups_added", in->groups, "members_added", in->members,
			"members_unknown", in->unknown));
	out_note("%lld accounts added, %lld were there; %lld groups and %lld members added.", in->accounts, in->present, in->groups, in->members);
	return EXIT_DONE;
}

static int import(const struct import_words *w, const struct passwd_file *accounts, const struct passwd_file *groups)
{
	struct import in = { .list = NULL };
	struct diag d = { .code = CLUSTER_OK };
	enum cluster_err e;
	int status;

	if ((e = admin_open(&w->admin, &in.admin, &d)) != CLUSTER_OK)
		return out_failed(&d, w->admin.remote ? (e == CLUSTER_ECONFIG ? CMD_TRY_SETUP : NULL) : ADMIN_TRY);
	e = run_steps(&in, accounts, groups, &d);
	out_progress_end();
	json_free(in.list);
	admin_close(in.admin);
	if (e == CLUSTER_OK)
		return report(w, &in);
	status = out_failed(&d, NULL);
	out_note("%lld accounts, %lld groups and %lld members were added before that. Mend the file and run the command again: what is there is let be.", in.accounts, in.groups, in.members);
	return status;
}

/* An account whose gid is the system's, where nothing is said of it. */
static bool gids_ok(const struct import_words *w, const char *path, const struct passwd_file *accounts)
{
	for (size_t i = 0; i < accounts->n && !w->own_groups; i++) {
		const struct passwd_row *a = &accounts->account[i];

		if (!name_id_ok(a->gid)) {
			out_error("%s:%u: \"%s\": gid %u is the system's, no directory may give it", path, a->line, a->name, a->gid);
			out_try("change it, or --own-groups");
			return false;
		}
	}
	return true;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct import_words w = { .group = NULL };
	struct passwd_file accounts = { .n = 0 }, groups = { .form = PASSWD_FORM_GROUP };
	struct diag d = { .code = CLUSTER_OK };
	struct command_operands rest;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (passwd_file_read(rest.v[0], PASSWD_FORM_PASSWD, tell_left_out, &accounts, &d) != CLUSTER_OK ||
	    (w.group && passwd_file_read(w.group, PASSWD_FORM_GROUP, tell_left_out, &groups, &d) != CLUSTER_OK)) {
		status = out_failed(&d, NULL);
	} else if (!gids_ok(&w, rest.v[0], &accounts)) {
		status = EXIT_DATA;
	} else if (w.dry_run) {
		out_note("Would be added where they are not: %zu accounts and %zu groups. Left out: %zu.", accounts.n, groups.n, accounts.left_out + groups.left_out);
		status = EXIT_DONE;
	} else {
		status = import(&w, &accounts, &groups);
	}
	passwd_file_done(&accounts);
	passwd_file_done(&groups);
	return status;
}

const struct command cmd_account_import = {
	.run = run,
	.usage = "FILE",
	.example = "  cluster-login account import passwd --group group --dry-run\n  getent passwd | cluster-login account import - --group /etc/group\n\n"
		   "The system's own rows (uid below 1000, nobody, reserved names) are left out. Nodes that\nhave such an account in /etc/passwd keep it as their own until they adopt it.\n",
	COMMAND_OPTIONS(options),
	.least = 1,
	.most = 1,
};
