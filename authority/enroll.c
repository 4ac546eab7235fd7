/* SPDX-License-Identifier: Apache-2.0 */
#include "enroll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "cluster/json.h"
#include "cluster/request.h"
#include "device.h"
#include "identity.h"
#include "record.h"
#include "revoked.h"
#include "ticket.h"

static enum cluster_err request_read(struct call *c, struct request_enroll *r, struct diag *d)
{
	enum cluster_err e;

	if ((e = device_read_enroll(c->in, r, d)) != CLUSTER_OK) {
		c->frank = e == CLUSTER_EDENIED; /* what is wrong with his key may be told to anybody */
		return e;
	}
	if (!id_equal(&r->cluster, &c->a->cluster))
		return diag_set(d, CLUSTER_EDENIED, "the request is for another cluster");
	return identity_fresh(c, &r->c, d);
}

/* The person's record with one device more. */
static enum cluster_err person_put(struct change *ch, const struct directory_person *old, const struct directory_device *more, struct diag *d)
{
	struct directory_person p = *old;
	struct directory_device *devices = calloc(old->n_devices + 1, sizeof *devices);
	char id[ID_TEXT + 1];
	enum cluster_err e;

	if (!devices)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if (old->n_devices)
		memcpy(devices, old->devices, old->n_devices * sizeof *devices);
	devices[old->n_devices] = *more;
	p.devices = devices;
	p.n_devices++;
	id_text(&p.id, id);
	e = change_put(ch, DIRECTORY_PEOPLE, id, directory_person_json(&p), d);
	free(devices);
	return e;
}

static enum cluster_err device_new(struct change *ch, const struct request_enroll *r, const struct directory_person *p, struct directory_device *ret, struct diag *d)
{
	struct device device = { .person = p->id, .key = r->key, .added = ch->now };
	char claim[DEVICE_CLAIM_MAX], id[ID_TEXT + 1];
	enum cluster_err e;

	memcpy(device.label, r->label, sizeof device.label);
	memcpy(device.sshkey, r->sshkey, sizeof device.sshkey);
	if ((e = crypto_random(device.id.b, sizeof device.id.b)) != CLUSTER_OK || (e = device_claim(&device, claim)) != CLUSTER_OK || (e = device_thumbprint(&device, ret->jkt)) != CLUSTER_OK)
		return diag_set(d, e, "%s", err_name(e));
	id_text(&device.id, id);
	if ((e = change_claim(ch, claim, id, "this device's key", d)) != CLUSTER_OK)
		return e;
	if ((e = device_add(ch->store, &device)) != CLUSTER_OK)
		return change_store_error(ch, e, d);
	ret->id = device.id;
	return person_put(ch, p, ret, d);
}

/* Who is shut out gets nothing that would be there when the revocation is taken back. */
static enum cluster_err person_check(struct call *c, const struct directory_person *p, struct diag *d)
{
	const struct revoke_entry *all = revoked_all(c->a->revoked, &p->id, c->now);
	char id[ID_TEXT + 1];

	id_text(&p->id, id);
	if (p->disabled)
		return identity_refuse(c, REASON_PERSON_DISABLED, d);
	if (all)
		return identity_refuse(c, all->kind == REVOKE_LOCKDOWN ? REASON_LOCKDOWN : REASON_REVOKED_BEFORE, d);
	return revoked_find(c->a->revoked, REVOKE_PERSON, id, c->now) ? identity_refuse(c, REASON_REVOKED_PERSON, d) : CLUSTER_OK;
}

enum cluster_err enroll_run(struct call *c, struct json **ret, struct diag *d)
{
	struct directory_device device = { .jkt = "" };
	struct request_enroll r = { .code = "" };
	struct json *ticket = NULL;
	struct directory *dir = NULL;
	struct change ch = { 0 };
	char id[ID_TEXT + 1];
	const char *person;
	enum cluster_err e;

	if ((e = ticket_may_try(c, d)) != CLUSTER_OK || (e = request_read(c, &r, d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK)
		goto out;
	if ((e = ticket_take(c, &ch, STORE_INVITE, r.code, &ticket, d)) != CLUSTER_OK)
		goto out;
	person = json_member_text(ticket, "person");
	if ((e = record_get(ch.store, DIRECTORY_PEOPLE, person ? person : "", &dir, d)) != CLUSTER_OK)
		goto out;
	if ((e = person_check(c, &dir->people[0], d)) != CLUSTER_OK || (e = device_new(&ch, &r, &dir->people[0], &device, d)) != CLUSTER_OK)
		goto out;
	id_text(&device.id, id);
	snprintf(c->actor, sizeof c->actor, "person:%s", dir->people[0].name);
	if ((e = change_commit(&ch, &(struct change_audit){ c->actor, "enroll", id, "ok" }, NULL, d)) != CLUSTER_OK)
		goto out;
	*ret = json_make("{s:s, s:s, s:s}", "device", id, "name", dir->people[0].name, "person", person);
out:
	change_done(&ch);
	directory_free(dir);
	json_free(ticket);
	explicit_bzero(r.code, sizeof r.code);
	return e;
}
