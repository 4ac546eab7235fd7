/* SPDX-License-Identifier: Apache-2.0 */
#include "admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_part.h"
#include "cluster/wr.h"
#include "head.h"
#include "record.h"

#define PREFIX "/v1/admin/"
#define ALL_MAX ((size_t)1 << 30)

const struct admin_row admin_table[] = {
	{ "status", admin_status },
	{ "person/add", admin_person_add },
	{ "person/list", admin_person_list },
	{ "person/set", admin_person_set },
	{ "person/remove", admin_person_remove },
	{ "person/invite", admin_person_invite },
	{ "account/add", admin_account_add },
	{ "account/import", admin_account_import },
	{ "account/list", admin_account_list },
	{ "account/remove", admin_account_remove },
	{ "group/add", admin_group_add },
	{ "group/import", admin_group_import },
	{ "group/list", admin_group_list },
	{ "group/member", admin_group_member },
	{ "group/remove", admin_group_remove },
	{ "device/list", admin_device_list },
	{ "device/remove", admin_device_remove },
	{ "device/rename", admin_device_rename },
	{ "node/token", admin_node_token },
	{ "node/list", admin_node_list },
	{ "node/set", admin_node_set },
	{ "node/remove", admin_node_remove },
	{ "grant/add", admin_grant_add },
	{ "grant/list", admin_grant_list },
	{ "grant/remove", admin_grant_remove },
	{ "revoke/add", admin_revoke_add },
	{ "revoke/list", admin_revoke_list },
	{ "revoke/remove", admin_revoke_remove },
	{ "revoke/preview", admin_revoke_preview },
	{ "sessions/list", admin_sessions_list },
	{ "refusal/find", admin_refusal_find },
	{ "wait", admin_wait },
	{ "audit/list", admin_audit_list },
};
const size_t admin_n = sizeof admin_table / sizeof *admin_table;

enum cluster_err admin_run(struct call *c, struct json **ret, struct diag *d)
{
	const char *name = c->head->target + strlen(PREFIX);

	if (c->head->query)
		return diag_set(d, CLUSTER_EFORMAT, "administrative calls take no query");
	for (size_t i = 0; i < admin_n; i++) {
		if (strcmp(admin_table[i].name, name) == 0)
			return admin_table[i].run(c, ret, d);
	}
	return diag_set(d, CLUSTER_ENOTFOUND, "there is no administrative call \"%s\"", name);
}

enum cluster_err admin_rows(const struct json *list, size_t width, const char *what, void **ret, size_t *ret_n, struct diag *d)
{
	size_t n = json_count(list);
	char *rows;

	if (n == 0)
		return CLUSTER_OK;
	if (!(rows = calloc(n, width)))
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_at(list, i);

		if (!s || strlen(s) >= width) {
			free(rows);
			return diag_set(d, CLUSTER_EFORMAT, "%s: element %zu is not a text, or too long", what, i);
		}
		memcpy(rows + i * width, s, strlen(s) + 1);
	}
	*ret = rows;
	*ret_n = n;
	return CLUSTER_OK;
}

struct json *admin_list(const void *rows, size_t n, size_t width)
{
	struct json *list = json_list();

	for (size_t i = 0; list && i < n; i++) {
		if (json_append(list, json_make("s", (const char *)rows + i * width)) != CLUSTER_OK) {
			json_free(list);
			list = NULL;
		}
	}
	return list;
}

enum cluster_err admin_commit_only(struct call *c, struct change *ch, const char *action, const char *object, struct diag *d)
{
	return change_commit(ch, &(struct change_audit){ c->actor, action, object, "ok" }, NULL, d);
}

enum cluster_err admin_commit(struct call *c, struct change *ch, const char *action, const char *object, struct json **ret, struct diag *d)
{
	int64_t version = 0;
	enum cluster_err e = change_commit(ch, &(struct change_audit){ c->actor, action, object, "ok" }, &version, d);

	if (e == CLUSTER_OK)
		*ret = json_make("{s:I}", "version", (long long)version);
	return e;
}

enum cluster_err admin_commit_import(struct call *c, struct change *ch, const char *action, struct admin_imported what, struct diag *d)
{
	char object[64];

	snprintf(object, sizeof object, "%zu of %zu", what.added, what.n);
	if (what.added)
		return admin_commit_only(c, ch, action, object, d);
	return change_commit_quietly(ch, &(struct change_audit){ c->actor, action, object, "ok" }, d);
}

static enum cluster_err all_one(void *ctx, const char *key, const char *value, size_t n)
{
	struct wr *w = ctx;

	(void)key;
	if (w->n && w->p[w->n - 1] != '[')
		wr_text(w, ",");
	wr_bytes(w, value, n);
	return wr_end(w);
}

enum cluster_err admin_all(struct call *c, enum store_kind kind, const char *name, struct json **ret, struct diag *d)
{
	enum cluster_err e;
	struct wr w;

	(void)ret;
	if ((e = json_read(c->in, NULL, 0, d)) != CLUSTER_OK)
		return e;
	wr_grow(&w, ALL_MAX);
	wr_printf(&w, "{\"%s\":[", name);
	if ((e = store_each(c->a->store, kind, "", all_one, &w)) != CLUSTER_OK) {
		diag_set(d, e, "the store cannot be read: %s", err_name(e));
		goto out;
	}
	wr_text(&w, "]}");
	if ((e = wr_end(&w)) != CLUSTER_OK || !(c->raw = blob_new(w.p, w.n)))
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
out:
	wr_done(&w);
	return e;
}

struct each {
	enum directory_kind kind;
	admin_visit *visit;
	void *ctx;
};

static enum cluster_err each_one(void *ctx, const char *key, const char *value, size_t n)
{
	struct directory *dir = NULL;
	struct each *each = ctx;
	enum cluster_err e = record_parse(each->kind, value, n, &dir, NULL);

	(void)key;
	if (e == CLUSTER_OK)
		e = each->visit(each->ctx, dir);
	directory_free(dir);
	return e;
}

enum cluster_err admin_each(struct call *c, enum directory_kind kind, admin_visit *visit, void *ctx, struct diag *d)
{
	struct each each = { .kind = kind, .visit = visit, .ctx = ctx };
	enum cluster_err e = store_each(c->a->store, record_kind(kind), "", each_one, &each);

	return e == CLUSTER_OK ? e : diag_set(d, e, "the store cannot be read: %s", err_name(e));
}
