/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "admin_part.h"
#include "cluster/credential.h"
#include "cluster/moment.h"
#include "cluster/num.h"
#include "device.h"
#include "record.h"
#include "revoked.h"

/* Revocations (PROTOCOL.md 6.4, 3.5). */

#define REASON_MAX 200
#define VALUE_MAX 4096
#define AHEAD_MAX 60 /* `before` may lie a little ahead: everything up to now */

struct wish {
	enum revoke_kind kind;
	const char *kind_word, *value, *reason;
	int64_t before;
	char id[ID_TEXT + 1]; /* what a name means */
};

static bool reason_ok(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	}
	return true;
}

/* May `before` stand with this kind? */
static bool takes_before(enum revoke_kind kind)
{
	return kind == REVOKE_DEVICE || kind == REVOKE_PERSON || kind == REVOKE_ACCOUNT || kind == REVOKE_NODE || kind == REVOKE_ROLE || kind == REVOKE_ISSUER || kind == REVOKE_BEFORE;
}

/* Names of people and nodes to ids; ids may also be of what is gone already. */
static enum cluster_err resolve(struct call *c, struct wish *w, struct diag *d)
{
	enum directory_kind kind = w->kind == REVOKE_NODE ? DIRECTORY_NODES : DIRECTORY_PEOPLE;
	struct cluster_id id;
	enum cluster_err e;

	if (w->kind == REVOKE_PERSON || w->kind == REVOKE_NODE) {
		if ((e = record_find(c->a->store, kind, w->value, w->id, d)) == CLUSTER_OK)
			w->value = w->id;
		else if (e != CLUSTER_ENOTFOUND || id_parse(w->value, &id) != CLUSTER_OK)
			return e;
	}
	return revoke_value_check(w->kind, w->value, d);
}

static enum cluster_err wish_read(struct call *c, struct wish *w, struct diag *d)
{
	struct json_field f[] = {
		{ .name = "kind", .kind = JSON_KIND_TEXT, .dst = &w->kind_word, .max = 32 },
		{ .name = "value", .kind = JSON_KIND_TEXT, .dst = &w->value, .max = VALUE_MAX },
		{ .name = "before", .kind = JSON_KIND_INT, .optional = true, .dst = &w->before, .min = MOMENT_MIN, .max = MOMENT_MAX },
		{ .name = "reason", .kind = JSON_KIND_TEXT, .optional = true, .dst = &w->reason, .max = REASON_MAX, .ok = reason_ok },
	};
	enum cluster_err e = json_read(c->in, ADMIN_FIELDS(f), d);

	if (e != CLUSTER_OK)
		return e;
	if (revoke_kind_parse(w->kind_word, &w->kind) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "there is no kind of revocation \"%s\"", w->kind_word);
	if (w->before && !takes_before(w->kind))
		return diag_set(d, CLUSTER_EFORMAT, "before has no meaning for a %s", w->kind_word);
	if (w->kind == REVOKE_BEFORE && !w->before)
		return diag_set(d, CLUSTER_EFORMAT, "before is missing");
	if (w->before > c->now + AHEAD_MAX)
		return diag_set(d, CLUSTER_EFORMAT, "before lies in the future");
	return resolve(c, w, d);
}

/* When nothing that it covers can be alive any more. */
static int64_t until_of(struct call *c, const struct wish *w)
{
	int64_t longest = CREDENTIAL_LIFE_MAX + (int64_t)c->a->conf.skew;
	char *key = NULL, digits[16] = "";
	uint64_t exp = 0;
	size_t n = 0;

	if (w->before)
		return w->before + longest;
	if (w->kind != REVOKE_CREDENTIAL)
		return MOMENT_MAX;
	/* the key begins with twelve digits of the expiry */
	if (store_get(c->a->store, STORE_CREDENTIAL_ID, w->value, &key, &n) == CLUSTER_OK && n > 12) {
		const char *first = key + strspn(key, "0");

		memcpy(digits, first, (size_t)(key + 12 - first));
		if (num_u64(digits, 1, (uint64_t)MOMENT_MAX, &exp) != CLUSTER_OK)
			exp = 0;
	}
	free(key);
	return exp ? (int64_t)exp : c->now + longest; /* one that is not in our books: as long as any could live */
}

enum cluster_err admin_revoke_add(struct call *c, struct json **ret, struct diag *d)
{
	struct revoke_entry entry = { .seq = 0 };
	struct wish w = { .value = NULL };
	struct change ch = { 0 };
	int64_t version = 0;
	enum cluster_err e;

	if ((e = wish_read(c, &w, d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK)
		goto out;
	entry.kind = w.kind;
	entry.before = w.before;
	entry.until = until_of(c, &w);
	entry.value = (char *)(uintptr_t)w.value;
	entry.reason = (char *)(uintptr_t)w.reason;
	if ((e = change_revoke(&ch, &entry, d)) != CLUSTER_OK)
		goto out;
	if ((e = change_commit(&ch, &(struct change_audit){ c->actor, "revoke/add", w.value[0] ? w.value : w.kind_word, "ok" }, &version, d)) != CLUSTER_OK)
		goto out;
	*ret = json_make("{s:I, s:I}", "seq", (long long)entry.seq, "version", (long long)version);
out:
	change_done(&ch);
	return e;
}

/* The name behind an id, for people; NULL if there is none. The caller frees it with directory_free(*keep). */
static const char *name_of(struct store *s, const struct revoke_entry *e, struct directory **keep)
{
	char person[ID_TEXT + 1];
	struct device device;

	if (e->kind == REVOKE_PERSON && record_get(s, DIRECTORY_PEOPLE, e->value, keep, NULL) == CLUSTER_OK)
		return (*keep)->people[0].name;
	if (e->kind == REVOKE_NODE && record_get(s, DIRECTORY_NODES, e->value, keep, NULL) == CLUSTER_OK)
		return (*keep)->nodes[0].name;
	if (e->kind != REVOKE_DEVICE || device_get(s, e->value, &device) != CLUSTER_OK)
		return NULL;
	id_text(&device.person, person);
	return record_get(s, DIRECTORY_PEOPLE, person, keep, NULL) == CLUSTER_OK ? (*keep)->people[0].name : NULL;
}

static enum cluster_err list_one(struct call *c, const struct revoked_item *item, struct json *list)
{
	struct directory *keep = NULL;
	const char *name = name_of(c->a->store, &item->entry, &keep);
	struct json *j = NULL;
	enum cluster_err e;

	if ((e = json_parse(item->text, strlen(item->text), 1 << 20, &j, NULL)) == CLUSTER_OK && name)
		e = json_set(j, "name", json_make("s", name));
	directory_free(keep);
	if (e != CLUSTER_OK) {
		json_free(j);
		return e;
	}
	return json_append(list, j);
}

enum cluster_err admin_revoke_list(struct call *c, struct json **ret, struct diag *d)
{
	struct json *list = json_list();
	enum cluster_err e = json_read(c->in, NULL, 0, d);

	for (size_t i = 0; e == CLUSTER_OK && i < c->a->revoked->n; i++)
		e = list_one(c, c->a->revoked->item[i], list);
	if (e != CLUSTER_OK) {
		json_free(list);
		return e;
	}
	*ret = json_make("{s:o}", "entries", list);
	return CLUSTER_OK;
}

enum cluster_err admin_revoke_remove(struct call *c, struct json **ret, struct diag *d)
{
	int64_t seq = 0;
	struct json_field f[] = { { .name = "seq", .kind = JSON_KIND_INT, .dst = &seq, .min = 1, .max = INT64_C(1) << 53 } };
	struct change ch = { 0 };
	char object[REVOKED_KEY_SIZE];
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK || (e = change_unrevoke(&ch, seq, d)) != CLUSTER_OK)
		goto out;
	revoked_key(seq, object);
	e = admin_commit(c, &ch, "revoke/remove", object, ret, d);
out:
	change_done(&ch);
	return e;
}
