/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_part.h"
#include "admin_revoke.h"
#include "cluster/moment.h"
#include "device.h"
#include "record.h"
#include "revoked.h"

/* Taking revocations back (PROTOCOL.md 6.4): by number, or all of one thing. */

#define OBJECT_MAX 200

struct wish {
	int64_t seq; /* 0: by what it is */
	const char *kind;
	struct admin_revoke_wish what;
};

static enum cluster_err wish_read(struct call *c, struct wish *w, struct diag *d)
{
	const char *value = NULL;
	struct json_field f[] = {
		{ .name = "seq", .kind = JSON_KIND_INT, .optional = true, .dst = &w->seq, .min = 1, .max = INT64_C(1) << 53 },
		{ .name = "kind", .kind = JSON_KIND_TEXT, .optional = true, .dst = &w->kind, .max = 32 },
		{ .name = "value", .kind = JSON_KIND_TEXT, .optional = true, .dst = &value, .max = REVOKE_LOCKDOWN_MAX },
	};
	enum cluster_err e = json_read(c->in, ADMIN_FIELDS(f), d);

	if (e != CLUSTER_OK)
		return e;
	if ((w->seq != 0) == (w->kind != NULL) || (w->kind != NULL) != (value != NULL))
		return diag_set(d, CLUSTER_EFORMAT, "either seq, or kind and value");
	if (w->seq)
		return CLUSTER_OK;
	w->what.entry.value = (char *)(uintptr_t)value;
	w->what.entry.before = strcmp(w->kind, revoke_kind_name(REVOKE_BEFORE)) == 0 ? c->now : 0; /* any of them */
	return admin_revoke_make(c, w->kind, &w->what, d);
}

/* All lockdowns and all of kind before are one thing each: what is in force of them is their sum. */
static bool wished(const struct wish *w, const struct revoke_entry *e)
{
	if (w->seq)
		return e->seq == w->seq;
	return e->kind == w->what.entry.kind && (e->kind == REVOKE_LOCKDOWN || strcmp(e->value, w->what.entry.value) == 0);
}

/* What taking it back does not bring back; NULL: nothing to say. */
static const char *note_of(struct call *c, const struct revoke_entry *e)
{
	struct device device;

	if (e->kind == REVOKE_CREDENTIAL && e->until <= c->now)
		return "the credential has expired in the meantime: a new one is needed";
	if (e->kind == REVOKE_DEVICE && device_get(c->a->store, e->value, &device) == CLUSTER_ENOTFOUND)
		return "the device is not enrolled any more: it has to be enrolled anew";
	if (e->kind == REVOKE_PERSON && store_get(c->a->store, STORE_PERSON, e->value, NULL, NULL) == CLUSTER_ENOTFOUND)
		return "the person is not in the directory any more";
	if (e->kind == REVOKE_NODE && store_get(c->a->store, STORE_NODE, e->value, NULL, NULL) == CLUSTER_ENOTFOUND)
		return "the node is not in the directory any more: it has to join anew";
	return NULL;
}

static enum cluster_err remove_all(struct call *c, struct change *ch, const struct wish *w, struct json *removed, const char **ret_note, struct diag *d)
{
	const struct revoked *r = c->a->revoked;
	enum cluster_err e = CLUSTER_OK;

	for (size_t i = 0; i < r->n && e == CLUSTER_OK; i++) {
		const struct revoke_entry *entry = &r->item[i]->entry;

		if (!wished(w, entry))
			continue;
		if (entry->kind == REVOKE_SESSION)
			return diag_set(d, CLUSTER_EVERSION, "a session that was ended cannot be brought back; the entry leaves the list by itself");
		*ret_note = note_of(c, entry);
		if ((e = change_unrevoke(ch, entry->seq, d)) == CLUSTER_OK && json_append(removed, json_make("I", (long long)entry->seq)) != CLUSTER_OK)
			e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
	}
	if (e == CLUSTER_OK && json_count(removed) == 0)
		e = diag_set(d, CLUSTER_ENOTFOUND, w->seq ? "there is no revocation with that number in force" : "nothing of that kind is revoked");
	return e;
}

enum cluster_err admin_revoke_remove(struct call *c, struct json **ret, struct diag *d)
{
	struct json *removed = json_list();
	struct wish w = { .seq = 0 };
	const char *note = NULL;
	struct change ch = { 0 };
	char object[OBJECT_MAX];
	int64_t version = 0;
	enum cluster_err e;

	if ((e = wish_read(c, &w, d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK || (e = remove_all(c, &ch, &w, removed, &note, d)) != CLUSTER_OK)
		goto out;
	if (w.seq)
		snprintf(object, sizeof object, "%" PRId64, w.seq);
	else
		snprintf(object, sizeof object, "%s %.150s", w.kind, w.what.entry.value);
	if ((e = change_commit(&ch, &(struct change_audit){ c->actor, "revoke/remove", object, "ok" }, &version, d)) != CLUSTER_OK)
		goto out;
	*ret = json_make("{s:s*, s:O, s:I}", "note", note, "removed", removed, "version", (long long)version);
out:
	change_done(&ch);
	json_free(removed);
	return e;
}
