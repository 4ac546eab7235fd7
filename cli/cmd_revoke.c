/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin.h"
#include "cluster/json.h"
#include "cluster/moment.h"
#include "cluster/num.h"
#include "cmd.h"
#include "out.h"
#include "revoking.h"
#include "table.h"

struct words {
	struct admin_words admin;
	const char *reason, *before;
	struct command_list except;
	uint64_t timeout;
	bool wait, list, dry;
};

static const struct command_option options[] = {
	{ "wait", 'w', COMMAND_FLAG, offsetof(struct words, wait), 0, 0, NULL, "until every node that can be reached has proved that it applied it" },
	{ "timeout", 0, COMMAND_SECONDS, offsetof(struct words, timeout), 1, 3600, "TIME", "how long to wait (15s)" },
	{ "reason", 0, COMMAND_TEXT, offsetof(struct words, reason), 0, 0, "TEXT", "for the record" },
	{ "before", 0, COMMAND_TEXT, offsetof(struct words, before), 0, 0, "TIME", "only what was issued before this time" },
	{ "except", 0, COMMAND_LIST, offsetof(struct words, except), 0, 0, "PERSON", "with lockdown: who may still log on; may be given again" },
	{ "dry-run", 'n', COMMAND_FLAG, offsetof(struct words, dry), 0, 0, NULL, "whom it would hit, and which live sessions; changes nothing" },
	{ "list", 0, COMMAND_FLAG, offsetof(struct words, list), 0, 0, NULL, "the revocations in force" },
	ADMIN_OPTIONS(struct words),
};

/* "now", seconds since 1970, or 2026-11-21T00:22:00Z. */
static bool read_time(const char *text, int64_t *ret)
{
	uint64_t n;

	if (strcmp(text, "now") == 0) {
		*ret = time(NULL);
		return true;
	}
	if (moment_parse(text, ret) == CLUSTER_OK)
		return true;
	if (num_u64(text, (uint64_t)MOMENT_MIN, (uint64_t)MOMENT_MAX, &n) != CLUSTER_OK)
		return false;
	*ret = (int64_t)n;
	return true;
}

/* What kind and value the operands mean. COMMAND_GO, or a usage error. */
static int read_operands(struct words *w, const char *name, const struct command_operands *rest, struct revoking *ret)
{
	const char *word = rest->n > 0 ? rest->v[0] : NULL;

	if (word == NULL)
		return command_usage_error(name, "what? " REVOKING_KINDS);
	if (revoking_kind(word, &ret->kind) != CLUSTER_OK)
		return command_usage_error(name, "\"%s\" is not something to revoke: " REVOKING_KINDS, word);
	if (ret->kind != REVOKE_LOCKDOWN && rest->n != 2)
		return command_usage_error(name, "%s: which?", word);
	if (ret->kind == REVOKE_LOCKDOWN && rest->n != 1)
		return command_usage_error(name, "lockdown is for everybody; people it spares: --except NAME");
	if (ret->kind != REVOKE_LOCKDOWN && w->except.n > 0)
		return command_usage_error(name, "--except belongs to lockdown");
	if (w->dry && w->wait)
		return command_usage_error(name, "--dry-run changes nothing that could be waited for");
	ret->value = ret->kind == REVOKE_LOCKDOWN || ret->kind == REVOKE_BEFORE ? "" : rest->v[1];
	if (ret->kind == REVOKE_BEFORE)
		w->before = rest->v[1];
	if (w->before != NULL && !read_time(w->before, &ret->before))
		return command_usage_error(name, "\"%s\" is no time: now, seconds since 1970, or 2026-11-21T00:22:00Z", w->before);
	ret->reason = w->reason;
	return COMMAND_GO;
}

/* ---- --dry-run ---- */

#define NAMES_ROOM 2000

static void print_names(const struct json *answer, const char *what)
{
	long long total = json_member_int(json_member(answer, "totals"), what, 0);
	char names[NAMES_ROOM];

	admin_words_of(json_member(answer, what), NULL, names, sizeof names);
	out_line("%-10s %lld%s%s", what, total, total > 0 ? ": " : "", names);
}

static int preview(struct admin *a, const struct revoking *r, const struct words *w)
{
	struct json *answer = NULL;
	long long sessions;
	struct diag d;
	int status;

	diag_clear(&d);
	if (admin_call(a, "revoke/preview", revoking_body(r), &answer, &d) != CLUSTER_OK)
		return out_failed(&d, admin_next(&w->admin, &d));
	if (w->admin.json)
		return out_json(answer);
	print_names(answer, "people");
	print_names(answer, "devices");
	print_names(answer, "accounts");
	print_names(answer, "nodes");
	sessions = json_member_int(json_member(answer, "totals"), "sessions", 0);
	out_line("%-10s %lld", "sessions", sessions);
	status = sessions > 0 ? revoking_sessions(json_member(answer, "sessions")) : EXIT_DONE;
	json_free(answer);
	out_note("Nothing has been revoked.");
	return status;
}

static int revoke(const struct words *w, struct revoking *r)
{
	const struct revoking_how how = { .wait = w->wait, .json = w->admin.json, .seconds = w->timeout };
	char except[REVOKE_LOCKDOWN_MAX + 1], value[REVOKING_VALUE];
	struct admin *a = NULL;
	struct diag d;
	int status;

	diag_clear(&d);
	if (revoking_value(r->kind, r->value, value, &r->value, &d) != CLUSTER_OK)
		return out_failed(&d, NULL);
	if (admin_open(&w->admin, &a, &d) != CLUSTER_OK)
		return out_failed(&d, w->admin.remote ? admin_next(&w->admin, &d) : ADMIN_TRY);
	if (r->kind == REVOKE_LOCKDOWN && revoking_except(a, &w->except, except, &d) != CLUSTER_OK) {
		status = out_failed(&d, admin_next(&w->admin, &d));
	} else {
		r->value = r->kind == REVOKE_LOCKDOWN ? except : r->value;
		status = w->dry ? preview(a, r, w) : revoking_run(a, r, &how);
	}
	admin_close(a);
	return status;
}

/* ---- --list ---- */

static void print_entry(struct table *t, const struct json *r)
{
	long long before = json_member_int(r, "before", 0), leaves = json_member_int(r, "leaves", 0), missing = json_member_int(r, "missing", 0);
	const char *name = json_member_text(r, "name");
	char except[NAMES_ROOM];

	admin_words_of(json_member(r, "except"), NULL, except, sizeof except);
	table_cell(t, "%lld", (long long)json_member_int(r, "seq", 0));
	table_cell(t, "%s", admin_text(r, "kind"));
	if (except[0] != '\0')
		table_cell(t, "all but %s", except);
	else if (name != NULL && (strcmp(admin_text(r, "kind"), "device") == 0 || strcmp(admin_text(r, "kind"), "credential") == 0))
		table_cell(t, "%s of %s", admin_text(r, "value"), name);
	else
		table_cell(t, "%s", name != NULL ? name : admin_text(r, "value"));
	table_cell(t, "%s", before > 0 ? admin_time(before) : "");
	table_cell(t, "%s", admin_time(json_member_int(r, "iat", 0)));
	table_cell(t, "%s", admin_text(r, "by"));
	table_cell(t, "%s", leaves > 0 ? admin_time(leaves) : "stays");
	table_cell(t, "%lld", missing);
	table_cell(t, "%s", admin_text(r, "reason"));
}

static int list(const struct words *w)
{
	static const char *const columns[] = { ">NUMBER", "WHAT", "VALUE", "ISSUED BEFORE", "SINCE", "BY", "LEAVES", ">NODES MISSING", "REASON", NULL };
	const struct json *entries;
	struct json *answer;
	struct table *t;
	int status;
	size_t i;

	if ((answer = admin_once(&w->admin, "revoke/list", json_map(), &status)) == NULL)
		return status;
	if (w->admin.json)
		return out_json(answer);
	entries = json_member(answer, "entries");
	t = table_new(columns);
	for (i = 0; i < json_count(entries); i++)
		print_entry(t, json_at(entries, i));
	json_free(answer);
	return table_end(t);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct words w = { .timeout = REVOKING_WAIT };
	struct revoking r = { .kind = REVOKE_PERSON };
	struct command_operands rest;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (w.list && rest.n == 0)
		return list(&w);
	if ((status = read_operands(&w, argv[0], &rest, &r)) != COMMAND_GO)
		return status;
	return revoke(&w, &r);
}

const struct command cmd_revoke = {
	.run = run,
	.usage = "WHAT [WHICH]",
	.example = "  cluster-login revoke person alice --wait\n"
		   "  cluster-login revoke person alice --before now --reason \"laptop lost\"\n"
		   "  cluster-login revoke device alice/laptop --dry-run\n"
		   "  cluster-login revoke cert-key ~/.ssh/id_ed25519.pub\n"
		   "  cluster-login revoke before 2026-11-21T00:22:00Z\n"
		   "  cluster-login revoke lockdown --except bob\n"
		   "  cluster-login revoke --list\n"
		   "\nWHAT is " REVOKING_KINDS ".\n"
		   "WHICH is a name or an id; of a device also PERSON/LABEL; of a certificate also a file with it or its key. With --wait the exit status is 0\n"
		   "only if every node has proved that it applied the revocation, 1 otherwise.\n",
	COMMAND_OPTIONS(options),
	.most = 2,
};
