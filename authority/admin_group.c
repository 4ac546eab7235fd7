/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "admin_part.h"
#include "record.h"

/* Groups (PROTOCOL.md 6.4). Members are accounts of the directory, which an adopted account is too. */

static enum cluster_err not_reserved(const char *name, struct diag *d)
{
	return name_group_reserved(name) ? diag_set(d, CLUSTER_EFORMAT, "\"%s\" is reserved: distributions attach rights to that name", name) : CLUSTER_OK;
}

enum cluster_err admin_group_add(struct call *c, struct json **ret, struct diag *d)
{
	struct directory_group g = { .gid = 0 };
	int64_t gid = 0;
	struct json_field f[] = {
		{ .name = "name", .kind = JSON_KIND_STRING, .dst = g.name, .size = sizeof g.name, .ok = name_group_ok },
		{ .name = "gid", .kind = JSON_KIND_INT, .optional = true, .dst = &gid, .min = 1000, .max = INT32_MAX },
	};
	struct change ch = { 0 };
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = not_reserved(g.name, d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK)
		goto out;
	g.gid = (uint32_t)gid;
	if (gid == 0 && (e = admin_number(&ch, &g.gid, d)) != CLUSTER_OK)
		goto out;
	if (store_get(ch.store, STORE_GROUP, g.name, NULL, NULL) == CLUSTER_OK) {
		e = diag_set(d, CLUSTER_EVERSION, "there is a group \"%s\" already", g.name);
		goto out;
	}
	if ((e = admin_gid_claim(&ch, g.gid, g.name, d)) != CLUSTER_OK || (e = change_add(&ch, DIRECTORY_GROUPS, g.name, directory_group_json(&g), d)) != CLUSTER_OK ||
	    (e = admin_commit_only(c, &ch, "group/add", g.name, d)) != CLUSTER_OK)
		goto out;
	*ret = json_make("{s:I, s:s}", "gid", (long long)g.gid, "name", g.name);
out:
	change_done(&ch);
	return e;
}

enum cluster_err admin_group_list(struct call *c, struct json **ret, struct diag *d)
{
	return admin_all(c, STORE_GROUP, "groups", ret, d);
}

/* Writes `g` with `account` in or out. *ret_changed: whether that was a change. */
static enum cluster_err set_member(struct change *ch, const struct directory_group *g, const char *account, bool present, bool *ret_changed, struct diag *d)
{
	char **members = calloc(g->n_members + 1, sizeof *members);
	struct directory_group next = *g;
	bool was = false;
	enum cluster_err e = CLUSTER_OK;

	if (!members)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	next.members = members;
	next.n_members = 0;
	for (size_t i = 0; i < g->n_members; i++) {
		bool it = strcmp(g->members[i], account) == 0;

		was = was || it;
		if (!it || present)
			members[next.n_members++] = g->members[i];
	}
	if (present && !was)
		members[next.n_members++] = (char *)(uintptr_t)account;
	*ret_changed = present != was;
	if (present != was)
		e = change_put(ch, DIRECTORY_GROUPS, g->name, directory_group_json(&next), d);
	free(members);
	return e;
}

/* Who is to become a member must be there; who is to go may be gone already. */
static enum cluster_err account_known(struct change *ch, const char *account, bool present, struct diag *d)
{
	enum cluster_err e = present ? store_get(ch->store, STORE_ACCOUNT, account, NULL, NULL) : CLUSTER_OK;

	if (e == CLUSTER_ENOTFOUND)
		return diag_set(d, e, "there is no account \"%s\": add it first, also if nodes adopt it", account);
	return e == CLUSTER_OK ? e : change_store_error(ch, e, d);
}

enum cluster_err admin_group_member(struct call *c, struct json **ret, struct diag *d)
{
	const char *group = NULL, *account = NULL;
	bool present = false, changed;
	struct json_field f[] = {
		{ .name = "group", .kind = JSON_KIND_TEXT, .dst = &group, .max = NAME_ACCOUNT_MAX },
		{ .name = "account", .kind = JSON_KIND_TEXT, .dst = &account, .max = NAME_ACCOUNT_MAX, .ok = name_account_ok },
		{ .name = "present", .kind = JSON_KIND_BOOL, .dst = &present },
	};
	struct directory *dir = NULL;
	struct change ch = { 0 };
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK || (e = account_known(&ch, account, present, d)) != CLUSTER_OK ||
	    (e = record_get(ch.store, DIRECTORY_GROUPS, group, &dir, d)) != CLUSTER_OK || (e = set_member(&ch, &dir->groups[0], account, present, &changed, d)) != CLUSTER_OK)
		goto out;
	e = admin_commit(c, &ch, "group/member", group, ret, d);
out:
	change_done(&ch);
	directory_free(dir);
	return e;
}

/* ---- group/import ---- */

struct group_wish {
	char name[NAME_ACCOUNT_MAX + 1];
	int64_t gid;
	const struct json *members;
};

static enum cluster_err group_wish_read(const struct json *in, struct group_wish *w, struct diag *d)
{
	struct json_field f[] = {
		{ .name = "name", .kind = JSON_KIND_STRING, .dst = w->name, .size = sizeof w->name, .ok = name_group_ok },
		{ .name = "gid", .kind = JSON_KIND_INT, .dst = &w->gid, .min = 1000, .max = INT32_MAX },
		{ .name = "members", .kind = JSON_KIND_ARRAY, .dst = &w->members, .max = 0 },
	};
	enum cluster_err e = json_read(in, ADMIN_FIELDS(f), d);

	return e == CLUSTER_OK ? not_reserved(w->name, d) : e;
}

/* What an import has done. */
struct import {
	struct change *ch;
	size_t added, members, changed;
	struct json *unknown; /* those who were to become members and have no account */
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The accounts among those wished for to members[*n] and on. */
static enum cluster_err known_members(struct import *in, const struct json *wished, char **members, size_t *n, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;

	for (size_t i = 0; i < json_count(wished) && e == CLUSTER_OK; i++) {
		const char *account = json_string_at(wished, i);

		if (!account || !name_account_ok(account))
			return diag_set(d, CLUSTER_EFORMAT, "member %zu is not the name of an account", i);
		if ((e = store_get(in->ch->store, STORE_ACCOUNT, account, NULL, NULL)) == CLUSTER_OK)
			members[(*n)++] = (char *)(uintptr_t)account;
		else if (e != CLUSTER_ENOTFOUND)
			return change_store_error(in->ch, e, d);
		else if ((e = json_append(in->unknown, json_make("s", account))) != CLUSTER_OK)
			return diag_set(d, e, "out of memory");
	}
	return e;
}

/* Puts those wished for among the members of `g`, who are ascending. */
static enum cluster_err join_members(struct import *in, const struct directory_group *g, const struct json *wished, struct diag *d)
{
	char **members = calloc(g->n_members + json_count(wished) + 1, sizeof *members);
	struct directory_group next = *g;
	size_t n = g->n_members;
	enum cluster_err e;

	if (!members)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if (n)
		memcpy(members, g->members, n * sizeof *members);
	if ((e = known_members(in, wished, members, &n, d)) != CLUSTER_OK)
		goto out;
	qsort(members, n, sizeof *members, by_text);
	next.members = members;
	next.n_members = 0;
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || strcmp(members[i], members[i - 1]) != 0)
			members[next.n_members++] = members[i];
	}
	if (next.n_members == g->n_members)
		goto out;
	in->members += next.n_members - g->n_members;
	in->changed++;
	e = change_put(in->ch, DIRECTORY_GROUPS, g->name, directory_group_json(&next), d);
out:
	free(members);
	return e;
}

static enum cluster_err import_group(struct import *in, const struct json *one, struct diag *d)
{
	struct directory_group g = { .gid = 0 };
	struct group_wish w = { .gid = 0 };
	struct directory *have = NULL;
	enum cluster_err e;

	if ((e = group_wish_read(one, &w, d)) != CLUSTER_OK)
		return e;
	memcpy(g.name, w.name, sizeof g.name);
	g.gid = (uint32_t)w.gid;
	if ((e = record_get(in->ch->store, DIRECTORY_GROUPS, w.name, &have, NULL)) == CLUSTER_OK) {
		if (have->groups[0].gid != g.gid)
			e = diag_set(d, CLUSTER_EVERSION, "there is a group \"%s\" already, with gid %u", w.name, have->groups[0].gid);
	} else if (e == CLUSTER_ENOTFOUND && (e = admin_gid_claim(in->ch, g.gid, g.name, d)) == CLUSTER_OK &&
	    (e = change_add(in->ch, DIRECTORY_GROUPS, g.name, directory_group_json(&g), d)) == CLUSTER_OK) {
		in->added++;
		in->changed++;
	}
	if (e == CLUSTER_OK)
		e = join_members(in, have ? &have->groups[0] : &g, w.members, d);
	if (e != CLUSTER_OK)
		diag_prefix(d, "group \"%s\"", w.name);
	directory_free(have);
	return e;
}

enum cluster_err admin_group_import(struct call *c, struct json **ret, struct diag *d)
{
	const struct json *list = NULL;
	struct json_field f[] = { { .name = "groups", .kind = JSON_KIND_ARRAY, .dst = &list, .min = 1, .max = ADMIN_IMPORT_MAX } };
	struct change ch = { 0 };
	struct import in = { .ch = &ch, .unknown = json_list() };
	enum cluster_err e;
	size_t i, n = 0;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK)
		goto out;
	for (i = 0, n = json_count(list); i < n; i++) {
		if ((e = import_group(&in, json_at(list, i), d)) != CLUSTER_OK) {
			diag_prefix(d, "element %zu", i);
			goto out;
		}
	}
	if ((e = admin_commit_import(c, &ch, "group/import", (struct admin_imported){ in.changed, n }, d)) != CLUSTER_OK)
		goto out;
	*ret = json_make("{s:I, s:I, s:I, s:o}", "added", (long long)in.added, "members", (long long)in.members, "present", (long long)(n - in.added), "unknown", in.unknown);
	in.unknown = NULL;
out:
	change_done(&ch);
	json_free(in.unknown);
	return e;
}

struct holders {
	const char *account;
	struct json *groups;
};

static enum cluster_err holder_one(void *ctx, const char *key, const char *value, size_t n)
{
	struct holders *h = ctx;
	struct directory *dir = NULL;
	enum cluster_err e;

	if (!memmem(value, n, h->account, strlen(h->account)))
		return CLUSTER_OK; /* most groups: not worth a closer look */
	if ((e = record_parse(DIRECTORY_GROUPS, value, n, &dir, NULL)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < dir->groups[0].n_members && e == CLUSTER_OK; i++) {
		if (strcmp(dir->groups[0].members[i], h->account) == 0)
			e = json_append(h->groups, json_make("s", key));
	}
	directory_free(dir);
	return e;
}

enum cluster_err admin_group_forget(struct change *ch, const char *account, struct diag *d)
{
	struct holders h = { .account = account, .groups = json_list() };
	struct directory *dir = NULL;
	enum cluster_err e;
	bool changed;

	if ((e = store_each(ch->store, STORE_GROUP, "", holder_one, &h)) != CLUSTER_OK)
		change_store_error(ch, e, d);
	for (size_t i = 0; e == CLUSTER_OK && i < json_count(h.groups); i++) {
		if ((e = record_get(ch->store, DIRECTORY_GROUPS, json_string_at(h.groups, i), &dir, d)) == CLUSTER_OK)
			e = set_member(ch, &dir->groups[0], account, false, &changed, d);
		directory_free(dir);
		dir = NULL;
	}
	json_free(h.groups);
	return e;
}

struct primary {
	uint32_t gid;
	char account[NAME_ACCOUNT_MAX + 1];
};

static enum cluster_err primary_one(void *ctx, const struct directory *dir)
{
	struct primary *p = ctx;

	if (dir->accounts[0].gid == p->gid)
		memcpy(p->account, dir->accounts[0].name, sizeof p->account);
	return CLUSTER_OK;
}

enum cluster_err admin_group_remove(struct call *c, struct json **ret, struct diag *d)
{
	const char *name = NULL;
	struct json_field f[] = { { .name = "name", .kind = JSON_KIND_TEXT, .dst = &name, .max = NAME_ACCOUNT_MAX } };
	struct primary p = { .gid = 0 };
	struct directory *dir = NULL;
	struct change ch = { 0 };
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK ||
	    (e = record_get(ch.store, DIRECTORY_GROUPS, name, &dir, d)) != CLUSTER_OK)
		goto out;
	p.gid = dir->groups[0].gid;
	if ((e = admin_each(c, DIRECTORY_ACCOUNTS, primary_one, &p, d)) != CLUSTER_OK)
		goto out;
	if (p.account[0]) {
		e = diag_set(d, CLUSTER_EVERSION, "it is the first group of the account \"%s\"", p.account);
		goto out;
	}
	if ((e = change_remove(&ch, DIRECTORY_GROUPS, name, d)) == CLUSTER_OK)
		e = admin_commit(c, &ch, "group/remove", name, ret, d);
out:
	change_done(&ch);
	directory_free(dir);
	return e;
}
