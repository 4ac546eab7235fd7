/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "admin.h"
#include "cluster/agent_msg.h"
#include "cluster/api.h"
#include "cluster/json.h"
#include "cluster/moment.h"
#include "cluster/policy.h"
#include "cmd.h"
#include "node_view.h"
#include "out.h"
#include "profile.h"
#include "table.h"

#define AGENT_TIMEOUT_MS 2000
#define METRICS_MAX 65536

struct words {
	struct admin_words admin;
	struct node_words node;
	bool metrics;
};

static const struct command_option options[] = {
	NODE_OPTIONS(struct words),
	{ "metrics", 0, COMMAND_FLAG, offsetof(struct words, metrics), 0, 0, NULL, "at the authority: what can be counted, as Prometheus text" },
	ADMIN_OPTIONS(struct words),
};

/* ---- on a node ---- */

static enum cluster_err ask_agent(const struct node_view *v, struct agent_msg_status *ret)
{
	const struct agent_msg_request q = { .type = AGENT_MSG_STATUS };
	char path[CONF_STRING_SIZE + sizeof "/agent.sock"];
	struct agent_msg_answer a;
	enum cluster_err e;

	(void)snprintf(path, sizeof path, "%s/agent.sock", v->conf.run);
	if ((e = agent_msg_call(path, &q, AGENT_TIMEOUT_MS, &a)) != CLUSTER_OK)
		return e;
	*ret = a.status;
	return a.result;
}

/* Sets one more member; the whole is NULL once anything is missing. */
static struct json *with(struct json *j, const char *name, struct json *item)
{
	if (j == NULL) {
		json_free(item);
		return NULL;
	}
	if (json_set(j, name, item) == CLUSTER_OK)
		return j;
	json_free(j);
	return NULL;
}

/* What is looked at on a node, at one moment. */
struct seen {
	const struct node_view *v;
	const struct agent_msg_status *agent; /* NULL: it does not answer */
	enum reason fresh;
	struct policy_age age;                /* only with a snapshot */
	int64_t sudo_limit;
	bool warns;
};

static void see(struct seen *s, const struct moment *now)
{
	const struct node_view *v = s->v;
	int64_t limit = node_conf_max_stale(&v->conf, NULL);

	s->fresh = v->has_trust ? policy_fresh(&v->trust, now, limit, NULL) : policy_snapshot_reason(v->trust_error);
	if (!v->has_trust)
		return;
	s->age = policy_age(&v->trust, now, limit);
	s->sudo_limit = policy_age(&v->trust, now, node_conf_max_stale(&v->conf, "sudo")).limit;
	s->warns = s->fresh == REASON_OK && policy_age_warns(&s->age);
}

static int64_t older(const struct policy_age *a)
{
	return a->wall > a->boot ? a->wall : a->boot;
}

static struct json *node_json(const struct seen *seen)
{
	const struct agent_msg_status *agent = seen->agent;
	const struct node_view *v = seen->v;
	enum reason fresh = seen->fresh;
	const struct snap_fresh *f = &v->trust.fresh;
	char node[ID_TEXT + 1], cluster[ID_TEXT + 1];
	struct json *j;

	id_text(&v->enrolled.node, node);
	id_text(&v->enrolled.cluster, cluster);
	j = json_make("{s:s, s:s, s:s, s:s, s:s, s:b}", "name", v->enrolled.name, "node", node, "cluster", cluster, "state", reason_word(fresh), "text", reason_text(fresh), "agent", agent != NULL);
	if (v->has_trust) {
		j = with(j, "cluster_name", json_make("s", v->trust.self.cluster_name));
		j = with(j, "generation", json_make("I", (long long)f->generation));
		j = with(j, "head", json_make("I", (long long)f->head_version));
		j = with(j, "head_age", json_make("I", (long long)seen->age.wall));
		j = with(j, "head_age_boot", json_make("I", (long long)seen->age.boot));
		j = with(j, "max_stale", json_make("I", (long long)seen->age.limit));
		j = with(j, "max_stale_sudo", json_make("I", (long long)seen->sudo_limit));
		j = with(j, "warning", json_make("b", seen->warns));
	}
	if (agent != NULL) {
		j = with(j, "connected", json_make("b", agent->connected));
		j = with(j, "sessions", json_make("I", (long long)agent->sessions));
		j = with(j, "closing", json_make("I", (long long)agent->closing));
		j = with(j, "last_contact", json_make("I", (long long)agent->last_contact));
		j = with(j, "last_error", json_make("s", agent->last_error));
	}
	return j;
}

static void print_age(const struct seen *seen)
{
	const struct snap_fresh *f = &seen->v->trust.fresh;
	char age[40], limit[40], sudo[40];

	moment_span(seen->age.wall, age, sizeof age);
	moment_span(seen->age.limit, limit, sizeof limit);
	moment_span(seen->sudo_limit, sudo, sizeof sudo);
	out_line("head       %llu, signed %s ago, generation %llu", (unsigned long long)f->head_version, age, (unsigned long long)f->generation);
	out_line("limits     nobody logs on with a head older than %s, sudo %s", limit, sudo);
	if (!seen->warns)
		return;
	moment_span(older(&seen->age), age, sizeof age);
	out_line("warning: the head is %s old, more than half of %s: cluster-agentd does not get newer ones", age, limit);
}

static void print_node(const struct seen *seen)
{
	const struct agent_msg_status *agent = seen->agent;
	const struct node_view *v = seen->v;

	out_line("node       %s%s%s", v->enrolled.name, v->has_trust ? " in " : "", v->has_trust ? v->trust.self.cluster_name : "");
	if (v->has_trust) {
		print_age(seen);
		out_line("documents  keyset %lld, directory %lld, revocations %lld", (long long)v->trust.self.keyset_version, (long long)v->trust.self.directory_version,
		    (long long)v->trust.self.revocations_version);
	}
	out_line("logins     %s", seen->fresh == REASON_OK ? "yes" : reason_text(seen->fresh));
	if (agent == NULL) {
		out_line("agent      does not answer");
		return;
	}
	out_line("agent      %s, %u sessions, last contact %s", agent->connected ? "connected" : "not connected", agent->sessions, admin_time(agent->last_contact));
	if (agent->closing > 0)
		out_line("           %u closed sessions of which processes are left", agent->closing);
	if (agent->last_error[0] != '\0')
		out_line("           last error: %s", agent->last_error);
}

/* Exit status 1: cluster people cannot log on here. */
static int node_status(const struct words *w, const struct node_view *v)
{
	struct agent_msg_status status;
	struct seen seen = { .v = v };
	struct moment now;
	int ret;

	if (moment_now(&now) != CLUSTER_OK)
		return out_failed(&(struct diag){ .code = CLUSTER_ESYSTEM }, NULL);
	if (ask_agent(v, &status) == CLUSTER_OK)
		seen.agent = &status;
	see(&seen, &now);
	if (w->admin.json) {
		ret = out_json(json_make("{s:o}", "this_node", node_json(&seen)));
		return ret != EXIT_DONE ? ret : seen.fresh == REASON_OK ? EXIT_DONE : EXIT_NO;
	}
	print_node(&seen);
	if (seen.fresh != REASON_OK && reason_advice(seen.fresh)[0] != '\0')
		out_try("%s", reason_advice(seen.fresh));
	else if (seen.agent == NULL)
		out_try("systemctl status cluster-agentd");
	return seen.fresh == REASON_OK ? EXIT_DONE : EXIT_NO;
}

/* ---- at the authority ---- */

static int authority_status(const struct words *w)
{
	struct json *answer;
	int status;

	if ((answer = admin_once(&w->admin, "status", json_map(), &status)) == NULL)
		return status;
	if (w->admin.json)
		return out_json(answer);
	out_line("cluster    %s (%s)", admin_text(answer, "name"), admin_text(answer, "cluster"));
	out_line("authority  %s", admin_text(answer, "url"));
	out_line("pin        %s", admin_text(answer, "pin"));
	out_line("head       %lld", (long long)json_member_int(answer, "head", 0));
	out_line("nodes      %lld, %lld can be reached", (long long)json_member_int(answer, "nodes", 0), (long long)json_member_int(answer, "reachable", 0));
	out_line("sessions   %lld live", (long long)json_member_int(answer, "sessions", 0));
	out_line("revoked    %lld entries", (long long)json_member_int(answer, "revocations", 0));
	out_line("people     %lld", (long long)json_member_int(answer, "people", 0));
	out_line("version    %s", admin_text(answer, "version"));
	json_free(answer);
	return EXIT_DONE;
}

static int authority_metrics(const struct words *w)
{
	struct admin *a = NULL;
	char *text = NULL, *line, *save = NULL;
	struct diag d;
	int status = EXIT_DONE;

	diag_clear(&d);
	if (admin_open(&w->admin, &a, &d) != CLUSTER_OK || admin_text_get(a, "/metrics", METRICS_MAX, &text, &d) != CLUSTER_OK)
		status = out_failed(&d, ADMIN_TRY);
	for (line = text != NULL ? strtok_r(text, "\n", &save) : NULL; line != NULL; line = strtok_r(NULL, "\n", &save))
		out_line("%s", line);
	free(text);
	admin_close(a);
	return status;
}

/* On a person's own machine: what that person has in hand. */
static int person_status(bool json)
{
	char *argv[] = { (char *)"show", json ? (char *)"--json" : NULL, NULL };

	return cmd_show.run(&cmd_show, json ? 2 : 1, argv);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct words w = { .node = { .conf = NULL } };
	struct node_view *v = NULL;
	enum cluster_err e;
	struct profile p;
	bool authority;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (w.metrics)
		return authority_metrics(&w);
	diag_clear(&d);
	if ((v = calloc(1, sizeof *v)) == NULL)
		return out_failed(&(struct diag){ .code = CLUSTER_ENOMEM }, NULL);
	authority = w.admin.remote || w.admin.socket != NULL || access(API_ADMIN_SOCKET, F_OK) == 0;
	if (authority && w.node.conf == NULL && w.node.state == NULL)
		status = authority_status(&w);
	else if ((e = node_view_open(&w.node, v, &d)) == CLUSTER_OK)
		status = node_status(&w, v);
	else if (e == CLUSTER_ENOTFOUND && profile_load(&p, NULL) == CLUSTER_OK)
		status = person_status(w.admin.json);
	else
		status = out_failed(&d, e == CLUSTER_ENOTFOUND ? "on the authority's host or a node; from elsewhere --remote" : "cluster-agentd --check");
	node_view_done(v);
	free(v);
	return status;
}

const struct command cmd_status = {
	.run = run,
	.usage = "",
	.example = "  cluster-login status\n\nAt the authority: the cluster. "
		   "On a node: how fresh its snapshot is, with a warning from half of what is\n"
		   "allowed, and whether its agent is connected; exit status 1 if people cannot log on. Elsewhere: what you have in hand, as cluster-login show.\n",
	COMMAND_OPTIONS(options),
};

/* ---- audit ---- */

struct audit_words {
	struct admin_words admin;
	uint64_t after, limit;
};

static const struct command_option audit_options[] = {
	{ "after", 0, COMMAND_NUMBER, offsetof(struct audit_words, after), 0, INT64_MAX, "N", "records after this number" },
	{ "limit", 0, COMMAND_NUMBER, offsetof(struct audit_words, limit), 1, 1000, "N", "at most so many (100)" },
	ADMIN_OPTIONS(struct audit_words),
};

static int run_audit(const struct command *self, int argc, char **argv)
{
	static const char *const columns[] = { ">NUMBER", "TIME", "ACTOR", "ACTION", "OBJECT", "REASON", NULL };
	struct audit_words w = { .limit = 100 };
	struct command_operands rest;
	const struct json *records;
	struct json *answer, *body;
	struct table *t;
	int status;
	size_t i;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	body = json_make("{s:I, s:I}", "after", (long long)w.after, "limit", (long long)w.limit);
	if ((answer = admin_once(&w.admin, "audit/list", body, &status)) == NULL)
		return status;
	if (w.admin.json)
		return out_json(answer);
	records = json_member(answer, "records");
	t = table_new(columns);
	for (i = 0; i < json_count(records); i++) {
		const struct json *r = json_at(records, i);

		table_cell(t, "%lld", (long long)json_member_int(r, "seq", 0));
		table_cell(t, "%s", admin_time(json_member_int(r, "time", 0)));
		table_cell(t, "%s", admin_text(r, "actor"));
		table_cell(t, "%s", admin_text(r, "action"));
		table_cell(t, "%s", admin_text(r, "object"));
		table_cell(t, "%s", admin_text(r, "reason"));
	}
	json_free(answer);
	return table_end(t);
}

const struct command cmd_audit = {
	.run = run_audit,
	.usage = "",
	.example = "  cluster-login audit --after 1200 --json\n",
	COMMAND_OPTIONS(audit_options),
};
