/* SPDX-License-Identifier: Apache-2.0 */
#include "read.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/json.h"
#include "conn.h"
#include "grants.h"
#include "head.h"
#include "nodes.h"
#include "poll.h"
#include "record.h"

#define OBJECTS "/v1/objects/"

static enum cluster_err no_query(struct call *c, struct diag *d)
{
	return head_query(c->head->query, NULL, NULL, 0, d);
}

static enum cluster_err document(struct call *c, enum publish_doc doc, struct diag *d)
{
	char hash[PUBLISH_HASH_TEXT + 1];
	enum cluster_err e;
	bool people;

	if ((e = no_query(c, d)) != CLUSTER_OK)
		return e;
	publish_hash_text(c->a->published->doc[doc].sha256, hash);
	c->cache = "no-cache";
	if ((e = publish_object(c->a->store, hash, &c->raw, &people)) != CLUSTER_OK)
		return diag_set(d, e == CLUSTER_ENOTFOUND ? CLUSTER_ESYSTEM : e, "the document cannot be read: %s", err_name(e));
	return CLUSTER_OK;
}

enum cluster_err read_root(struct call *c, struct json **ret, struct diag *d)
{
	(void)ret;
	return document(c, PUBLISH_ROOT, d);
}

enum cluster_err read_keyset(struct call *c, struct json **ret, struct diag *d)
{
	(void)ret;
	return document(c, PUBLISH_KEYSET, d);
}

/* A revoked node learns that it is revoked, and no more of the directory. */
static bool is_good_node(const struct call *c)
{
	return (c->is & CALL_NODE) && !c->node->revoked;
}

static bool may_have(const struct call *c, bool people)
{
	return people || (c->is & CALL_ROOT) || is_good_node(c);
}

enum cluster_err read_head(struct call *c, struct json **ret, struct diag *d)
{
	static const char *const names[] = { "after", "wait" };
	uint64_t after = 0, wait = 0, *const values[] = { &after, &wait };
	enum cluster_err e;

	(void)ret;
	if ((e = head_query(c->head->query, names, values, 2, d)) != CLUSTER_OK)
		return e;
	if (wait > POLL_SECONDS)
		return diag_set(d, CLUSTER_EFORMAT, "wait: at most %d seconds", POLL_SECONDS);
	if ((e = poll_head(c->a->poll, c->conn, (int64_t)after, (int64_t)wait, is_good_node(c))) != CLUSTER_OK)
		return diag_set(d, e, "out of memory");
	c->later = true;
	return CLUSTER_OK;
}

enum cluster_err read_object(struct call *c, struct json **ret, struct diag *d)
{
	const char *hash = c->head->target + strlen(OBJECTS);
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	struct blob *found = NULL;
	bool people = false;
	enum cluster_err e;

	(void)ret;
	if (c->head->query || b64_decode_exact(hash, strlen(hash), sha256, sizeof sha256) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "not the SHA-256 of an object, base64url");
	if ((e = publish_object(c->a->store, hash, &found, &people)) == CLUSTER_ENOTFOUND)
		return diag_set(d, e, "there is no such object, or none any more");
	if (e != CLUSTER_OK)
		return diag_set(d, e, "the object cannot be read: %s", err_name(e));
	if (!may_have(c, people)) {
		blob_unref(found);
		return diag_set(d, CLUSTER_EDENIED, "this object is not for %s", c->actor);
	}
	c->raw = found;
	c->cache = "private, max-age=31536000, immutable";
	return CLUSTER_OK;
}

/* ---- GET /v1/me ---- */

/* {"account": {"nodes": [...], "sudo": bool}}, merged over all grants. */
struct rights {
	struct json *by_account;
};

static bool listed(const struct json *list, const char *text)
{
	for (size_t i = 0; i < json_count(list); i++) {
		if (strcmp(json_string_at(list, i), text) == 0)
			return true;
	}
	return false;
}

static enum cluster_err add_right(struct json *rights, const struct directory_grant *g, const char *account)
{
	const struct json *old = json_member(rights, account), *old_nodes = old ? json_member(old, "nodes") : NULL;
	struct json *nodes = json_list();
	enum cluster_err e = nodes ? CLUSTER_OK : CLUSTER_ENOMEM;

	for (size_t i = 0; i < json_count(old_nodes) && e == CLUSTER_OK; i++)
		e = json_append(nodes, json_make("s", json_string_at(old_nodes, i)));
	for (size_t i = 0; i < g->n_nodes && e == CLUSTER_OK; i++) {
		if (!listed(old_nodes, g->nodes[i]))
			e = json_append(nodes, json_make("s", g->nodes[i]));
	}
	if (e != CLUSTER_OK) {
		json_free(nodes);
		return e;
	}
	return json_set(rights, account, json_make("{s:s, s:o, s:b}", "account", account, "nodes", nodes, "sudo", g->sudo || json_member_bool(old, "sudo", false)));
}

static enum cluster_err visit_grant(void *ctx, const struct directory_grant *g)
{
	struct rights *r = ctx;
	enum cluster_err e = CLUSTER_OK;

	for (size_t i = 0; i < g->n_accounts && e == CLUSTER_OK; i++)
		e = add_right(r->by_account, g, g->accounts[i]);
	return e;
}

static struct json *rights_list(const struct json *by_account)
{
	struct json *list = json_list();
	const struct json *one;
	const char *name;
	void *iter = NULL;

	while (list && (one = json_each(by_account, &iter, &name))) {
		if (json_append(list, json_make("O", one)) != CLUSTER_OK) {
			json_free(list);
			list = NULL;
		}
	}
	return list;
}

enum cluster_err read_me(struct call *c, struct json **ret, struct diag *d)
{
	struct rights rights = { .by_account = json_map() };
	char person[ID_TEXT + 1], device[ID_TEXT + 1];
	struct directory *dir = NULL;
	enum cluster_err e;

	id_text(&c->person, person);
	id_text(&c->device, device);
	if ((e = no_query(c, d)) != CLUSTER_OK || (e = record_get(c->a->store, DIRECTORY_PEOPLE, person, &dir, d)) != CLUSTER_OK)
		goto out;
	if ((e = rights.by_account ? grants_of(c->a, &dir->people[0], c->now, visit_grant, &rights) : CLUSTER_ENOMEM) != CLUSTER_OK) {
		diag_set(d, e, "the grants cannot be read: %s", err_name(e));
		goto out;
	}
	*ret = json_make("{s:o, s:s, s:s, s:s}", "accounts", rights_list(rights.by_account), "device", device, "name", dir->people[0].name, "person", person);
	e = CLUSTER_OK;
out:
	directory_free(dir);
	json_free(rights.by_account);
	return e;
}
