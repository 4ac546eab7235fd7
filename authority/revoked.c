/* SPDX-License-Identifier: Apache-2.0 */
#include "revoked.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/credential.h"
#include "cluster/json.h"
#include "cluster/jws.h"
#include "cluster/moment.h"
#include "cluster/wr.h"
#include "store.h"

void revoked_key(int64_t seq, char dst[REVOKED_KEY_SIZE])
{
	snprintf(dst, REVOKED_KEY_SIZE, "%016" PRId64, seq);
}

static void item_unref(struct revoked_item *i)
{
	if (!i || --i->refs)
		return;
	free(i->entry.value);
	free(i->entry.reason);
	free(i->text);
	free(i->by);
	free(i);
}

void revoked_free(struct revoked *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		item_unref(r->item[i]);
	free(r->item);
	free(r);
}

/* Takes the reference in any case. */
static enum cluster_err append(struct revoked *r, struct revoked_item *item)
{
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 16;
		struct revoked_item **grown = reallocarray(r->item, room, sizeof *grown);

		if (!grown) {
			item_unref(item);
			return CLUSTER_ENOMEM;
		}
		r->item = grown;
		r->room = room;
	}
	r->item[r->n++] = item;
	return CLUSTER_OK;
}

static enum cluster_err item_new(const struct revoke_entry *e, const char *by, struct revoked_item **ret)
{
	struct json *j = json_make("{s:I, s:s, s:I, s:I, s:s, s:s*}", "iat", (long long)e->iat, "kind", revoke_kind_name(e->kind), "seq", (long long)e->seq, "until",
	    (long long)e->until, "value", e->value, "reason", e->reason);
	struct revoked_item *item = calloc(1, sizeof *item);
	enum cluster_err err = CLUSTER_ENOMEM;

	if (!item || !j || (e->before && json_set(j, "before", json_make("I", (long long)e->before)) != CLUSTER_OK))
		goto out;
	item->refs = 1;
	item->entry = *e;
	item->entry.value = strdup(e->value);
	item->entry.reason = e->reason ? strdup(e->reason) : NULL;
	item->by = by ? strdup(by) : NULL;
	if (!item->entry.value || (e->reason && !item->entry.reason) || (by && !item->by) || json_text(j, &item->text, NULL) != CLUSTER_OK)
		goto out;
	*ret = item;
	item = NULL;
	err = CLUSTER_OK;
out:
	item_unref(item);
	json_free(j);
	return err;
}

enum cluster_err revoked_add(struct revoked *r, const struct revoke_entry *e, const char *by)
{
	struct revoked_item *item = NULL;
	enum cluster_err err = item_new(e, by, &item);

	return err == CLUSTER_OK ? append(r, item) : err;
}

enum cluster_err revoked_end(struct revoked *r, size_t i, int64_t until)
{
	struct revoke_entry e = r->item[i]->entry;
	struct revoked_item *item = NULL;
	enum cluster_err err;

	e.until = until;
	if ((err = item_new(&e, r->item[i]->by, &item)) != CLUSTER_OK)
		return err;
	item->head = r->item[i]->head;
	item->proved = r->item[i]->proved;
	item_unref(r->item[i]);
	r->item[i] = item;
	return CLUSTER_OK;
}

int64_t revoked_until(const struct revoke_entry *e, int64_t exp, int64_t skew)
{
	int64_t longest = CREDENTIAL_LIFE_MAX + skew;

	if (e->before)
		return e->before + longest;
	switch (e->kind) {
	case REVOKE_CREDENTIAL:
		return exp ? exp : e->iat + longest;
	case REVOKE_CERT_SERIAL: /* a certificate lives as long as the credential in it */
	case REVOKE_CERT_ID:
		return e->iat + longest;
	case REVOKE_SESSION:
		return e->iat + REVOKED_SESSION;
	case REVOKE_DEVICE:
	case REVOKE_PERSON:
	case REVOKE_ACCOUNT:
	case REVOKE_NODE:
	case REVOKE_ROLE:
	case REVOKE_ISSUER:
	case REVOKE_CERT_KEY:
	case REVOKE_CERT_CA:
	case REVOKE_BEFORE:
	case REVOKE_LOCKDOWN:
		break;
	}
	return MOMENT_MAX;
}

int64_t revoked_leaves(const struct revoke_entry *e, int64_t proved, int64_t skew)
{
	int64_t needed = e->until > e->iat ? e->until : e->iat; /* of what was issued long ago only sessions are left */
	int64_t after = REVOKED_HOP + 2 * skew, last = needed + REVOKED_HOLD;

	if (e->until >= MOMENT_MAX)
		return MOMENT_MAX;
	if (proved && proved < last)
		last = proved > needed ? proved : needed;
	return last + after < MOMENT_MAX ? last + after : MOMENT_MAX;
}

void revoked_settle(struct revoked *r, int64_t head, int64_t least, int64_t now)
{
	for (size_t i = 0; i < r->n; i++) {
		struct revoked_item *item = r->item[i];

		if (!item->head)
			item->head = head;
		if (!item->proved && least >= item->head)
			item->proved = now;
	}
}

enum cluster_err revoked_copy(const struct revoked *r, int64_t now, int64_t skew, struct revoked **ret)
{
	struct revoked *copy = calloc(1, sizeof *copy);
	enum cluster_err e = copy ? CLUSTER_OK : CLUSTER_ENOMEM;

	for (size_t i = 0; e == CLUSTER_OK && i < r->n; i++) {
		if (revoked_leaves(&r->item[i]->entry, r->item[i]->proved, skew) < now)
			continue;
		r->item[i]->refs++;
		e = append(copy, r->item[i]);
	}
	if (e != CLUSTER_OK) {
		revoked_free(copy);
		return e;
	}
	*ret = copy;
	return CLUSTER_OK;
}

enum cluster_err revoked_remove(struct revoked *r, int64_t seq)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->item[i]->entry.seq != seq)
			continue;
		item_unref(r->item[i]);
		memmove(&r->item[i], &r->item[i + 1], (r->n - i - 1) * sizeof *r->item);
		r->n--;
		return CLUSTER_OK;
	}
	return CLUSTER_ENOTFOUND;
}

static enum cluster_err entry_read(const char *text, size_t n, struct revoked *r)
{
	struct revoke_entry e = { 0 };
	const char *kind = NULL, *value = NULL, *reason = NULL;
	struct json_field f[] = {
		{ .name = "iat", .kind = JSON_KIND_INT, .dst = &e.iat, .min = MOMENT_MIN, .max = MOMENT_MAX },
		{ .name = "kind", .kind = JSON_KIND_TEXT, .dst = &kind, .max = 32 },
		{ .name = "seq", .kind = JSON_KIND_INT, .dst = &e.seq, .min = 1, .max = INT64_C(1) << 53 },
		{ .name = "until", .kind = JSON_KIND_INT, .dst = &e.until, .min = MOMENT_MIN, .max = MOMENT_MAX },
		{ .name = "value", .kind = JSON_KIND_TEXT, .dst = &value, .max = 65536 },
		{ .name = "before", .kind = JSON_KIND_INT, .optional = true, .dst = &e.before, .min = MOMENT_MIN, .max = MOMENT_MAX },
		{ .name = "reason", .kind = JSON_KIND_TEXT, .optional = true, .dst = &reason, .max = 200 },
	};
	struct json *j = NULL;
	enum cluster_err err;

	if ((err = json_parse(text, n, 1 << 20, &j, NULL)) != CLUSTER_OK || (err = json_read(j, f, sizeof f / sizeof *f, NULL)) != CLUSTER_OK ||
	    (err = revoke_kind_parse(kind, &e.kind)) != CLUSTER_OK)
		goto out;
	/* revoked_add copies both */
	e.value = strdup(value);
	e.reason = reason ? strdup(reason) : NULL;
	err = e.value && (!reason || e.reason) ? revoked_add(r, &e, NULL) : CLUSTER_ENOMEM;
	free(e.value);
	free(e.reason);
out:
	json_free(j);
	return err;
}

static enum cluster_err load_one(void *ctx, const char *key, const char *value, size_t n)
{
	(void)key;
	return entry_read(value, n, ctx);
}

/* Both stand in order of their keys. */
struct signatures {
	struct revoked *r;
	size_t i;
};

static enum cluster_err load_by(void *ctx, const char *key, const char *value, size_t n)
{
	struct signatures *s = ctx;
	char at[REVOKED_KEY_SIZE];
	int order = -1;

	for (; s->i < s->r->n; s->i++) {
		revoked_key(s->r->item[s->i]->entry.seq, at);
		if ((order = strcmp(at, key)) >= 0)
			break;
	}
	if (order != 0)
		return CLUSTER_OK;
	return (s->r->item[s->i]->by = strndup(value, n)) ? CLUSTER_OK : CLUSTER_ENOMEM;
}

enum cluster_err revoked_load(struct store *s, struct revoked **ret, struct diag *d)
{
	struct revoked *r = calloc(1, sizeof *r);
	struct signatures by = { .r = r };
	enum cluster_err e = r ? store_each(s, STORE_REVOCATION, "", load_one, r) : CLUSTER_ENOMEM;

	if (e == CLUSTER_OK)
		e = store_each(s, STORE_REVOKED_BY, "", load_by, &by);
	if (e != CLUSTER_OK) {
		revoked_free(r);
		return diag_set(d, e, "the store's revocations cannot be read: %s", err_name(e));
	}
	*ret = r;
	return CLUSTER_OK;
}

/* What was there when it was revoked for the first time ends as if it had not been revoked again. */
static bool ends_alone(enum revoke_kind kind)
{
	return kind == REVOKE_CREDENTIAL || kind == REVOKE_CERT_SERIAL || kind == REVOKE_CERT_ID || kind == REVOKE_SESSION;
}

const struct revoked_item *revoked_same(const struct revoked *r, const struct revoke_entry *e)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct revoke_entry *x = &r->item[i]->entry;

		if (x->kind == e->kind && x->before == e->before && (x->until >= e->until || ends_alone(x->kind)) && strcmp(x->value, e->value) == 0)
			return r->item[i];
	}
	return NULL;
}

const struct revoke_entry *revoked_find(const struct revoked *r, enum revoke_kind kind, const char *value, int64_t issued)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct revoke_entry *e = &r->item[i]->entry;

		if (e->kind == kind && strcmp(e->value, value) == 0 && (!e->before || issued < e->before))
			return e;
	}
	return NULL;
}

const struct revoke_entry *revoked_all(const struct revoked *r, const struct cluster_id *person, int64_t issued)
{
	char id[ID_TEXT + 1];

	id_text(person, id);
	for (size_t i = 0; i < r->n; i++) {
		const struct revoke_entry *e = &r->item[i]->entry;

		if (e->kind == REVOKE_BEFORE && issued < e->before)
			return e;
		if (e->kind == REVOKE_LOCKDOWN && !strstr(e->value, id))
			return e;
	}
	return NULL;
}

enum cluster_err revoked_payload(const struct revoked *r, const struct cluster_id *cluster, int64_t iat, int64_t version, char **ret, size_t *ret_n)
{
	char id[ID_TEXT + 1];
	enum cluster_err e;
	uint8_t *bytes = NULL;
	struct wr w;

	/* canonical: members in order of name, entries as they were made */
	id_text(cluster, id);
	wr_grow(&w, jws_typ_cap(JWS_REVOCATIONS));
	wr_printf(&w, "{\"cluster\":\"%s\",\"entries\":[", id);
	for (size_t i = 0; i < r->n; i++) {
		if (i)
			wr_text(&w, ",");
		wr_text(&w, r->item[i]->text);
	}
	wr_printf(&w, "],\"iat\":%" PRId64 ",\"version\":%" PRId64 "}", iat, version);
	wr_terminate(&w);
	if ((e = wr_take(&w, &bytes, ret_n)) == CLUSTER_OK)
		*ret = (char *)bytes;
	wr_done(&w);
	return e;
}
