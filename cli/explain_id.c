/* SPDX-License-Identifier: Apache-2.0 */
#include "explain_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/agent_msg.h"
#include "cluster/api.h"
#include "cluster/json.h"
#include "cluster/reason.h"
#include "cluster/refusal.h"
#include "exit.h"
#include "out.h"
#include "profile.h"

#define ID_LENGTH 8
#define AGENT_TIMEOUT_MS 2000

bool explain_id_ok(const char *text)
{
	return strlen(text) == ID_LENGTH && refusal_id_ok(text);
}

/* ---- who is asked ---- */

struct asked {
	bool agent, authority; /* it knows of nothing */
	bool not_root;         /* the agent would have been asked by root */
};

/* {"refusals":[...]} of this node's agent, or NULL. */
static struct json *from_agent(const struct node_view *v, const char *id, struct asked *asked)
{
	struct agent_msg_request q = { .type = AGENT_MSG_EXPLAIN };
	char path[CONF_STRING_SIZE + sizeof "/agent.sock"];
	struct agent_msg_answer a;
	struct json *j;

	refusal_copy(q.refusal.id, sizeof q.refusal.id, id);
	(void)snprintf(path, sizeof path, "%s/agent.sock", v->conf.run);
	if (agent_msg_call(path, &q, AGENT_TIMEOUT_MS, &a) != CLUSTER_OK)
		return NULL;
	asked->not_root = a.result == CLUSTER_EDENIED;
	asked->agent = a.result == CLUSTER_ENOTFOUND;
	if (a.result != CLUSTER_OK)
		return NULL;
	j = refusal_json(&a.refusal);
	if (j != NULL && json_set(j, "node", json_make("s", v->enrolled.name)) != CLUSTER_OK) {
		json_free(j);
		j = NULL;
	}
	return json_make("{s:[o]}", "refusals", j);
}

static struct json *from_node(const struct node_words *w, const char *id, struct asked *asked)
{
	struct node_view *v = calloc(1, sizeof *v);
	struct json *j = NULL;
	struct diag d;

	diag_clear(&d);
	if (v != NULL && node_view_open(w, v, &d) == CLUSTER_OK)
		j = from_agent(v, id, asked);
	if (v != NULL)
		node_view_done(v);
	free(v);
	return j;
}

/* How this machine can ask the authority: by its admin socket, else as the person who is set up here. */
static bool way(struct admin_words *w)
{
	struct profile p;
	struct diag d;

	diag_clear(&d);
	if (w->remote || w->socket != NULL || access(API_ADMIN_SOCKET, F_OK) == 0)
		return true;
	w->remote = profile_load(&p, &d) == CLUSTER_OK;
	return w->remote;
}

/* ---- what is said ---- */

static const char *gate(const char *stage)
{
	static const struct {
		const char *stage, *text;
	} gates[] = {
		{ "auth", "auth (the answer to the prompt)" },
		{ "account", "account (may this person be here: each login, sudo, su, cron)" },
		{ "session_open", "session_open (the last look before a session begins)" },
		{ "principals", "principals (the first look at a certificate, before anything is proved)" },
	};
	size_t i;

	for (i = 0; i < sizeof gates / sizeof gates[0]; i++) {
		if (strcmp(gates[i].stage, stage) == 0)
			return gates[i].text;
	}
	return stage;
}

static void line(const char *name, const char *text)
{
	if (text[0] != '\0')
		out_line("%-8s %s", name, text);
}

static void print(const struct json *j)
{
	enum reason r = reason_of(admin_text(j, "reason"));
	const char *person = admin_text(j, "person"), *rhost = admin_text(j, "rhost");

	line("id", admin_text(j, "id"));
	line("when", admin_time((long long)json_member_int(j, "time", 0)));
	out_line("%-8s %s, %s%s%s", "where", admin_text(j, "node"), admin_text(j, "service"), rhost[0] != '\0' ? ", from " : "", rhost);
	out_line("%-8s %s, as %s", "who", person[0] != '\0' ? person : "nobody that is known", admin_text(j, "account"));
	line("gate", gate(admin_text(j, "stage")));
	line("reason", admin_text(j, "reason"));
	line("why", r != REASON_N ? reason_text(r) : "a reason that this version does not know");
	line("seen", admin_text(j, "detail"));
	line("shown", admin_text(j, "facts"));
	line("jti", admin_text(j, "jti"));
	line("try", r != REASON_N ? reason_advice(r) : "");
}

/* The same with sentence and advice of each. */
static struct json *with_texts(const struct json *answer)
{
	const struct json *list = json_member(answer, "refusals");
	struct json *all = json_list();
	size_t i;

	for (i = 0; i < json_count(list) && all != NULL; i++) {
		const struct json *j = json_at(list, i);
		enum reason r = reason_of(admin_text(j, "reason"));
		struct json *one = json_make("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", admin_text(j, "id"), "node", admin_text(j, "node"), "person",
			admin_text(j, "person"), "account", admin_text(j, "account"), "service", admin_text(j, "service"), "rhost", admin_text(j, "rhost"), "time",
			(long long)json_member_int(j, "time", 0), "stage", admin_text(j, "stage"), "reason", admin_text(j, "reason"), "text", r != REASON_N ? reason_text(r) : "", "advice",
			r != REASON_N ? reason_advice(r) : "", "detail", admin_text(j, "detail"), "facts", admin_text(j, "facts"), "jti", admin_text(j, "jti"));

		if (json_append(all, one) != CLUSTER_OK) {
			json_free(all);
			all = NULL;
		}
	}
	return json_make("{s:o}", "refusals", all);
}

static int say(const struct json *answer, bool as_json)
{
	const struct json *list = json_member(answer, "refusals");
	size_t i;

	if (as_json)
		return out_json(with_texts(answer));
	for (i = 0; i < json_count(list); i++) {
		if (i > 0)
			out_line("%s", "");
		print(json_at(list, i));
	}
	return EXIT_DONE;
}

static int unknown(const char *id, const struct asked *asked)
{
	out_error("%s knows of no refusal with the id %s", asked->agent && asked->authority ? "neither this node nor the authority" : asked->agent ? "this node" : "the authority", id);
	if (asked->authority)
		out_try("within a minute of the refusal: again; later: on the node that refused, as root: cluster-login explain %s", id);
	else
		out_try("on the node that refused, as root; or as an administrator from elsewhere: cluster-login explain %s --remote", id);
	out_try("in the log of the node that refused: grep 'id=%s '. It has also what is older than the agent's start, and what programs refuse that do not run as root", id);
	return EXIT_NO;
}

static int from_authority(const struct admin_words *w, const char *id, struct asked *asked, struct json **ret)
{
	struct json *answer = NULL;
	struct admin_words how = *w;
	int status = EXIT_UNREACHABLE;

	if (!way(&how)) {
		if (asked->agent)
			return unknown(id, asked);
		out_error("%s", asked->not_root ? "only root may ask this node's agent" : "no agent answers here, and no authority is known");
		out_try("as root on the node that refused; or as an administrator who is set up here (cluster-login setup): cluster-login explain %s --remote", id);
		return asked->not_root ? EXIT_REFUSED : status;
	}
	if ((answer = admin_once(&how, "refusal/find", json_make("{s:s}", "id", id), &status)) == NULL)
		return status;
	if (json_count(json_member(answer, "refusals")) == 0) {
		json_free(answer);
		asked->authority = true;
		return unknown(id, asked);
	}
	*ret = answer;
	return EXIT_DONE;
}

int explain_id(const struct node_words *node, const struct admin_words *admin, const char *id)
{
	struct asked asked = { .agent = false };
	struct json *answer = NULL;
	int status = EXIT_DONE;

	if (!admin->remote && admin->socket == NULL)
		answer = from_node(node, id, &asked);
	if (answer == NULL && (status = from_authority(admin, id, &asked, &answer)) != EXIT_DONE)
		return status;
	status = say(answer, admin->json);
	json_free(answer);
	return status;
}
