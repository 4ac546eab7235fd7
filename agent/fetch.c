/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/api.h"
#include "cluster/b64.h"
#include "cluster/http.h"
#include "cluster/json.h"
#include "cluster/log.h"
#include "cluster/moment.h"
#include "cluster/rd.h"

#include "ipc.h"
#include "reporter.h"
#include "telling.h"
#include "ways.h"

#define OBJECT_TIMEOUT_MS 120000
#define HEAD_TIMEOUT_MS 15000 /* beyond the time that the authority may wait */
#define LOOK_TIMEOUT_MS 4000  /* for a way that is tried while another works */
#define SESSIONS_TIMEOUT_MS 5000
#define SESSIONS_MEMORY_MAX ((size_t)256 << 20)
#define QUICKEST_MS 1000 /* between two polls that brought nothing */
#define OBJECT_TEXT 43

/* The process that talks to the network: no key, no file, no say. What it brings is verified by trust. */
struct fetch {
	const struct agent *agent;
	int root, trust;
	struct http *http;
	struct ways ways;          /* to the authority, one of them in use */
	struct document_keyset keyset; /* its TLS pins: from trust, or proved by the pin when those do not do */
	bool bootstrap;            /* the pins have to be fetched first */
	bool greeted;              /* this authority has answered: the next poll may be a long one */
	bool repin;                /* the connection in use has other pins than the keyset */
	uint64_t after;
	struct frame reply;        /* the last message of trust */
	struct reporter reporter;  /* what root says of sessions */
	struct telling telling;    /* and of refusals */
};

/* Without trust there is nothing to do here. */
static void must(enum cluster_err e)
{
	if (e != CLUSTER_OK)
		_exit(e == CLUSTER_EUNAVAIL ? 0 : 70);
}

static void disconnect(struct fetch *f)
{
	http_free(f->http);
	f->http = NULL;
}

/* ---- trust's side ---- */

static void take_pins(struct fetch *f, const struct frame *m)
{
	uint64_t version = 0;
	size_t n, bytes;
	struct rd r;

	rd_init(&r, m->data, m->n);
	must(rd_u64(&r, &version));
	bytes = rd_left(&r);
	n = bytes / CRYPTO_SHA256_SIZE;
	if (n == 0 || n > DOCUMENT_TLS_MAX || bytes % CRYPTO_SHA256_SIZE != 0 || version > INT64_MAX)
		must(CLUSTER_EFORMAT);
	if ((int64_t)version < f->keyset.version) /* a newer one has been proved meanwhile */
		return;
	f->keyset.version = (int64_t)version;
	if (n == f->keyset.n_tls && memcmp(f->keyset.tls, m->data + 8, bytes) == 0)
		return;
	f->keyset.n_tls = n;
	memcpy(f->keyset.tls, m->data + 8, bytes);
	f->bootstrap = false;
	f->repin = true;
}

/* Waits for what trust says next, in f->reply: TOKEN, WANT, POLL or REFUSED. */
static enum cluster_err hear(struct fetch *f)
{
	enum cluster_err e;

	for (;;) {
		frame_done(&f->reply);
		if ((e = frame_receive(f->trust, &f->reply)) != CLUSTER_OK)
			return e;
		if (f->reply.type != FRAME_PINS)
			break;
		take_pins(f, &f->reply);
	}
	if (f->reply.type == FRAME_POLL || f->reply.type == FRAME_REFUSED) {
		struct rd r;

		rd_init(&r, f->reply.data, f->reply.n);
		return rd_u64(&r, &f->after);
	}
	return f->reply.type == FRAME_TOKEN || f->reply.type == FRAME_WANT ? CLUSTER_OK : CLUSTER_EFORMAT;
}

static enum cluster_err authorisation(struct fetch *f, const char *path, char **ret, struct diag *d)
{
	char *header = NULL;

	must(frame_send(f->trust, FRAME_SIGN, path, strlen(path)));
	must(hear(f));
	if (f->reply.type != FRAME_TOKEN || f->reply.n == 0)
		return diag_set(d, CLUSTER_EDENIED, "the request for %s was not signed", path);
	if (asprintf(&header, "Authorization: Cluster-Node %s", (const char *)f->reply.data) < 0)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	*ret = header;
	return CLUSTER_OK;
}

/* ---- the authority's side ---- */

static enum cluster_err connect_authority(struct fetch *f, struct diag *d)
{
	const struct api_where where = { .url = ways_now(&f->ways)->url, .via = ways_now(&f->ways)->via };
	struct document_keyset *keyset = NULL;
	struct document_root *root = NULL;
	char *root_text = NULL, *keyset_text = NULL;
	enum cluster_err e;

	if (f->repin)
		disconnect(f);
	f->repin = false;
	if (f->http)
		return CLUSTER_OK;
	if (f->bootstrap) {
		keyset = calloc(1, sizeof *keyset);
		root = calloc(1, sizeof *root);
		if (!keyset || !root) {
			e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
			goto out;
		}
		if ((e = api_bootstrap(&where, f->agent->enrolled.pin, root, keyset, &root_text, &keyset_text, d)) != CLUSTER_OK)
			goto out;
		if (keyset->version < f->keyset.version) { /* whoever has a TLS key of ours that was replaced would show that again (THREATS.md H1) */
			e = diag_set(d, CLUSTER_EVERSION, "%s shows keyset %lld, and this node knows %lld", where.url, (long long)keyset->version, (long long)f->keyset.version);
			goto out;
		}
		f->keyset = *keyset;
		f->bootstrap = false;
	}
	e = api_open(&where, &f->keyset, &f->http, d);
out:
	free(root_text);
	free(keyset_text);
	free(root);
	free(keyset);
	return e;
}

static enum cluster_err get_json(struct fetch *f, const char *path, int timeout_ms, struct json **ret, struct diag *d)
{
	const char *headers[2] = { NULL, NULL };
	char *header = NULL;
	enum cluster_err e;

	if ((e = authorisation(f, path, &header, d)) != CLUSTER_OK)
		return e;
	headers[0] = header;
	e = api_json(f->http, path, headers, NULL, timeout_ms, ret, d);
	free(header);
	return e;
}

static enum cluster_err get_object(struct fetch *f, const char *name, uint64_t max, struct diag *d)
{
	char path[sizeof "/v1/objects/" + OBJECT_TEXT], *header = NULL;
	const char *headers[2] = { NULL, NULL };
	struct http_response bytes = { 0 };
	enum cluster_err e;

	snprintf(path, sizeof path, "/v1/objects/%s", name);
	if ((e = authorisation(f, path, &header, d)) != CLUSTER_OK)
		return e;
	headers[0] = header;
	e = api_bytes(f->http, path, headers, (size_t)max, OBJECT_TIMEOUT_MS, &bytes, d);
	if (e == CLUSTER_OK)
		must(frame_send(f->trust, FRAME_OBJECT, bytes.body, bytes.n));
	http_response_done(&bytes);
	free(header);
	return e;
}

/* All that trust wants: from the answer at hand, else one by one. */
static enum cluster_err get_wanted(struct fetch *f, const struct json *inline_objects, struct diag *d)
{
	struct frame want = f->reply;
	char name[OBJECT_TEXT + 1];
	enum cluster_err e = CLUSTER_OK;
	const uint8_t *sha256;
	const char *text;
	uint64_t max;
	struct rd r;

	memset(&f->reply, 0, sizeof f->reply);
	rd_init(&r, want.data, want.n);
	while (e == CLUSTER_OK && rd_left(&r) > 0) {
		must(rd_view(&r, CRYPTO_SHA256_SIZE, &sha256));
		must(rd_u64(&r, &max));
		must(b64_encode(sha256, CRYPTO_SHA256_SIZE, name, sizeof name));
		text = inline_objects ? json_member_text(inline_objects, name) : NULL;
		if (text && strlen(text) <= max)
			must(frame_send(f->trust, FRAME_OBJECT, text, strlen(text)));
		else if (max > frame_max(FRAME_OBJECT))
			e = diag_set(d, CLUSTER_ELIMIT, "an object of %llu bytes", (unsigned long long)max);
		else
			e = get_object(f, name, max, d);
	}
	frame_done(&want);
	must(frame_send(f->trust, e == CLUSTER_OK ? FRAME_FETCHED : FRAME_ABANDON, NULL, 0));
	must(hear(f));
	return e;
}

static enum cluster_err refused(const struct fetch *f, struct diag *d)
{
	uint8_t why = f->reply.n > 9 ? f->reply.data[8] : 0;

	if (why == CLUSTER_OK || why > CLUSTER_ECONFIG)
		return diag_set(d, CLUSTER_EDENIED, "its head is refused");
	return diag_set(d, (enum cluster_err)why, "its head is refused: %s", (const char *)f->reply.data + 9);
}

/* Hands the head to trust and brings what it asks for, until it is content or refuses. */
static enum cluster_err deliver(struct fetch *f, const char *head, const struct json *inline_objects, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;

	if (strlen(head) > frame_max(FRAME_HEAD))
		return diag_set(d, CLUSTER_ELIMIT, "a head of %zu bytes", strlen(head));
	must(frame_send(f->trust, FRAME_HEAD, head, strlen(head)));
	must(hear(f));
	while (e == CLUSTER_OK && f->reply.type == FRAME_WANT)
		e = get_wanted(f, inline_objects, d);
	if (e == CLUSTER_OK && f->reply.type == FRAME_REFUSED)
		e = refused(f, d);
	return e;
}

static void contact(struct fetch *f, const struct way *way, enum cluster_err e, const char *text, bool last_of_round)
{
	char name[IPC_URL_MAX];
	struct ipc m;

	snprintf(name, sizeof name, "%s%s%s", way->url, way->via ? " via " : "", way->via ? way->via : "");

	ipc_init(&m, IPC_CONTACT);
	m.contact.err = (uint32_t)e;
	m.contact.round = last_of_round;
	ipc_text(m.contact.url, sizeof m.contact.url, name);
	ipc_text(m.contact.text, sizeof m.contact.text, text);
	must(ipc_send(f->root, &m, NULL, 0, 1));
}

/* ---- sessions and refusals: what root says of them, and what the authority is told and asked ---- */

static void hear_root(struct fetch *f)
{
	struct pollfd p = { .fd = f->root, .events = POLLIN };
	int fds[IPC_FDS_MAX];
	const uint8_t *list;
	struct diag d;
	struct ipc m;
	size_t n, size;

	while (poll(&p, 1, 0) > 0) {
		must(ipc_receive(f->root, &m, fds, &n));
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
	const char *headers[2] = { NULL, NULL };
	char *header = NULL;
	enum cluster_err e;

	if ((e = authorisation(f, path, &header, d)) != CLUSTER_OK)
		return e;
	headers[0] = header;
	e = api_json(h, path, headers, body, SESSIONS_TIMEOUT_MS, ret, d);
	free(header);
	return e;
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
	const char *headers[2] = { NULL, NULL }, *text;
	struct json *answer = NULL;
	char *header = NULL;
	enum cluster_err e;

	id_text(&w->jti, jti);
	snprintf(path, sizeof path, "/v1/renewal/%s", jti);
	if ((e = authorisation(f, path, &header, d)) != CLUSTER_OK)
		return e;
	headers[0] = header;
	e = api_json(h, path, headers, NULL, SESSIONS_TIMEOUT_MS, &answer, d);
	free(header);
	text = e == CLUSTER_OK ? json_member_text(answer, "credential") : NULL;
	if (text && strlen(text) <= CREDENTIAL_SIZE_MAX) {
		memcpy(body, w->session.b, ID_SIZE);
		memcpy(body + ID_SIZE, text, strlen(text));
		must(frame_send(f->trust, FRAME_RENEWAL, body, ID_SIZE + strlen(text)));
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

/* What is due. `h`: a connection that nobody waits on, or NULL: one is made. */
static void attend(struct fetch *f, struct http *h)
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

/* In how many milliseconds there is something to do while the long poll waits; -1: nothing. */
static int due(const struct fetch *f)
{
	int sessions = reporter_due(&f->reporter, moment_ms()), refusals = telling_due(&f->telling, moment_ms(), false);

	return sessions < 0 || (refusals >= 0 && refusals < sessions) ? refusals : sessions;
}

/* While the long poll waits. */
static int while_waiting(void *arg, bool readable)
{
	struct fetch *f = arg;

	if (readable)
		hear_root(f);
	attend(f, NULL);
	return f->greeted ? due(f) : -1;
}

static enum cluster_err poll_head(struct fetch *f, const char *path, int timeout_ms, struct json **ret, struct diag *d)
{
	const struct http_idle idle = { .fd = f->root, .run = while_waiting, .arg = f };
	enum cluster_err e;

	hear_root(f);
	attend(f, f->http);
	http_idle(f->http, &idle);
	e = get_json(f, path, timeout_ms, ret, d);
	http_idle(f->http, NULL);
	return e;
}

/* One long poll and all that follows from it. */
static enum cluster_err cycle(struct fetch *f, struct diag *d)
{
	unsigned int wait = f->greeted && f->after != 0 ? (unsigned int)f->agent->conf.poll_wait : 0;
	struct json *answer = NULL;
	enum cluster_err e;
	const char *head;
	char path[100];

	if ((e = connect_authority(f, d)) != CLUSTER_OK)
		return e;
	snprintf(path, sizeof path, "/v1/head?after=%llu&wait=%u", (unsigned long long)f->after, wait);
	if ((e = poll_head(f, path, (int)wait * 1000 + (f->ways.looking ? LOOK_TIMEOUT_MS : HEAD_TIMEOUT_MS), &answer, d)) != CLUSTER_OK)
		return e;
	head = json_member_text(answer, "head");
	if (!head)
		e = diag_set(d, CLUSTER_EFORMAT, "the answer has no head");
	else
		e = deliver(f, head, json_member(answer, "objects"), d);
	json_free(answer);
	return e;
}

/* ---- going on for ever ---- */

static void pause_ms(uint64_t ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

static uint64_t any(void)
{
	uint64_t random;

	return crypto_random(&random, sizeof random) == CLUSTER_OK ? random : UINT64_MAX;
}

/* On to the next way, after a pause. A way that was only looked at says nothing of the one that works. */
static void failed(struct fetch *f, enum cluster_err e, const struct diag *d)
{
	const struct ways before = f->ways;
	uint64_t pause;
	bool round;

	pause = ways_failed(&f->ways, f->agent->conf.retry_max * 1000, moment_ms(), any(), &round);
	if (before.looking)
		ipc_log(f->root, LOG_LEVEL_DEBUG, "%s does not work yet: %s", before.way[before.at].via ? before.way[before.at].via : before.way[before.at].url, d->text);
	else
		contact(f, &before.way[before.at], e, d->text[0] ? d->text : err_name(e), round);
	disconnect(f);
	f->greeted = false;
	reporter_forget(&f->reporter); /* whoever answers next may know nothing */
	if (e == CLUSTER_EUNTRUSTED && !before.looking)
		f->bootstrap = true; /* its TLS key may have been replaced while this node was away */
	pause_ms(pause);
}

static void worked(struct fetch *f)
{
	contact(f, ways_now(&f->ways), CLUSTER_OK, "", false);
	ways_worked(&f->ways, moment_ms(), any());
	f->greeted = true;
	if (ways_look(&f->ways, moment_ms())) {
		reporter_forget(&f->reporter);
		disconnect(f);
		f->greeted = false;
	}
}

static void go_on(struct fetch *f)
{
	enum cluster_err e;
	uint64_t after;
	int64_t before;
	struct diag d;
	bool greeted;

	must(hear(f)); /* the first POLL: where to start */
	for (;;) {
		diag_clear(&d);
		before = moment_ms();
		after = f->after;
		greeted = f->greeted;
		e = cycle(f, &d);
		if (e != CLUSTER_OK) {
			failed(f, e, &d);
			continue;
		}
		worked(f);
		if (greeted && f->after == after && moment_ms() - before < QUICKEST_MS)
			pause_ms(QUICKEST_MS); /* an authority, or a cache before it, that does not wait */
	}
}

int fetch_process(const struct agent *a, int root, int trust)
{
	struct fetch f = { .agent = a, .root = root, .trust = trust, .bootstrap = true };
	const int keep[] = { root, trust };
	struct diag d;

	diag_clear(&d);
	ways_init(&f.ways, &a->authority, &a->relay);
	reporter_init(&f.reporter);
	if (sandbox_descriptors(keep, sizeof keep / sizeof keep[0], &d) != CLUSTER_OK || sandbox_enter("agentd-fetch", &a->user, a->parent, &d) != CLUSTER_OK) {
		ipc_log(root, LOG_LEVEL_ERROR, "%s", d.text);
		return 70;
	}
	go_on(&f);
	return 70;
}
