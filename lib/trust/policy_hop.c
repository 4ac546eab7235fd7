/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_hop.h"

#include <inttypes.h>
#include <string.h>

/* No session has a longer time than a credential that was signed just now; when the person acted does not bound it, because open sessions go on with newer ones. */
static bool end_ok(const struct hop *h, int64_t skew)
{
	return h->end >= h->auth_time && h->end - h->iat <= CREDENTIAL_LIFE_MAX + skew;
}

static enum reason check_times(const struct trust *t, const struct hop *h, int64_t now, struct diag *d)
{
	int64_t skew = t->self.skew;
	enum reason r = REASON_OK;

	if (h->exp <= h->iat || h->exp - h->iat > HOP_LIFE_MAX || (!h->machine && !end_ok(h, skew)))
		r = REASON_LIFE;
	else if (h->iat - now > skew || (!h->machine && h->auth_time - h->iat > skew))
		r = REASON_NOT_YET;
	else if (h->exp <= now)
		r = REASON_HOP_AGE;
	if (r != REASON_OK)
		diag_set(d, reason_err(r), "iat %" PRId64 ", exp %" PRId64 ", auth_time %" PRId64 ", end %" PRId64 ", clock %" PRId64, h->iat, h->exp, h->auth_time, h->end, now);
	return r;
}

/* What the source node vouched for: one account on one node, of this cluster. */
static enum reason check_claims(const struct trust *t, const struct policy_request *q, struct diag *d)
{
	const struct hop *h = q->hop;
	int64_t issued = policy_hop_issued(h);
	enum reason r;

	if (!h->machine && (r = policy_check_revoked(t, REVOKE_ISSUER, h->parent_issuer, strlen(h->parent_issuer), issued, REASON_REVOKED_ISSUER, d)) != REASON_OK)
		return r;
	if ((r = policy_check_certificate(t, q->cert, issued, d)) != REASON_OK)
		return r;
	if (!id_equal(&h->cluster, &t->snap.cluster))
		return reason_refuse(d, REASON_CLUSTER, "aud is not this cluster");
	if ((r = check_times(t, h, q->now->wall, d)) != REASON_OK)
		return r;
	if (strcmp(h->account, q->account) != 0)
		return reason_refuse(d, REASON_NARROW_ACCOUNT, "the hop is to another account");
	return id_equal(&h->target, &t->self.node) ? REASON_OK : reason_refuse(d, REASON_NARROW_NODE, "the hop is to another node");
}

int64_t policy_hop_issued(const struct hop *h)
{
	return h->machine ? h->iat : h->auth_time;
}

enum reason policy_hop_source(const struct trust *t, const struct cluster_id *node, int64_t issued, struct trust_node *ret, struct diag *d)
{
	enum cluster_err e = trust_node_by_id(t, node, ret);
	char text[ID_TEXT + 1];
	enum reason r;

	id_text(node, text);
	if (e != CLUSTER_OK) {
		r = e == CLUSTER_ENOTFOUND ? REASON_HOP_SOURCE : REASON_SNAPSHOT_DAMAGED;
		diag_set(d, reason_err(r), "node %s: %s", text, err_name(e));
		return r;
	}
	if ((r = policy_check_revoked(t, REVOKE_NODE, node->b, ID_SIZE, issued, REASON_REVOKED_NODE, d)) == REASON_REVOKED_NODE)
		(void)diag_prefix(d, "node %s, from which the hop came", ret->name);
	return r;
}

enum reason policy_hop_parent(const struct trust *t, const struct cluster_id *session, int64_t issued, struct diag *d)
{
	return policy_check_revoked(t, REVOKE_SESSION, session->b, ID_SIZE, issued, REASON_REVOKED_SESSION, d);
}

enum reason policy_hop_way(const struct trust *t, const struct hop_place *way, size_t n, int64_t issued, struct diag *d)
{
	enum reason r = REASON_OK;
	struct trust_node node;

	for (size_t i = 0; i < n && r == REASON_OK; i++)
		if ((r = policy_hop_source(t, &way[i].node, issued, &node, d)) == REASON_OK)
			r = policy_hop_parent(t, &way[i].session, issued, d);
	return r;
}

/* The certificate names the addresses too, but who has the key may leave them out: somebody with a copy of it is not the node. A node whose addresses are not known may come from anywhere. */
static enum reason check_address(const struct policy_request *q, const struct trust_node *source, struct diag *d)
{
	struct rd addresses = source->addresses;
	char address[HOP_ADDRESS_MAX + 1];

	if (q->source_later || source->n_addresses == 0)
		return REASON_OK;
	while (q->source && rd_str8(&addresses, address, sizeof address) == CLUSTER_OK)
		if (credential_source_contains(address, q->source))
			return REASON_OK;
	diag_set(d, reason_err(REASON_NARROW_SOURCE), "%.45s is no address of node %s", q->source ? q->source : "what is not known", source->name);
	return REASON_NARROW_SOURCE;
}

/* The hop itself, and what stands behind it. */
static enum reason check_revoked(const struct trust *t, const struct hop *h, struct diag *d)
{
	const struct policy_issued issued = { .jti = &h->parent, .device = &h->device, .person = &h->person, .iat = h->auth_time };
	enum reason r = policy_check_revoked(t, REVOKE_CREDENTIAL, h->jti.b, ID_SIZE, policy_hop_issued(h), REASON_REVOKED_CREDENTIAL, d);

	if (r != REASON_OK || h->machine)
		return r;
	if ((r = policy_hop_parent(t, &h->session, h->auth_time, d)) != REASON_OK)
		return r;
	if ((r = policy_hop_way(t, h->way, (size_t)(h->count - 1), h->auth_time, d)) != REASON_OK)
		return r;
	return policy_check_issued(t, &issued, d);
}

enum reason policy_hop_decide(const struct trust *t, const struct policy_request *q, struct policy_answer *a)
{
	const struct hop *h = q->hop;
	const int64_t issued = policy_hop_issued(h);
	const struct policy_wanted wanted = { q->account, issued, q->now->wall, POLICY_USE_HOP, h->end };
	struct diag *d = &a->detail;
	struct trust_account account;
	struct trust_node source;
	enum reason r;

	if ((r = policy_check_lockdown(t, &h->person, d)) != REASON_OK) /* a machine is never excepted */
		return r;
	if ((r = check_claims(t, q, d)) != REASON_OK)
		return r;
	if ((r = policy_hop_source(t, &h->source, issued, &source, d)) != REASON_OK)
		return r;
	if ((r = check_address(q, &source, d)) != REASON_OK)
		return r;
	if (!h->machine && ((r = policy_check_person(t, &h->person, &a->person, d)) != REASON_OK || (r = policy_check_device(&a->person, &h->device, d)) != REASON_OK))
		return r;
	if ((r = check_revoked(t, h, d)) != REASON_OK)
		return r;
	if ((r = policy_check_target(t, q->account, issued, d)) != REASON_OK)
		return r;
	if ((r = policy_check_before(t, issued, d)) != REASON_OK)
		return r;
	if ((r = policy_check_account(t, q->account, &account, d)) != REASON_OK)
		return r;
	r = h->machine ? policy_check_node_grant(t, &h->source, &wanted, a) : policy_check_grant(t, &a->person, &wanted, a);
	return r == REASON_OK ? policy_check_owner(&account, &h->person, d) : r;
}
