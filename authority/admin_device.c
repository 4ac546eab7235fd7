/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin_part.h"
#include "cluster/request.h"
#include "cluster/sshsig.h"
#include "device.h"
#include "record.h"

/* Devices (PROTOCOL.md 6.4). */

struct listing {
	struct call *call;
	struct json *list;
};

/* One row; an ssh key is told by type and fingerprint. NULL when out of memory. */
static struct json *row(const struct device *device, const char *person, const char *person_name)
{
	char id[ID_TEXT + 1], print[51] = "";
	uint8_t blob[SSHKEY_BLOB_MAX];
	struct sshkey key;
	bool ssh = device->sshkey[0] != '\0';

	id_text(&device->id, id);
	if (ssh && (device_sshkey(device, blob, &key) != CLUSTER_OK || sshsig_fingerprint(key.blob.p, key.blob.n, print) != CLUSTER_OK))
		return NULL;
	return json_make("{s:I, s:s, s:s, s:s, s:s, s:s*, s:s*}", "added", (long long)device->added, "id", id, "label", device->label, "person", person, "person_name", person_name,
	    "fingerprint", ssh ? print : NULL, "type", ssh ? sshkey_type(key.kind) : NULL);
}

static enum cluster_err list_one(void *ctx, const char *key, const char *value, size_t n)
{
	char person[ID_TEXT + 1];
	struct listing *l = ctx;
	struct directory *dir = NULL;
	struct device device;
	enum cluster_err e;

	(void)key;
	if ((e = device_parse(value, n, &device)) != CLUSTER_OK)
		return e;
	id_text(&device.person, person);
	if ((e = record_get(l->call->a->store, DIRECTORY_PEOPLE, person, &dir, NULL)) == CLUSTER_OK)
		e = json_append(l->list, row(&device, person, dir->people[0].name));
	directory_free(dir);
	return e;
}

static enum cluster_err list_all(struct listing *l, struct diag *d)
{
	enum cluster_err e = store_each(l->call->a->store, STORE_DEVICE, "", list_one, l);

	return e == CLUSTER_OK ? e : diag_set(d, e, "the store cannot be read: %s", err_name(e));
}

/* From his or her own record: nobody may have everybody's devices read by asking for the own ones. */
static enum cluster_err list_person(struct listing *l, const char *person, struct diag *d)
{
	struct directory *dir = NULL;
	char id[ID_TEXT + 1];
	struct device device;
	enum cluster_err e;

	if ((e = record_get(l->call->a->store, DIRECTORY_PEOPLE, person, &dir, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < dir->people[0].n_devices && e == CLUSTER_OK; i++) {
		id_text(&dir->people[0].devices[i].id, id);
		if ((e = device_get(l->call->a->store, id, &device)) == CLUSTER_OK)
			e = json_append(l->list, row(&device, person, dir->people[0].name));
	}
	directory_free(dir);
	return e == CLUSTER_OK ? e : diag_set(d, e, "the store cannot be read: %s", err_name(e));
}

static enum cluster_err list(struct call *c, const char *person, struct json **ret, struct diag *d)
{
	struct listing l = { .call = c, .list = json_list() };
	enum cluster_err e;

	if ((e = person ? list_person(&l, person, d) : list_all(&l, d)) != CLUSTER_OK)
		goto out;
	*ret = json_make("{s:o}", "devices", l.list);
	l.list = NULL;
out:
	json_free(l.list);
	return e;
}

enum cluster_err admin_device_list(struct call *c, struct json **ret, struct diag *d)
{
	const char *who = NULL;
	struct json_field f[] = { { .name = "person", .kind = JSON_KIND_TEXT, .optional = true, .dst = &who, .max = NAME_PERSON_MAX } };
	char id[ID_TEXT + 1];
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (who && (e = record_find(c->a->store, DIRECTORY_PEOPLE, who, id, d)) != CLUSTER_OK))
		return e;
	return list(c, who ? id : NULL, ret, d);
}

/* Each rename is a write and a record of the audit trail, and every person can make them. */
static enum cluster_err not_too_often(struct call *c, struct diag *d)
{
	uint64_t key = limit_key_id(&c->person);
	int64_t now = authority_ms() / 1000;

	if (!limit_ok(&c->a->own, key, LIMIT_OWN, now))
		return diag_set(d, CLUSTER_EUNAVAIL, "more than %d calls about your devices in a minute: wait a minute", LIMIT_OWN);
	limit_count(&c->a->own, key, now);
	return CLUSTER_OK;
}

enum cluster_err admin_device_own_list(struct call *c, struct json **ret, struct diag *d)
{
	char id[ID_TEXT + 1];
	enum cluster_err e;

	if ((e = not_too_often(c, d)) != CLUSTER_OK || (e = json_read(c->in, NULL, 0, d)) != CLUSTER_OK)
		return e;
	id_text(&c->person, id);
	return list(c, id, ret, d);
}

enum cluster_err admin_device_drop(struct change *ch, const struct device *device, struct diag *d)
{
	char id[ID_TEXT + 1], person[ID_TEXT + 1], claim[DEVICE_CLAIM_MAX];
	struct directory *dir = NULL;
	struct directory_person *p;
	enum cluster_err e;
	size_t k = 0;

	id_text(&device->id, id);
	id_text(&device->person, person);
	if ((e = record_get(ch->store, DIRECTORY_PEOPLE, person, &dir, d)) != CLUSTER_OK)
		return e;
	p = &dir->people[0];
	for (size_t i = 0; i < p->n_devices; i++) {
		if (!id_equal(&p->devices[i].id, &device->id))
			p->devices[k++] = p->devices[i];
	}
	p->n_devices = k;
	if ((e = change_put(ch, DIRECTORY_PEOPLE, person, directory_person_json(p), d)) != CLUSTER_OK)
		goto out;
	if ((e = device_claim(device, claim)) != CLUSTER_OK || (e = store_delete(ch->store, STORE_CLAIM, claim)) != CLUSTER_OK ||
	    (e = store_delete(ch->store, STORE_DEVICE, id)) != CLUSTER_OK)
		change_store_error(ch, e, d);
	else
		e = change_buried(ch, REVOKE_DEVICE, id, d);
out:
	directory_free(dir);
	return e;
}

/* A change, and the device that it is about, of anybody or of this person (NULL: anybody); change_done in any case. */
static enum cluster_err begin(struct call *c, struct change *ch, const char *id, const struct cluster_id *person, struct device *ret, struct diag *d)
{
	enum cluster_err e;

	if ((e = change_begin(ch, c->a, c->now, d)) != CLUSTER_OK)
		return e;
	e = device_get(ch->store, id, ret);
	if (e == CLUSTER_OK && person && !id_equal(&ret->person, person))
		e = CLUSTER_ENOTFOUND;
	if (e != CLUSTER_OK)
		return e == CLUSTER_ENOTFOUND ? diag_set(d, e, "there is no device \"%s\"", id) : change_store_error(ch, e, d);
	return CLUSTER_OK;
}

/* No node knows labels: no head is signed for it. */
static enum cluster_err rename_one(struct call *c, const struct cluster_id *person, struct json **ret, struct diag *d)
{
	const char *id = NULL, *label = NULL;
	struct json_field f[] = {
		{ .name = "device", .kind = JSON_KIND_TEXT, .dst = &id, .max = ID_TEXT },
		{ .name = "label", .kind = JSON_KIND_TEXT, .dst = &label, .max = DEVICE_LABEL_MAX, .ok = request_label_ok },
	};
	struct change ch = { 0 };
	struct device device;
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = begin(c, &ch, id, person, &device, d)) != CLUSTER_OK)
		goto out;
	snprintf(device.label, sizeof device.label, "%s", label);
	if ((e = device_put(ch.store, &device)) != CLUSTER_OK)
		change_store_error(&ch, e, d);
	else if ((e = change_commit_quietly(&ch, &(struct change_audit){ c->actor, "device/rename", id, "ok" }, d)) == CLUSTER_OK)
		*ret = json_make("{s:s, s:s}", "device", id, "label", device.label);
out:
	change_done(&ch);
	return e;
}

static enum cluster_err remove_one(struct call *c, const struct cluster_id *person, struct json **ret, struct diag *d)
{
	const char *id = NULL;
	struct json_field f[] = { { .name = "device", .kind = JSON_KIND_TEXT, .dst = &id, .max = ID_TEXT } };
	struct change ch = { 0 };
	struct device device;
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK || (e = begin(c, &ch, id, person, &device, d)) != CLUSTER_OK)
		goto out;
	if ((e = admin_device_drop(&ch, &device, d)) == CLUSTER_OK)
		e = admin_commit(c, &ch, "device/remove", id, ret, d);
out:
	change_done(&ch);
	return e;
}

/* A credential that was narrowed for a job manages nobody's devices. */
static enum cluster_err may_manage(struct call *c, struct diag *d)
{
	return c->narrowed ? diag_set(d, CLUSTER_EDENIED, "this credential is narrowed to accounts or nodes: devices are managed with a whole one") : not_too_often(c, d);
}

enum cluster_err admin_device_rename(struct call *c, struct json **ret, struct diag *d)
{
	return rename_one(c, NULL, ret, d);
}

enum cluster_err admin_device_own_rename(struct call *c, struct json **ret, struct diag *d)
{
	enum cluster_err e = may_manage(c, d);

	return e == CLUSTER_OK ? rename_one(c, &c->person, ret, d) : e;
}

enum cluster_err admin_device_remove(struct call *c, struct json **ret, struct diag *d)
{
	return remove_one(c, NULL, ret, d);
}

enum cluster_err admin_device_own_remove(struct call *c, struct json **ret, struct diag *d)
{
	enum cluster_err e = may_manage(c, d);

	return e == CLUSTER_OK ? remove_one(c, &c->person, ret, d) : e;
}
