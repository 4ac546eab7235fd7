/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_part.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/api.h"
#include "cluster/log.h"
#include "cluster/moment.h"

/* Sessions and refusals: what root says of them, and what the authority is told and asked. */

#define SESSIONS_TIMEOUT_MS 5000
#define SESSIONS_MEMORY_MAX ((size_t)256 << 20)

void fetch_report_hear(struct fetch *f)
{
	struct pollfd p = { .fd = f->root, .events = POLLIN };
	int fds[IPC_FDS_MAX];
	const uint8_t *list;
	struct diag d;
	struct ipc m;
	size_t n, size;

	while (poll(&p, 1, 0) > 0) {
		fetch_must(ipc_receive(f->root, &m, fds, &n));
		diag_clear(&d);
		if (m.type == IPC_SESSIONS && n == 1) {
			if (ipc_map(fds[0], SESSIONS_MEMORY_MAX, &list, &size, &d) == CLUSTER_OK) {
				if (reporter_set(&f->reporter, list, size) != CLUSTER_OK)
					ipc_log(f->root, LOG_LEVEL_WARNING, "the list of sessions is of no use");
				ipc_unmap(list, size);
			}
		} else if (m.type == IPC_RENEW) {
			reporter_want(&f->reporter, &(struct reporter_renewal){ .session = m.renew.session, .jti = m.renew.jti });
		} else if (m.type == IPC_REFUSAL && telling_add(&f->telling, &m.refusal) != CLUSTER_OK) {
			ipc_log(f->root, LOG_LEVEL_WARNING, "what serve says of a refusal is of no use");
		}
		ipc_close_fds(fds, n);
	}
}

/* A report to `path`; the caller frees *ret. */
static enum cluster_err post(struct fetch *f, struct http *h, const char *path, const struct json *body, struct json **ret, struct diag *d)
{
	const struct fetch_request q = { .path = path, .body = body, .timeout_ms = SESSIONS_TIMEOUT_MS };

	return fetch_trust_ask(f, h, &q, ret, d);
}

static enum cluster_err send_message(struct fetch *f, struct http *h, const char *text, bool *ret_known, struct diag *d)
{
	struct json *body = NULL, *answer = NULL;
	enum cluster_err e;

	if ((e = json_parse(text, strlen(text), REPORT_TEXT_MAX, &body, d)) == CLUSTER_OK && (e = post(f, h, "/v1/sessions", body, &answer, d)) == CLUSTER_OK)
		*ret_known = json_member_bool(answer, "known", false);
	json_free(answer);
	json_free(body);
	return e;
}

/* Whom this node has refused, for `explain` from elsewhere. Nothing depends on it. */
static void send_refusals(struct fetch *f, struct http *h)
{
	struct json *body = refusal_batch_json(f->telling.one, f->telling.n), *answer = NULL;
	struct diag d;

	diag_clear(&d);
	if (body && post(f, h, "/v1/refusals", body, &answer, &d) == CLUSTER_OK) {
		telling_sent(&f->telling, moment_ms());
	} else {
		telling_failed(&f->telling, moment_ms());
		ipc_log(f->root, LOG_LEVEL_DEBUG, "refusals are not reported: %s", d.text);
	}
	json_free(answer);
	json_free(body);
}

static enum cluster_err send_report(struct fetch *f, struct http *h, struct diag *d)
{
	struct report_at at = { .begun = false };
	struct report report;
	bool known = true, one = false;
	char *text = NULL;
	enum cluster_err e;

	if ((e = reporter_report(&f->reporter, &report)) != CLUSTER_OK)
		return diag_set(d, e, "out of memory");
	while (known && (e = report_next(&report, &at, &text)) == CLUSTER_OK && text) {
		e = send_message(f, h, text, &one, d);
		free(text);
		if (e != CLUSTER_OK)
			break;
		known = known && one;
	}
	reporter_report_done(&report);
	if (e == CLUSTER_OK)
		reporter_sent(&f->reporter, known, moment_ms());
	return e;
}

/* A newer credential, if the authority has one, goes to trust. */
static enum cluster_err look_for(struct fetch *f, struct http *h, const struct reporter_renewal *w, struct diag *d)
{
	uint8_t body[ID_SIZE + CREDENTIAL_SIZE_MAX];
	char path[sizeof "/v1/renewal/" + ID_TEXT], jti[ID_TEXT + 1];
	const struct fetch_request q = { .path = path, .timeout_ms = SESSIONS_TIMEOUT_MS };
	struct json *answer = NULL;
	enum cluster_err e;
	const char *text;

	id_text(&w->jti, jti);
	snprintf(path, sizeof path, "/v1/renewal/%s", jti);
	e = fetch_trust_ask(f, h, &q, &answer, d);
	text = e == CLUSTER_OK ? json_member_text(answer, "credential") : NULL;
	if (text && strlen(text) <= CREDENTIAL_SIZE_MAX) {
		memcpy(body, w->session.b, ID_SIZE);
		memcpy(body + ID_SIZE, text, strlen(text));
		fetch_must(frame_send(f->trust, FRAME_RENEWAL, body, ID_SIZE + strlen(text)));
	}
	json_free(answer);
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

/* What is due for the sessions. */
static enum cluster_err attend_sessions(struct fetch *f, struct http *h, struct diag *d)
{
	struct reporter *r = &f->reporter;
	enum cluster_err e = CLUSTER_OK;

	if (r->heard && r->changed)
		e = send_report(f, h, d);
	while (e == CLUSTER_OK && r->n_renewals > 0)
		e = look_for(f, h, &r->renewal[--r->n_renewals], d);
	return e;
}

void fetch_report_attend(struct fetch *f, struct http *h)
{
	const struct api_where where = { .url = ways_now(&f->ways)->url, .via = ways_now(&f->ways)->via };
	bool sessions = reporter_due(&f->reporter, moment_ms()) == 0, refusals = telling_due(&f->telling, moment_ms(), h != NULL) == 0;
	enum cluster_err e = CLUSTER_OK;
	struct http *own = NULL;
	struct diag d;

	if (!f->greeted || (!sessions && !refusals))
		return;
	diag_clear(&d);
	if (!h && (e = api_open(&where, &f->keyset, &own, &d)) == CLUSTER_OK)
		h = own;
	if (e == CLUSTER_OK && sessions)
		e = attend_sessions(f, h, &d);
	if (e == CLUSTER_OK && refusals)
		send_refusals(f, h);
	if (e != CLUSTER_OK) {
		reporter_failed(&f->reporter, moment_ms());
		telling_failed(&f->telling, moment_ms());
		ipc_log(f->root, LOG_LEVEL_DEBUG, "sessions are not reported: %s", d.text);
	}
	http_free(own);
}

int fetch_report_due(const struct fetch *f)
{
	int sessions = reporter_due(&f->reporter, moment_ms()), refusals = telling_due(&f->telling, moment_ms(), false);

	return sessions < 0 || (refusals >= 0 && refusals < sessions) ? refusals : sessions;
}
