/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_part.h"
#include "record.h"

/*
 * Accounts (PROTOCOL.md 6.4). uids and gids are given out from one counter and each is claimed for ever: a number that was once somebody's is never another's
 * (THREATS.md D9). An account without a gid of its own choosing gets a group of its own name and number.
 */

#define NUMBER_COUNTER "uid"
#define CLAIM_MAX 32
#define TRIES_MAX 100000

static enum cluster_err number_claim(struct change *ch, const char *kind, uint32_t number, const char *owner, struct diag *d)
{
	char claim[CLAIM_MAX], what[CLAIM_MAX];

	if (!name_id_ok(number))
		return diag_set(d, CLUSTER_EFORMAT, "%s %u is not one that a directory may give: 1000 to 60000, or from 65536 up", kind, number);
	snprintf(claim, sizeof claim, "%s:%u", kind, number);
	snprintf(what, sizeof what, "%s %u", kind, number);
	return change_claim(ch, claim, owner, what, d);
}

enum cluster_err admin_gid_claim(struct change *ch, uint32_t gid, const char *group, struct diag *d)
{
	return number_claim(ch, "gid", gid, group, d);
}

static bool was_given(struct change *ch, const char *kind, int64_t number)
{
	char claim[CLAIM_MAX];

	snprintf(claim, sizeof claim, "%s:%u", kind, (uint32_t)number);
	return store_get(ch->store, STORE_CLAIM, claim, NULL, NULL) != CLUSTER_ENOTFOUND;
}

enum cluster_err admin_number(struct change *ch, uint32_t *ret, struct diag *d)
{
	const struct config *conf = &ch->a->conf;
	enum cluster_err e;
	int64_t n = 0;

	/* explicit numbers may stand in the way */
	for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
		if ((e = store_next(ch->store, NUMBER_COUNTER, (int64_t)conf->uid_min, &n)) != CLUSTER_OK)
			return change_store_error(ch, e, d);
		if (n > (int64_t)conf->uid_max)
			return diag_set(d, CLUSTER_ELIMIT, "no number is left between uid_min and uid_max");
		if (!was_given(ch, "uid", n) && !was_given(ch, "gid", n)) {
			*ret = (uint32_t)n;
			return CLUSTER_OK;
		}
	}
	return diag_set(d, CLUSTER_EUNAVAIL, "the next free number is far away: try again");
}

static enum cluster_err own_group(struct change *ch, const char *name, uint32_t gid, struct diag *d)
{
	struct directory_group g = { .gid = gid };
	enum cluster_err e;

	snprintf(g.name, sizeof g.name, "%s", name);
	if ((e = number_claim(ch, "gid", gid, name, d)) != CLUSTER_OK)
		return e;
	if ((e = change_add(ch, DIRECTORY_GROUPS, name, directory_group_json(&g), d)) == CLUSTER_EVERSION)
		return diag_set(d, e, "there is a group \"%s\" already: say gid", name);
	return e;
}

/* A gid that was asked for: of a group that is there, or of a new one with the account's name. */
static enum cluster_err asked_group(struct change *ch, const char *name, uint32_t gid, struct diag *d)
{
	struct directory *dir = NULL;
	char claim[CLAIM_MAX];
	enum cluster_err e;
	char *group = NULL;
	size_t n = 0;

	snprintf(claim, sizeof claim, "gid:%u", gid);
	if ((e = store_get(ch->store, STORE_CLAIM, claim, &group, &n)) == CLUSTER_ENOTFOUND)
		return own_group(ch, name, gid, d);
	if (e == CLUSTER_OK)
		e = record_get(ch->store, DIRECTORY_GROUPS, group, &dir, NULL);
	/* a group of that name may be there again, with a number of its own */
	if (e == CLUSTER_ENOTFOUND || (e == CLUSTER_OK && dir->groups[0].gid != gid))
		diag_set(d, e = CLUSTER_EVERSION, "gid %u was that of the group \"%s\", which is gone: a number is never given out twice", gid, group);
	directory_free(dir);
	free(group);
	return e == CLUSTER_OK || e == CLUSTER_EVERSION ? e : change_store_error(ch, e, d);
}

struct wish {
	struct directory_account a;
	int64_t uid, gid; /* 0: any */
	const char *gecos, *home, *shell, *person;
};

static enum cluster_err wish_read(const struct json *in, struct wish *w, struct diag *d)
{
	struct json_field f[] = {
		{ .name = "name", .kind = JSON_KIND_STRING, .dst = w->a.name, .size = sizeof w->a.name, .ok = name_account_ok },
		{ .name = "uid", .kind = JSON_KIND_INT, .optional = true, .dst = &w->uid, .min = 1000, .max = INT32_MAX },
		{ .name = "gid", .kind = JSON_KIND_INT, .optional = true, .dst = &w->gid, .min = 1000, .max = INT32_MAX },
		{ .name = "gecos", .kind = JSON_KIND_TEXT, .optional = true, .dst = &w->gecos, .max = NAME_GECOS_MAX, .ok = name_gecos_ok },
		{ .name = "home", .kind = JSON_KIND_TEXT, .optional = true, .dst = &w->home, .max = NAME_PATH_MAX, .ok = name_path_ok },
		{ .name = "shell", .kind = JSON_KIND_TEXT, .optional = true, .dst = &w->shell, .max = NAME_PATH_MAX, .ok = name_path_ok },
		{ .name = "person", .kind = JSON_KIND_TEXT, .optional = true, .dst = &w->person, .max = NAME_PERSON_MAX },
	};
	enum cluster_err e = json_read(in, ADMIN_FIELDS(f), d);

	if (e == CLUSTER_OK && name_account_reserved(w->a.name))
		e = diag_set(d, CLUSTER_EFORMAT, "\"%s\" is reserved: distributions attach rights to that name", w->a.name);
	return e;
}

static enum cluster_err numbers(struct change *ch, struct wish *w, struct diag *d)
{
	enum cluster_err e;

	w->a.uid = (uint32_t)w->uid;
	if (w->uid == 0 && (e = admin_number(ch, &w->a.uid, d)) != CLUSTER_OK)
		return e;
	if ((e = number_claim(ch, "uid", w->a.uid, w->a.name, d)) != CLUSTER_OK)
		return e;
	w->a.gid = w->gid ? (uint32_t)w->gid : w->a.uid;
	return w->gid ? asked_group(ch, w->a.name, w->a.gid, d) : own_group(ch, w->a.name, w->a.gid, d);
}

static enum cluster_err account_put(struct change *ch, struct wish *w, struct diag *d)
{
	char home[NAME_PATH_MAX + 1], person[ID_TEXT + 1];
	enum cluster_err e;

	snprintf(home, sizeof home, "/home/%s", w->a.name);
	w->a.gecos = (char *)(uintptr_t)(w->gecos ? w->gecos : "");
	w->a.home = w->home ? (char *)(uintptr_t)w->home : home;
	w->a.shell = (char *)(uintptr_t)(w->shell ? w->shell : "/bin/bash");
	if (w->person) {
		w->a.personal = true;
		if ((e = record_find(ch->store, DIRECTORY_PEOPLE, w->person, person, d)) != CLUSTER_OK || (e = id_parse(person, &w->a.person)) != CLUSTER_OK)
			return e;
	}
	if ((e = change_add(ch, DIRECTORY_ACCOUNTS, w->a.name, directory_account_json(&w->a), d)) == CLUSTER_EVERSION)
		return diag_set(d, e, "there is an account \"%s\" already", w->a.name);
	return e;
}

/* ---- account/import ---- */

static bool is_as_wished(const struct directory_account *a, const struct wish *w)
{
	return a->uid == w->uid && (w->gid == 0 || a->gid == w->gid) && strcmp(a->gecos, w->gecos) == 0 && strcmp(a->home, w->home) == 0 && strcmp(a->shell, w->shell) == 0;
}

static enum cluster_err import_one(struct change *ch, const struct json *in, bool *ret_added, struct diag *d)
{
	struct directory *have = NULL;
	struct wish w = { .uid = 0 };
	enum cluster_err e;

	if ((e = wish_read(in, &w, d)) != CLUSTER_OK)
		return e;
	if (!w.uid || !w.gecos || !w.home || !w.shell || w.person)
		return diag_set(d, CLUSTER_EFORMAT, "an account that is imported has uid, gecos, home and shell, and no person");
	e = record_get(ch->store, DIRECTORY_ACCOUNTS, w.a.name, &have, NULL);
	if (e == CLUSTER_OK && !is_as_wished(&have->accounts[0], &w))
		e = diag_set(d, CLUSTER_EVERSION, "there is an account \"%s\" already, with uid %u, and not the same in all", w.a.name, have->accounts[0].uid);
	*ret_added = e == CLUSTER_ENOTFOUND;
	if (*ret_added && ((e = numbers(ch, &w, d)) != CLUSTER_OK || (e = account_put(ch, &w, d)) != CLUSTER_OK))
		diag_prefix(d, "account \"%s\"", w.a.name);
	directory_free(have);
	return e;
}

enum cluster_err admin_account_import(struct call *c, struct json **ret, struct diag *d)
{
	const struct json *list = NULL;
	struct json_field f[] = { { .name = "accounts", .kind = JSON_KIND_ARRAY, .dst = &list, .min = 1, .max = ADMIN_IMPORT_MAX } };
	struct change ch = { 0 };
	size_t i, n = 0, added = 0;
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK)
		goto out;
	for (i = 0, n = json_count(list); i < n; i++) {
		bool is_new = false;

		if ((e = import_one(&ch, json_at(list, i), &is_new, d)) != CLUSTER_OK) {
			diag_prefix(d, "element %zu", i);
			goto out;
		}
		added += is_new;
	}
	if ((e = admin_commit_import(c, &ch, "account/import", (struct admin_imported){ added, n }, d)) == CLUSTER_OK)
		*ret = json_make("{s:I, s:I}", "added", (long long)added, "present", (long long)(n - added));
out:
	change_done(&ch);
	return e;
}

enum cluster_err admin_account_add(struct call *c, struct json **ret, struct diag *d)
{
	struct wish w = { .uid = 0 };
	struct change ch = { 0 };
	enum cluster_err e;

	if ((e = wish_read(c->in, &w, d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK)
		goto out;
	if (store_get(ch.store, STORE_ACCOUNT, w.a.name, NULL, NULL) == CLUSTER_OK) {
		e = diag_set(d, CLUSTER_EVERSION, "there is an account \"%s\" already", w.a.name);
		goto out;
	}
	if ((e = numbers(&ch, &w, d)) != CLUSTER_OK || (e = account_put(&ch, &w, d)) != CLUSTER_OK || (e = admin_commit_only(c, &ch, "account/add", w.a.name, d)) != CLUSTER_OK)
		goto out;
	*ret = json_make("{s:I, s:s, s:I}", "gid", (long long)w.a.gid, "name", w.a.name, "uid", (long long)w.a.uid);
out:
	change_done(&ch);
	return e;
}

enum cluster_err admin_account_list(struct call *c, struct json **ret, struct diag *d)
{
	return admin_all(c, STORE_ACCOUNT, "accounts", ret, d);
}

struct users {
	const char *account;
	uint32_t gid;
	bool other;
};

static enum cluster_err uses_group(void *ctx, const struct directory *dir)
{
	struct users *u = ctx;

	u->other = u->other || (dir->accounts[0].gid == u->gid && strcmp(dir->accounts[0].name, u->account) != 0);
	return CLUSTER_OK;
}

/* The group of the account's own name goes with it, unless somebody else is in it. */
static enum cluster_err drop_own_group(struct call *c, struct change *ch, const struct directory_account *a, struct diag *d)
{
	struct users u = { .account = a->name, .gid = a->gid };
	struct directory *dir = NULL;
	enum cluster_err e;
	bool empty;

	if ((e = record_get(ch->store, DIRECTORY_GROUPS, a->name, &dir, d)) != CLUSTER_OK) {
		diag_clear(d);
		return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
	}
	empty = dir->groups[0].gid == a->gid && dir->groups[0].n_members == 0;
	directory_free(dir);
	if (!empty || (e = admin_each(c, DIRECTORY_ACCOUNTS, uses_group, &u, d)) != CLUSTER_OK || u.other)
		return e;
	return change_remove(ch, DIRECTORY_GROUPS, a->name, d);
}

enum cluster_err admin_account_remove(struct call *c, struct json **ret, struct diag *d)
{
	const char *name = NULL;
	struct json_field f[] = { { .name = "name", .kind = JSON_KIND_TEXT, .dst = &name, .max = NAME_ACCOUNT_MAX } };
	struct directory *dir = NULL;
	struct change ch = { 0 };
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK ||
	    (e = record_get(ch.store, DIRECTORY_ACCOUNTS, name, &dir, d)) != CLUSTER_OK || (e = admin_group_forget(&ch, name, d)) != CLUSTER_OK ||
	    (e = change_remove(&ch, DIRECTORY_ACCOUNTS, name, d)) != CLUSTER_OK || (e = drop_own_group(c, &ch, &dir->accounts[0], d)) != CLUSTER_OK)
		goto out;
	e = admin_commit(c, &ch, "account/remove", dir->accounts[0].name, ret, d);
out:
	change_done(&ch);
	directory_free(dir);
	return e;
}
