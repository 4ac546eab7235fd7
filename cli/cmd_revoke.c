/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin.h"
#include "cluster/json.h"
#include "cluster/moment.h"
#include "cluster/num.h"
#include "cluster/revoke.h"
#include "cluster/wr.h"
#include "cmd.h"
#include "out.h"
#include "table.h"

#define WAIT_DEFAULT 15
#define WAIT_CALL_MAX 60 /* seconds that the authority waits in one call */
#define EXCEPT_ROOM 4096

struct words {
	struct admin_words admin;
	const char *reason, *before;
	struct command_list except;
	uint64_t timeout;
	bool wait, list;
};

static const struct command_option options[] = {
	{ "wait", 'w', COMMAND_FLAG, offsetof(struct words, wait), 0, 0, NULL, "until every node has proved that it applied it" },
	{ "timeout", 0, COMMAND_SECONDS, offsetof(struct words, timeout), 1, 3600, "TIME", "how long to wait (15s)" },
	{ "reason", 0, COMMAND_TEXT, offsetof(struct words, reason), 0, 0, "TEXT", "for the record" },
	{ "before", 0, COMMAND_TEXT, offsetof(struct words, before), 0, 0, "TIME", "only what was issued before this time" },
	{ "except", 0, COMMAND_LIST, offsetof(struct words, except), 0, 0, "PERSON", "with lockdown: who may still log on; may be given again" },
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

/* Names of people to ids with spaces between, as the revocation carries them. */
static enum cluster_err except_ids(struct admin *a, const struct command_list *list, char dst[EXCEPT_ROOM], struct diag *d)
{
	struct json *answer = NULL;
	const struct json *people;
	enum cluster_err e;
	struct wr w;
	size_t i, k;

	dst[0] = '\0';
	if (list->n == 0)
		return CLUSTER_OK;
	if ((e = admin_call(a, "person/list", json_map(), &answer, d)) != CLUSTER_OK)
		return e;
	people = json_member(answer, "people");
	wr_init(&w, dst, EXCEPT_ROOM - 1);
	for (i = 0; i < list->n && e == CLUSTER_OK; i++) {
		for (k = 0; k < json_count(people); k++) {
			const struct json *p = json_at(people, k);

			if (strcmp(admin_text(p, "name"), list->item[i]) == 0 || strcmp(admin_text(p, "id"), list->item[i]) == 0)
				break;
		}
		if (k == json_count(people))
			e = diag_set(d, CLUSTER_ENOTFOUND, "there is no person \"%s\"", list->item[i]);
		else
			wr_printf(&w, "%s%s", i > 0 ? " " : "", admin_text(json_at(people, k), "id"));
	}
	if (e == CLUSTER_OK && (e = wr_end(&w)) != CLUSTER_OK)
		diag_set(d, e, "--except: too many people");
	dst[w.n] = '\0';
	json_free(answer);
	return e;
}

/* What kind and value the operands mean. COMMAND_GO, or a usage error. */
static int read_operands(struct words *w, const char *name, const struct command_operands *rest, enum revoke_kind *ret_kind, const char **ret_value)
{
	const char *word = rest->n > 0 ? rest->v[0] : NULL;

	if (word == NULL)
		return command_usage_error(name, "what? person NAME, credential JTI, device ID, account NAME, node NAME, role ROLE, issuer KID, before TIME or lockdown");
	if (revoke_kind_parse(word, ret_kind) != CLUSTER_OK)
		return command_usage_error(name, "\"%s\" is not something to revoke: person, credential, device, account, node, role, issuer, before or lockdown", word);
	if (*ret_kind != REVOKE_LOCKDOWN && rest->n != 2)
		return command_usage_error(name, "%s: which?", word);
	if (*ret_kind == REVOKE_LOCKDOWN && rest->n != 1)
		return command_usage_error(name, "lockdown is for everybody; people it spares: --except NAME");
	if (*ret_kind != REVOKE_LOCKDOWN && w->except.n > 0)
		return command_usage_error(name, "--except belongs to lockdown");
	*ret_value = *ret_kind == REVOKE_LOCKDOWN || *ret_kind == REVOKE_BEFORE ? "" : rest->v[1];
	if (*ret_kind == REVOKE_BEFORE)
		w->before = rest->v[1];
	return COMMAND_GO;
}

static struct json *build(const struct words *w, enum revoke_kind kind, const char *value, int64_t before)
{
	return admin_with_number(json_make("{s:s, s:s, s:s*}", "kind", revoke_kind_name(kind), "value", value, "reason", w->reason), "before", (uint64_t)before);
}

/* Asks until all have proved it or the time is up. The caller frees *ret. */
static enum cluster_err wait_for(struct admin *a, int64_t version, uint64_t seconds, struct json **ret, struct diag *d)
{
	int64_t end = (int64_t)time(NULL) + (int64_t)seconds, left = (int64_t)seconds;
	struct json *answer = NULL;
	enum cluster_err e;

	do {
		long long ms = (left > WAIT_CALL_MAX ? WAIT_CALL_MAX : left) * 1000;

		json_free(answer);
		answer = NULL;
		if ((e = admin_call_wait(a, "wait", json_make("{s:I, s:I}", "version", (long long)version, "timeout_ms", ms), (int)ms + 10000, &answer, d)) != CLUSTER_OK)
			return e;
		left = end - time(NULL);
	} while (!json_member_bool(answer, "done", false) && left > 0);
	*ret = answer;
	return CLUSTER_OK;
}

static void print_nodes(const struct json *answer)
{
	static const char *const columns[] = { "NODE", "PROVED", ">VERSION", ">MS", ">SESSIONS ENDED", "LAST SEEN", NULL };
	const struct json *nodes = json_member(answer, "nodes");
	struct table *t = table_new(columns);
	size_t i;

	for (i = 0; i < json_count(nodes); i++) {
		const struct json *n = json_at(nodes, i);
		bool ok = json_member_bool(n, "ok", false);
		long long ms = json_member_int(n, "ms", -1);

		table_cell(t, "%s", admin_text(n, "name"));
		table_cell(t, "%s", ok ? "yes" : "silent");
		table_cell(t, "%lld", (long long)json_member_int(n, "applied", 0));
		if (ok && ms >= 0)
			table_cell(t, "%lld", ms);
		else
			table_cell(t, "%s", "-");
		if (ok)
			table_cell(t, "%lld", (long long)json_member_int(n, "ended", 0));
		else
			table_cell(t, "%s", "-");
		table_cell(t, "%s%s", ok ? "" : "since ", admin_time(json_member_int(n, "seen", 0)));
	}
	(void)!table_end(t);
}

/* The end of a revocation: prints what is known, and whether every node has proved it. */
static int report(const struct words *w, struct json *answer, struct json *waited)
{
	bool done = json_member_bool(waited, "done", false);
	size_t i, silent = 0;
	const struct json *nodes = json_member(waited, "nodes");
	int status;

	if (w->admin.json) {
		status = out_json(json_make("{s:I, s:I, s:O*}", "seq", (long long)json_member_int(answer, "seq", 0), "version", (long long)json_member_int(answer, "version", 0), "wait", waited));
		return status == EXIT_DONE && waited != NULL && !done ? EXIT_NO : status;
	}
	if (waited == NULL) {
		out_note("Revoked: number %lld, in force from head %lld on. To know that every node has it: --wait", (long long)json_member_int(answer, "seq", 0),
		    (long long)json_member_int(answer, "version", 0));
		return EXIT_DONE;
	}
	print_nodes(waited);
	for (i = 0; i < json_count(nodes); i++)
		silent += !json_member_bool(json_at(nodes, i), "ok", false);
	if (done) {
		out_note("Revoked: number %lld. All %zu nodes have proved head %lld.", (long long)json_member_int(answer, "seq", 0), json_count(nodes), (long long)json_member_int(waited, "version", 0));
		return EXIT_DONE;
	}
	out_error("%zu of %zu nodes have not proved it; a node that does not hear of it lets nobody in once its head is older than max_stale", silent, json_count(nodes));
	out_try("cluster-login node list");
	return EXIT_NO;
}

static int revoke(const struct words *w, enum revoke_kind kind, const char *value, int64_t before)
{
	struct json *answer = NULL, *waited = NULL;
	char except[EXCEPT_ROOM];
	struct admin *a = NULL;
	enum cluster_err e;
	struct diag d;
	int status;

	diag_clear(&d);
	if ((e = admin_open(&w->admin, &a, &d)) != CLUSTER_OK || (kind == REVOKE_LOCKDOWN && (e = except_ids(a, &w->except, except, &d)) != CLUSTER_OK))
		goto out;
	if ((e = admin_call(a, "revoke/add", build(w, kind, kind == REVOKE_LOCKDOWN ? except : value, before), &answer, &d)) != CLUSTER_OK)
		goto out;
	if (w->wait && (e = wait_for(a, json_member_int(answer, "version", 0), w->timeout, &waited, &d)) != CLUSTER_OK)
		out_note("The revocation is made (number %lld); only waiting for the nodes failed.", (long long)json_member_int(answer, "seq", 0));
out:
	status = e == CLUSTER_OK ? report(w, answer, waited) : out_failed(&d, a == NULL && !w->admin.remote ? "on the authority's host, as root; from elsewhere --remote" : NULL);
	json_free(waited);
	json_free(answer);
	admin_close(a);
	return status;
}

static int list(const struct words *w)
{
	static const char *const columns[] = { ">NUMBER", "WHAT", "VALUE", "ISSUED BEFORE", "SINCE", "REASON", NULL };
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
	for (i = 0; i < json_count(entries); i++) {
		const struct json *r = json_at(entries, i);
		const char *name = json_member_text(r, "name");
		long long before = json_member_int(r, "before", 0);

		table_cell(t, "%lld", (long long)json_member_int(r, "seq", 0));
		table_cell(t, "%s", admin_text(r, "kind"));
		table_cell(t, "%s", name != NULL ? name : admin_text(r, "value"));
		table_cell(t, "%s", before > 0 ? admin_time(before) : "");
		table_cell(t, "%s", admin_time(json_member_int(r, "iat", 0)));
		table_cell(t, "%s", admin_text(r, "reason"));
	}
	json_free(answer);
	return table_end(t);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct words w = { .timeout = WAIT_DEFAULT };
	enum revoke_kind kind = REVOKE_PERSON;
	struct command_operands rest;
	const char *value = NULL;
	int64_t before = 0;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (w.list && rest.n == 0)
		return list(&w);
	if ((status = read_operands(&w, argv[0], &rest, &kind, &value)) != COMMAND_GO)
		return status;
	if (w.before != NULL && !read_time(w.before, &before))
		return command_usage_error(argv[0], "\"%s\" is no time: now, seconds since 1970, or 2026-11-21T00:22:00Z", w.before);
	return revoke(&w, kind, value, before);
}

const struct command cmd_revoke = {
	.run = run,
	.usage = "WHAT [WHICH]",
	.example = "  cluster-login revoke person alice --wait\n"
		   "  cluster-login revoke credential 2hJ0dQe3bWm0r5m9cQpF8g --reason \"laptop lost\"\n"
		   "  cluster-login revoke before now\n"
		   "  cluster-login revoke lockdown --except bob\n"
		   "  cluster-login revoke --list\n"
		   "\nWHAT is person, credential, device, account, node, role, issuer, before or lockdown. With --wait the exit status is 0 only if every\n"
		   "node has proved that it applied the revocation, 1 otherwise.\n",
	COMMAND_OPTIONS(options),
	.most = 2,
};

/* ---- unrevoke ---- */

struct unrevoke_words {
	struct admin_words admin;
};

static const struct command_option unrevoke_options[] = { ADMIN_OPTIONS(struct unrevoke_words) };

static int run_unrevoke(const struct command *self, int argc, char **argv)
{
	struct unrevoke_words w = { .admin = { .json = false } };
	struct command_operands rest;
	uint64_t seq;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (num_u64(rest.v[0], 1, INT64_MAX, &seq) != CLUSTER_OK)
		return command_usage_error(argv[0], "\"%s\": a number of cluster-login revoke --list", rest.v[0]);
	return admin_simple(&w.admin, "revoke/remove", json_make("{s:I}", "seq", (long long)seq), NULL);
}

const struct command cmd_unrevoke = {
	.run = run_unrevoke,
	.usage = "NUMBER",
	.example = "  cluster-login revoke --list\n  cluster-login unrevoke 17\n",
	COMMAND_OPTIONS(unrevoke_options),
	.least = 1,
	.most = 1,
};
