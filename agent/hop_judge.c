/* SPDX-License-Identifier: Apache-2.0 */
#include "hop_judge.h"

#include <string.h>

#include "cluster/credential.h"
#include "cluster/policy.h"

static enum reason damaged(struct diag *d, enum cluster_err e)
{
	diag_set(d, e, "snapshot: %s", err_name(e));
	return policy_snapshot_reason(e);
}

static enum reason check_node(const struct trust *t, const struct cluster_id *id, struct diag *d)
{
	struct trust_revocation revoked;
	enum cluster_err e = trust_revoked(t, REVOKE_NODE, id->b, ID_SIZE, 0, &revoked);

	if (e == CLUSTER_OK)
		return reason_refuse(d, REASON_REVOKED_NODE, "source or target");
	return e == CLUSTER_ENOTFOUND ? REASON_OK : damaged(d, e);
}

enum reason hop_judge_target(const struct hop_view *v, const void *hostkey, size_t n, struct trust_node *ret, struct diag *d)
{
	struct trust_node node;
	enum cluster_err e;
	enum reason r;

	if ((r = policy_fresh(v->trust, &v->now, v->max_stale, d)) != REASON_OK)
		return r;
	if ((e = trust_node_by_hostkey(v->trust, hostkey, n, &node)) != CLUSTER_OK)
		return e == CLUSTER_ENOTFOUND ? reason_refuse(d, REASON_HOP_TARGET, "") : damaged(d, e);
	if ((r = check_node(v->trust, &node.id, d)) != REASON_OK)
		return r;
	*ret = node;
	return REASON_OK;
}

/* The account of the directory that this uid is here. */
static enum reason account_of(const struct hop_view *v, const struct hop_caller *c, char ret[NAME_ACCOUNT_MAX + 1], struct diag *d)
{
	struct snap_account account;
	struct trust_account listed;
	enum cluster_err e;

	if (c->adopted[0]) {
		memcpy(ret, c->adopted, NAME_ACCOUNT_MAX + 1);
		return REASON_OK;
	}
	if ((e = snap_account_by_uid(v->accounts, c->uid, &account)) != CLUSTER_OK)
		return e == CLUSTER_ENOTFOUND ? reason_refuse(d, REASON_ACCOUNT_UNKNOWN, "") : damaged(d, e);
	if ((e = trust_account_by_name(v->trust, account.name, &listed)) != CLUSTER_OK)
		return e == CLUSTER_ENOTFOUND ? reason_refuse(d, REASON_ACCOUNT_UNKNOWN, "") : damaged(d, e);
	if (listed.uid != c->uid)
		return reason_refuse(d, REASON_SHADOWED, "");
	memcpy(ret, listed.name, sizeof listed.name);
	return REASON_OK;
}

/* ---- accounts that grants for hops name ---- */

static bool has(const struct hop_verdict *x, const char *account)
{
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->account[i], account) == 0)
			return true;
	return false;
}

/* Of one subject: `wanted` alone, or all while there is room. */
static enum cluster_err take(struct rd names, const char *wanted, struct hop_verdict *x)
{
	char name[NAME_ACCOUNT_MAX + 1];
	enum cluster_err e;

	while ((e = trust_hops_next(&names, name)) == CLUSTER_OK) {
		if (x->n < HOP_JUDGE_ACCOUNTS_MAX && (!wanted || strcmp(name, wanted) == 0) && !has(x, name))
			memcpy(x->account[x->n++], name, sizeof name);
	}
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

static enum cluster_err take_of(const struct trust *t, enum trust_subject subject, const void *value, size_t n, const char *wanted, struct hop_verdict *x)
{
	struct rd names;
	enum cluster_err e = trust_hops(t, subject, value, n, &names);

	return e == CLUSTER_OK ? take(names, wanted, x) : e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

static enum cluster_err take_person(const struct trust *t, const struct trust_person *p, const char *wanted, struct hop_verdict *x)
{
	enum cluster_err e = take_of(t, TRUST_PERSON, p->id.b, ID_SIZE, wanted, x);

	for (size_t i = 0; i < p->n_roles && e == CLUSTER_OK; i++)
		e = take_of(t, TRUST_ROLE, p->roles[i], strlen(p->roles[i]), wanted, x);
	return e;
}

/* ---- the two forms ---- */

static enum reason judge_person(const struct hop_view *v, const struct session *s, const struct trust_person *p, struct hop_verdict *x)
{
	struct hop *h = &x->claims;
	enum cluster_err e;

	if (s->kind == SESSION_ONETIME)
		return reason_refuse(&x->detail, REASON_HOP_ONETIME, "");
	if (s->narrowed)
		return reason_refuse(&x->detail, REASON_NARROW_ACCOUNT, "");
	if (s->narrowed_nodes)
		return reason_refuse(&x->detail, REASON_NARROW_NODE, "");
	if (s->end_at_expiry && v->now.wall >= s->exp)
		return reason_refuse(&x->detail, REASON_SESSION_EXPIRED, "");
	if (s->on_revoke != DIRECTORY_END && v->now.wall >= s->exp) /* it may have been revoked, and that be forgotten since */
		return reason_refuse(&x->detail, REASON_EXPIRED, "the credential behind a session that no revocation ends");
	if (s->hops >= HOP_COUNT_MAX)
		return reason_refuse(&x->detail, REASON_HOP_COUNT, "");
	if ((e = take_person(v->trust, p, s->account, x)) != CLUSTER_OK || (e = take_person(v->trust, p, NULL, x)) != CLUSTER_OK)
		return damaged(&x->detail, e);
	memcpy(x->person, p->name, sizeof p->name);
	h->person = s->person;
	h->device = s->device;
	h->parent = s->jti;
	h->session = s->id;
	h->auth_time = s->auth_time;
	h->end = s->exp;
	h->count = s->hops + 1;
	memcpy(h->way, s->way, sizeof h->way);
	if (s->hops > 0)
		h->way[s->hops - 1] = (struct hop_place){ .node = s->source, .session = s->parent };
	memcpy(h->parent_issuer, s->issuer, sizeof h->parent_issuer);
	if (strlen(s->rhost) < sizeof h->parent_source && !strchr(s->rhost, '/') && credential_source_ok(s->rhost))
		memcpy(h->parent_source, s->rhost, strlen(s->rhost) + 1);
	return x->n > 0 ? REASON_OK : reason_refuse(&x->detail, REASON_NO_HOP, "");
}

static enum reason judge_machine(const struct hop_view *v, const char *account, struct hop_verdict *x)
{
	enum cluster_err e = take_of(v->trust, TRUST_NODE, v->trust->self.node.b, ID_SIZE, account, x);

	if (e != CLUSTER_OK)
		return damaged(&x->detail, e);
	memcpy(x->person, "-", 2);
	x->claims.machine = true;
	return x->n > 0 ? REASON_OK : reason_refuse(&x->detail, REASON_NO_HOP, "no session, and no grant to this node");
}

static enum reason judge(const struct hop_view *v, const struct hop_caller *c, struct hop_verdict *x)
{
	const struct policy_session facts = policy_session_of(&c->session);
	static const struct cluster_id nobody;
	char account[NAME_ACCOUNT_MAX + 1];
	struct policy_answer answer;
	enum reason r;

	if (c->uid == 0)
		return reason_refuse(&x->detail, REASON_ROOT, "");
	if (c->err != CLUSTER_OK)
		return reason_refuse(&x->detail, REASON_SESSION_RECORD, err_name(c->err));
	if ((r = check_node(v->trust, &v->trust->self.node, &x->detail)) != REASON_OK || (r = account_of(v, c, account, &x->detail)) != REASON_OK)
		return r;
	if (!c->found)
		return judge_machine(v, account, x);
	if (c->ended)
		return reason_refuse(&x->detail, REASON_SESSION_CLOSED, "");
	if (strcmp(account, c->session.account) != 0)
		return reason_refuse(&x->detail, REASON_NO_SESSION, account);
	r = policy_session_check(v->trust, &facts, &answer);
	x->detail = answer.detail;
	if (r != REASON_OK)
		return r;
	return id_equal(&c->session.person, &nobody) ? judge_machine(v, account, x) : judge_person(v, &c->session, &answer.person, x);
}

enum reason hop_judge(const struct hop_view *v, const struct hop_caller *c, const struct trust_node *target, struct hop_verdict *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->claims.cluster = v->trust->snap.cluster;
	ret->claims.source = v->trust->self.node;
	ret->claims.target = target->id;
	ret->claims.iat = v->now.wall;
	ret->claims.exp = v->now.wall + HOP_LIFE_MAX;
	ret->reason = judge(v, c, ret);
	return ret->reason;
}
