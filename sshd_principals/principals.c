/* SPDX-License-Identifier: Apache-2.0 */
#include "principals.h"

#include <stdio.h>
#include <string.h>

#include "cluster/identity.h"
#include "cluster/snapshots.h"

/* "type base64", as it stands in a file. */
static enum reason judge(const struct principals_query *q, const struct snapshots *s, struct principals_answer *a)
{
	char text[SSHCERT_TEXT_MAX + 1];
	int n = snprintf(text, sizeof text, "%s %s", q->type, q->certificate);

	if (n < 0 || (size_t)n >= sizeof text) {
		diag_set(&a->detail, CLUSTER_ELIMIT, "the certificate is too long");
		return REASON_CERTIFICATE;
	}
	return policy_certificate(&s->trust, s->now.wall, text, (size_t)n, &a->certificate, &a->detail);
}

/* The rules of PAM: a local account that is not adopted is none of ours. */
static enum reason identify(const struct principals_query *q, struct identity *who, struct diag *d)
{
	if (!name_account_ok(q->account)) {
		diag_set(d, reason_err(REASON_NAME), "the account name breaks the grammar");
		return REASON_NAME;
	}
	identity_init(who, q->account, q->passwd);
	identity_rest(who, &q->conf->adopt);
	if (who->local == LOCAL_YES && !who->adopted) {
		diag_set(d, CLUSTER_EDENIED, "a local account that is not adopted");
		return who->local_uid == 0 ? REASON_ROOT : REASON_SHADOWED;
	}
	return REASON_OK;
}

static enum reason decide(const struct principals_query *q, const struct snapshots *s, struct principals_answer *a)
{
	struct policy_request request = {
		.class = POLICY_LOGIN,
		.account = q->account,
		.now = &s->now,
		.max_stale = node_conf_max_stale(q->conf, "sshd"),
		.source_later = true,
		.cert = &a->certificate.facts,
	};
	struct policy_answer answer;
	struct identity who;
	enum reason r;

	if ((r = identify(q, &who, &a->detail)) != REASON_OK)
		return r;
	if (s->reason != REASON_OK) {
		a->detail = s->detail;
		return s->reason;
	}
	if ((r = judge(q, s, a)) != REASON_OK || (r = identity_check(&s->trust, &s->accounts, &who, &a->detail)) != REASON_OK)
		return r;
	if (a->certificate.is_hop)
		request.hop = &a->certificate.hop;
	else
		request.credential = &a->certificate.credential;
	if ((r = policy_decide(&s->trust, &request, &answer)) != REASON_OK)
		a->detail = answer.detail;
	return r;
}

static void name(const struct policy_certificate *c, char dst[PRINCIPALS_TEXT + 1])
{
	if (c->is_hop) {
		sshcert_hop_principal(&c->hop, dst);
		return;
	}
	id_text(&c->credential.jti, dst);
	dst[ID_TEXT] = '@';
	id_text(&c->credential.cluster, dst + ID_TEXT + 1);
}

enum reason principals_decide(const struct principals_query *q, struct principals_answer *ret)
{
	struct snapshots s;
	enum reason r;

	memset(ret, 0, sizeof *ret);
	snapshots_open(&s, q->conf->state, q->owner);
	r = decide(q, &s, ret);
	snapshots_close(&s);
	if (r == REASON_OK)
		name(&ret->certificate, ret->principal);
	return r;
}
