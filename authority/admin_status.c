/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "admin_part.h"
#include "cluster/b64.h"
#include "nodes.h"
#include "poll.h"
#include "revoked.h"
#include "version.h"

/* What is asked about the authority itself (PROTOCOL.md 6.4). */

#define AUDIT_DEFAULT 100
#define AUDIT_MAX 1000

enum cluster_err admin_status(struct call *c, struct json **ret, struct diag *d)
{
	static const unsigned all[2] = { 0, STORE_BUCKETS };
	char cluster[ID_TEXT + 1], pin[DOCUMENT_PIN_TEXT + 1];
	enum cluster_err e;
	uint64_t people = 0;
	size_t reachable = 0;

	if ((e = json_read(c->in, NULL, 0, d)) != CLUSTER_OK)
		return e;
	if ((e = store_count(c->a->store, STORE_PERSON, all, &people)) != CLUSTER_OK)
		return diag_set(d, e, "the store cannot be read: %s", err_name(e));
	id_text(&c->a->cluster, cluster);
	document_pin_text(c->a->pin, pin);
	for (size_t i = 0; i < c->a->nodes->n; i++)
		reachable += nodes_reachable(c->a->nodes, c->a->nodes->one[i], c->now);
	*ret = json_make("{s:s, s:I, s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:s, s:s}", "cluster", cluster, "head", (long long)c->a->published->head_version, "name", c->a->root.name, "nodes",
	    (long long)c->a->nodes->n, "people", (long long)people, "pin", pin, "reachable", (long long)reachable, "revocations", (long long)c->a->revoked->n, "sessions",
	    (long long)c->a->nodes->sessions, "url", c->a->url, "version", VERSION_TEXT);
	return CLUSTER_OK;
}

enum cluster_err admin_wait(struct call *c, struct json **ret, struct diag *d)
{
	int64_t version = 0, ms = 0;
	struct json_field f[] = {
		{ .name = "version", .kind = JSON_KIND_INT, .dst = &version, .min = 1, .max = INT64_C(1) << 53 },
		{ .name = "timeout_ms", .kind = JSON_KIND_INT, .dst = &ms, .min = 0, .max = POLL_SECONDS * 1000 },
	};
	enum cluster_err e;

	(void)ret;
	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK)
		return e;
	if (version > c->a->published->head_version)
		return diag_set(d, CLUSTER_EFORMAT, "there is no head of that version yet");
	if ((e = poll_wait(c->a->poll, c->conn, version, ms)) != CLUSTER_OK)
		return diag_set(d, e, "out of memory");
	c->later = true;
	return CLUSTER_OK;
}

static enum cluster_err audit_one(void *ctx, const struct store_audit *r)
{
	char hash[B64_LEN(sizeof r->hash) + 1];

	if (b64_encode(r->hash, sizeof r->hash, hash, sizeof hash) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	return json_append(ctx, json_make("{s:I, s:I, s:s, s:s, s:s, s:s, s:s}", "seq", (long long)r->seq, "time", (long long)r->time, "actor", r->actor, "action", r->action, "object", r->object,
	    "reason", r->reason, "hash", hash));
}

enum cluster_err admin_audit_list(struct call *c, struct json **ret, struct diag *d)
{
	int64_t after = 0, limit = AUDIT_DEFAULT;
	struct json_field f[] = {
		{ .name = "after", .kind = JSON_KIND_INT, .optional = true, .dst = &after, .min = 0, .max = INT64_C(1) << 53 },
		{ .name = "limit", .kind = JSON_KIND_INT, .optional = true, .dst = &limit, .min = 1, .max = AUDIT_MAX },
	};
	struct json *list = json_list();
	enum cluster_err e;

	if ((e = json_read(c->in, ADMIN_FIELDS(f), d)) != CLUSTER_OK)
		goto out;
	if ((e = store_audit_each(c->a->store, after, limit, audit_one, list)) != CLUSTER_OK) {
		e = e == CLUSTER_ESIGNATURE ? diag_set(d, CLUSTER_ESYSTEM, "the chain of the audit trail is broken: a record was changed or taken away") :
					      diag_set(d, e, "the audit trail cannot be read: %s", err_name(e));
		goto out;
	}
	*ret = json_make("{s:o}", "records", list);
	list = NULL;
out:
	json_free(list);
	return e;
}
