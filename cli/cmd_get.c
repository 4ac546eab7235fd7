/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/directory.h"
#include "cluster/json.h"
#include "cluster/moment.h"
#include "cluster/secret.h"
#include "cmd.h"
#include "issue.h"
#include "out.h"
#include "table.h"
#include "view.h"

#define ACCOUNTS_MAX ((size_t)1 << 20)

/* ---- what is in hand ---- */

static struct json *texts(const char *first, size_t n, size_t stride)
{
	struct json *list = json_list();
	size_t i;

	for (i = 0; i < n && list != NULL; i++) {
		if (json_append(list, json_make("s", first + i * stride)) != CLUSTER_OK) {
			json_free(list);
			list = NULL;
		}
	}
	return list;
}

static struct json *load_accounts(const struct profile *p)
{
	struct secret *text = NULL;
	struct json *j = NULL;

	if (profile_read(p, PROFILE_ACCOUNTS, false, &text, NULL) == CLUSTER_OK)
		(void)!json_parse((const char *)text->bytes, text->n, ACCOUNTS_MAX, &j, NULL);
	secret_free(text);
	return j;
}

static struct json *credential_json(const struct profile *p, const struct credential *c, const char *cluster_name)
{
	char cluster[ID_TEXT + 1], person[ID_TEXT + 1], device[ID_TEXT + 1], jti[ID_TEXT + 1];
	int64_t now = time(NULL);

	id_text(&c->cluster, cluster);
	id_text(&c->person, person);
	id_text(&c->device, device);
	id_text(&c->jti, jti);
	return json_make("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:s}", "cluster", cluster, "cluster_name", cluster_name, "person", person, "name", p->name,
	    "device", device, "jti", jti, "issued", (long long)c->iat, "expires", (long long)c->exp, "authenticated", (long long)c->auth_time, "left",
	    (long long)(c->exp > now ? c->exp - now : 0), "valid", c->exp > now && c->nbf <= now, "accounts_only", texts(c->acc[0], c->n_acc, sizeof c->acc[0]), "nodes_only",
	    texts(c->nod[0], c->n_nod, sizeof c->nod[0]), "url", p->url);
}

static void join_words(const struct json *list, char *dst, size_t size)
{
	size_t i, n = 0;

	dst[0] = '\0';
	for (i = 0; i < json_count(list) && n < size; i++) {
		const char *s = json_string_at(list, i);
		int k = snprintf(dst + n, size - n, "%s%s", i > 0 ? " " : "", s != NULL ? s : "?");

		n += k > 0 ? (size_t)k : 0;
	}
}

static int print_accounts(const struct json *me)
{
	static const char *const columns[] = { "ACCOUNT", "ON", "SUDO", NULL };
	const struct json *list = json_member(me, "accounts");
	struct table *t;
	char nodes[600];
	size_t i;

	if (json_count(list) == 0) {
		out_line("accounts    none: no grant names this person yet");
		return EXIT_DONE;
	}
	t = table_new(columns);
	for (i = 0; i < json_count(list); i++) {
		const struct json *row = json_at(list, i);
		const char *account = json_member_text(row, "account");

		join_words(json_member(row, "nodes"), nodes, sizeof nodes);
		table_cell(t, "%s", account != NULL ? account : "?");
		table_cell(t, "%s", nodes);
		table_cell(t, "%s", json_member_bool(row, "sudo", false) ? "yes" : "");
	}
	return table_end(t);
}

static void print_narrowed(const char *label, const char *first, size_t n, size_t stride)
{
	char text[600];
	size_t i, at = 0;

	for (i = 0; i < n && at < sizeof text; i++) {
		int k = snprintf(text + at, sizeof text - at, "%s%s", i > 0 ? " " : "", first + i * stride);

		at += k > 0 ? (size_t)k : 0;
	}
	if (n > 0)
		out_line("%s%s", label, text);
}

static int print_credential(const struct profile *p, const struct credential *c, const char *cluster_name, bool json)
{
	struct json *me = load_accounts(p), *out;
	char until[MOMENT_TEXT], left[40];
	int64_t now = time(NULL);
	int status;

	if (json) {
		out = credential_json(p, c, cluster_name);
		if (out != NULL && me != NULL && json_set(out, "accounts", json_make("O", json_member(me, "accounts"))) != CLUSTER_OK) {
			json_free(out);
			out = NULL;
		}
		json_free(me);
		return out_json(out);
	}
	moment_text(c->exp, until);
	moment_span(c->exp > now ? c->exp - now : 0, left, sizeof left);
	out_line("person      %s", p->name);
	out_line("cluster     %s", cluster_name);
	if (c->exp > now)
		out_line("valid until %s (%s left)", until, left);
	else
		out_line("expired     %s", until);
	print_narrowed("only as     ", c->acc[0], c->n_acc, sizeof c->acc[0]);
	print_narrowed("only on     ", c->nod[0], c->n_nod, sizeof c->nod[0]);
	status = print_accounts(me);
	json_free(me);
	return status;
}

/* ---- get ---- */

struct get_words {
	uint64_t ttl;
	struct command_list accounts, nodes;
	bool json;
};

static const struct command_option get_options[] = {
	{ "ttl", 0, COMMAND_SECONDS, offsetof(struct get_words, ttl), 60, CREDENTIAL_LIFE_MAX, "TIME", "life, such as 15m or 8h; the authority has the last word" },
	{ "for", 0, COMMAND_LIST, offsetof(struct get_words, accounts), 0, 0, "ACCOUNT", "only for this account; may be given again" },
	{ "on", 0, COMMAND_LIST, offsetof(struct get_words, nodes), 0, 0, "NODE", "only on this node, or on role:ROLE; may be given again" },
	{ "json", 0, COMMAND_FLAG, offsetof(struct get_words, json), 0, 0, NULL, "JSON" },
};

static int read_wish(const struct get_words *w, const char *name, struct issue_wish *ret)
{
	size_t i;

	*ret = (struct issue_wish){ .ttl = (int64_t)w->ttl, .n_acc = w->accounts.n, .n_nod = w->nodes.n };
	if (w->accounts.n > CREDENTIAL_ACC_MAX || w->nodes.n > CREDENTIAL_NOD_MAX)
		return command_usage_error(name, "at most %d accounts and %d nodes or roles", CREDENTIAL_ACC_MAX, CREDENTIAL_NOD_MAX);
	for (i = 0; i < w->accounts.n; i++) {
		if (!name_account_ok(w->accounts.item[i]))
			return command_usage_error(name, "--for %s: not the name of an account", w->accounts.item[i]);
		(void)snprintf(ret->acc[i], sizeof ret->acc[i], "%s", w->accounts.item[i]);
	}
	for (i = 0; i < w->nodes.n; i++) {
		const char *s = w->nodes.item[i];
		int n = snprintf(ret->nod[i], sizeof ret->nod[i], "%s%s", strchr(s, ':') == NULL ? "node:" : "", s);

		if (n < 0 || (size_t)n >= sizeof ret->nod[i] || !directory_selector_ok(ret->nod[i]) || strcmp(s, "any") == 0)
			return command_usage_error(name, "--on %s: neither a node nor role:ROLE", s);
	}
	return COMMAND_GO;
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

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO || (status = read_wish(&w, argv[0], &wish)) != COMMAND_GO)
		return status;
	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, CMD_TRY_SETUP);
	if (issue_all(&p, &wish, &wallet, &v, &d) != CLUSTER_OK)
		return out_failed(&d, NULL);
	status = print_credential(&p, &wallet.claims, v->root.name, w.json);
	view_free(v);
	wallet_done(&wallet);
	return status;
}

const struct command cmd_get = {
	.run = run_get,
	.usage = "",
	.example = "  cluster-login get\n"
		   "  cluster-login get --ttl 15m --for emr-user --on master-1-1\n"
		   "\nAsks for a short-lived credential with the device's key, fetches the signed list of nodes, and prints who you are, where you may log on and until when.\n",
	COMMAND_OPTIONS(get_options),
};

/* ---- show, whoami, drop ---- */

struct show_words {
	bool json;
};

static const struct command_option show_options[] = {
	{ "json", 0, COMMAND_FLAG, offsetof(struct show_words, json), 0, 0, NULL, "JSON" },
};

static int run_show(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct show_words w = { 0 };
	struct wallet wallet = { 0 };
	struct view *v = NULL;
	struct profile p;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, CMD_TRY_SETUP);
	if (wallet_load(&p, &wallet, &d) != CLUSTER_OK || view_load(&p, &v, &d) != CLUSTER_OK)
		status = out_failed(&d, CMD_TRY_GET);
	else if ((status = print_credential(&p, &wallet.claims, v->root.name, w.json)) == EXIT_DONE && wallet.claims.exp <= time(NULL))
		status = EXIT_NO;
	view_free(v);
	wallet_done(&wallet);
	return status;
}

const struct command cmd_show = {
	.run = run_show,
	.usage = "",
	.example = "  cluster-login show\n\nPrints the credential in hand, from this machine's files alone. Exit status 1: none, or it has expired.\n",
	COMMAND_OPTIONS(show_options),
};

static int run_whoami(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct show_words w = { 0 };
	char person[ID_TEXT + 1], device[ID_TEXT + 1], cluster[ID_TEXT + 1];
	struct profile p;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, CMD_TRY_SETUP);
	id_text(&p.person, person);
	id_text(&p.device, device);
	id_text(&p.cluster, cluster);
	if (w.json)
		return out_json(json_make("{s:s, s:s, s:s, s:s, s:s}", "name", p.name, "person", person, "device", device, "cluster", cluster, "url", p.url));
	out_line("%s", p.name);
	return EXIT_DONE;
}

const struct command cmd_whoami = {
	.run = run_whoami,
	.usage = "",
	.example = "  cluster-login whoami\n",
	COMMAND_OPTIONS(show_options),
};

static int run_drop(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct profile p;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, NULL, &rest)) != COMMAND_GO)
		return status;
	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, CMD_TRY_SETUP);
	return wallet_drop(&p, &d) == CLUSTER_OK ? EXIT_DONE : out_failed(&d, NULL);
}

const struct command cmd_drop = {
	.run = run_drop,
	.usage = "",
	.example = "  cluster-login drop\n\nForgets the credential and its key. The device stays enrolled; others are told to refuse it by: cluster-login revoke device ID\n",
};
