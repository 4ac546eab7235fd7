/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "admin_part.h"
#include "grants.h"
#include "record.h"

/* Grants (PROTOCOL.md 6.4, 3.4). */

#define SELECTOR_ROOM 80
#define LIST_MAX 256

struct wish {
	const struct json *accounts, *nodes, *from;
	const char *person, *role, *on_revoke, *on_expiry;
	int64_t ttl;
	bool sudo, onetime, hop;
};

static enum cluster_err wish_read(const struct json *in, struct wish *w, struct diag *d)
{
	struct json_field f[] = {
		{ .name = "person", .kind = JSON_KIND_TEXT, .optional = true, .dst = &w->person, .max = NAME_PERSON_MAX },
		{ .name = "role", .kind = JSON_KIND_TEXT, .optional = true, .dst = &w->role, .max = NAME_ROLE_MAX, .ok = name_role_ok },
		{ .name = "accounts", .kind = JSON_KIND_ARRAY, .dst = &w->accounts, .min = 1, .max = LIST_MAX },
		{ .name = "nodes", .kind = JSON_KIND_ARRAY, .optional = true, .dst = &w->nodes, .min = 1, .max = LIST_MAX },
		{ .name = "from", .kind = JSON_KIND_ARRAY, .optional = true, .dst = &w->from, .min = 1, .max = LIST_MAX },
		{ .name = "sudo", .kind = JSON_KIND_BOOL, .optional = true, .dst = &w->sudo },
		{ .name = "onetime", .kind = JSON_KIND_BOOL, .optional = true, .dst = &w->onetime },
		{ .name = "hop", .kind = JSON_KIND_BOOL, .optional = true, .dst = &w->hop },
		{ .name = "on_revoke", .kind = JSON_KIND_TEXT, .optional = true, .dst = &w->on_revoke, .max = 4 },
		{ .name = "on_expiry", .kind = JSON_KIND_TEXT, .optional = true, .dst = &w->on_expiry, .max = 4 },
		{ .name = "ttl", .kind = JSON_KIND_INT, .optional = true, .dst = &w->ttl, .min = 60, .max = 43200 },
	};
	enum cluster_err e = json_read(in, ADMIN_FIELDS(f), d);

	if (e != CLUSTER_OK)
		return e;
	if ((w->person != NULL) + (w->role != NULL) + (w->from != NULL) != 1)
		return diag_set(d, CLUSTER_EFORMAT, "a grant is to a person, to a role, or from nodes: say one of them");
	if (w->from && (!w->nodes || w->sudo || w->onetime || w->on_expiry || w->ttl))
		return diag_set(d, CLUSTER_EFORMAT, "a grant from nodes says to which nodes, and has no sudo, onetime, on_expiry or ttl");
	return CLUSTER_OK;
}

static enum cluster_err on_revoke_parse(const char *word, enum directory_on_revoke *ret, struct diag *d)
{
	static const char *const words[] = { [DIRECTORY_END] = "end", [DIRECTORY_WARN] = "warn", [DIRECTORY_KEEP] = "keep" };

	*ret = DIRECTORY_END;
	if (!word)
		return CLUSTER_OK;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret = (enum directory_on_revoke)i;
			return CLUSTER_OK;
		}
	}
	return diag_set(d, CLUSTER_EFORMAT, "on_revoke is end, warn or keep");
}

static enum cluster_err on_expiry_parse(const char *word, bool *ret_end, struct diag *d)
{
	if (word && strcmp(word, "keep") != 0 && strcmp(word, "end") != 0)
		return diag_set(d, CLUSTER_EFORMAT, "on_expiry is keep or end");
	*ret_end = word && strcmp(word, "end") == 0;
	return CLUSTER_OK;
}

/* A grant of an account that is not there would be of no use, and is most likely a slip; nor is a personal account a machine's. */
static enum cluster_err accounts_exist(struct change *ch, const struct directory_grant *g, struct diag *d)
{
	for (size_t i = 0; i < g->n_accounts; i++) {
		struct directory *dir = NULL;
		enum cluster_err e = record_get(ch->store, DIRECTORY_ACCOUNTS, g->accounts[i], &dir, NULL);
		bool personal = e == CLUSTER_OK && dir->accounts[0].personal;

		directory_free(dir);
		if (e == CLUSTER_ENOTFOUND)
			return diag_set(d, e, "there is no account \"%s\"", g->accounts[i]);
		if (e != CLUSTER_OK)
			return diag_set(d, e, "account \"%s\" cannot be read: %s", g->accounts[i], err_name(e));
		if (personal && g->n_from)
			return diag_set(d, CLUSTER_EVERSION, "\"%s\" is a person's own account: machines do not hop to it", g->accounts[i]);
	}
	return CLUSTER_OK;
}

static enum cluster_err grant_put(struct change *ch, const struct directory_grant *g, struct diag *d)
{
	char key[GRANTS_KEY_MAX], id[ID_TEXT + 1];
	enum cluster_err e;

	id_text(&g->id, id);
	grants_key(g, key);
	if ((e = accounts_exist(ch, g, d)) != CLUSTER_OK || (e = change_add(ch, DIRECTORY_GRANTS, id, directory_grant_json(g), d)) != CLUSTER_OK)
		return e;
	e = store_add(ch->store, STORE_GRANT_TO, key, "", 0);
	return e == CLUSTER_OK ? e : change_store_error(ch, e, d);
}

/* The record of a wish; accounts and node selectors are given. */
static enum cluster_err grant_make(struct change *ch, const struct wish *w, struct directory_grant *g, struct diag *d)
{
	char id[ID_TEXT + 1];
	enum cluster_err e;

	g->to_role = w->role != NULL;
	g->sudo = w->sudo;
	g->onetime = w->onetime;
	g->hop = w->hop || w->from;
	g->ttl = (uint32_t)w->ttl;
	if (w->role)
		memcpy(g->role, w->role, strlen(w->role) + 1);
	else if (w->person && ((e = record_find(ch->store, DIRECTORY_PEOPLE, w->person, id, d)) != CLUSTER_OK || (e = id_parse(id, &g->person)) != CLUSTER_OK))
		return e;
	if ((e = on_revoke_parse(w->on_revoke, &g->on_revoke, d)) != CLUSTER_OK || (e = on_expiry_parse(w->on_expiry, &g->end_at_expiry, d)) != CLUSTER_OK)
		return e;
	return crypto_random(g->id.b, sizeof g->id.b);
}

/* Selectors, as a record wants them. */
struct selectors {
	void *rows;
	char **at;
};

/* `otherwise` is the one where none is given, or NULL. */
static enum cluster_err selectors_read(const struct json *list, const char *what, const char *otherwise, struct selectors *ret, size_t *ret_n, struct diag *d)
{
	enum cluster_err e;
	size_t n = 0;

	if ((e = admin_rows(list, SELECTOR_ROOM, what, &ret->rows, &n, d)) != CLUSTER_OK)
		return e;
	if (n == 0 && otherwise) {
		if (!(ret->rows = calloc(1, SELECTOR_ROOM)))
			return CLUSTER_ENOMEM;
		memcpy(ret->rows, otherwise, strlen(otherwise));
		n = 1;
	}
	if (!(ret->at = calloc(n + 1, sizeof *ret->at)))
		return CLUSTER_ENOMEM;
	for (size_t i = 0; i < n; i++)
		ret->at[i] = (char *)ret->rows + i * SELECTOR_ROOM;
	*ret_n = n;
	return CLUSTER_OK;
}

static void selectors_done(struct selectors *s)
{
	free(s->at);
	free(s->rows);
}

enum cluster_err admin_grant_add(struct call *c, struct json **ret, struct diag *d)
{
	struct directory_grant g = { .to_role = false };
	struct selectors nodes = { .rows = NULL }, from = { .rows = NULL };
	struct wish w = { .person = NULL };
	char id[ID_TEXT + 1];
	void *accounts = NULL;
	struct change ch = { 0 };
	int64_t version = 0;
	enum cluster_err e;

	if ((e = wish_read(c->in, &w, d)) != CLUSTER_OK || (e = admin_rows(w.accounts, sizeof *g.accounts, "accounts", &accounts, &g.n_accounts, d)) != CLUSTER_OK ||
	    (e = selectors_read(w.nodes, "nodes", "any", &nodes, &g.n_nodes, d)) != CLUSTER_OK || (e = selectors_read(w.from, "from", NULL, &from, &g.n_from, d)) != CLUSTER_OK)
		goto out;
	g.accounts = accounts;
	g.nodes = nodes.at;
	g.from = from.at;
	if ((e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK || (e = grant_make(&ch, &w, &g, d)) != CLUSTER_OK ||
	    (e = grant_put(&ch, &g, d)) != CLUSTER_OK)
		goto out;
	id_text(&g.id, id);
	if ((e = change_commit(&ch, &(struct change_audit){ c->actor, "grant/add", id, "ok" }, &version, d)) != CLUSTER_OK)
		goto out;
	*ret = json_make("{s:s, s:I}", "grant", id, "version", (long long)version);
out:
	change_done(&ch);
	selectors_done(&from);
	selectors_done(&nodes);
	free(accounts);
	return e;
}

struct listing {
	struct call *call;
	struct json *list;
};

static enum cluster_err list_one(void *ctx, const struct directory *dir)
{
	const struct directory_grant *g = &dir->grants[0];
	struct json *j = directory_grant_json(g);
	struct listing *l = ctx;
	struct directory *who = NULL;
	char id[ID_TEXT + 1];
	enum cluster_err e = CLUSTER_OK;

	id_text(&g->person, id);
	if (!g->to_role && !g->n_from && record_get(l->call->a->store, DIRECTORY_PEOPLE, id, &who, NULL) == CLUSTER_OK)
		e = json_set(j, "person_name", json_make("s", who->people[0].name));
	directory_free(who);
	if (e != CLUSTER_OK) {
		json_free(j);
		return e;
	}
	return json_append(l->list, j);
}

enum cluster_err admin_grant_list(struct call *c, struct json **ret, struct diag *d)
{
	struct listing l = { .call = c, .list = json_list() };
	enum cluster_err e;

	if ((e = json_read(c->in, NULL, 0, d)) != CLUSTER_OK || (e = admin_each(c, DIRECTORY_GRANTS, list_one, &l, d)) != CLUSTER_OK) {
		json_free(l.list);
		return e;
	}
	*ret = json_make("{s:o}", "grants", l.list);
	return CLUSTER_OK;
}

enum cluster_err admin_grant_drop(struct change *ch, const struct directory_grant *g, struct diag *d)
{
	char key[GRANTS_KEY_MAX], id[ID_TEXT + 1];
	enum cluster_err e;

	id_text(&g->id, id);
	grants_key(g, key);
	if ((e = store_delete(ch->store, STORE_GRANT_TO, key)) != CLUSTER_OK)
		return change_store_error(ch, e, d);
	return change_remove(ch, DIRECTORY_GRANTS, id, d);
}

enum cluster_err admin_grant_remove(struct call *c, struct json **ret, struct diag *d)
{
	const char *id = NULL;
	struct json_field f[] = { { .name = "grant", .kind = JSON_KIND_TEXT, .dst = &id, .max = ID_TEXT } };
	struct directory *dir = NULL;
	struct change ch = { 0 };
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK ||
	    (e = record_get(ch.store, DIRECTORY_GRANTS, id, &dir, d)) != CLUSTER_OK || (e = admin_grant_drop(&ch, &dir->grants[0], d)) != CLUSTER_OK)
		goto out;
	e = admin_commit(c, &ch, "grant/remove", id, ret, d);
out:
	change_done(&ch);
	directory_free(dir);
	return e;
}
