/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/identity.h"
#include "cluster/json.h"
#include "cluster/policy.h"
#include "cluster/snapshots.h"
#include "admin.h"
#include "cmd.h"
#include "explain_id.h"
#include "node_view.h"
#include "out.h"
#include "table.h"

#define STEPS_MAX (POLICY_STEPS_MAX + 4)

struct words {
	struct node_words node;
	struct admin_words admin;
	const char *person, *account, *certificate;
};

static const struct command_option options[] = {
	{ "person", 0, COMMAND_TEXT, offsetof(struct words, person), 0, 0, "NAME", "the person, by name or id" },
	{ "account", 0, COMMAND_TEXT, offsetof(struct words, account), 0, 0, "NAME", "the account" },
	{ "certificate", 0, COMMAND_TEXT, offsetof(struct words, certificate), 0, 0, "FILE", "an ssh certificate in the place of the person (ssh-add -L, FILE-cert.pub)" },
	NODE_OPTIONS(struct words),
	ADMIN_OPTIONS(struct words),
};

/* ---- explain REASON ---- */

static int explain_word(const char *name, const char *word, bool json)
{
	enum reason r = reason_of(word);

	if (r == REASON_N) {
		struct row { const char *word; } rows[REASON_N];
		const char *near;

		for (r = 0; r < REASON_N; r++)
			rows[r].word = reason_word(r);
		near = conf_nearest(word, rows, REASON_N, sizeof rows[0]);
		return command_usage_error(name, "\"%s\" is no reason, nor the id of a refusal%s%s", word, near != NULL ? "; did you mean " : "", near != NULL ? near : "");
	}
	if (json)
		return out_json(json_make("{s:s, s:s, s:s}", "reason", word, "text", reason_text(r), "advice", reason_advice(r)));
	out_line("%s: %s", word, reason_text(r));
	if (reason_advice(r)[0] != '\0')
		out_line("  %s", reason_advice(r));
	return EXIT_DONE;
}

/* ---- explain --person --account ---- */

struct steps {
	struct policy_step step[STEPS_MAX];
	size_t n;
	enum reason first;
};

static void add(struct steps *s, const char *check, enum reason r)
{
	if (s->n < STEPS_MAX)
		s->step[s->n++] = (struct policy_step){ .check = check, .reason = r };
	if (s->first == REASON_OK)
		s->first = r;
}

/* What the local files say of the account: the same question that the PAM module asks before any other. */
static enum reason local(const struct node_view *v, const char *account)
{
	struct passwd *pw;
	FILE *f = fopen("/etc/passwd", "re");
	enum reason r = REASON_OK;

	if (f == NULL)
		return REASON_SYSTEM;
	while ((pw = fgetpwent(f)) != NULL) {
		if (strcmp(pw->pw_name, account) != 0)
			continue;
		r = pw->pw_uid == 0 ? REASON_ROOT : node_conf_listed(&v->conf.adopt, account) ? REASON_OK : REASON_LOCAL;
		break;
	}
	(void)fclose(f);
	return r;
}

static enum reason find_person(const struct trust *t, const char *word, struct trust_person *ret, bool *ret_known)
{
	enum cluster_err e = trust_person_by_name(t, word, ret);
	struct cluster_id id;

	if (e == CLUSTER_ENOTFOUND && id_parse(word, &id) == CLUSTER_OK)
		e = trust_person_by_id(t, &id, ret);
	*ret_known = e == CLUSTER_OK;
	return e == CLUSTER_OK || e == CLUSTER_ENOTFOUND ? REASON_OK : REASON_SNAPSHOT_DAMAGED;
}

static void decide(const struct node_view *v, const struct words *w, const struct moment *now, struct steps *s)
{
	const struct policy_request q = { .class = POLICY_LOGIN, .account = w->account, .now = now, .max_stale = (int64_t)v->conf.max_stale };
	struct trust_person person;
	bool known = false;
	size_t n = 0;
	enum reason r;

	add(s, "local account", local(v, w->account));
	if (!v->has_trust) {
		add(s, "snapshot", policy_snapshot_reason(v->trust_error));
		return;
	}
	if ((r = find_person(&v->trust, w->person, &person, &known)) != REASON_OK) {
		add(s, "snapshot", r);
		return;
	}
	r = policy_explain(&v->trust, &q, known ? &person : NULL, s->step + s->n, &n);
	s->n += n;
	if (s->first == REASON_OK)
		s->first = r;
}

/* ---- explain --certificate --account ---- */

struct shown {
	struct policy_certificate certificate;
	char person[NAME_PERSON_MAX + 1];
};

static void decide_certificate(const struct node_view *v, const struct words *w, const char *text, struct shown *shown, struct steps *s)
{
	struct snapshots now;
	const struct policy_request q = { .class = POLICY_LOGIN, .account = w->account, .now = &now.now, .max_stale = node_conf_max_stale(&v->conf, "sshd"), .source_later = true,
		.credential = &shown->certificate.credential, .cert = &shown->certificate.facts };
	struct policy_answer answer;
	struct identity who;
	enum reason r;

	add(s, "local account", local(v, w->account));
	snapshots_open(&now, v->conf.state, 0);
	add(s, "snapshot", now.reason);
	if (now.reason == REASON_OK) {
		identity_init(&who, w->account, "/etc/passwd");
		identity_rest(&who, &v->conf.adopt);
		add(s, "account here", identity_check(&now.trust, &now.accounts, &who, NULL));
		r = policy_certificate(&now.trust, now.now.wall, text, strlen(text), &shown->certificate, NULL);
		add(s, "certificate of this cluster", r);
		if (r == REASON_OK) {
			add(s, "the whole decision", policy_decide(&now.trust, &q, &answer));
			memcpy(shown->person, answer.person.name, sizeof shown->person);
		}
	}
	snapshots_close(&now);
}

/* The first line of a file, without its end. */
static bool read_line(const char *path, char dst[SSHCERT_TEXT_MAX + 1])
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	bool ok = f != NULL && fgets(dst, SSHCERT_TEXT_MAX + 1, f) != NULL;

	if (ok)
		dst[strcspn(dst, "\r\n")] = '\0';
	if (f != NULL && f != stdin)
		(void)fclose(f);
	return ok;
}

static struct json *steps_json(const struct steps *s)
{
	struct json *list = json_list();
	size_t i;

	for (i = 0; i < s->n && list != NULL; i++) {
		enum reason r = s->step[i].reason;

		if (json_append(list, json_make("{s:s, s:b, s:s}", "check", s->step[i].check, "ok", r == REASON_OK, "reason", reason_word(r))) != CLUSTER_OK) {
			json_free(list);
			list = NULL;
		}
	}
	return list;
}

static void print_certificate(const struct policy_certificate *c)
{
	if (c->has_facts)
		out_line("serial %" PRIu64 ", key id \"%s\", key %s, CA %s", c->facts.serial, c->facts.key_id, c->facts.key, c->facts.ca);
}

static int print(const struct node_view *v, const struct words *w, const struct steps *s)
{
	static const char *const columns[] = { "CHECK", "", "WHY NOT", NULL };
	bool yes = s->first == REASON_OK;
	int status = EXIT_DONE;
	struct table *t;
	size_t i;

	if (w->admin.json) {
		status = out_json(json_make("{s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:o}", "person", w->person, "account", w->account, "node", v->enrolled.name, "allowed", yes, "reason",
		    reason_word(s->first), "text", reason_text(s->first), "advice", reason_advice(s->first), "checks", steps_json(s)));
		return status != EXIT_DONE ? status : yes ? EXIT_DONE : EXIT_NO;
	}
	t = table_new(columns);
	for (i = 0; i < s->n; i++) {
		enum reason r = s->step[i].reason;

		table_cell(t, "%s", s->step[i].check);
		table_cell(t, "%s", r == REASON_OK ? "yes" : "no");
		table_cell(t, "%s", r == REASON_OK ? "" : reason_text(r));
	}
	status = table_end(t);
	out_line("%s: %s as %s on %s%s%s", yes ? "yes" : "no", w->person, w->account, v->enrolled.name, yes ? "" : ": ", yes ? "" : reason_word(s->first));
	if (!yes && reason_advice(s->first)[0] != '\0')
		out_try("%s", reason_advice(s->first));
	return status != EXIT_DONE ? status : yes ? EXIT_DONE : EXIT_NO;
}

static int explain_login(struct words *w, const char *certificate)
{
	struct shown shown = { .person = "" };
	struct steps s = { .first = REASON_OK };
	struct node_view *v = NULL;
	struct moment now;
	struct diag d;
	int status;

	diag_clear(&d);
	if ((v = calloc(1, sizeof *v)) == NULL || moment_now(&now) != CLUSTER_OK) {
		free(v);
		return out_failed(&(struct diag){ .code = CLUSTER_ENOMEM }, NULL);
	}
	if (node_view_open(&w->node, v, &d) != CLUSTER_OK) {
		status = out_failed(&d, d.code == CLUSTER_ENOTFOUND ? "cluster-login explain on a node of the cluster" : "cluster-agentd --check");
	} else {
		if (certificate != NULL) {
			decide_certificate(v, w, certificate, &shown, &s);
			w->person = shown.person[0] != '\0' ? shown.person : "?";
			if (!w->admin.json)
				print_certificate(&shown.certificate);
		} else {
			decide(v, w, &now, &s);
		}
		status = print(v, w, &s);
	}
	node_view_done(v);
	free(v);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct words w = { .person = NULL };
	char certificate[SSHCERT_TEXT_MAX + 1];
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (rest.n == 1 && w.person == NULL && w.account == NULL && w.certificate == NULL)
		return reason_of(rest.v[0]) == REASON_N && explain_id_ok(rest.v[0]) ? explain_id(&w.node, &w.admin, rest.v[0]) : explain_word(argv[0], rest.v[0], w.admin.json);
	if ((w.person == NULL) == (w.certificate == NULL) || w.account == NULL || rest.n != 0)
		return command_usage_error(argv[0], "the id of a refusal is needed, or --person or --certificate and --account, or one reason");
	if (w.certificate != NULL && !read_line(w.certificate, certificate)) {
		out_error("%s: no line of a certificate can be read there", w.certificate);
		return EXIT_NO;
	}
	return explain_login(&w, w.certificate != NULL ? certificate : NULL);
}

const struct command cmd_explain = {
	.run = run,
	.usage = "ID | --person NAME --account NAME | --certificate FILE --account NAME | REASON",
	.example = "  cluster-login explain Xk3_9aZq\n"
		   "  cluster-login explain --person alice --account emr-user\n"
		   "  ssh-add -L | grep cert-v01 | cluster-login explain --certificate - --account emr-user\n"
		   "  cluster-login explain no_grant\n"
		   "\nWith the id that a refused person was shown: which check refused, what it saw, and what to do; as root on the node, or as an administrator on the authority's host or with --remote from anywhere.\n"
		   "Else the same checks as at a login, as far as they need no credential and no address, on this node and from its own snapshot. Exit status 0: yes; 1: no.\n",
	COMMAND_OPTIONS(options),
	.most = 1,
};
