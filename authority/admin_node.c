/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "admin_part.h"
#include "join.h"
#include "nodes.h"
#include "record.h"
#include "ticket.h"

/* Nodes (PROTOCOL.md 6.4). */

#define TOKEN_SECONDS 3600
#define TOKEN_MAX 604800

static enum cluster_err token_put(struct change *ch, const char *name, const struct json *roles, int64_t expires, char token[TICKET_TEXT_MAX], struct diag *d)
{
	struct json *j = json_make("{s:I, s:s*, s:O}", "expires", (long long)expires, "name", name, "roles", roles);
	char key[TICKET_KEY + 1];
	char *text = NULL;
	enum cluster_err e;
	size_t n = 0;

	if ((e = ticket_make(STORE_TOKEN, token)) == CLUSTER_OK && (e = ticket_key(STORE_TOKEN, token, key)) == CLUSTER_OK && (e = json_text(j, &text, &n)) == CLUSTER_OK)
		e = store_add(ch->store, STORE_TOKEN, key, text, n);
	free(text);
	json_free(j);
	return e == CLUSTER_OK ? e : change_store_error(ch, e, d);
}

/* `name` may be NULL. */
static enum cluster_err names_check(const struct change *ch, const char *name, const struct json *roles, struct diag *d)
{
	enum cluster_err e = name ? join_node_name(ch, name, d) : CLUSTER_OK;

	for (size_t i = 0; i < json_count(roles) && e == CLUSTER_OK; i++) {
		const char *role = json_string_at(roles, i);

		if (role && name && strcmp(role, name) == 0)
			e = diag_set(d, CLUSTER_EVERSION, "\"%s\" cannot be both the node's name and its role", name);
		else if (role)
			e = join_role_name(ch, role, d);
	}
	return e;
}

enum cluster_err admin_node_token(struct call *c, struct json **ret, struct diag *d)
{
	const struct json *roles = NULL;
	const char *name = NULL;
	int64_t ttl = TOKEN_SECONDS;
	struct json_field f[] = {
		{ .name = "roles", .kind = JSON_KIND_ARRAY, .dst = &roles, .max = DIRECTORY_ROLES_MAX },
		{ .name = "name", .kind = JSON_KIND_TEXT, .optional = true, .dst = &name, .max = NAME_NODE_MAX, .ok = name_node_ok },
		{ .name = "ttl", .kind = JSON_KIND_INT, .optional = true, .dst = &ttl, .min = 10, .max = TOKEN_MAX },
	};
	char token[TICKET_TEXT_MAX] = "", pin[DOCUMENT_PIN_TEXT + 1];
	struct change ch = { 0 };
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < json_count(roles); i++) {
		if (!json_string_at(roles, i) || !name_role_ok(json_string_at(roles, i)))
			return diag_set(d, CLUSTER_EFORMAT, "roles: element %zu is not the name of a role", i);
	}
	if ((e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK || (e = names_check(&ch, name, roles, d)) != CLUSTER_OK || (e = ticket_sweep(ch.store, STORE_TOKEN, c->now)) != CLUSTER_OK ||
	    (e = token_put(&ch, name, roles, c->now + ttl, token, d)) != CLUSTER_OK ||
	    (e = change_commit_quietly(&ch, &(struct change_audit){ c->actor, "node/token", name ? name : "", "ok" }, d)) != CLUSTER_OK)
		goto out;
	document_pin_text(c->a->pin, pin);
	*ret = json_make("{s:I, s:s, s:s, s:s}", "expires", (long long)(c->now + ttl), "pin", pin, "token", token, "url", c->a->url);
out:
	change_done(&ch);
	explicit_bzero(token, sizeof token);
	return e;
}

struct listing {
	struct call *call;
	struct json *list;
};

static enum cluster_err list_one(void *ctx, const struct directory *dir)
{
	const struct directory_node *n = &dir->nodes[0];
	struct listing *l = ctx;
	const struct nodes_one *o = nodes_find(l->call->a->nodes, &n->id);
	char id[ID_TEXT + 1];

	id_text(&n->id, id);
	return json_append(l->list, json_make("{s:o, s:I, s:I, s:s, s:b, s:s, s:b, s:o, s:I, s:I}", "addresses", admin_list(n->addresses, n->n_addresses, sizeof *n->addresses), "applied",
	    o ? (long long)nodes_applied(o) : 0LL, "ended", o ? (long long)nodes_ended(o) : 0LL, "id", id, "leader", n->leader, "name", n->name,
	    "reachable", o && nodes_reachable(l->call->a->nodes, o, l->call->now), "roles", admin_list(n->roles, n->n_roles, sizeof *n->roles), "seen", o ? (long long)o->seen : 0LL,
	    "sessions", o ? (long long)o->live.n : 0LL));
}

enum cluster_err admin_node_list(struct call *c, struct json **ret, struct diag *d)
{
	struct listing l = { .call = c, .list = json_list() };
	enum cluster_err e;

	if ((e = json_read(c->in, NULL, 0, d)) != CLUSTER_OK || (e = admin_each(c, DIRECTORY_NODES, list_one, &l, d)) != CLUSTER_OK) {
		json_free(l.list);
		return e;
	}
	*ret = json_make("{s:I, s:o}", "head", (long long)c->a->published->head_version, "nodes", l.list);
	return CLUSTER_OK;
}

static enum cluster_err node_get(struct change *ch, const char *which, char id[ID_TEXT + 1], struct directory **ret, struct diag *d)
{
	enum cluster_err e = record_find(ch->store, DIRECTORY_NODES, which, id, d);

	return e == CLUSTER_OK ? record_get(ch->store, DIRECTORY_NODES, id, ret, d) : e;
}

static enum cluster_err leader_one(void *ctx, const struct directory *dir)
{
	char id[ID_TEXT + 1];

	if (!dir->nodes[0].leader)
		return CLUSTER_OK;
	id_text(&dir->nodes[0].id, id);
	return json_append(ctx, json_make("s", id));
}

/* There is one leader at a time. */
static enum cluster_err no_other_leader(struct call *c, struct change *ch, struct diag *d)
{
	struct json *leaders = json_list();
	struct directory *dir = NULL;
	enum cluster_err e = admin_each(c, DIRECTORY_NODES, leader_one, leaders, d);

	for (size_t i = 0; e == CLUSTER_OK && i < json_count(leaders); i++) {
		const char *id = json_string_at(leaders, i);

		if ((e = record_get(ch->store, DIRECTORY_NODES, id, &dir, d)) != CLUSTER_OK)
			break;
		dir->nodes[0].leader = false;
		e = change_put(ch, DIRECTORY_NODES, id, directory_node_json(&dir->nodes[0]), d);
		directory_free(dir);
		dir = NULL;
	}
	json_free(leaders);
	return e;
}

struct node_wish {
	const char *node, *jump;
	const struct json *roles;
	bool leader, has_leader;
};

/* Writes the node as wished; an empty jump takes it away. */
static enum cluster_err node_change(struct call *c, struct change *ch, const struct node_wish *w, const struct directory_node *old, struct diag *d)
{
	struct directory_node n = *old;
	char id[ID_TEXT + 1];
	void *rows = NULL;
	enum cluster_err e;

	if (w->roles) {
		n.n_roles = 0;
		if ((e = admin_rows(w->roles, sizeof *n.roles, "roles", &rows, &n.n_roles, d)) != CLUSTER_OK)
			return e;
		n.roles = rows;
	}
	if (w->jump)
		n.jump = w->jump[0] ? (char *)(uintptr_t)w->jump : NULL;
	if (w->has_leader)
		n.leader = w->leader;
	id_text(&n.id, id);
	e = w->roles ? names_check(ch, NULL, w->roles, d) : CLUSTER_OK;
	if (e == CLUSTER_OK && w->has_leader && w->leader)
		e = no_other_leader(c, ch, d);
	if (e == CLUSTER_OK)
		e = change_put(ch, DIRECTORY_NODES, id, directory_node_json(&n), d);
	free(rows);
	return e;
}

enum cluster_err admin_node_set(struct call *c, struct json **ret, struct diag *d)
{
	struct node_wish w = { .node = NULL };
	struct json_field f[] = {
		{ .name = "node", .kind = JSON_KIND_TEXT, .dst = &w.node, .max = NAME_NODE_MAX },
		{ .name = "leader", .kind = JSON_KIND_BOOL, .optional = true, .dst = &w.leader, .present = &w.has_leader },
		{ .name = "jump", .kind = JSON_KIND_TEXT, .optional = true, .dst = &w.jump, .max = 255 },
		{ .name = "roles", .kind = JSON_KIND_ARRAY, .optional = true, .dst = &w.roles, .max = DIRECTORY_ROLES_MAX },
	};
	struct directory *dir = NULL;
	struct change ch = { 0 };
	char id[ID_TEXT + 1];
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK || (e = node_get(&ch, w.node, id, &dir, d)) != CLUSTER_OK ||
	    (e = node_change(c, &ch, &w, &dir->nodes[0], d)) != CLUSTER_OK)
		goto out;
	e = admin_commit(c, &ch, "node/set", dir->nodes[0].name, ret, d);
out:
	change_done(&ch);
	directory_free(dir);
	return e;
}

enum cluster_err admin_node_remove(struct call *c, struct json **ret, struct diag *d)
{
	const char *which = NULL;
	struct json_field f[] = { { .name = "node", .kind = JSON_KIND_TEXT, .dst = &which, .max = NAME_NODE_MAX } };
	struct directory *dir = NULL;
	struct change ch = { 0 };
	char id[ID_TEXT + 1];
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK || (e = node_get(&ch, which, id, &dir, d)) != CLUSTER_OK)
		goto out;
	if ((e = join_release(&ch, &dir->nodes[0])) != CLUSTER_OK) {
		change_store_error(&ch, e, d);
		goto out;
	}
	if ((e = change_buried(&ch, REVOKE_NODE, id, d)) == CLUSTER_OK && (e = change_remove(&ch, DIRECTORY_NODES, id, d)) == CLUSTER_OK)
		e = admin_commit(c, &ch, "node/remove", dir->nodes[0].name, ret, d);
out:
	change_done(&ch);
	directory_free(dir);
	return e;
}
