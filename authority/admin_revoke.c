/* SPDX-License-Identifier: Apache-2.0 */
#include "admin_revoke.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_part.h"
#include "cluster/moment.h"
#include "cluster/num.h"
#include "cluster/wr.h"
#include "device.h"
#include "nodes.h"
#include "record.h"
#include "renewal.h"
#include "revoked.h"

/* Revocations (PROTOCOL.md 6.4, 3.5). */

#define REASON_MAX 200
#define AHEAD_MAX 60 /* `before` may lie a little ahead: everything up to now */
#define AUDIT_MAX 4600
#define LABEL_SEPARATOR '/'

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

/* ---- names to ids ---- */

/* "alice/laptop": the one device of that person with that label. */
static enum cluster_err device_by_label(struct call *c, const char *value, char ret[ID_TEXT + 1], struct diag *d)
{
	const char *label = strchr(value, LABEL_SEPARATOR) + 1;
	char name[NAME_PERSON_MAX + 1] = "", person[ID_TEXT + 1], id[ID_TEXT + 1];
	struct directory *dir = NULL;
	struct device device;
	enum cluster_err e;
	size_t found = 0;

	snprintf(name, sizeof name, "%.*s", (int)(label - 1 - value), value);
	if ((e = record_find(c->a->store, DIRECTORY_PEOPLE, name, person, d)) != CLUSTER_OK || (e = record_get(c->a->store, DIRECTORY_PEOPLE, person, &dir, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < dir->people[0].n_devices; i++) {
		id_text(&dir->people[0].devices[i].id, id);
		if (device_get(c->a->store, id, &device) != CLUSTER_OK || strcmp(device.label, label) != 0)
			continue;
		memcpy(ret, id, sizeof id);
		found++;
	}
	directory_free(dir);
	if (found == 1)
		return CLUSTER_OK;
	return diag_set(d, found ? CLUSTER_EVERSION : CLUSTER_ENOTFOUND, found ? "%zu devices of \"%s\" have that label: say the id" : "%zu devices of \"%s\" have that label", found, name);
}

/* Names of people, nodes and devices to ids; ids may also be of what is gone already. */
static enum cluster_err resolve(struct call *c, struct admin_revoke_wish *w, struct diag *d)
{
	enum directory_kind kind = w->entry.kind == REVOKE_NODE ? DIRECTORY_NODES : DIRECTORY_PEOPLE;
	struct cluster_id id;
	enum cluster_err e;

	if (w->entry.kind == REVOKE_DEVICE && strchr(w->entry.value, LABEL_SEPARATOR)) {
		if ((e = device_by_label(c, w->entry.value, w->id, d)) != CLUSTER_OK)
			return e;
		w->entry.value = w->id;
	} else if (w->entry.kind == REVOKE_PERSON || w->entry.kind == REVOKE_NODE) {
		if ((e = record_find(c->a->store, kind, w->entry.value, w->id, d)) == CLUSTER_OK)
			w->entry.value = w->id;
		else if (e != CLUSTER_ENOTFOUND || id_parse(w->entry.value, &id) != CLUSTER_OK)
			return e;
	}
	return revoke_value_check(w->entry.kind, w->entry.value, d);
}

/* A serial number of a certificate that is not in the books may be one that will be. */
static bool serial_known(struct store *s, const char *value)
{
	char key[32];
	uint64_t n;

	if (num_u64(value, 0, UINT64_MAX, &n) != CLUSTER_OK)
		return false;
	snprintf(key, sizeof key, "%020" PRIu64, n);
	return store_get(s, STORE_CERTIFICATE_SERIAL, key, NULL, NULL) == CLUSTER_OK;
}

static int64_t until_of(struct call *c, const struct revoke_entry *e)
{
	struct renewal_issued issued = { .exp = 0 };

	if (e->kind == REVOKE_CERT_SERIAL && !serial_known(c->a->store, e->value))
		return MOMENT_MAX;
	if (e->kind == REVOKE_CREDENTIAL && renewal_issued(c->a->store, e->value, &issued) != CLUSTER_OK)
		issued.exp = 0; /* not in our books: as long as any could live */
	return revoked_until(e, issued.exp, (int64_t)c->a->conf.skew);
}

enum cluster_err admin_revoke_make(struct call *c, const char *kind, struct admin_revoke_wish *w, struct diag *d)
{
	struct revoke_entry *entry = &w->entry;
	enum cluster_err e;

	if (revoke_kind_parse(kind, &entry->kind) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "there is no kind of revocation \"%s\"", kind);
	if (entry->before && !takes_before(entry->kind))
		return diag_set(d, CLUSTER_EFORMAT, "before has no meaning for a %s", kind);
	if (entry->kind == REVOKE_BEFORE && !entry->before)
		return diag_set(d, CLUSTER_EFORMAT, "before is missing");
	if (entry->before > c->now + AHEAD_MAX)
		return diag_set(d, CLUSTER_EFORMAT, "before lies in the future");
	if ((e = resolve(c, w, d)) != CLUSTER_OK)
		return e;
	entry->iat = c->now;
	entry->until = until_of(c, entry);
	return CLUSTER_OK;
}

enum cluster_err admin_revoke_read(struct call *c, struct admin_revoke_wish *w, struct diag *d)
{
	const char *kind = NULL, *value = NULL, *reason = NULL;
	struct json_field f[] = {
		{ .name = "kind", .kind = JSON_KIND_TEXT, .dst = &kind, .max = 32 },
		{ .name = "value", .kind = JSON_KIND_TEXT, .dst = &value, .max = REVOKE_LOCKDOWN_MAX },
		{ .name = "before", .kind = JSON_KIND_INT, .optional = true, .dst = &w->entry.before, .min = MOMENT_MIN, .max = MOMENT_MAX },
		{ .name = "reason", .kind = JSON_KIND_TEXT, .optional = true, .dst = &reason, .max = REASON_MAX, .ok = reason_ok },
	};
	enum cluster_err e = json_read(c->in, ADMIN_FIELDS(f), d);

	if (e != CLUSTER_OK)
		return e;
	w->entry.value = (char *)(uintptr_t)value;
	w->entry.reason = (char *)(uintptr_t)reason;
	return admin_revoke_make(c, kind, w, d);
}

/* ---- revoke/add ---- */

/* "17 person kPrK... before 1790000000: laptop lost": what the audit trail keeps of it. */
static void audit_object(const struct revoke_entry *e, char *dst, size_t size)
{
	struct wr w;

	wr_init(&w, dst, size - 1);
	wr_printf(&w, "%" PRId64 " %s", e->seq, revoke_kind_name(e->kind));
	if (e->value[0])
		wr_printf(&w, " %s", e->value);
	if (e->before)
		wr_printf(&w, " before %" PRId64, e->before);
	if (e->reason)
		wr_printf(&w, ": %s", e->reason);
	dst[wr_end(&w) == CLUSTER_OK ? w.n : 0] = '\0';
}

/* Once more what is in force already: nothing is added, and the present head carries it. */
static enum cluster_err add_again(struct call *c, struct change *ch, const struct revoked_item *same, struct json **ret, struct diag *d)
{
	int64_t seq = same->entry.seq;
	char object[AUDIT_MAX];
	enum cluster_err e;

	audit_object(&same->entry, object, sizeof object);
	if ((e = change_commit_quietly(ch, &(struct change_audit){ c->actor, "revoke/add", object, "ok" }, d)) == CLUSTER_OK)
		*ret = json_make("{s:b, s:I, s:I}", "already", true, "seq", (long long)seq, "version", (long long)c->a->published->head_version);
	return e;
}

enum cluster_err admin_revoke_add(struct call *c, struct json **ret, struct diag *d)
{
	struct admin_revoke_wish w = { .id = "" };
	const struct revoked_item *same;
	struct change ch = { 0 };
	char object[AUDIT_MAX];
	int64_t version = 0;
	enum cluster_err e;

	if ((e = admin_revoke_read(c, &w, d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK)
		goto out;
	if ((same = revoked_same(c->a->revoked, &w.entry))) {
		e = add_again(c, &ch, same, ret, d);
		goto out;
	}
	ch.by = c->actor;
	if ((e = change_revoke(&ch, &w.entry, d)) != CLUSTER_OK)
		goto out;
	audit_object(&w.entry, object, sizeof object);
	if ((e = change_commit(&ch, &(struct change_audit){ c->actor, "revoke/add", object, "ok" }, &version, d)) != CLUSTER_OK)
		goto out;
	*ret = json_make("{s:I, s:I}", "seq", (long long)w.entry.seq, "version", (long long)version);
out:
	change_done(&ch);
	return e;
}

/* ---- revoke/list ---- */

/* The name behind an id, of the person behind a device or credential; NULL if there is none. The caller frees *keep with directory_free. */
static const char *name_of(struct store *s, const struct revoke_entry *e, struct directory **keep)
{
	struct renewal_issued issued;
	char person[ID_TEXT + 1];
	struct device device;

	if (e->kind == REVOKE_CREDENTIAL && renewal_issued(s, e->value, &issued) == CLUSTER_OK && record_get(s, DIRECTORY_PEOPLE, issued.person, keep, NULL) == CLUSTER_OK)
		return (*keep)->people[0].name;
	if (e->kind == REVOKE_PERSON && record_get(s, DIRECTORY_PEOPLE, e->value, keep, NULL) == CLUSTER_OK)
		return (*keep)->people[0].name;
	if (e->kind == REVOKE_NODE && record_get(s, DIRECTORY_NODES, e->value, keep, NULL) == CLUSTER_OK)
		return (*keep)->nodes[0].name;
	if (e->kind != REVOKE_DEVICE || device_get(s, e->value, &device) != CLUSTER_OK)
		return NULL;
	id_text(&device.person, person);
	return record_get(s, DIRECTORY_PEOPLE, person, keep, NULL) == CLUSTER_OK ? (*keep)->people[0].name : NULL;
}

/* Names of those whom a lockdown spares. */
static struct json *spared(struct store *s, const char *list)
{
	struct json *names = json_list();
	struct directory *dir = NULL;
	char id[ID_TEXT + 1] = "";

	for (; names && strlen(list) >= ID_TEXT; list += list[ID_TEXT] ? ID_TEXT + 1 : ID_TEXT) {
		memcpy(id, list, ID_TEXT);
		if (json_append(names, json_make("s", record_get(s, DIRECTORY_PEOPLE, id, &dir, NULL) == CLUSTER_OK ? dir->people[0].name : id)) != CLUSTER_OK) {
			json_free(names);
			names = NULL;
		}
		directory_free(dir);
		dir = NULL;
	}
	return names;
}

/* How many nodes have not proved that they have it. */
static size_t missing(const struct nodes *n, const struct revoked_item *item)
{
	size_t count = 0;

	for (size_t i = 0; i < n->n; i++)
		count += nodes_applied(n->one[i]) < item->head;
	return count;
}

static enum cluster_err list_one(struct call *c, const struct revoked_item *item, struct json *list)
{
	int64_t leaves = revoked_leaves(&item->entry, item->proved, (int64_t)c->a->conf.skew);
	struct directory *keep = NULL;
	const char *name = name_of(c->a->store, &item->entry, &keep);
	struct json *j = NULL;
	enum cluster_err e;

	if ((e = json_parse(item->text, strlen(item->text), 1 << 20, &j, NULL)) == CLUSTER_OK && name)
		e = json_set(j, "name", json_make("s", name));
	if (e == CLUSTER_OK && item->by)
		e = json_set(j, "by", json_make("s", item->by));
	if (e == CLUSTER_OK && item->entry.kind == REVOKE_LOCKDOWN)
		e = json_set(j, "except", spared(c->a->store, item->entry.value));
	if (e == CLUSTER_OK)
		e = json_set(j, "leaves", json_make("I", leaves < MOMENT_MAX ? (long long)leaves : 0LL));
	if (e == CLUSTER_OK)
		e = json_set(j, "missing", json_make("I", (long long)missing(c->a->nodes, item)));
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
