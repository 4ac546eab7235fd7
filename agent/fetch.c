/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_part.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/api.h"
#include "cluster/log.h"
#include "cluster/moment.h"

#define HEAD_TIMEOUT_MS 15000 /* beyond the time that the authority may wait */
#define LOOK_TIMEOUT_MS 4000  /* for a way that is tried while another works */
#define QUICKEST_MS 1000      /* between two polls that brought nothing */

void fetch_must(enum cluster_err e)
{
	if (e != CLUSTER_OK)
		_exit(e == CLUSTER_EUNAVAIL ? 0 : 70);
}

static void disconnect(struct fetch *f)
{
	http_free(f->http);
	f->http = NULL;
}

/* ---- the authority ---- */

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
	fetch_must(ipc_send(f->root, &m, NULL, 0, 1));
}

/* While the long poll waits. */
static int while_waiting(void *arg, bool readable)
{
	struct fetch *f = arg;

	if (readable)
		fetch_report_hear(f);
	fetch_report_attend(f, NULL);
	return f->greeted ? fetch_report_due(f) : -1;
}

static enum cluster_err poll_head(struct fetch *f, const char *path, int timeout_ms, struct json **ret, struct diag *d)
{
	const struct http_idle idle = { .fd = f->root, .run = while_waiting, .arg = f };
	const struct fetch_request q = { .path = path, .timeout_ms = timeout_ms };
	enum cluster_err e;

	fetch_report_hear(f);
	fetch_report_attend(f, f->http);
	http_idle(f->http, &idle);
	e = fetch_trust_ask(f, f->http, &q, ret, d);
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
		e = fetch_trust_deliver(f, head, json_member(answer, "objects"), d);
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

	fetch_must(fetch_trust_hear(f)); /* the first POLL: where to start */
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
