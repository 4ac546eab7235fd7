/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/credential.h"
#include "cluster/json.h"
#include "cluster/request.h"
#include "device.h"
#include "grants.h"
#include "identity.h"
#include "keys.h"
#include "record.h"
#include "renewal.h"
#include "revoked.h"

/* Signed by a device that is enrolled; from then on the caller is known. */
static enum cluster_err request_read(struct call *c, struct request_credential *r, struct device *device, struct diag *d)
{
	char id[ID_TEXT + 1];
	enum cluster_err e;

	if ((e = device_read_credential(c->a, c->in, r, device, d)) != CLUSTER_OK)
		return e;
	id_text(&device->id, id);
	c->known = true;
	c->device = device->id;
	c->person = device->person;
	snprintf(c->actor, sizeof c->actor, "device:%s", id);
	return identity_fresh(c, &r->c, d);
}

/* How long a credential may live that serves these grants. */
struct reach {
	const struct request_credential *r;
	size_t grants;
	int64_t ttl;
};

static bool wanted(const struct request_credential *r, const struct directory_grant *g)
{
	for (size_t i = 0; i < r->n_acc; i++) {
		for (size_t k = 0; k < g->n_accounts; k++) {
			if (strcmp(r->acc[i], g->accounts[k]) == 0)
				return true;
		}
	}
	return r->n_acc == 0;
}

static enum cluster_err reach_one(void *ctx, const struct directory_grant *g)
{
	struct reach *reach = ctx;

	if (!wanted(reach->r, g))
		return CLUSTER_OK;
	reach->grants++;
	if (g->ttl && g->ttl < reach->ttl)
		reach->ttl = g->ttl;
	return CLUSTER_OK;
}

static enum cluster_err life_of(struct call *c, const struct request_credential *r, const struct directory_person *p, int64_t *ret, struct diag *d)
{
	struct reach reach = { .r = r, .ttl = (int64_t)c->a->conf.credential_life };
	enum cluster_err e;

	if ((e = grants_of(c->a, p, c->now, reach_one, &reach)) != CLUSTER_OK)
		return diag_set(d, e, "the grants cannot be read: %s", err_name(e));
	if (reach.grants == 0 && !p->admin) /* an administrator may have nothing but the administration */
		return identity_refuse(c, REASON_NO_GRANT, d);
	if (r->ttl && r->ttl < reach.ttl)
		reach.ttl = r->ttl;
	*ret = reach.ttl < ISSUE_LIFE_MAX ? reach.ttl : ISSUE_LIFE_MAX;
	return CLUSTER_OK;
}

static enum cluster_err credential_make(struct call *c, const struct request_credential *r, int64_t life, struct credential *cred, char **ret, struct diag *d)
{
	enum cluster_err e;
	size_t signer;

	*cred = (struct credential){
		.cluster = c->a->cluster, .person = c->person, .device = c->device, .iat = c->now, .nbf = c->now, .exp = c->now + life,
		.auth_time = r->c.iat < c->now ? r->c.iat : c->now, .n_amr = 1, .amr = { "swk" }, .cnf = r->cnf, .n_acc = r->n_acc, .n_nod = r->n_nod, .n_src = r->n_src,
	};
	memcpy(cred->acc, r->acc, sizeof cred->acc);
	memcpy(cred->nod, r->nod, sizeof cred->nod);
	memcpy(cred->src, r->src, sizeof cred->src);
	if ((e = crypto_random(cred->jti.b, sizeof cred->jti.b)) != CLUSTER_OK)
		return diag_set(d, e, "no random numbers");
	if ((e = keys_signer(c->a->keys, KEYRING_ISSUER, c->now, c->a->revoked, &signer, d)) != CLUSTER_OK)
		return e;
	if ((e = credential_build(cred, c->a->keys->key[signer], ret)) == CLUSTER_ELIMIT)
		return diag_set(d, e, "the credential would be too large: narrow it to fewer accounts, nodes or networks");
	return e == CLUSTER_OK ? e : diag_set(d, e, "the credential cannot be signed: %s", err_name(e));
}

enum cluster_err issue_remember(struct change *ch, const struct credential *cred, struct diag *d)
{
	char jti[ID_TEXT + 1], person[ID_TEXT + 1], device[ID_TEXT + 1], class[RENEWAL_CLASS + 1], key[16 + ID_TEXT], value[2 * ID_TEXT + RENEWAL_CLASS + 3];
	enum cluster_err e;

	if ((e = renewal_class(cred, class)) != CLUSTER_OK)
		return diag_set(d, e, "%s", err_name(e));
	id_text(&cred->jti, jti);
	id_text(&cred->person, person);
	id_text(&cred->device, device);
	snprintf(key, sizeof key, "%012" PRId64 ":%s", cred->exp, jti);
	snprintf(value, sizeof value, "%s %s %s", person, device, class);
	if ((e = store_add(ch->store, STORE_CREDENTIAL, key, value, strlen(value))) != CLUSTER_OK || (e = store_add(ch->store, STORE_CREDENTIAL_ID, jti, key, strlen(key))) != CLUSTER_OK)
		return change_store_error(ch, e, d);
	return CLUSTER_OK;
}

static enum cluster_err person_check(struct call *c, const struct request_credential *r, struct directory **ret, int64_t *ret_life, struct diag *d)
{
	struct directory *dir = NULL;
	enum reason reason;
	char id[ID_TEXT + 1];
	enum cluster_err e;

	id_text(&c->person, id);
	if ((e = record_get(c->a->store, DIRECTORY_PEOPLE, id, &dir, d)) == CLUSTER_ENOTFOUND)
		return identity_refuse(c, REASON_PERSON_UNKNOWN, d);
	if (e != CLUSTER_OK)
		return e;
	snprintf(c->actor, sizeof c->actor, "person:%s", dir->people[0].name);
	if ((reason = identity_person(c->a, &dir->people[0], &c->device, c->now)) != REASON_OK)
		e = identity_refuse(c, reason, d);
	else
		e = life_of(c, r, &dir->people[0], ret_life, d);
	if (e != CLUSTER_OK) {
		directory_free(dir);
		return e;
	}
	*ret = dir;
	return CLUSTER_OK;
}

enum cluster_err issue_ask(struct call *c, struct issue *i, struct diag *d)
{
	struct device device;
	enum cluster_err e;

	if ((e = request_read(c, &i->request, &device, d)) != CLUSTER_OK)
		return e;
	if (crypto_pub_equal(&i->request.cnf, &device.key))
		return diag_set(d, CLUSTER_EFORMAT, "cnf is the device's own key: make a fresh one");
	if ((e = change_begin(&i->change, c->a, c->now, d)) != CLUSTER_OK)
		return e;
	return person_check(c, &i->request, &i->person, &i->life, d);
}

enum cluster_err issue_begin(struct call *c, struct issue *i, struct diag *d)
{
	enum cluster_err e;

	if ((e = issue_ask(c, i, d)) != CLUSTER_OK || (e = credential_make(c, &i->request, i->life, &i->claims, &i->token, d)) != CLUSTER_OK ||
	    (e = issue_remember(&i->change, &i->claims, d)) != CLUSTER_OK)
		return e;
	return (e = renewal_remember(&i->change, &i->claims, i->token)) == CLUSTER_OK ? e : change_store_error(&i->change, e, d);
}

void issue_done(struct issue *i)
{
	change_done(&i->change);
	free(i->token);
	directory_free(i->person);
}

enum cluster_err issue_run(struct call *c, struct json **ret, struct diag *d)
{
	struct issue i = { .token = NULL };
	char jti[ID_TEXT + 1];
	enum cluster_err e;

	if ((e = issue_begin(c, &i, d)) != CLUSTER_OK)
		goto out;
	id_text(&i.claims.jti, jti);
	if ((e = change_commit_quietly(&i.change, &(struct change_audit){ c->actor, "credential", jti, "ok" }, d)) != CLUSTER_OK)
		goto out;
	*ret = json_make("{s:s}", "credential", i.token);
out:
	issue_done(&i);
	return e;
}
