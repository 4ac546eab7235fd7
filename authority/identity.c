/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <stdio.h>
#include <string.h>

#include "cluster/credential.h"
#include "cluster/directory.h"
#include "conn.h"
#include "nodes.h"
#include "poll.h"
#include "record.h"
#include "replay.h"
#include "revoked.h"

#define NODE_SCHEME "Cluster-Node "
#define PERSON_SCHEME "DPoP "

enum cluster_err identity_refuse(struct call *c, enum reason r, struct diag *d)
{
	c->word = reason_word(r);
	return diag_set(d, reason_err(r), "%s", reason_text(r));
}

enum cluster_err identity_fresh(struct call *c, const struct request_common *r, struct diag *d)
{
	enum cluster_err e;

	if ((e = request_common_check(r, head_method_name(c->head->method), c->head->target, c->now, d)) != CLUSTER_OK)
		return e;
	return replay_check(c->a->replay, &r->jti, r->iat, c->now, d);
}

/* ---- nodes ---- */

static enum cluster_err node_verify(struct call *c, const char *token, struct request_node *r, struct diag *d)
{
	char kid[NAME_KID_MAX + 1];
	struct jws jws;
	enum cluster_err e;

	if ((e = request_node_parse(token, strlen(token), &jws, r, d)) != CLUSTER_OK)
		return e;
	c->node = nodes_find(c->a->nodes, &r->node);
	if (!c->node || !id_equal(&r->cluster, &c->a->cluster))
		e = diag_set(d, CLUSTER_EDENIED, "no such node in this cluster");
	else if ((e = jwk_kid(&c->node->key, kid)) == CLUSTER_OK && strcmp(kid, jws.kid) != 0)
		e = diag_set(d, CLUSTER_ESIGNATURE, "signed by another key than the node's");
	else if (e == CLUSTER_OK && (e = jws_verify(&jws, &c->node->key)) != CLUSTER_OK)
		diag_set(d, e, "the node's signature does not hold");
	jws_done(&jws);
	return e;
}

static enum cluster_err node_identity(struct call *c, const char *token, struct diag *d)
{
	struct request_node r;
	enum cluster_err e;

	if ((e = node_verify(c, token, &r, d)) != CLUSTER_OK)
		return e;
	c->known = true;
	if ((e = identity_fresh(c, &r.c, d)) != CLUSTER_OK)
		return e;
	c->is |= CALL_NODE;
	snprintf(c->actor, sizeof c->actor, "node:%s", c->node->name);
	c->node->seen = c->now;
	nodes_progress(c->node, r.applied, r.ended, c->a->published->head_version, authority_ms());
	poll_progress(c->a->poll);
	return CLUSTER_OK;
}

/* ---- people ---- */

enum reason identity_person(const struct authority *a, const struct directory_person *p, const struct cluster_id *device, int64_t iat)
{
	const struct revoke_entry *all = revoked_all(a->revoked, &p->id, iat);
	char person[ID_TEXT + 1], dev[ID_TEXT + 1];
	bool enrolled = false;

	id_text(&p->id, person);
	id_text(device, dev);
	for (size_t i = 0; i < p->n_devices; i++)
		enrolled = enrolled || id_equal(&p->devices[i].id, device);
	if (p->disabled)
		return REASON_PERSON_DISABLED;
	if (!enrolled)
		return REASON_DEVICE_UNKNOWN;
	if (all)
		return all->kind == REVOKE_LOCKDOWN ? REASON_LOCKDOWN : REASON_REVOKED_BEFORE;
	if (revoked_find(a->revoked, REVOKE_DEVICE, dev, iat))
		return REASON_REVOKED_DEVICE;
	if (revoked_find(a->revoked, REVOKE_PERSON, person, iat))
		return REASON_REVOKED_PERSON;
	return REASON_OK;
}

static enum reason credential_state(const struct call *c, const struct credential *cred)
{
	const struct authority *a = c->a;
	int64_t skew = (int64_t)a->conf.skew;
	char jti[ID_TEXT + 1];
	bool inside = cred->n_src == 0;

	id_text(&cred->jti, jti);
	if (c->now < cred->nbf - skew)
		return REASON_NOT_YET;
	if (c->now >= cred->exp)
		return REASON_EXPIRED;
	if (cred->exp - cred->iat > CREDENTIAL_LIFE_MAX)
		return REASON_LIFE;
	for (size_t i = 0; i < cred->n_src; i++)
		inside = inside || credential_source_contains(cred->src[i], conn_peer(c->conn)->text);
	if (!inside)
		return REASON_NARROW_SOURCE;
	if (revoked_find(a->revoked, REVOKE_ISSUER, cred->issuer, cred->iat))
		return REASON_REVOKED_ISSUER;
	if (revoked_find(a->revoked, REVOKE_CREDENTIAL, jti, cred->iat))
		return REASON_REVOKED_CREDENTIAL;
	return REASON_OK;
}

static enum cluster_err person_state(struct call *c, const struct credential *cred, struct diag *d)
{
	enum reason reason = credential_state(c, cred);
	struct directory *dir = NULL;
	enum cluster_err e;
	char id[ID_TEXT + 1];

	/* a refusal, too, is told of whose it is; what he may do is in c->is alone */
	c->person = cred->person;
	c->device = cred->device;
	id_text(&cred->device, id);
	snprintf(c->actor, sizeof c->actor, "device:%s", id);
	if (reason != REASON_OK)
		return identity_refuse(c, reason, d);
	id_text(&cred->person, id);
	if ((e = record_get(c->a->store, DIRECTORY_PEOPLE, id, &dir, d)) == CLUSTER_ENOTFOUND)
		return identity_refuse(c, REASON_PERSON_UNKNOWN, d);
	if (e != CLUSTER_OK)
		return e;
	snprintf(c->actor, sizeof c->actor, "person:%s", dir->people[0].name);
	if ((reason = identity_person(c->a, &dir->people[0], &cred->device, cred->iat)) != REASON_OK) {
		e = identity_refuse(c, reason, d);
	} else {
		c->is |= CALL_PERSON;
		/* a credential narrowed to accounts or nodes was not made for administration */
		c->narrowed = cred->n_acc || cred->n_nod;
		if (dir->people[0].admin && !c->narrowed)
			c->is |= CALL_ADMIN;
	}
	directory_free(dir);
	return e;
}

static enum cluster_err person_identity(struct call *c, const char *token, struct diag *d)
{
	const struct keyring_at at = { .cluster = &c->a->cluster, .ring = &c->a->keyset.ring, .now = c->now, .skew = (int64_t)c->a->conf.skew };
	struct request_common r;
	struct credential cred;
	enum cluster_err e;

	if (!c->head->dpop)
		return diag_set(d, CLUSTER_EDENIED, "the header dpop is missing");
	if ((e = credential_verify(token, strlen(token), &at, &cred, d)) != CLUSTER_OK ||
	    (e = request_dpop_verify(c->head->dpop, strlen(c->head->dpop), token, &cred.cnf, &r, d)) != CLUSTER_OK)
		return e;
	c->known = true;
	if ((e = identity_fresh(c, &r, d)) != CLUSTER_OK)
		return e;
	return person_state(c, &cred, d);
}

enum cluster_err identity_read(struct call *c, struct diag *d)
{
	const char *header = c->head->authorization;

	c->is = CALL_ANYBODY;
	snprintf(c->actor, sizeof c->actor, "nobody");
	if (conn_peer(c->conn)->local) {
		c->is |= CALL_ROOT;
		c->known = true;
		snprintf(c->actor, sizeof c->actor, "root");
		return CLUSTER_OK;
	}
	if (!header)
		return CLUSTER_OK;
	if (strncmp(header, NODE_SCHEME, strlen(NODE_SCHEME)) == 0)
		return node_identity(c, header + strlen(NODE_SCHEME), d);
	if (strncmp(header, PERSON_SCHEME, strlen(PERSON_SCHEME)) == 0)
		return person_identity(c, header + strlen(PERSON_SCHEME), d);
	return diag_set(d, CLUSTER_EDENIED, "the header authorization has an unknown scheme");
}
