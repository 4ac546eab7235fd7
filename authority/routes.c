/* SPDX-License-Identifier: Apache-2.0 */
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "admin_part.h"
#include "change.h"
#include "cluster/json.h"
#include "cluster/log.h"
#include "conn.h"
#include "enroll.h"
#include "identity.h"
#include "issue.h"
#include "join.h"
#include "onetime.h"
#include "poll.h"
#include "read.h"
#include "refused.h"
#include "renewal.h"
#include "sessions.h"
#include "sshcert.h"
#include "status.h"
#include "tally.h"

#define PREFIX "/v1/"

const struct route routes_table[] = {
	{ HEAD_GET, "/v1/root", false, CALL_ANYBODY, read_root },
	{ HEAD_GET, "/v1/keyset", false, CALL_ANYBODY, read_keyset },
	{ HEAD_GET, "/v1/head", false, CALL_NODE | CALL_PERSON | CALL_ROOT, read_head },
	{ HEAD_GET, "/v1/objects/", true, CALL_NODE | CALL_PERSON | CALL_ROOT, read_object },
	{ HEAD_GET, "/v1/me", false, CALL_PERSON, read_me },
	{ HEAD_POST, "/v1/device/list", false, CALL_PERSON, admin_device_own_list },
	{ HEAD_POST, "/v1/device/rename", false, CALL_PERSON, admin_device_own_rename },
	{ HEAD_POST, "/v1/device/remove", false, CALL_PERSON, admin_device_own_remove },
	{ HEAD_POST, "/v1/join", false, CALL_ANYBODY, join_run },
	{ HEAD_POST, "/v1/enroll", false, CALL_ANYBODY, enroll_run },
	{ HEAD_POST, "/v1/credential", false, CALL_ANYBODY, issue_run },
	{ HEAD_POST, "/v1/sshcert", false, CALL_ANYBODY, sshcert_run },
	{ HEAD_POST, "/v1/onetime", false, CALL_ANYBODY, onetime_run },
	{ HEAD_POST, "/v1/sessions", false, CALL_NODE, sessions_run },
	{ HEAD_POST, "/v1/refusals", false, CALL_NODE, refused_run },
	{ HEAD_GET, "/v1/renewal/", true, CALL_NODE, renewal_run },
	{ HEAD_POST, "/v1/admin/", true, CALL_ADMIN | CALL_ROOT, admin_run },
	{ HEAD_GET, "/metrics", false, CALL_ROOT, metrics_run },
};
const size_t routes_n = sizeof routes_table / sizeof *routes_table;

const struct route *routes_find(enum head_method method, const char *path, size_t n)
{
	for (size_t i = 0; i < routes_n; i++) {
		const struct route *r = &routes_table[i];
		size_t len = strlen(r->path);

		if (r->method == method && strncmp(path, r->path, len) == 0 && (r->prefix ? n > len : n == len))
			return r;
	}
	return NULL;
}

/* What somebody unknown is told of a refusal: nothing that helps. */
static const char *sentence(const struct call *c, enum cluster_err e, const struct diag *d)
{
	int status = status_http(e);

	if (!c->known && !c->frank && status == 401)
		return "this request is not authorised";
	if (!c->known && !c->frank && status == 403)
		return "refused";
	if (status == 500 && !(c->is & (CALL_ROOT | CALL_ADMIN)))
		return "the authority has a problem of its own";
	return d->text[0] ? d->text : err_name(e);
}

static void audit_write(struct authority *a, const struct change_audit *r)
{
	struct change ch;

	if (change_begin(&ch, a, authority_now(), NULL) == CLUSTER_OK && change_commit_quietly(&ch, r, NULL) != CLUSTER_OK)
		log_line(LOG_LEVEL_ERROR, "a refusal could not be written to the audit trail");
	change_done(&ch);
}

/* A refusal of somebody we know is a decision like any other. */
static void audit_refusal(struct call *c, enum cluster_err e)
{
	static const struct cluster_id none;
	struct tally_one x = { .since = 0 };

	memcpy(x.actor, c->actor, sizeof x.actor);
	if (!id_equal(&c->device, &none))
		id_text(&c->device, x.device);
	snprintf(x.action, sizeof x.action, "%.*s", (int)(c->head->path_n - strlen(PREFIX)), c->head->target + strlen(PREFIX));
	snprintf(x.reason, sizeof x.reason, "%s", c->word ? c->word : err_name(e));
	if (!c->a->tally || tally_row(c->a->tally, &x, authority_ms() / 1000))
		audit_write(c->a, &(struct change_audit){ x.actor, x.action, "", x.reason });
}

void routes_tally(struct authority *a, bool all)
{
	struct tally_one x;
	char object[80];

	while (a->tally && tally_over(a->tally, all ? INT64_MAX : authority_ms() / 1000, &x)) {
		snprintf(object, sizeof object, "%s%s%llu more", x.device, x.device[0] ? ": " : "", (unsigned long long)x.more);
		audit_write(a, &(struct change_audit){ x.actor, x.action, object, x.reason });
	}
}

static void refuse(struct call *c, enum cluster_err e, const struct diag *d)
{
	const char *word = c->known ? c->word : NULL;
	struct conn_answer a = { .status = status_http(e), .type = "application/json", .cache = "no-store" };

	log_line(a.status >= 500 ? LOG_LEVEL_WARNING : c->expected ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "%s %.*s: %d %s: %s (%s from %s)", head_method_name(c->head->method), (int)c->head->path_n, c->head->target,
	    a.status, c->word ? c->word : err_name(e), d->text, c->actor[0] ? c->actor : "nobody", conn_peer(c->conn)->text);
	if (c->known && c->head->method == HEAD_POST && a.status == 403)
		audit_refusal(c, e);
	a.body = status_body(e, word, sentence(c, e, d));
	conn_answer(c->conn, &a);
}

/* Takes `j`. */
static void succeed(struct call *c, struct json *j)
{
	struct conn_answer a = { .status = 200, .type = "application/json", .cache = "no-store", .body = c->raw };
	char *text = NULL;
	size_t n = 0;

	if (c->raw) {
		a.type = "text/plain; charset=utf-8";
		a.cache = c->cache;
	} else if (json_text(j, &text, &n) == CLUSTER_OK) {
		a.body = blob_new(text, n);
	}
	free(text);
	json_free(j);
	conn_answer(c->conn, &a);
}

static enum cluster_err body_read(struct call *c, struct json **ret, struct diag *d)
{
	enum cluster_err e;

	if (c->head->method != HEAD_POST)
		return CLUSTER_OK;
	if ((e = json_parse(conn_body(c->conn), c->head->body_n, HEAD_BODY_MAX, ret, d)) != CLUSTER_OK)
		return e;
	return conn_body(c->conn)[0] == '[' ? diag_set(d, CLUSTER_EFORMAT, "the body is not a JSON object") : CLUSTER_OK;
}

static enum cluster_err answer(struct call *c, struct json **ret, struct diag *d)
{
	const struct route *r = routes_find(c->head->method, c->head->target, c->head->path_n);
	struct json *in = NULL;
	enum cluster_err e;

	if (!r)
		return diag_set(d, CLUSTER_ENOTFOUND, "there is no such call");
	c->is = CALL_ANYBODY;
	if (!(r->who & CALL_ANYBODY) && (e = identity_read(c, d)) != CLUSTER_OK) {
		/* whoever could not prove a thing is unauthorised, in whatever way he failed */
		if (!c->known && status_http(e) < 500)
			e = CLUSTER_ESIGNATURE;
		return e;
	}
	if (!(r->who & c->is))
		return c->is == CALL_ANYBODY ? diag_set(d, CLUSTER_ESIGNATURE, "not authorised") : diag_set(d, CLUSTER_EDENIED, "this call is not for %s", c->actor);
	if ((e = body_read(c, &in, d)) == CLUSTER_OK) {
		c->in = in;
		if ((e = r->run(c, ret, d)) == CLUSTER_ELIMIT)
			e = CLUSTER_EFORMAT; /* 413 is for bodies; a value out of its range is a wrong value */
	}
	c->in = NULL;
	json_free(in);
	return e;
}

void routes_request(struct conn *conn, void *ctx)
{
	struct call c = { .a = ctx, .conn = conn, .head = conn_head(conn), .now = authority_now() };
	struct json *out = NULL;
	struct diag d = { 0 };
	enum cluster_err e = answer(&c, &out, &d);

	if (c.known)
		conn_known(conn);
	metrics_count(&c.a->metrics, e == CLUSTER_OK ? 200 : status_http(e));
	if (e != CLUSTER_OK)
		refuse(&c, e, &d);
	else if (!c.later)
		succeed(&c, out);
}

void routes_closed(struct conn *c, void *ctx)
{
	const struct authority *a = ctx;

	if (a->poll)
		poll_forget(a->poll, c);
}
