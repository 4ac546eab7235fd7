/* SPDX-License-Identifier: Apache-2.0 */
#include "sessions.h"

#include <stdlib.h>
#include <string.h>

#include "admin_part.h"
#include "conn.h"
#include "head.h"
#include "nodes.h"
#include "record.h"

#define LIMIT_DEFAULT 10000
#define LIMIT_MAX 100000

enum cluster_err sessions_run(struct call *c, struct json **ret, struct diag *d)
{
	struct report *r = NULL;
	enum cluster_err e;

	if (c->head->query)
		return diag_set(d, CLUSTER_EFORMAT, "this call takes no query");
	if ((e = report_parse(conn_body(c->conn), c->head->body_n, &r, d)) != CLUSTER_OK)
		return e;
	if ((e = live_apply(&c->node->live, &c->a->nodes->sessions, r)) != CLUSTER_OK)
		diag_set(d, e, "out of memory");
	else
		*ret = json_make("{s:b}", "known", c->node->live.known);
	report_free(r);
	return e;
}

enum cluster_err sessions_each(const struct authority *a, sessions_visit *visit, void *ctx)
{
	struct nodes_one **sorted = NULL;
	struct report_session s;
	enum cluster_err e = nodes_by_name(a->nodes, &sorted);

	for (size_t i = 0; e == CLUSTER_OK && i < a->nodes->n; i++) {
		for (size_t k = 0; e == CLUSTER_OK && k < sorted[i]->live.n; k++) {
			live_get(&sorted[i]->live, k, &s);
			e = visit(ctx, sorted[i], &s);
		}
	}
	free(sorted);
	return e;
}

const char *sessions_person(const struct authority *a, const struct cluster_id *person, struct sessions_name *last)
{
	struct directory *dir = NULL;
	char id[ID_TEXT + 1];

	if (last->known && id_equal(&last->person, person))
		return last->name;
	id_text(person, id);
	last->known = true;
	last->person = *person;
	last->name[0] = '\0';
	if (record_get(a->store, DIRECTORY_PEOPLE, id, &dir, NULL) == CLUSTER_OK)
		memcpy(last->name, dir->people[0].name, sizeof last->name);
	directory_free(dir);
	return last->name;
}

/* The node from which a hop came, by the name that it had when it was last known. */
static enum cluster_err set_via(const struct authority *a, const struct report_session *s, struct json *j)
{
	const struct nodes_one *via = nodes_find(a->nodes, &s->source);
	char id[ID_TEXT + 1];

	id_text(&s->source, id);
	return json_set(j, "via", json_make("s", via ? via->name : id));
}

struct json *sessions_json(const struct authority *a, const struct nodes_one *node, const struct report_session *s, struct sessions_name *last)
{
	struct json *j = report_session_json(s);

	if (!j || json_set(j, "node", json_make("s", node->name)) != CLUSTER_OK || json_set(j, "person_name", json_make("s", sessions_person(a, &s->person, last))) != CLUSTER_OK ||
	    (s->kind == SESSION_HOP && set_via(a, s, j) != CLUSTER_OK)) {
		json_free(j);
		return NULL;
	}
	return j;
}

/* ---- sessions/list ---- */

struct listing {
	const struct authority *a;
	struct sessions_name last;
	struct json *list;
	const char *account;
	struct cluster_id person, node;
	bool of_person, of_node;
	int64_t n, limit;
};

static enum cluster_err list_one(void *ctx, const struct nodes_one *node, const struct report_session *s)
{
	struct listing *l = ctx;

	if ((l->of_node && !id_equal(&node->id, &l->node)) || (l->of_person && !id_equal(&s->person, &l->person)) || (l->account && strcmp(s->account, l->account) != 0))
		return CLUSTER_OK;
	if (l->n++ >= l->limit)
		return CLUSTER_OK;
	return json_append(l->list, sessions_json(l->a, node, s, &l->last));
}

/* A name or an id; an id also of somebody who is gone. */
static enum cluster_err find(struct call *c, enum directory_kind kind, const char *which, struct cluster_id *ret, struct diag *d)
{
	char id[ID_TEXT + 1];
	enum cluster_err e;

	if ((e = record_find(c->a->store, kind, which, id, d)) == CLUSTER_OK)
		return id_parse(id, ret);
	return e == CLUSTER_ENOTFOUND && id_parse(which, ret) == CLUSTER_OK ? CLUSTER_OK : e;
}

enum cluster_err admin_sessions_list(struct call *c, struct json **ret, struct diag *d)
{
	struct listing l = { .a = c->a, .limit = LIMIT_DEFAULT };
	const char *person = NULL, *node = NULL;
	struct json_field f[] = {
		{ .name = "person", .kind = JSON_KIND_TEXT, .optional = true, .dst = &person, .max = NAME_PERSON_MAX },
		{ .name = "node", .kind = JSON_KIND_TEXT, .optional = true, .dst = &node, .max = NAME_NODE_MAX },
		{ .name = "account", .kind = JSON_KIND_TEXT, .optional = true, .dst = &l.account, .max = NAME_ACCOUNT_MAX },
		{ .name = "limit", .kind = JSON_KIND_INT, .optional = true, .dst = &l.limit, .min = 1, .max = LIMIT_MAX },
	};
	size_t unknown = 0;
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (person && (e = find(c, DIRECTORY_PEOPLE, person, &l.person, d)) != CLUSTER_OK) ||
	    (node && (e = find(c, DIRECTORY_NODES, node, &l.node, d)) != CLUSTER_OK))
		return e;
	l.of_person = person != NULL;
	l.of_node = node != NULL;
	for (size_t i = 0; i < c->a->nodes->n; i++)
		unknown += !c->a->nodes->one[i]->live.known;
	if (!(l.list = json_list()) || (e = sessions_each(c->a, list_one, &l)) != CLUSTER_OK) {
		json_free(l.list);
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	}
	*ret = json_make("{s:o, s:I, s:I}", "sessions", l.list, "total", (long long)l.n, "unknown_nodes", (long long)unknown);
	return CLUSTER_OK;
}
