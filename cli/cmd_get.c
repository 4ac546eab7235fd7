/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "certificate.h"
#include "cluster/directory.h"
#include "cluster/json.h"
#include "cluster/moment.h"
#include "cmd.h"
#include "in_hand.h"
#include "issue.h"
#include "out.h"
#include "renewal.h"
#include "resolve.h"
#include "ssh_agent.h"
#include "view.h"

#define TRY_AGENT "eval \"$(ssh-agent -s)\"; cluster-login get --ssh-cert   (or, where no agent can run: cluster-login get --ssh-cert --output FILE)"

struct get_words {
	uint64_t ttl;
	struct command_list accounts, nodes;
	const char *output;
	bool ssh_cert, renew, json;
};

static const struct command_option get_options[] = {
	{ "ttl", 0, COMMAND_SECONDS, offsetof(struct get_words, ttl), 60, CREDENTIAL_LIFE_MAX, "TIME", "life, such as 15m or 8h; the authority has the last word" },
	{ "for", 0, COMMAND_LIST, offsetof(struct get_words, accounts), 0, 0, "ACCOUNT", "only for this account; may be given again" },
	{ "on", 0, COMMAND_LIST, offsetof(struct get_words, nodes), 0, 0, "NODE", "only on this node, or this role's nodes; may be given again" },
	{ "renew", 0, COMMAND_FLAG, offsetof(struct get_words, renew), 0, 0, NULL, "only if the one in hand is about to end, and like that one" },
	{ "ssh-cert", 0, COMMAND_FLAG, offsetof(struct get_words, ssh_cert), 0, 0, NULL, "as an OpenSSH certificate, with its key, into the ssh-agent" },
	{ "output", 0, COMMAND_TEXT, offsetof(struct get_words, output), 0, 0, "FILE", "with --ssh-cert: into FILE and FILE-cert.pub instead" },
	{ "json", 0, COMMAND_FLAG, offsetof(struct get_words, json), 0, 0, NULL, "JSON" },
};

static int read_wish(const struct get_words *w, const char *name, const struct directory *dir, struct issue_wish *ret)
{
	size_t i;

	*ret = (struct issue_wish){ .ttl = (int64_t)w->ttl, .n_acc = w->accounts.n, .n_nod = w->nodes.n };
	if (w->output != NULL && !w->ssh_cert)
		return command_usage_error(name, "--output goes with --ssh-cert: a credential alone is kept where cluster-login ssh finds it");
	if (w->renew && (w->ttl > 0 || w->accounts.n > 0 || w->nodes.n > 0 || w->ssh_cert))
		return command_usage_error(name, "--renew asks for one like the one in hand: it goes with none of --ttl, --for, --on and --ssh-cert");
	if (w->accounts.n > CREDENTIAL_ACC_MAX || w->nodes.n > CREDENTIAL_NOD_MAX)
		return command_usage_error(name, "at most %d accounts and %d nodes or roles", CREDENTIAL_ACC_MAX, CREDENTIAL_NOD_MAX);
	for (i = 0; i < w->accounts.n; i++) {
		if (!name_account_ok(w->accounts.item[i]))
			return command_usage_error(name, "--for %s: not the name of an account", w->accounts.item[i]);
		(void)snprintf(ret->acc[i], sizeof ret->acc[i], "%s", w->accounts.item[i]);
	}
	for (i = 0; i < w->nodes.n; i++) {
		const char *s = w->nodes.item[i];

		if (strcmp(s, "any") == 0 || !resolve_selector(dir, s, ret->nod[i], sizeof ret->nod[i]) || !directory_selector_ok(ret->nod[i]))
			return command_usage_error(name, "--on %s: neither a node nor role:ROLE", s);
	}
	return COMMAND_GO;
}

/* Where the certificate is now. */
static int print_certificate(const struct profile *p, const struct certificate *c, const struct get_words *w, const char *cluster_name)
{
	const char *place = w->output != NULL ? w->output : "ssh-agent";
	struct json *out;

	if (w->json) {
		out = in_hand_json(p, &c->wallet.claims, cluster_name);
		if (out != NULL && json_set(out, "certificate", json_make("{s:I, s:s, s:s, s:s, s:s}", "serial", (long long)c->facts.serial, "key_id", c->facts.key_id, "fingerprint", c->facts.key,
		    "ca", c->facts.ca, "in", place)) != CLUSTER_OK) {
			json_free(out);
			out = NULL;
		}
		return out_json(out);
	}
	out_line("certificate serial %llu, in %s%s until it expires", (unsigned long long)c->facts.serial, w->output != NULL ? "" : "the ", place);
	return in_hand_print(p, &c->wallet.claims, cluster_name, NULL, false);
}

/* What helps when the authority gives nothing. */
static const char *next_of(const struct diag *d)
{
	enum cluster_err e = d->code;

	if (strstr(d->text, "/" PROFILE_DEVICE_KEY) != NULL && e == CLUSTER_ENOTFOUND)
		return "cluster-login setup URL --pin sha256:... --code CODE --force (a lost key: an administrator removes the device and invites again)";
	if (strstr(d->text, "/" PROFILE_DEVICE_KEY) != NULL && e == CLUSTER_EUNTRUSTED)
		return "chmod 600 on that file; if others may have read it, have the device revoked and set up again";
	if (e == CLUSTER_EUNAVAIL)
		return "cluster-login show --offline (what is in hand serves until it expires, also without the authority)";
	if (e == CLUSTER_EREVOKED || e == CLUSTER_EDENIED)
		return "ask an administrator, who sees why with: cluster-login audit; a new device needs: cluster-login user invite";
	return NULL;
}

static int get_certificate(const struct profile *p, const struct get_words *w, const struct issue_wish *wish)
{
	struct certificate *c = calloc(1, sizeof *c);
	struct ssh_agent *agent = NULL;
	struct view *v = NULL;
	int status = EXIT_DONE;
	struct diag d;

	diag_clear(&d);
	/* the agent first: nothing is asked for that cannot be kept */
	if (c == NULL)
		status = out_failed(&(struct diag){ .code = CLUSTER_ENOMEM }, NULL);
	else if (w->output == NULL && ssh_agent_open(NULL, &agent, &d) != CLUSTER_OK)
		status = out_failed(&d, TRY_AGENT);
	else if (issue_certificate(p, wish, c, &v, &d) != CLUSTER_OK)
		status = out_failed(&d, next_of(&d));
	else if (w->output != NULL && certificate_to_file(p, c, w->output, &d) != CLUSTER_OK)
		status = out_failed(&d, NULL);
	else if (w->output == NULL && certificate_to_agent(p, c, agent, &d) != CLUSTER_OK)
		status = out_failed(&d, TRY_AGENT);
	else
		status = print_certificate(p, c, w, v->root.name);
	view_free(v);
	if (c != NULL)
		certificate_done(c);
	free(c);
	ssh_agent_close(agent);
	return status;
}

/* Does a credential that was narrowed to nodes reach this one? */
static bool reaches(const struct credential *c, const struct directory_node *node)
{
	for (size_t i = 0; i < c->n_nod; i++) {
		if (directory_selects(c->nod[i], node))
			return true;
	}
	return c->n_nod == 0;
}

/* The next command, with an account and a node that go together. */
static void print_next(const struct profile *p, const struct credential *c, const struct view *v)
{
	struct accounts a = { 0 };
	const struct json *rows;

	if (accounts_load(p, &a) != CLUSTER_OK)
		return;
	rows = json_member(a.from, "accounts");
	for (size_t i = 0; i < json_count(rows); i++) {
		const char *account = accounts_row_name(json_at(rows, i));

		if (account == NULL || !in_hand_serves(c, account))
			continue;
		for (size_t k = 0; k < v->dir->n_nodes; k++) {
			const struct directory_node *node = &v->dir->nodes[k];

			if (!reaches(c, node) || !accounts_row_covers(json_at(rows, i), node))
				continue;
			out_note("Log on:     cluster-login ssh %s@%s", account, node->name);
			goto out;
		}
	}
out:
	accounts_done(&a);
}

/* What was asked for and is not what was given, or cannot serve as things are. */
static void print_but(const struct get_words *w, const struct credential *c, const struct view *v)
{
	char life[40];

	if (w->ttl > 0 && c->exp - c->iat < (int64_t)w->ttl) {
		moment_span(c->exp - c->iat, life, sizeof life);
		out_note("Not longer than %s: so say your grants, or the authority.", life);
	}
	for (size_t i = 0; i < c->n_nod; i++) {
		if (strncmp(c->nod[i], "node:", 5) == 0 && resolve_node(v->dir, c->nod[i] + 5) == NULL)
			out_note("No node is called %s so far: cluster-login nodes", c->nod[i] + 5);
	}
}

static enum cluster_err get(const struct profile *p, const struct get_words *w, const struct issue_wish *wish, struct wallet *ret, struct view **ret_view, struct diag *d)
{
	return w->renew ? renewal_ensure(p, ret, ret_view, d) : issue_all(p, wish, ret, ret_view, d);
}

static int run_get(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct get_words w = { 0 };
	struct wallet wallet = { 0 };
	struct issue_wish wish;
	struct view *v = NULL;
	struct profile p;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, profile_next(d.code));
	if (w.nodes.n > 0 && view_load(&p, &v, NULL) != CLUSTER_OK)
		v = NULL; /* names are then taken as they are */
	status = read_wish(&w, argv[0], v != NULL ? v->dir : NULL, &wish);
	view_free(v);
	v = NULL;
	if (status != COMMAND_GO)
		return status;
	if (w.ssh_cert)
		return get_certificate(&p, &w, &wish);
	if (get(&p, &w, &wish, &wallet, &v, &d) != CLUSTER_OK)
		return out_failed(&d, next_of(&d));
	status = in_hand_print(&p, &wallet.claims, v->root.name, NULL, w.json);
	print_but(&w, &wallet.claims, v);
	if (!w.json && status == EXIT_DONE)
		print_next(&p, &wallet.claims, v);
	view_free(v);
	wallet_done(&wallet);
	return status;
}

const struct command cmd_get = {
	.run = run_get,
	.usage = "",
	.example = "  cluster-login get\n"
		   "  cluster-login get --ttl 15m --for emr-user --on master-1-1\n"
		   "  cluster-login get --ssh-cert && ssh -o BatchMode=yes emr-user@master-1-1 uptime\n"
		   "  cluster-login get --renew\n"
		   "\nAsks for a short-lived credential with the device's key, fetches the signed list of nodes, and prints who you are, where you may log on and until when.\n"
		   "With --ssh-cert the credential comes as an OpenSSH certificate, for what asks no questions: BatchMode, Ansible, IDEs. Its key is made in memory and goes\n"
		   "to the ssh-agent, which forgets both when they expire; a new one takes the place of the one before. --output is for machines without an agent: whoever\n"
		   "can read FILE is you until it expires.\n",
	COMMAND_OPTIONS(get_options),
};
