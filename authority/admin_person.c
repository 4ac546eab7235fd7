/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_part.h"
#include "device.h"
#include "grants.h"
#include "record.h"
#include "ticket.h"

/* People (PROTOCOL.md 6.4). */

#define INVITE_SECONDS 600
#define INVITE_MAX 86400

enum cluster_err admin_person_add(struct call *c, struct json **ret, struct diag *d)
{
	struct directory_person p = { .admin = false };
	const struct json *roles = NULL;
	struct json_field f[] = {
		{ .name = "name", .kind = JSON_KIND_STRING, .dst = p.name, .size = sizeof p.name, .ok = name_person_ok },
		{ .name = "roles", .kind = JSON_KIND_ARRAY, .optional = true, .dst = &roles, .max = DIRECTORY_ROLES_MAX },
		{ .name = "admin", .kind = JSON_KIND_BOOL, .optional = true, .dst = &p.admin },
	};
	struct change ch = { 0 };
	char id[ID_TEXT + 1];
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK ||
	    (e = admin_rows(roles, sizeof *p.roles, "roles", (void **)&p.roles, &p.n_roles, d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK)
		goto out;
	if ((e = crypto_random(p.id.b, sizeof p.id.b)) != CLUSTER_OK)
		goto out;
	id_text(&p.id, id);
	if ((e = store_add(ch.store, STORE_PERSON_NAME, p.name, id, strlen(id))) != CLUSTER_OK) {
		if (e == CLUSTER_EVERSION)
			diag_set(d, e, "there is a person \"%s\" already", p.name);
		goto out;
	}
	if ((e = change_add(&ch, DIRECTORY_PEOPLE, id, directory_person_json(&p), d)) != CLUSTER_OK || (e = admin_commit_only(c, &ch, "person/add", p.name, d)) != CLUSTER_OK)
		goto out;
	*ret = json_make("{s:s, s:s}", "name", p.name, "person", id);
out:
	change_done(&ch);
	free(p.roles);
	return e;
}

static struct json *person_json(const struct directory_person *p)
{
	struct json *j = directory_person_json(p);

	/* both are always there in an answer */
	if (!j || json_set(j, "admin", json_make("b", p->admin)) != CLUSTER_OK || json_set(j, "disabled", json_make("b", p->disabled)) != CLUSTER_OK) {
		json_free(j);
		return NULL;
	}
	return j;
}

static enum cluster_err list_one(void *ctx, const struct directory *dir)
{
	return json_append(ctx, person_json(&dir->people[0]));
}

enum cluster_err admin_person_list(struct call *c, struct json **ret, struct diag *d)
{
	struct json *list = json_list();
	enum cluster_err e;

	if ((e = json_read(c->in, NULL, 0, d)) != CLUSTER_OK || (e = admin_each(c, DIRECTORY_PEOPLE, list_one, list, d)) != CLUSTER_OK) {
		json_free(list);
		return e;
	}
	*ret = json_make("{s:o}", "people", list);
	return CLUSTER_OK;
}

/* A person by id or name, inside a change. */
static enum cluster_err person_get(struct change *ch, const char *who, char id[ID_TEXT + 1], struct directory **ret, struct diag *d)
{
	enum cluster_err e = record_find(ch->store, DIRECTORY_PEOPLE, who, id, d);

	return e == CLUSTER_OK ? record_get(ch->store, DIRECTORY_PEOPLE, id, ret, d) : e;
}

enum cluster_err admin_person_set(struct call *c, struct json **ret, struct diag *d)
{
	bool admin = false, disabled = false, has_admin = false, has_disabled = false;
	const struct json *roles = NULL;
	const char *who = NULL;
	struct json_field f[] = {
		{ .name = "person", .kind = JSON_KIND_TEXT, .dst = &who, .max = NAME_PERSON_MAX },
		{ .name = "admin", .kind = JSON_KIND_BOOL, .optional = true, .dst = &admin, .present = &has_admin },
		{ .name = "disabled", .kind = JSON_KIND_BOOL, .optional = true, .dst = &disabled, .present = &has_disabled },
		{ .name = "roles", .kind = JSON_KIND_ARRAY, .optional = true, .dst = &roles, .max = DIRECTORY_ROLES_MAX },
	};
	struct directory *dir = NULL;
	struct directory_person p;
	struct change ch = { 0 };
	char id[ID_TEXT + 1];
	void *rows = NULL;
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK || (e = person_get(&ch, who, id, &dir, d)) != CLUSTER_OK)
		goto out;
	p = dir->people[0];
	if (roles) {
		p.n_roles = 0;
		if ((e = admin_rows(roles, sizeof *p.roles, "roles", &rows, &p.n_roles, d)) != CLUSTER_OK)
			goto out;
		p.roles = rows;
	}
	p.admin = has_admin ? admin : p.admin;
	p.disabled = has_disabled ? disabled : p.disabled;
	if ((e = change_put(&ch, DIRECTORY_PEOPLE, id, directory_person_json(&p), d)) == CLUSTER_OK)
		e = admin_commit(c, &ch, "person/set", p.name, ret, d);
out:
	change_done(&ch);
	directory_free(dir);
	free(rows);
	return e;
}

/* ---- removal: devices and grants go, personal accounts forbid it ---- */

struct collect {
	struct json *list;
	const struct cluster_id *person;
};

static enum cluster_err collect_grant(void *ctx, const char *key, const char *value, size_t n)
{
	const char *id = strrchr(key, ':');

	(void)value;
	(void)n;
	return id ? json_append(ctx, json_make("s", id + 1)) : CLUSTER_EFORMAT;
}

static enum cluster_err drop_grants(struct change *ch, const char *person, struct diag *d)
{
	struct json *ids = json_list();
	struct directory *dir = NULL;
	char prefix[GRANTS_KEY_MAX];
	enum cluster_err e;

	snprintf(prefix, sizeof prefix, "person:%s:", person);
	if ((e = store_each(ch->store, STORE_GRANT_TO, prefix, collect_grant, ids)) != CLUSTER_OK)
		change_store_error(ch, e, d);
	for (size_t i = 0; e == CLUSTER_OK && i < json_count(ids); i++) {
		if ((e = record_get(ch->store, DIRECTORY_GRANTS, json_string_at(ids, i), &dir, d)) == CLUSTER_OK)
			e = admin_grant_drop(ch, &dir->grants[0], d);
		directory_free(dir);
		dir = NULL;
	}
	json_free(ids);
	return e;
}

static enum cluster_err drop_devices(struct change *ch, const struct directory_person *p, struct diag *d)
{
	char id[ID_TEXT + 1], claim[DEVICE_CLAIM_MAX];
	struct device device;
	enum cluster_err e;

	for (size_t i = 0; i < p->n_devices; i++) {
		id_text(&p->devices[i].id, id);
		if ((e = device_get(ch->store, id, &device)) != CLUSTER_OK || (e = device_claim(&device, claim)) != CLUSTER_OK ||
		    (e = store_delete(ch->store, STORE_CLAIM, claim)) != CLUSTER_OK || (e = store_delete(ch->store, STORE_DEVICE, id)) != CLUSTER_OK)
			return change_store_error(ch, e, d);
		if ((e = change_buried(ch, REVOKE_DEVICE, id, d)) != CLUSTER_OK)
			return e;
	}
	return CLUSTER_OK;
}

static enum cluster_err owner_one(void *ctx, const struct directory *dir)
{
	const struct directory_account *a = &dir->accounts[0];
	struct collect *c = ctx;

	return a->personal && id_equal(&a->person, c->person) ? json_append(c->list, json_make("s", a->name)) : CLUSTER_OK;
}

static enum cluster_err no_accounts(struct call *c, const struct cluster_id *person, struct diag *d)
{
	struct collect owned = { .list = json_list(), .person = person };
	enum cluster_err e = admin_each(c, DIRECTORY_ACCOUNTS, owner_one, &owned, d);

	if (e == CLUSTER_OK && json_count(owned.list))
		e = diag_set(d, CLUSTER_EVERSION, "the account \"%s\" belongs to this person: remove it first", json_string_at(owned.list, 0));
	json_free(owned.list);
	return e;
}

enum cluster_err admin_person_remove(struct call *c, struct json **ret, struct diag *d)
{
	const char *who = NULL;
	struct json_field f[] = { { .name = "person", .kind = JSON_KIND_TEXT, .dst = &who, .max = NAME_PERSON_MAX } };
	struct directory *dir = NULL;
	struct change ch = { 0 };
	char id[ID_TEXT + 1];
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK || (e = person_get(&ch, who, id, &dir, d)) != CLUSTER_OK ||
	    (e = no_accounts(c, &dir->people[0].id, d)) != CLUSTER_OK || (e = drop_grants(&ch, id, d)) != CLUSTER_OK || (e = drop_devices(&ch, &dir->people[0], d)) != CLUSTER_OK ||
	    (e = change_buried(&ch, REVOKE_PERSON, id, d)) != CLUSTER_OK || (e = change_remove(&ch, DIRECTORY_PEOPLE, id, d)) != CLUSTER_OK)
		goto out;
	if ((e = store_delete(ch.store, STORE_PERSON_NAME, dir->people[0].name)) != CLUSTER_OK) {
		change_store_error(&ch, e, d);
		goto out;
	}
	e = admin_commit(c, &ch, "person/remove", dir->people[0].name, ret, d);
out:
	change_done(&ch);
	directory_free(dir);
	return e;
}

/* ---- invitation ---- */

static enum cluster_err invite_put(struct change *ch, const char *person, int64_t expires, char code[TICKET_TEXT_MAX], struct diag *d)
{
	struct json *j = json_make("{s:I, s:s}", "expires", (long long)expires, "person", person);
	char key[TICKET_KEY + 1];
	char *text = NULL;
	enum cluster_err e;
	size_t n = 0;

	if ((e = ticket_make(STORE_INVITE, code)) == CLUSTER_OK && (e = ticket_key(STORE_INVITE, code, key)) == CLUSTER_OK && (e = json_text(j, &text, &n)) == CLUSTER_OK)
		e = store_add(ch->store, STORE_INVITE, key, text, n);
	free(text);
	json_free(j);
	return e == CLUSTER_OK ? e : change_store_error(ch, e, d);
}

enum cluster_err admin_person_invite(struct call *c, struct json **ret, struct diag *d)
{
	const char *who = NULL;
	int64_t ttl = INVITE_SECONDS;
	struct json_field f[] = {
		{ .name = "person", .kind = JSON_KIND_TEXT, .dst = &who, .max = NAME_PERSON_MAX },
		{ .name = "ttl", .kind = JSON_KIND_INT, .optional = true, .dst = &ttl, .min = 10, .max = INVITE_MAX },
	};
	char id[ID_TEXT + 1], code[TICKET_TEXT_MAX], pin[DOCUMENT_PIN_TEXT + 1];
	struct directory *dir = NULL;
	struct change ch = { 0 };
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK || (e = person_get(&ch, who, id, &dir, d)) != CLUSTER_OK)
		goto out;
	if (dir->people[0].disabled) {
		e = diag_set(d, CLUSTER_EVERSION, "\"%s\" is disabled", dir->people[0].name);
		goto out;
	}
	if ((e = ticket_sweep(ch.store, STORE_INVITE, c->now)) != CLUSTER_OK || (e = invite_put(&ch, id, c->now + ttl, code, d)) != CLUSTER_OK ||
	    (e = change_commit_quietly(&ch, &(struct change_audit){ c->actor, "person/invite", dir->people[0].name, "ok" }, d)) != CLUSTER_OK)
		goto out;
	document_pin_text(c->a->pin, pin);
	*ret = json_make("{s:s, s:I, s:s, s:s}", "code", code, "expires", (long long)(c->now + ttl), "pin", pin, "url", c->a->url);
out:
	change_done(&ch);
	directory_free(dir);
	explicit_bzero(code, sizeof code);
	return e;
}
