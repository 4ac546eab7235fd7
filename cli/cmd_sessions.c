/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "admin.h"
#include "cluster/id.h"
#include "cluster/json.h"
#include "cmd.h"
#include "out.h"
#include "revoking.h"

struct words {
	struct admin_words admin;
	const char *person, *node, *account, *end, *reason;
	uint64_t timeout;
	bool wait;
};

static const struct command_option options[] = {
	{ "person", 0, COMMAND_TEXT, offsetof(struct words, person), 0, 0, "NAME", "of this person only" },
	{ "node", 0, COMMAND_TEXT, offsetof(struct words, node), 0, 0, "NAME", "on this node only" },
	{ "account", 0, COMMAND_TEXT, offsetof(struct words, account), 0, 0, "NAME", "as this account only" },
	{ "end", 0, COMMAND_TEXT, offsetof(struct words, end), 0, 0, "SESSION", "end this one" },
	{ "wait", 'w', COMMAND_FLAG, offsetof(struct words, wait), 0, 0, NULL, "with --end: until every node that can be reached has proved that it applied it" },
	{ "timeout", 0, COMMAND_SECONDS, offsetof(struct words, timeout), 1, 3600, "TIME", "how long to wait (15s)" },
	{ "reason", 0, COMMAND_TEXT, offsetof(struct words, reason), 0, 0, "TEXT", "with --end: for the record" },
	ADMIN_OPTIONS(struct words),
};

static int end(const struct words *w)
{
	const struct revoking r = { .kind = REVOKE_SESSION, .value = w->end, .reason = w->reason };
	const struct revoking_how how = { .wait = w->wait, .json = w->admin.json, .seconds = w->timeout };
	struct admin *a = NULL;
	struct diag d;
	int status;

	diag_clear(&d);
	if (admin_open(&w->admin, &a, &d) != CLUSTER_OK)
		return out_failed(&d, w->admin.remote ? NULL : ADMIN_TRY);
	status = revoking_run(a, &r, &how);
	admin_close(a);
	return status;
}

static int list(const struct words *w)
{
	struct json *body = json_make("{s:s*, s:s*, s:s*}", "account", w->account, "node", w->node, "person", w->person), *answer;
	const struct json *sessions;
	long long total, unknown;
	int status;

	if ((answer = admin_once(&w->admin, "sessions/list", body, &status)) == NULL)
		return status;
	if (w->admin.json)
		return out_json(answer);
	sessions = json_member(answer, "sessions");
	total = json_member_int(answer, "total", 0);
	unknown = json_member_int(answer, "unknown_nodes", 0);
	status = revoking_sessions(sessions);
	if (total > (long long)json_count(sessions))
		out_note("These are %zu of %lld: name a person, a node or an account.", json_count(sessions), total);
	if (unknown > 0)
		out_note("%lld nodes have not told their sessions since the authority was started.", unknown);
	json_free(answer);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct words w = { .timeout = REVOKING_WAIT };
	struct command_operands rest;
	struct cluster_id id;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (w.end == NULL && (w.wait || w.reason != NULL))
		return command_usage_error(argv[0], "--wait and --reason belong to --end");
	if (w.end != NULL && (w.person != NULL || w.node != NULL || w.account != NULL))
		return command_usage_error(argv[0], "--end is for one session; for more: cluster-login revoke");
	if (w.end != NULL && id_parse(w.end, &id) != CLUSTER_OK)
		return command_usage_error(argv[0], "\"%s\" is not the id of a session", w.end);
	return w.end != NULL ? end(&w) : list(&w);
}

const struct command cmd_sessions = {
	.run = run,
	.usage = "",
	.example = "  cluster-login sessions --person alice\n"
		   "  cluster-login sessions --end 2hJ0dQe3bWm0r5m9cQpF8g --wait\n"
		   "\nLive sessions of the whole cluster, as the nodes report them. --end ends one and stops no new login.\n",
	COMMAND_OPTIONS(options),
};
