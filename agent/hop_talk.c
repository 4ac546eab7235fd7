/* SPDX-License-Identifier: Apache-2.0 */
#include "hop_talk.h"

#include <string.h>

#include "cluster/userauth.h"
#include "cluster/wr.h"

void hop_talk_init(struct hop_talk *t)
{
	memset(t, 0, sizeof *t);
}

static void drop_offers(struct hop_talk *t)
{
	for (size_t i = 0; i < t->n; i++)
		hop_offer_done(&t->offer[i]);
	t->n = 0;
}

void hop_talk_done(struct hop_talk *t)
{
	drop_offers(t);
	crypto_key_free(t->key);
	hop_talk_init(t);
}

static void spoil(struct hop_talk *t)
{
	unsigned int requests = t->requests;

	hop_talk_done(t);
	t->requests = requests;
	t->state = HOP_TALK_SPOILT;
}

/* ---- what is told of it ---- */

static void note_init(struct hop_talk_note *x)
{
	memset(x, 0, sizeof *x);
	x->person[0] = x->account[0] = x->target[0] = '-';
}

static void note_refused(struct hop_talk_note *x, enum reason r, const struct diag *d)
{
	x->what = HOP_TALK_REFUSED;
	x->reason = r;
	if (d)
		x->detail = *d;
}

static void note_vouched(struct hop_talk_note *x, const struct hop_talk *t, const struct hop_offer *o, const struct hop_verdict *v)
{
	x->what = HOP_TALK_VOUCHED;
	x->reason = REASON_OK;
	memcpy(x->person, v->person, sizeof x->person);
	memcpy(x->account, o->account, sizeof x->account);
	x->session = t->claims.session;
	x->jti = o->jti;
}

/* ---- bind ---- */

/* The first one counts. After a second, after one of a forwarded connection and after one that is not true, nothing is offered any more. */
static void take_bind(struct hop_talk *t, const struct sshagent_msg *m, struct wr *w)
{
	if (t->state != HOP_TALK_NEW || m->forwarding || m->hostkey.n > sizeof t->hostkey || m->session_id.n > sizeof t->session_id ||
	    sshagent_msg_bind_verify(m) != CLUSTER_OK) {
		spoil(t);
		sshagent_msg_failure(w);
		return;
	}
	memcpy(t->hostkey, m->hostkey.p, m->hostkey.n);
	memcpy(t->session_id, m->session_id.p, m->session_id.n);
	t->hostkey_n = m->hostkey.n;
	t->session_id_n = m->session_id.n;
	t->state = HOP_TALK_BOUND;
	sshagent_msg_success(w);
}

/* ---- may it be ---- */

/* False: root has to be asked first. Otherwise what is to be thought of it is in v->reason, and a refusal in *x. */
static bool judge(const struct hop_talk *t, const struct hop_talk_request *q, struct hop_verdict *v, struct hop_talk_note *x)
{
	struct trust_node target;

	v->reason = q->why;
	diag_clear(&v->detail);
	if (q->view)
		v->reason = hop_judge_target(q->view, t->hostkey, t->hostkey_n, &target, &v->detail);
	else if (v->reason == REASON_OK)
		v->reason = REASON_SYSTEM;
	if (v->reason == REASON_OK) {
		memcpy(x->target, target.name, sizeof x->target);
		if (!q->caller)
			return false;
		hop_judge(q->view, q->caller, &target, v);
	}
	if (v->reason != REASON_OK)
		note_refused(x, v->reason, &v->detail);
	return true;
}

/* ---- list ---- */

static enum cluster_err offer(struct hop_talk *t, const struct hop_talk_request *q, const struct hop_verdict *v)
{
	struct crypto_pub pub;
	enum cluster_err e;

	if (!t->key && (e = crypto_key_new(CRYPTO_ED25519, &t->key)) != CLUSTER_OK)
		return e;
	if ((e = crypto_key_pub(t->key, &pub)) != CLUSTER_OK)
		return e;
	t->claims = v->claims;
	for (t->n = 0; t->n < v->n; t->n++)
		if ((e = hop_offer_make(q->view->trust, v, t->n, &pub, q->key, &t->offer[t->n])) != CLUSTER_OK)
			return e;
	return CLUSTER_OK;
}

static enum hop_talk_step take_list(struct hop_talk *t, const struct hop_talk_request *q, struct wr *w, struct hop_talk_note *x)
{
	struct sshagent_msg_identity list[HOP_JUDGE_ACCOUNTS_MAX];
	struct hop_verdict v;
	enum cluster_err e;

	if (t->state == HOP_TALK_BOUND) {
		if (!judge(t, q, &v, x))
			return HOP_TALK_ASK;
		drop_offers(t);
		if (v.reason == REASON_OK && (e = offer(t, q, &v)) != CLUSTER_OK) {
			drop_offers(t);
			diag_set(&v.detail, e, "%s", err_name(e));
			note_refused(x, e == CLUSTER_ENOTFOUND ? REASON_HOP_SOURCE : REASON_SYSTEM, &v.detail);
		}
	}
	for (size_t i = 0; i < t->n; i++)
		list[i] = (struct sshagent_msg_identity){ .key = t->offer[i].blob, .n = t->offer[i].n, .comment = t->offer[i].account };
	sshagent_msg_identities(w, list, t->n);
	return HOP_TALK_ANSWERED;
}

/* ---- sign ---- */

/* The offer that this is a signature for, and for nothing else. */
static const struct hop_offer *bound_offer(const struct hop_talk *t, const struct sshagent_msg *m)
{
	struct userauth_bind bind = { .session_id = { t->session_id, t->session_id_n }, .hostkey = { t->hostkey, t->hostkey_n }, .key = m->key };
	struct userauth u;

	if (userauth_parse(m->data.p, m->data.n, &u) != CLUSTER_OK)
		return NULL;
	for (size_t i = 0; i < t->n; i++) {
		if (t->offer[i].n != m->key.n || !crypto_equal(t->offer[i].blob, m->key.p, m->key.n))
			continue;
		bind.user = t->offer[i].account;
		return userauth_bound(&u, &bind) ? &t->offer[i] : NULL;
	}
	return NULL;
}

/* Does what was offered still stand? */
static bool still(const struct hop_talk *t, const struct hop_offer *o, const struct hop_verdict *v)
{
	if (v->reason != REASON_OK || v->claims.machine != t->claims.machine || !id_equal(&v->claims.session, &t->claims.session) ||
	    !id_equal(&v->claims.target, &t->claims.target))
		return false;
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->account[i], o->account) == 0)
			return true;
	return false;
}

static enum hop_talk_step take_sign(struct hop_talk *t, const struct hop_talk_request *q, const struct sshagent_msg *m, struct wr *w, struct hop_talk_note *x)
{
	const struct hop_offer *o = bound_offer(t, m);
	uint8_t sig[CRYPTO_SIG_SIZE];
	struct hop_verdict v;

	if (!o) {
		sshagent_msg_failure(w);
		return HOP_TALK_ANSWERED;
	}
	if (!judge(t, q, &v, x))
		return HOP_TALK_ASK;
	if (v.reason == REASON_OK && (q->view->now.wall < t->claims.iat || q->view->now.wall >= t->claims.exp))
		note_refused(x, REASON_HOP_AGE, NULL);
	else if (v.reason == REASON_OK && !still(t, o, &v))
		note_refused(x, REASON_NO_SESSION, NULL);
	else if (v.reason == REASON_OK && crypto_sign(t->key, m->data.p, m->data.n, sig) != CLUSTER_OK)
		note_refused(x, REASON_SYSTEM, NULL);
	else if (v.reason == REASON_OK)
		note_vouched(x, t, o, &v);
	if (x->what == HOP_TALK_VOUCHED)
		sshagent_msg_signature(w, CRYPTO_ED25519, sig);
	else
		sshagent_msg_failure(w);
	return HOP_TALK_ANSWERED;
}

bool hop_talk_judges(const struct hop_talk *t, const uint8_t *p, size_t n)
{
	return t->state == HOP_TALK_BOUND && n > 0 && p[0] != SSHAGENT_MSG_BIND;
}

enum hop_talk_step hop_talk_take(struct hop_talk *t, const struct hop_talk_request *q, struct wr *w, struct hop_talk_note *ret)
{
	struct sshagent_msg m;

	note_init(ret);
	if (!q->caller && ++t->requests > HOP_TALK_REQUESTS_MAX)
		return HOP_TALK_END;
	if (sshagent_msg_parse(q->p, q->n, &m) != CLUSTER_OK) {
		sshagent_msg_failure(w);
		return HOP_TALK_ANSWERED;
	}
	switch (m.type) {
	case SSHAGENT_MSG_LIST:
		return take_list(t, q, w, ret);
	case SSHAGENT_MSG_SIGN:
		return take_sign(t, q, &m, w, ret);
	case SSHAGENT_MSG_BIND:
		take_bind(t, &m, w);
		return HOP_TALK_ANSWERED;
	}
	return HOP_TALK_END;
}
