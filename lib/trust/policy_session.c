/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/policy.h"

#include <string.h>

#include "policy_hop.h"

int64_t policy_session_end(const struct credential *c, const struct trust_grant *g)
{
	return g->end_at_expiry && g->ttl > 0 && c->exp - c->iat > (int64_t)g->ttl ? c->iat + (int64_t)g->ttl : c->exp;
}

int64_t policy_session_end_of_hop(const struct hop *h, const struct trust_grant *g)
{
	if (h->machine)
		return h->iat + CREDENTIAL_LIFE_MAX;
	return g->ttl > 0 && h->end - h->auth_time > (int64_t)g->ttl ? h->auth_time + (int64_t)g->ttl : h->end;
}

struct policy_session policy_session_of(const struct session *s)
{
	static const struct cluster_id none;
	struct policy_session out = {
		.session = s->id, .person = s->person, .device = s->device, .jti = s->jti, .iat = s->iat, .account = s->account, .issuer = s->issuer, .cert = session_cert(s),
		.hop = s->kind == SESSION_HOP, .machine = s->kind == SESSION_HOP && id_equal(&s->person, &none), .source = s->source, .parent = s->parent,
		.way = s->way, .n_way = s->hops > 0 ? s->hops - 1U : 0,
	};

	if (out.hop)
		out.own = session_hop_jti(&s->cert);
	return out;
}

/* Where it came from, if it came by a hop. */
static enum reason check_origin(const struct trust *t, const struct policy_session *s, struct diag *d)
{
	struct trust_node source;
	enum reason r;

	if (!s->hop)
		return REASON_OK;
	if (!s->machine && (r = policy_hop_parent(t, &s->parent, s->iat, d)) != REASON_OK)
		return r;
	if ((r = policy_hop_way(t, s->way, s->n_way, s->iat, d)) != REASON_OK)
		return r;
	if ((r = policy_check_revoked(t, REVOKE_CREDENTIAL, s->own.b, ID_SIZE, s->iat, REASON_REVOKED_CREDENTIAL, d)) != REASON_OK)
		return r;
	return policy_hop_source(t, &s->source, s->iat, &source, d);
}

static enum reason check_person(const struct trust *t, const struct policy_session *s, struct policy_answer *a)
{
	const struct policy_issued issued = { .jti = &s->jti, .device = &s->device, .person = &s->person, .iat = s->iat };
	struct diag *d = &a->detail;
	enum reason r;

	if ((r = policy_check_person(t, &s->person, &a->person, d)) != REASON_OK)
		return r;
	if ((r = policy_check_device(&a->person, &s->device, d)) != REASON_OK)
		return r;
	return policy_check_issued(t, &issued, d);
}

static enum reason check_session(const struct trust *t, const struct policy_session *s, struct policy_answer *a)
{
	const struct policy_wanted wanted = { s->account, s->iat, 0, s->hop ? POLICY_USE_HOP : POLICY_USE_ANY, 0 };
	struct diag *d = &a->detail;
	struct trust_account account;
	enum reason r;

	if ((r = policy_check_revoked(t, REVOKE_SESSION, s->session.b, ID_SIZE, s->iat, REASON_REVOKED_SESSION, d)) != REASON_OK)
		return r;
	if (!s->machine && (r = policy_check_lockdown(t, &s->person, d)) != REASON_OK)
		return r;
	if (!s->machine && (r = policy_check_revoked(t, REVOKE_ISSUER, s->issuer, strlen(s->issuer), s->iat, REASON_REVOKED_ISSUER, d)) != REASON_OK)
		return r;
	if ((r = policy_check_certificate(t, s->cert, s->iat, d)) != REASON_OK)
		return r;
	if ((r = check_origin(t, s, d)) != REASON_OK)
		return r;
	if (!s->machine && (r = check_person(t, s, a)) != REASON_OK)
		return r;
	if ((r = policy_check_target(t, s->account, s->iat, d)) != REASON_OK)
		return r;
	if ((r = policy_check_before(t, s->iat, d)) != REASON_OK)
		return r;
	if ((r = policy_check_account(t, s->account, &account, d)) != REASON_OK)
		return r;
	r = s->machine ? policy_check_node_grant(t, &s->source, &wanted, a) : policy_check_grant(t, &a->person, &wanted, a);
	return r == REASON_OK ? policy_check_owner(&account, &s->person, d) : r;
}

enum reason policy_session_check(const struct trust *t, const struct policy_session *s, struct policy_answer *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->reason = REASON_SYSTEM;
	ret->reason = check_session(t, s, ret);
	return ret->reason;
}
