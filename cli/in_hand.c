/* SPDX-License-Identifier: Apache-2.0 */
#include "in_hand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "accounts.h"
#include "certificate.h"
#include "cluster/json.h"
#include "cluster/moment.h"
#include "cluster/secret.h"
#include "exit.h"
#include "out.h"
#include "ssh_agent.h"
#include "standing.h"
#include "table.h"

#define ACCOUNTS_MAX ((size_t)1 << 20)

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

struct json *in_hand_json(const struct profile *p, const struct credential *c, const char *cluster_name)
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

bool in_hand_serves(const struct credential *c, const char *account)
{
	for (size_t i = 0; i < c->n_acc; i++) {
		if (strcmp(c->acc[i], account) == 0)
			return true;
	}
	return c->n_acc == 0;
}

static int print_accounts(const struct credential *c, const struct json *me)
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
		const char *account = accounts_row_name(row);

		if (account == NULL || !in_hand_serves(c, account))
			continue;
		join_words(json_member(row, "nodes"), nodes, sizeof nodes);
		table_cell(t, "%s", account);
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

/* One more member; NULL, and everything freed, when out of memory. Takes `value`. */
static struct json *with(struct json *out, const char *name, struct json *value)
{
	if (out != NULL && json_set(out, name, value) == CLUSTER_OK)
		return out;
	if (out == NULL)
		json_free(value);
	json_free(out);
	return NULL;
}

static int print_json(const struct profile *p, const struct credential *c, const char *cluster_name, const struct standing *s, const struct json *me)
{
	struct json *out = in_hand_json(p, c, cluster_name), *certificates = json_list();

	if (me != NULL)
		out = with(out, "accounts", json_make("O", json_member(me, "accounts")));
	(void)in_hand_certificates(p, certificates);
	out = with(out, "certificates", certificates);
	if (s != NULL) {
		out = with(out, "standing", json_make("s", standing_word(s->kind)));
		out = with(out, "standing_detail", json_make("s", s->why));
		out = with(out, "revoked", s->kind == STANDING_GOOD ? json_make("b", 0) : s->kind == STANDING_REVOKED ? json_make("b", 1) : json_make("n"));
	}
	return out_json(out);
}

static void print_standing(const struct standing *s)
{
	switch (s->kind) {
	case STANDING_GOOD:
		out_line("revoked     no");
		break;
	case STANDING_REVOKED:
		out_line("revoked     yes: %s", s->why);
		break;
	case STANDING_REFUSED:
		out_line("refused     %s", s->why);
		break;
	case STANDING_UNKNOWN:
		out_line("revoked     unknown: %s", s->why);
		break;
	}
}

int in_hand_print(const struct profile *p, const struct credential *c, const char *cluster_name, const struct standing *s, bool json)
{
	struct json *me = load_accounts(p);
	char until[MOMENT_TEXT], left[40];
	int64_t now = time(NULL);
	int status;

	if (json) {
		status = print_json(p, c, cluster_name, s, me);
		json_free(me);
		return status;
	}
	moment_text(c->exp, until);
	moment_span(c->exp > now ? c->exp - now : 0, left, sizeof left);
	out_line("person      %s", p->name);
	out_line("cluster     %s", cluster_name);
	if (c->exp > now)
		out_line("valid until %s (%s left)", until, left);
	else
		out_line("expired     %s", until);
	if (s != NULL)
		print_standing(s);
	print_narrowed("only as     ", c->acc[0], c->n_acc, sizeof c->acc[0]);
	print_narrowed("only on     ", c->nod[0], c->n_nod, sizeof c->nod[0]);
	status = print_accounts(c, me);
	json_free(me);
	return status;
}

struct shown {
	struct json *list; /* NULL: lines */
	size_t n;
};

static void show_one(void *ctx, const struct certificate_held *h)
{
	struct shown *s = ctx;
	char until[MOMENT_TEXT];

	moment_text(h->claims.exp, until);
	s->n++;
	if (s->list == NULL)
		out_line("certificate serial %llu, in the ssh-agent until %s", (unsigned long long)h->facts.serial, until);
	else if (json_append(s->list, json_make("{s:I, s:s, s:s, s:I}", "serial", (long long)h->facts.serial, "key_id", h->facts.key_id, "fingerprint", h->facts.key, "expires",
	    (long long)h->claims.exp)) != CLUSTER_OK)
		s->n--;
}

size_t in_hand_certificates(const struct profile *p, struct json *list)
{
	struct shown s = { .list = list };
	struct ssh_agent *agent = NULL;

	if (ssh_agent_open(NULL, &agent, NULL) == CLUSTER_OK)
		(void)!certificate_each(p, agent, show_one, &s, NULL);
	ssh_agent_close(agent);
	return s.n;
}
