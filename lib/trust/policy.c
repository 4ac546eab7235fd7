/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/policy.h"

#include <inttypes.h>
#include <string.h>

#include "policy_hop.h"

static enum reason check_times(const struct trust *t, const struct credential *c, int64_t now, struct diag *d)
{
	int64_t skew = t->self.skew;
	enum reason r = REASON_OK;

	if (c->exp <= c->iat || c->exp - c->iat > CREDENTIAL_LIFE_MAX)
		r = REASON_LIFE;
	else if (c->iat - now > skew || c->nbf - now > skew)
		r = REASON_NOT_YET;
	else if (c->exp <= now)
		r = REASON_EXPIRED;
	if (r != REASON_OK)
		diag_set(d, reason_err(r), "iat %" PRId64 ", nbf %" PRId64 ", exp %" PRId64 ", clock %" PRId64, c->iat, c->nbf, c->exp, now);
	return r;
}

static bool node_selected(const struct trust *t, const char *selector)
{
	if (strncmp(selector, "node:", 5) == 0)
		return strcmp(selector + 5, t->self.node_name) == 0;
	if (strncmp(selector, "role:", 5) != 0)
		return false;
	for (size_t i = 0; i < t->self.n_roles; i++)
		if (strcmp(selector + 5, t->self.roles[i]) == 0)
			return true;
	return false;
}

/* acc, nod, src: what the person narrowed the credential to. */
static enum reason check_narrowing(const struct trust *t, const struct policy_request *q, struct diag *d)
{
	const struct credential *c = q->credential;
	bool account = c->n_acc == 0, node = c->n_nod == 0, source = c->n_src == 0;

	for (size_t i = 0; i < c->n_acc; i++)
		account = account || strcmp(c->acc[i], q->account) == 0;
	if (!account)
		return reason_refuse(d, REASON_NARROW_ACCOUNT, "acc does not name this account");
	for (size_t i = 0; i < c->n_nod; i++)
		node = node || node_selected(t, c->nod[i]);
	if (!node)
		return reason_refuse(d, REASON_NARROW_NODE, "nod does not name this node");
	source = source || q->source_later;
	for (size_t i = 0; q->source && i < c->n_src; i++)
		source = source || credential_source_contains(c->src[i], q->source);
	if (!source)
		return reason_refuse(d, REASON_NARROW_SOURCE, q->source ? q->source : "no address of the client is known");
	return REASON_OK;
}

/* The credential's own claims. */
static enum reason check_credential(const struct trust *t, const struct policy_request *q, struct diag *d)
{
	const struct credential *c = q->credential;
	enum reason r;

	if ((r = policy_check_revoked(t, REVOKE_ISSUER, c->issuer, strlen(c->issuer), c->iat, REASON_REVOKED_ISSUER, d)) != REASON_OK)
		return r;
	if ((r = policy_check_certificate(t, q->cert, c->iat, d)) != REASON_OK)
		return r;
	if (!id_equal(&c->cluster, &t->snap.cluster))
		return reason_refuse(d, REASON_CLUSTER, "aud is not this cluster");
	if ((r = check_times(t, c, q->now->wall, d)) != REASON_OK)
		return r;
	return check_narrowing(t, q, d);
}

/* Nobody has shown a credential: the account's own state, and its owner's if it has one. */
static enum reason decide_account(const struct trust *t, const struct policy_request *q, struct policy_answer *a)
{
	struct diag *d = &a->detail;
	struct trust_account account;
	struct trust_person owner;
	enum reason r;

	/* a lockdown is of people: jobs of a shared account survive it */
	if ((q->class != POLICY_JOB && (r = policy_check_lockdown(t, NULL, d)) != REASON_OK) || (r = policy_check_target(t, q->account, q->now->wall, d)) != REASON_OK ||
	    (r = policy_check_account(t, q->account, &account, d)) != REASON_OK)
		return r;
	if (!account.personal)
		return REASON_OK;
	if ((r = policy_check_lockdown(t, &account.person, d)) != REASON_OK || (r = policy_check_person(t, &account.person, &owner, d)) != REASON_OK)
		return r;
	return policy_check_issued(t, &(struct policy_issued){ .person = &account.person, .iat = q->now->wall }, d);
}

static enum reason decide_person(const struct trust *t, const struct policy_request *q, struct policy_answer *a)
{
	const struct credential *c = q->credential;
	struct diag *d = &a->detail;
	struct trust_account account;
	enum reason r;

	if ((r = policy_check_lockdown(t, &c->person, d)) != REASON_OK)
		return r;
	if ((r = check_credential(t, q, d)) != REASON_OK)
		return r;
	if ((r = policy_check_person(t, &c->person, &a->person, d)) != REASON_OK)
		return r;
	if ((r = policy_check_device(&a->person, &c->device, d)) != REASON_OK)
		return r;
	if ((r = policy_check_issued(t, &(struct policy_issued){ .jti = &c->jti, .device = &c->device, .person = &c->person, .iat = c->iat }, d)) != REASON_OK)
		return r;
	if ((r = policy_check_target(t, q->account, c->iat, d)) != REASON_OK)
		return r;
	if ((r = policy_check_before(t, c->iat, d)) != REASON_OK)
		return r;
	if ((r = policy_check_account(t, q->account, &account, d)) != REASON_OK)
		return r;
	if ((r = policy_check_grant(t, &a->person, &(struct policy_wanted){ q->account, c->iat, q->now->wall, q->use, 0 }, a)) != REASON_OK)
		return r;
	return policy_check_owner(&account, &c->person, d);
}

static enum reason decide(const struct trust *t, const struct policy_request *q, struct policy_answer *a)
{
	enum reason r;

	if (!name_account_ok(q->account))
		return reason_refuse(&a->detail, REASON_NAME, "the account name breaks the grammar");
	if (q->class != POLICY_JOB && (r = policy_fresh(t, q->now, q->max_stale, &a->detail)) != REASON_OK)
		return r;
	if (q->hop)
		return q->class == POLICY_LOGIN && !q->credential ? policy_hop_decide(t, q, a) : reason_refuse(&a->detail, REASON_SYSTEM, "a hop is a login of its own");
	return q->credential ? decide_person(t, q, a) : decide_account(t, q, a);
}

enum reason policy_decide(const struct trust *t, const struct policy_request *q, struct policy_answer *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->reason = REASON_SYSTEM;
	ret->reason = decide(t, q, ret);
	return ret->reason;
}

enum reason policy_device_by_key(const struct trust *t, const struct cluster_id *person, const uint8_t thumbprint[CRYPTO_SHA256_SIZE], struct cluster_id *ret, struct diag *d)
{
	struct trust_person p;
	enum reason r = policy_check_person(t, person, &p, d);

	if (r != REASON_OK)
		return r;
	return trust_person_device_by_key(&p, thumbprint, ret) == CLUSTER_OK ? REASON_OK : reason_refuse(d, REASON_DEVICE_UNKNOWN, "the answer is by a key that is no device of this person");
}
