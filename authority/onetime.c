/* SPDX-License-Identifier: Apache-2.0 */
#include "onetime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/json.h"
#include "cluster/onetime.h"
#include "grants.h"
#include "identity.h"
#include "issue.h"
#include "keys.h"
#include "record.h"

#define NODE_SELECTOR "node:"

/* Exactly one account and one node by name, and nothing that a bearer token cannot hold. */
static enum cluster_err shape(const struct request_credential *r, struct diag *d)
{
	if (r->n_acc != 1)
		return diag_set(d, CLUSTER_EFORMAT, "acc: exactly one account");
	if (r->n_nod != 1 || strncmp(r->nod[0], NODE_SELECTOR, strlen(NODE_SELECTOR)) != 0)
		return diag_set(d, CLUSTER_EFORMAT, "nod: exactly one node:NAME");
	return r->n_src == 0 ? CLUSTER_OK : diag_set(d, CLUSTER_EFORMAT, "src: not in a one-time credential");
}

/* Is there a grant for this account on this node that allows it? */
struct search {
	const char *account;
	const struct directory_node *node;
	bool found;
};

static enum cluster_err search_one(void *ctx, const struct directory_grant *g)
{
	struct search *s = ctx;
	bool account = false, node = false;

	for (size_t i = 0; i < g->n_accounts; i++)
		account = account || strcmp(g->accounts[i], s->account) == 0;
	for (size_t i = 0; i < g->n_nodes; i++)
		node = node || directory_selects(g->nodes[i], s->node);
	s->found = s->found || (g->onetime && account && node);
	return CLUSTER_OK;
}

static enum cluster_err claims_make(struct call *c, struct issue *i, const struct cluster_id *node, struct onetime *ret, struct diag *d)
{
	int64_t life = i->request.ttl ? i->request.ttl : ONETIME_LIFE;
	enum cluster_err e;

	if (life > ONETIME_LIFE_MAX)
		life = ONETIME_LIFE_MAX;
	*ret = (struct onetime){ .cluster = c->a->cluster, .person = c->person, .device = c->device, .node = *node, .iat = c->now };
	ret->exp = c->now + (life < i->life ? life : i->life);
	memcpy(ret->account, i->request.acc[0], sizeof ret->account);
	return (e = crypto_random(ret->jti.b, sizeof ret->jti.b)) == CLUSTER_OK ? e : diag_set(d, e, "no random numbers");
}

static enum cluster_err sign(struct call *c, const struct onetime *o, char **ret, struct diag *d)
{
	enum cluster_err e;
	size_t signer;

	if ((e = keys_signer(c->a->keys, KEYRING_ISSUER, c->now, c->a->revoked, &signer, d)) != CLUSTER_OK)
		return e;
	return (e = onetime_build(o, c->a->keys->key[signer], ret)) == CLUSTER_OK ? e : diag_set(d, e, "the one-time credential cannot be signed: %s", err_name(e));
}

/* The node's record, if there is a grant for the account there. */
static enum cluster_err find(struct call *c, struct issue *i, struct directory **ret, struct diag *d)
{
	struct search s = { .account = i->request.acc[0] };
	struct directory *dir = NULL;
	char id[ID_TEXT + 1];
	enum cluster_err e;

	if ((e = record_find(c->a->store, DIRECTORY_NODES, i->request.nod[0] + strlen(NODE_SELECTOR), id, d)) != CLUSTER_OK ||
	    (e = record_get(c->a->store, DIRECTORY_NODES, id, &dir, d)) != CLUSTER_OK)
		return e;
	s.node = &dir->nodes[0];
	if ((e = grants_of(c->a, &i->person->people[0], c->now, search_one, &s)) != CLUSTER_OK)
		diag_set(d, e, "the grants cannot be read: %s", err_name(e));
	else if (!s.found)
		e = identity_refuse(c, REASON_NO_ONETIME, d);
	if (e != CLUSTER_OK) {
		directory_free(dir);
		return e;
	}
	*ret = dir;
	return CLUSTER_OK;
}

enum cluster_err onetime_run(struct call *c, struct json **ret, struct diag *d)
{
	char object[ID_TEXT + NAME_ACCOUNT_MAX + NAME_NODE_MAX + 4], jti[ID_TEXT + 1];
	struct issue i = { .token = NULL };
	struct directory *node = NULL;
	struct credential claims;
	struct onetime o;
	enum cluster_err e;

	if ((e = issue_ask(c, &i, d)) != CLUSTER_OK || (e = shape(&i.request, d)) != CLUSTER_OK || (e = find(c, &i, &node, d)) != CLUSTER_OK ||
	    (e = claims_make(c, &i, &node->nodes[0].id, &o, d)) != CLUSTER_OK || (e = sign(c, &o, &i.token, d)) != CLUSTER_OK)
		goto out;
	claims = onetime_credential(&o);
	id_text(&o.jti, jti);
	snprintf(object, sizeof object, "%s %s@%s", jti, o.account, node->nodes[0].name);
	if ((e = issue_remember(&i.change, &claims, d)) != CLUSTER_OK ||
	    (e = change_commit_quietly(&i.change, &(struct change_audit){ c->actor, "onetime", object, "ok" }, d)) != CLUSTER_OK)
		goto out;
	*ret = json_make("{s:s, s:I}", "credential", i.token, "exp", (long long)o.exp);
out:
	directory_free(node);
	issue_done(&i);
	return e;
}
