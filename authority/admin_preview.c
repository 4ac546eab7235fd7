/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_part.h"
#include "admin_revoke.h"
#include "device.h"
#include "grants.h"
#include "hits.h"
#include "nodes.h"
#include "record.h"
#include "renewal.h"
#include "revoked.h"
#include "sessions.h"

/* revoke/preview (PROTOCOL.md 6.4): whom a revocation would hit, and which live sessions. Changes nothing. */

#define LIST_MAX 1000 /* of each list; the totals are whole */

enum list { ACCOUNTS, DEVICES, NODES, PEOPLE, LISTS };

struct preview {
	struct call *call;
	const struct revoke_entry *entry;
	struct json *set[LISTS]; /* name -> true */
	int64_t total[LISTS], n_sessions;
	struct json *sessions;
	struct sessions_name last;
	struct json *holders, *roles; /* of an account: whom its grants reach */
	const struct directory *node; /* of a node: its record */
};

static enum cluster_err add(struct preview *p, enum list which, const char *name)
{
	if (name[0] == '\0' || json_member(p->set[which], name))
		return CLUSTER_OK;
	p->total[which]++;
	return json_set(p->set[which], name, json_make("b", true));
}

/* ---- people, and what is theirs ---- */

static enum cluster_err add_accounts(void *ctx, const struct directory_grant *g)
{
	enum cluster_err e = CLUSTER_OK;

	for (size_t i = 0; i < g->n_accounts && e == CLUSTER_OK; i++)
		e = add(ctx, ACCOUNTS, g->accounts[i]);
	return e;
}

static enum cluster_err add_person(struct preview *p, const char *id, bool all)
{
	struct directory *dir = NULL;
	char device[ID_TEXT + 1];
	enum cluster_err e;

	if ((e = record_get(p->call->a->store, DIRECTORY_PEOPLE, id, &dir, NULL)) != CLUSTER_OK)
		return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
	e = add(p, PEOPLE, dir->people[0].name);
	for (size_t i = 0; all && i < dir->people[0].n_devices && e == CLUSTER_OK; i++) {
		id_text(&dir->people[0].devices[i].id, device);
		e = add(p, DEVICES, device);
	}
	if (e == CLUSTER_OK)
		e = grants_of(p->call->a, &dir->people[0], p->call->now, add_accounts, p);
	directory_free(dir);
	return e;
}

static enum cluster_err add_device(struct preview *p, const char *id)
{
	char person[ID_TEXT + 1];
	struct device device;
	enum cluster_err e;

	if ((e = device_get(p->call->a->store, id, &device)) != CLUSTER_OK)
		return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
	id_text(&device.person, person);
	if ((e = add(p, DEVICES, id)) != CLUSTER_OK)
		return e;
	return add_person(p, person, false);
}

static enum cluster_err add_credential(struct preview *p, const char *jti)
{
	struct renewal_issued issued;
	enum cluster_err e = renewal_issued(p->call->a->store, jti, &issued);

	if (e != CLUSTER_OK)
		return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
	if ((e = add(p, DEVICES, issued.device)) != CLUSTER_OK)
		return e;
	return add_person(p, issued.person, false);
}

/* ---- walks over the directory ---- */

static bool has_role(const struct directory_person *person, const char *role)
{
	for (size_t i = 0; i < person->n_roles; i++) {
		if (strcmp(person->roles[i], role) == 0)
			return true;
	}
	return false;
}

static enum cluster_err role_one(void *ctx, const struct directory *dir)
{
	struct preview *p = ctx;

	return has_role(&dir->people[0], p->entry->value) ? add(p, PEOPLE, dir->people[0].name) : CLUSTER_OK;
}

static enum cluster_err lockdown_one(void *ctx, const struct directory *dir)
{
	struct preview *p = ctx;

	return hits_spares(p->entry->value, &dir->people[0].id) ? CLUSTER_OK : add(p, PEOPLE, dir->people[0].name);
}

static enum cluster_err everybody_one(void *ctx, const struct directory *dir)
{
	return add(ctx, PEOPLE, dir->people[0].name);
}

/* Whom the grants of an account reach: people and roles, for a second walk (one walk at a time is all that a store can do). */
static enum cluster_err holder_one(void *ctx, const struct directory *dir)
{
	const struct directory_grant *g = &dir->grants[0];
	struct preview *p = ctx;
	char id[ID_TEXT + 1];

	id_text(&g->person, id);
	for (size_t i = 0; i < g->n_accounts && !g->n_from; i++) {
		if (strcmp(g->accounts[i], p->entry->value) == 0)
			return json_set(g->to_role ? p->roles : p->holders, g->to_role ? g->role : id, json_make("b", true));
	}
	return CLUSTER_OK;
}

static enum cluster_err account_one(void *ctx, const struct directory *dir)
{
	const struct directory_person *person = &dir->people[0];
	struct preview *p = ctx;
	char id[ID_TEXT + 1];
	bool held;

	id_text(&person->id, id);
	held = json_member(p->holders, id) != NULL;
	for (size_t i = 0; i < person->n_roles && !held; i++)
		held = json_member(p->roles, person->roles[i]) != NULL;
	return held ? add(p, PEOPLE, person->name) : CLUSTER_OK;
}

static enum cluster_err role_grant(void *ctx, const char *key, const char *value, size_t n)
{
	const char *id = strrchr(key, ':');
	struct directory *dir = NULL;
	struct preview *p = ctx;
	enum cluster_err e;

	(void)value;
	(void)n;
	if (!id || (e = record_get(p->call->a->store, DIRECTORY_GRANTS, id + 1, &dir, NULL)) != CLUSTER_OK)
		return CLUSTER_OK;
	e = add_accounts(p, &dir->grants[0]);
	directory_free(dir);
	return e;
}

static enum cluster_err add_role(struct preview *p, struct diag *d)
{
	char prefix[GRANTS_KEY_MAX];
	enum cluster_err e;

	snprintf(prefix, sizeof prefix, "role:%s:", p->entry->value);
	if ((e = admin_each(p->call, DIRECTORY_PEOPLE, role_one, p, d)) != CLUSTER_OK)
		return e;
	return store_each(p->call->a->store, STORE_GRANT_TO, prefix, role_grant, p);
}

static enum cluster_err add_account(struct preview *p, struct diag *d)
{
	enum cluster_err e;

	if ((e = add(p, ACCOUNTS, p->entry->value)) != CLUSTER_OK || (e = admin_each(p->call, DIRECTORY_GRANTS, holder_one, p, d)) != CLUSTER_OK)
		return e;
	return admin_each(p->call, DIRECTORY_PEOPLE, account_one, p, d);
}

/* What the accounts of a node hop to, with nobody behind them. */
static enum cluster_err node_grant(void *ctx, const struct directory *dir)
{
	const struct directory_grant *g = &dir->grants[0];
	struct preview *p = ctx;

	return directory_select(g->from, g->n_from, &p->node->nodes[0]) ? add_accounts(p, g) : CLUSTER_OK;
}

static enum cluster_err add_node(struct preview *p, const char *id, struct diag *d)
{
	struct directory *node = NULL;
	enum cluster_err e;

	if ((e = record_get(p->call->a->store, DIRECTORY_NODES, id, &node, NULL)) != CLUSTER_OK)
		return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
	p->node = node;
	if ((e = add(p, NODES, node->nodes[0].name)) == CLUSTER_OK)
		e = admin_each(p->call, DIRECTORY_GRANTS, node_grant, p, d);
	p->node = NULL;
	directory_free(node);
	return e;
}

/* Whom it shuts out, whether or not they are logged on. */
static enum cluster_err add_subjects(struct preview *p, struct diag *d)
{
	switch (p->entry->kind) {
	case REVOKE_CREDENTIAL:
		return add_credential(p, p->entry->value);
	case REVOKE_DEVICE:
		return add_device(p, p->entry->value);
	case REVOKE_PERSON:
		return add_person(p, p->entry->value, true);
	case REVOKE_ACCOUNT:
		return add_account(p, d);
	case REVOKE_NODE:
		return add_node(p, p->entry->value, d);
	case REVOKE_ROLE:
		return add_role(p, d);
	case REVOKE_LOCKDOWN:
		return admin_each(p->call, DIRECTORY_PEOPLE, lockdown_one, p, d);
	case REVOKE_BEFORE:
	case REVOKE_ISSUER:
		return admin_each(p->call, DIRECTORY_PEOPLE, everybody_one, p, d);
	case REVOKE_CERT_SERIAL:
	case REVOKE_CERT_ID:
	case REVOKE_CERT_KEY:
	case REVOKE_CERT_CA:
	case REVOKE_SESSION:
		break;
	}
	return CLUSTER_OK; /* known by its sessions only */
}

/* ---- live sessions ---- */

static enum cluster_err session_one(void *ctx, const struct nodes_one *node, const struct report_session *s)
{
	struct preview *p = ctx;
	char device[ID_TEXT + 1] = "";
	enum cluster_err e;

	if (!hits_session(p->entry, s, &node->id))
		return CLUSTER_OK;
	if (s->kind != SESSION_HOP || s->hops > 0) /* else a machine's, without a person and a device */
		id_text(&s->device, device);
	if ((e = add(p, PEOPLE, sessions_person(p->call->a, &s->person, &p->last))) != CLUSTER_OK || (e = add(p, ACCOUNTS, s->account)) != CLUSTER_OK ||
	    (e = add(p, NODES, node->name)) != CLUSTER_OK || (e = add(p, DEVICES, device)) != CLUSTER_OK)
		return e;
	return p->n_sessions++ < LIST_MAX ? json_append(p->sessions, sessions_json(p->call->a, node, s, &p->last)) : CLUSTER_OK;
}

/* ---- the answer ---- */

static struct json *names(const struct json *set)
{
	struct json *list = json_list();
	const char *name;
	void *iter = NULL;

	for (size_t n = 0; list && n < LIST_MAX && json_each(set, &iter, &name); n++) {
		if (json_append(list, json_make("s", name)) != CLUSTER_OK) {
			json_free(list);
			list = NULL;
		}
	}
	return list;
}

static struct json *answer(struct preview *p)
{
	struct json *totals = json_make("{s:I, s:I, s:I, s:I, s:I}", "accounts", (long long)p->total[ACCOUNTS], "devices", (long long)p->total[DEVICES], "nodes",
	    (long long)p->total[NODES], "people", (long long)p->total[PEOPLE], "sessions", (long long)p->n_sessions);

	return json_make("{s:o, s:o, s:o, s:o, s:O, s:o}", "accounts", names(p->set[ACCOUNTS]), "devices", names(p->set[DEVICES]), "nodes", names(p->set[NODES]), "people",
	    names(p->set[PEOPLE]), "sessions", p->sessions, "totals", totals);
}

enum cluster_err admin_revoke_preview(struct call *c, struct json **ret, struct diag *d)
{
	struct admin_revoke_wish w = { .id = "" };
	struct preview p = { .call = c, .entry = &w.entry, .sessions = json_list(), .holders = json_map(), .roles = json_map() };
	enum cluster_err e;

	for (unsigned i = 0; i < LISTS; i++)
		p.set[i] = json_map();
	if ((e = admin_revoke_read(c, &w, d)) != CLUSTER_OK)
		goto out;
	if ((e = add_subjects(&p, d)) != CLUSTER_OK || (e = sessions_each(c->a, session_one, &p)) != CLUSTER_OK) {
		if (!d->text[0])
			diag_set(d, e, "the store cannot be read: %s", err_name(e));
		goto out;
	}
	*ret = answer(&p);
out:
	for (unsigned i = 0; i < LISTS; i++)
		json_free(p.set[i]);
	json_free(p.roles);
	json_free(p.holders);
	json_free(p.sessions);
	return e;
}
