/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_check.h"

#include <inttypes.h>
#include <string.h>

/* A lookup that neither found nor missed: the section is damaged, and the answer unknown. */
static enum reason damaged(struct diag *d, const char *what, enum cluster_err e)
{
	diag_set(d, reason_err(REASON_SNAPSHOT_DAMAGED), "%s: %s", what, err_name(e));
	return REASON_SNAPSHOT_DAMAGED;
}

enum reason policy_check_revoked(const struct trust *t, enum revoke_kind kind, const void *value, size_t n, int64_t issued, enum reason hit, struct diag *d)
{
	struct trust_revocation v;
	enum cluster_err e = trust_revoked(t, kind, value, n, issued, &v);

	if (e == CLUSTER_ENOTFOUND)
		return REASON_OK;
	if (e != CLUSTER_OK)
		return damaged(d, "revocations", e);
	diag_set(d, reason_err(hit), "revocation %" PRId64 " of %" PRId64 ", kind %s, before %" PRId64, v.seq, v.iat, revoke_kind_name(kind), v.before);
	return hit;
}

enum reason policy_check_lockdown(const struct trust *t, const struct cluster_id *person, struct diag *d)
{
	if (!t->lockdown)
		return REASON_OK;
	if (!person)
		return t->n_lockdown_except > 0 ? REASON_OK : reason_refuse(d, REASON_LOCKDOWN, "lockdown without exceptions");
	for (size_t i = 0; i < t->n_lockdown_except; i++) {
		struct cluster_id except;

		memcpy(except.b, t->lockdown_except + i * ID_SIZE, ID_SIZE);
		if (id_equal(&except, person))
			return REASON_OK;
	}
	return reason_refuse(d, REASON_LOCKDOWN, "lockdown, and the person is not among the exceptions");
}

enum reason policy_check_before(const struct trust *t, int64_t issued, struct diag *d)
{
	if (issued >= t->everything_before)
		return REASON_OK;
	diag_set(d, reason_err(REASON_REVOKED_BEFORE), "issued %" PRId64 ", everything before %" PRId64 " is revoked", issued, t->everything_before);
	return REASON_REVOKED_BEFORE;
}

enum reason policy_check_issued(const struct trust *t, const struct policy_issued *i, struct diag *d)
{
	enum reason r;

	if (i->jti && (r = policy_check_revoked(t, REVOKE_CREDENTIAL, i->jti->b, ID_SIZE, i->iat, REASON_REVOKED_CREDENTIAL, d)) != REASON_OK)
		return r;
	if (i->device && (r = policy_check_revoked(t, REVOKE_DEVICE, i->device->b, ID_SIZE, i->iat, REASON_REVOKED_DEVICE, d)) != REASON_OK)
		return r;
	return policy_check_revoked(t, REVOKE_PERSON, i->person->b, ID_SIZE, i->iat, REASON_REVOKED_PERSON, d);
}

enum reason policy_check_target(const struct trust *t, const char *account, int64_t issued, struct diag *d)
{
	enum reason r = policy_check_revoked(t, REVOKE_ACCOUNT, account, strlen(account), issued, REASON_REVOKED_ACCOUNT, d);

	return r == REASON_OK ? policy_check_revoked(t, REVOKE_NODE, t->self.node.b, ID_SIZE, issued, REASON_REVOKED_NODE, d) : r;
}

/* Serial numbers are revoked by their decimal text. `n` digits at the end of the room. */
static const char *decimal(uint64_t v, char room[20], size_t *ret_n)
{
	size_t at = 20;

	do {
		room[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	*ret_n = 20 - at;
	return room + at;
}

enum reason policy_check_certificate(const struct trust *t, const struct sshcert_facts *c, int64_t iat, struct diag *d)
{
	const char *serial;
	char room[20];
	enum reason r;
	size_t n;

	if (!c)
		return REASON_OK;
	serial = decimal(c->serial, room, &n); /* 0: a hop's, which has none of its own */
	if ((c->serial != 0 && (r = policy_check_revoked(t, REVOKE_CERT_SERIAL, serial, n, iat, REASON_REVOKED_CERTIFICATE, d)) != REASON_OK) ||
	    (r = policy_check_revoked(t, REVOKE_CERT_ID, c->key_id, strlen(c->key_id), iat, REASON_REVOKED_CERTIFICATE, d)) != REASON_OK ||
	    (r = policy_check_revoked(t, REVOKE_CERT_KEY, c->key, strlen(c->key), iat, REASON_REVOKED_CERTIFICATE, d)) != REASON_OK)
		return r;
	return policy_check_revoked(t, REVOKE_CERT_CA, c->ca, strlen(c->ca), iat, REASON_REVOKED_CERTIFICATE, d);
}

enum reason policy_check_person(const struct trust *t, const struct cluster_id *id, struct trust_person *ret, struct diag *d)
{
	enum cluster_err e = trust_person_by_id(t, id, ret);
	char text[ID_TEXT + 1];

	id_text(id, text);
	if (e == CLUSTER_ENOTFOUND) {
		diag_set(d, reason_err(REASON_PERSON_UNKNOWN), "person %s", text);
		return REASON_PERSON_UNKNOWN;
	}
	if (e != CLUSTER_OK)
		return damaged(d, "people", e);
	return ret->disabled ? reason_refuse(d, REASON_PERSON_DISABLED, ret->name) : REASON_OK;
}

enum reason policy_check_device(const struct trust_person *person, const struct cluster_id *device, struct diag *d)
{
	char text[ID_TEXT + 1];

	if (trust_person_device(person, device))
		return REASON_OK;
	id_text(device, text);
	diag_set(d, reason_err(REASON_DEVICE_UNKNOWN), "device %s", text);
	return REASON_DEVICE_UNKNOWN;
}

enum reason policy_check_account(const struct trust *t, const char *account, struct trust_account *ret, struct diag *d)
{
	enum cluster_err e = trust_account_by_name(t, account, ret);

	if (e == CLUSTER_ENOTFOUND)
		return reason_refuse(d, REASON_ACCOUNT_UNKNOWN, "not in the directory");
	return e == CLUSTER_OK ? REASON_OK : damaged(d, "accounts", e);
}

enum reason policy_check_owner(const struct trust_account *account, const struct cluster_id *person, struct diag *d)
{
	if (account->personal && !id_equal(&account->person, person))
		return reason_refuse(d, REASON_ACCOUNT_OWNER, "a personal account of somebody else");
	return REASON_OK;
}

static enum reason use_allowed(const struct trust_grant *g, enum policy_use use)
{
	switch (use) {
	case POLICY_USE_ANY:
		return REASON_OK;
	case POLICY_USE_ONETIME:
		return g->onetime ? REASON_OK : REASON_NO_ONETIME;
	case POLICY_USE_SUDO:
		return g->sudo ? REASON_OK : REASON_NO_SUDO;
	case POLICY_USE_HOP:
		return g->hop ? REASON_OK : REASON_NO_HOP;
	}
	return REASON_SYSTEM;
}

/* The first of these grants that serves. REASON_NO_GRANT: there is none at all; otherwise why the last one does not. */
static enum reason first_grant(struct rd *cursor, const char *role, const struct policy_wanted *w, struct policy_answer *ret)
{
	const bool over = w->end != 0 && w->now >= w->end;
	int64_t age = w->now == 0 ? 0 : w->now - w->issued;
	enum reason r = REASON_NO_GRANT;
	struct trust_grant grant;
	enum cluster_err e;

	while ((e = trust_grant_next(cursor, &grant)) == CLUSTER_OK) {
		r = (grant.ttl != 0 && age >= (int64_t)grant.ttl) || (over && grant.end_at_expiry) ? REASON_EXPIRED : use_allowed(&grant, w->use);
		if (r != REASON_OK)
			continue;
		ret->grant = grant;
		memset(ret->grant_role, 0, sizeof ret->grant_role);
		if (role)
			memcpy(ret->grant_role, role, strlen(role));
		return REASON_OK;
	}
	return e == CLUSTER_ENOTFOUND ? r : damaged(&ret->detail, "grants", e);
}

static enum reason subject_grant(const struct trust *t, const struct trust_person *person, const char *role, const struct policy_wanted *w, struct policy_answer *ret)
{
	enum cluster_err e;
	struct rd cursor;

	if ((e = trust_grants(t, &person->id, role, w->account, &cursor)) != CLUSTER_OK)
		return e == CLUSTER_ENOTFOUND ? REASON_NO_GRANT : damaged(&ret->detail, "grants", e);
	return first_grant(&cursor, role, w, ret);
}

enum reason policy_check_node_grant(const struct trust *t, const struct cluster_id *node, const struct policy_wanted *w, struct policy_answer *ret)
{
	enum reason r = REASON_NO_GRANT;
	char text[ID_TEXT + 1];
	enum cluster_err e;
	struct rd cursor;

	if ((e = trust_grants_of_node(t, node, w->account, &cursor)) == CLUSTER_OK)
		r = first_grant(&cursor, NULL, w, ret);
	else if (e != CLUSTER_ENOTFOUND)
		return damaged(&ret->detail, "grants", e);
	if (r != REASON_OK && r != REASON_SNAPSHOT_DAMAGED) {
		id_text(node, text);
		diag_set(&ret->detail, reason_err(r), "from node %s without a person, account %s, node %s", text, w->account, t->self.node_name);
	}
	return r;
}

/* Another subject may have a grant that serves. */
static bool look_further(enum reason r)
{
	return r == REASON_NO_GRANT || r == REASON_EXPIRED || r == REASON_NO_ONETIME || r == REASON_NO_SUDO || r == REASON_NO_HOP;
}

enum reason policy_check_grant(const struct trust *t, const struct trust_person *person, const struct policy_wanted *w, struct policy_answer *ret)
{
	enum reason r = subject_grant(t, person, NULL, w, ret), last = r;

	for (size_t i = 0; i < person->n_roles && look_further(last); i++) {
		const char *role = person->roles[i];
		enum reason revoked = policy_check_revoked(t, REVOKE_ROLE, role, strlen(role), w->issued, REASON_NO_GRANT, &ret->detail);

		last = revoked == REASON_OK ? subject_grant(t, person, role, w, ret) : revoked;
		if (last != REASON_NO_GRANT)
			r = last;
	}
	if (r == REASON_EXPIRED)
		return reason_refuse(&ret->detail, r, "the credential is older than the grant's ttl, or it stands behind a hop and the grant ends sessions with it");
	if (look_further(r))
		diag_set(&ret->detail, reason_err(r), "person %s, account %s, node %s", person->name, w->account, t->self.node_name);
	return r;
}
