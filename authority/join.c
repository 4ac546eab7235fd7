/* SPDX-License-Identifier: Apache-2.0 */
#include "join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "cluster/json.h"
#include "cluster/request.h"
#include "cluster/sshsig.h"
#include "identity.h"
#include "nodes.h"
#include "ticket.h"

#define CLAIM_MAX 128
#define HOSTKEYS_MAX 8

/* ---- what only one node may have ---- */

typedef enum cluster_err claim_visit(struct change *ch, const char *claim, const char *owner, struct diag *d);

static enum cluster_err take(struct change *ch, const char *claim, const char *owner, struct diag *d)
{
	const char *what = strncmp(claim, "hostkey:", 8) == 0 ? "one of the ssh host keys" : strncmp(claim, "address:", 8) == 0 ? "one of the addresses" : "the node's key";

	if (strncmp(claim, "address:", 8) == 0)
		what = claim;
	return change_claim(ch, claim, owner, what, d);
}

static enum cluster_err give_back(struct change *ch, const char *claim, const char *owner, struct diag *d)
{
	enum cluster_err e = store_delete(ch->store, STORE_CLAIM, claim);

	(void)owner;
	(void)d;
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

static enum cluster_err each_key(struct change *ch, const struct directory_node *n, const char *owner, claim_visit *visit, struct diag *d)
{
	const struct crypto_pub *keys[] = { &n->key, &n->hop };
	char claim[CLAIM_MAX], jkt[JWK_THUMBPRINT + 1];
	enum cluster_err e = CLUSTER_OK;

	for (size_t i = 0; i < 2 && e == CLUSTER_OK; i++) {
		if ((e = jwk_thumbprint(keys[i], jkt)) != CLUSTER_OK)
			return e;
		snprintf(claim, sizeof claim, "nodekey:%s", jkt);
		e = visit(ch, claim, owner, d);
	}
	return e;
}

static enum cluster_err each_claim(struct change *ch, const struct directory_node *n, const char *owner, claim_visit *visit, struct diag *d)
{
	uint8_t blob[SSHSIG_BLOB_MAX];
	char claim[CLAIM_MAX], fingerprint[51];
	enum cluster_err e;
	size_t size;

	if ((e = each_key(ch, n, owner, visit, d)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < n->n_hostkeys; i++) {
		if ((e = sshsig_key_parse(n->hostkeys[i], blob, &size, d)) != CLUSTER_OK || (e = sshsig_fingerprint(blob, size, fingerprint)) != CLUSTER_OK)
			return e;
		snprintf(claim, sizeof claim, "hostkey:%s", fingerprint);
		if ((e = visit(ch, claim, owner, d)) != CLUSTER_OK)
			return e;
	}
	for (size_t i = 0; i < n->n_addresses; i++) {
		snprintf(claim, sizeof claim, "address:%s", n->addresses[i]);
		if ((e = visit(ch, claim, owner, d)) != CLUSTER_OK)
			return e;
	}
	return CLUSTER_OK;
}

enum cluster_err join_release(struct change *ch, const struct directory_node *node)
{
	enum cluster_err e = each_claim(ch, node, "", give_back, NULL);

	return e == CLUSTER_OK ? store_delete(ch->store, STORE_NODE_NAME, node->name) : e;
}

/* ---- joining ---- */

/* Every host key has signed the request; in whatever order. */
static enum cluster_err signatures_check(const struct json *signatures, const char *request, const struct request_join *r, struct diag *d)
{
	bool used[HOSTKEYS_MAX] = { false };

	if (json_count(signatures) != r->n_hostkeys)
		return diag_set(d, CLUSTER_EFORMAT, "signatures: one by each host key is needed");
	for (size_t i = 0; i < r->n_hostkeys; i++) {
		enum cluster_err e = CLUSTER_ESIGNATURE;

		for (size_t k = 0; k < r->n_hostkeys && e != CLUSTER_OK; k++) {
			const char *s = json_string_at(signatures, k);

			if (!s)
				return diag_set(d, CLUSTER_EFORMAT, "signatures: not a list of texts");
			if (!used[k] && (e = sshsig_verify(s, strlen(s), r->hostkeys[i], JOIN_NAMESPACE, request, strlen(request), NULL)) == CLUSTER_OK)
				used[k] = true;
		}
		if (e != CLUSTER_OK)
			return diag_set(d, CLUSTER_ESIGNATURE, "host key %zu has not signed this request", i);
	}
	return CLUSTER_OK;
}

static enum cluster_err request_read(struct call *c, struct request_join *ret, struct diag *d)
{
	const char *request = NULL;
	const struct json *signatures = NULL;
	struct json_field f[] = {
		{ .name = "request", .kind = JSON_KIND_TEXT, .dst = &request, .max = 8192 },
		{ .name = "signatures", .kind = JSON_KIND_ARRAY, .dst = &signatures, .min = 1, .max = HOSTKEYS_MAX },
	};
	struct request_join r;
	enum cluster_err e;

	if ((e = json_read(c->in, f, 2, d)) != CLUSTER_OK || (e = request_join_parse(request, strlen(request), &r, d)) != CLUSTER_OK)
		return e;
	if (!id_equal(&r.cluster, &c->a->cluster))
		e = diag_set(d, CLUSTER_EDENIED, "the request is for another cluster");
	else if ((e = signatures_check(signatures, request, &r, d)) == CLUSTER_OK) /* first: strangers must not fill the memory of requests that have been made */
		e = identity_fresh(c, &r.c, d);
	if (e != CLUSTER_OK) {
		request_join_done(&r);
		return e;
	}
	*ret = r;
	return CLUSTER_OK;
}

/* Roles (and the name) that the token grants. */
static enum cluster_err token_read(const struct json *ticket, const struct request_join *r, char (**ret_roles)[NAME_ROLE_MAX + 1], size_t *ret_n, struct diag *d)
{
	const struct json *list = json_member(ticket, "roles");
	const char *name = json_member_text(ticket, "name");
	size_t n = json_count(list);
	char (*roles)[NAME_ROLE_MAX + 1];

	if (name && strcmp(name, r->name) != 0)
		return diag_set(d, CLUSTER_EDENIED, "the token is for the name \"%s\"", name);
	if (!(roles = calloc(n + 1, sizeof *roles)))
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const char *role = json_string_at(list, i);

		snprintf(roles[i], sizeof roles[i], "%s", role ? role : "");
	}
	*ret_roles = roles;
	*ret_n = n;
	return CLUSTER_OK;
}

/* ---- a host name means one thing: a node or a role ---- */

enum cluster_err join_node_name(const struct change *ch, const char *name, struct diag *d)
{
	return nodes_role(ch->a->nodes, name) ? diag_set(d, CLUSTER_EVERSION, "\"%s\" is the name of a role: a host name means one thing", name) : CLUSTER_OK;
}

enum cluster_err join_role_name(const struct change *ch, const char *role, struct diag *d)
{
	enum cluster_err e = store_get(ch->store, STORE_NODE_NAME, role, NULL, NULL);

	if (e == CLUSTER_OK)
		return diag_set(d, CLUSTER_EVERSION, "\"%s\" is the name of a node, so it cannot be a role: a host name means one thing", role);
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : diag_set(d, e, "store: %s", store_error(ch->store));
}

static enum cluster_err names_check(const struct change *ch, const char *name, const struct directory_node *node, struct diag *d)
{
	enum cluster_err e = join_node_name(ch, name, d);

	for (size_t i = 0; i < node->n_roles && e == CLUSTER_OK; i++) {
		if (strcmp(node->roles[i], name) == 0)
			e = diag_set(d, CLUSTER_EVERSION, "the token grants a role \"%s\", so no node can have that name", name);
		else
			e = join_role_name(ch, node->roles[i], d);
	}
	return e;
}

static enum cluster_err node_add(struct change *ch, const struct request_join *r, struct directory_node *node, struct diag *d)
{
	char addresses[16][46], id[ID_TEXT + 1];
	enum cluster_err e;

	_Static_assert(sizeof addresses == sizeof r->addresses, "the addresses of a request are those of a record");
	memcpy(addresses, r->addresses, sizeof addresses);
	memcpy(node->name, r->name, sizeof node->name);
	node->key = r->key;
	node->hop = r->hop;
	node->addresses = addresses;
	node->n_addresses = r->n_addresses;
	node->hostkeys = (char **)(uintptr_t)r->hostkeys;
	node->n_hostkeys = r->n_hostkeys;
	node->instance = r->instance[0] ? (char *)(uintptr_t)r->instance : NULL;
	node->port = 22;
	if ((e = crypto_random(node->id.b, sizeof node->id.b)) != CLUSTER_OK)
		return e;
	id_text(&node->id, id);
	if ((e = store_add(ch->store, STORE_NODE_NAME, node->name, id, strlen(id))) == CLUSTER_EVERSION)
		return diag_set(d, e, "another node has the name \"%s\"", node->name);
	if (e != CLUSTER_OK)
		return change_store_error(ch, e, d);
	if ((e = each_claim(ch, node, id, take, d)) != CLUSTER_OK)
		return e;
	return change_add(ch, DIRECTORY_NODES, id, directory_node_json(node), d);
}

static struct json *answer(const struct directory_node *node)
{
	struct json *roles = json_list();
	char id[ID_TEXT + 1];

	id_text(&node->id, id);
	for (size_t i = 0; roles && i < node->n_roles; i++) {
		if (json_append(roles, json_make("s", node->roles[i])) != CLUSTER_OK) {
			json_free(roles);
			roles = NULL;
		}
	}
	return json_make("{s:s, s:s, s:o}", "name", node->name, "node", id, "roles", roles);
}

enum cluster_err join_run(struct call *c, struct json **ret, struct diag *d)
{
	struct directory_node node = { .port = 22 };
	struct request_join r = { 0 };
	struct nodes_one *joined;
	struct json *ticket = NULL;
	struct change ch = { 0 };
	enum cluster_err e;

	if ((e = ticket_may_try(c, d)) != CLUSTER_OK || (e = request_read(c, &r, d)) != CLUSTER_OK || (e = change_begin(&ch, c->a, c->now, d)) != CLUSTER_OK)
		goto out;
	if ((e = ticket_take(c, &ch, STORE_TOKEN, r.token, &ticket, d)) != CLUSTER_OK || (e = token_read(ticket, &r, &node.roles, &node.n_roles, d)) != CLUSTER_OK ||
	    (e = names_check(&ch, r.name, &node, d)) != CLUSTER_OK || (e = node_add(&ch, &r, &node, d)) != CLUSTER_OK)
		goto out;
	snprintf(c->actor, sizeof c->actor, "node:%s", r.name);
	if ((e = change_commit(&ch, &(struct change_audit){ c->actor, "join", r.name, "ok" }, NULL, d)) != CLUSTER_OK)
		goto out;
	if ((joined = nodes_find(c->a->nodes, &node.id)))
		joined->seen = c->now;
	*ret = answer(&node);
out:
	change_done(&ch);
	json_free(ticket);
	free(node.roles);
	request_join_done(&r);
	return e;
}
