/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/b64.h"
#include "cluster/document.h"
#include "cluster/log.h"
#include "cluster/request.h"
#include "cluster/rd.h"
#include "cluster/wr.h"

#include "ipc.h"
#include "trust_start.h"

#define LOCAL_FILE_MAX ((size_t)64 << 20)
#define OBJECT_TEXT 43

static int64_t now_seconds(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_REALTIME, &t) == 0 ? (int64_t)t.tv_sec : 0;
}

static void report_line(void *arg, const char *sentence)
{
	const struct verifier *v = arg;

	ipc_log(v->root, LOG_LEVEL_WARNING, "%s", sentence);
}

/* ---- the node key: signs requests of fetch, and only those ---- */

static bool digits(const char **at)
{
	size_t n = strspn(*at, "0123456789");

	*at += n;
	return n >= 1 && n <= 19;
}

static bool skip(const char **at, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*at, word, n) != 0)
		return false;
	*at += n;
	return true;
}

/* Where a node reports its sessions, and whom it has refused. */
static bool is_report(const char *path)
{
	return strcmp(path, "/v1/sessions") == 0 || strcmp(path, "/v1/refusals") == 0;
}

/* "/v1/head?after=<number>&wait=<number>", "/v1/objects/<sha256>", "/v1/renewal/<jti>": what a node reads; and its reports. */
static bool path_ok(const char *path)
{
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	const char *at = path;
	struct cluster_id jti;

	if (is_report(path))
		return true;
	if (skip(&at, "/v1/renewal/"))
		return id_parse(at, &jti) == CLUSTER_OK;
	if (skip(&at, "/v1/objects/"))
		return strlen(at) == OBJECT_TEXT && b64_decode_exact(at, OBJECT_TEXT, sha256, sizeof sha256) == CLUSTER_OK;
	return skip(&at, "/v1/head?after=") && digits(&at) && skip(&at, "&wait=") && digits(&at) && *at == '\0';
}

static enum cluster_err sign(struct verifier *v, const struct frame *f)
{
	struct request_node r;
	enum cluster_err e;
	char *token = NULL;

	memset(&r, 0, sizeof r);
	if (strlen((const char *)f->data) != f->n || !path_ok((const char *)f->data)) {
		ipc_log(v->root, LOG_LEVEL_ERROR, "the fetch process asked for a signature that it may not have");
		return frame_send(v->fetch, FRAME_TOKEN, NULL, 0);
	}
	ipc_text(r.c.htm, sizeof r.c.htm, is_report((const char *)f->data) ? "POST" : "GET");
	ipc_text(r.c.htu, sizeof r.c.htu, (const char *)f->data);
	r.cluster = v->agent->enrolled.cluster;
	r.node = v->agent->enrolled.node;
	r.applied = assemble_installed(v->a) ? v->proved : 0;
	r.ended = (int64_t)v->ended;
	e = request_node_build(&r, now_seconds(), v->key, &token);
	if (e != CLUSTER_OK) {
		ipc_log(v->root, LOG_LEVEL_ERROR, "cannot sign a request: %s", err_name(e));
		return frame_send(v->fetch, FRAME_TOKEN, NULL, 0);
	}
	e = frame_send(v->fetch, FRAME_TOKEN, token, strlen(token));
	free(token);
	return e;
}

/* ---- answers to fetch ---- */

static enum cluster_err tell_pins(struct verifier *v)
{
	const struct document_keyset *k = assemble_keyset(v->a);
	uint8_t body[8 + DOCUMENT_TLS_MAX * CRYPTO_SHA256_SIZE];
	enum cluster_err e;
	struct wr w;

	if (!k || k->n_tls == 0)
		return CLUSTER_OK;
	wr_init(&w, body, sizeof body);
	wr_u64(&w, (uint64_t)k->version);
	wr_bytes(&w, k->tls, k->n_tls * sizeof k->tls[0]);
	return (e = wr_end(&w)) == CLUSTER_OK ? frame_send(v->fetch, FRAME_PINS, body, w.n) : e;
}

static enum cluster_err answer_poll(struct verifier *v, enum cluster_err why, const char *refusal)
{
	uint64_t version = assemble_installed(v->a) ? (uint64_t)assemble_version(v->a) : 0;
	uint8_t body[9 + IPC_TEXT_MAX];
	enum cluster_err e;
	struct wr w;

	v->owed = false;
	if ((e = tell_pins(v)) != CLUSTER_OK)
		return e;
	wr_init(&w, body, sizeof body);
	wr_u64(&w, version);
	if (refusal) {
		wr_u8(&w, (uint8_t)why);
		wr_bytes(&w, refusal, strnlen(refusal, IPC_TEXT_MAX));
	}
	return frame_send(v->fetch, refusal ? FRAME_REFUSED : FRAME_POLL, w.p, w.n);
}

static enum cluster_err answer_want(struct verifier *v)
{
	const struct assemble_want *want;
	enum cluster_err e;
	struct wr w;
	size_t i, n;

	want = assemble_wanted(v->a, &n);
	wr_grow(&w, frame_max(FRAME_WANT));
	for (i = 0; i < n; i++) {
		wr_bytes(&w, want[i].sha256, CRYPTO_SHA256_SIZE);
		wr_u64(&w, want[i].max);
	}
	e = wr_end(&w);
	if (e == CLUSTER_OK)
		e = frame_send(v->fetch, FRAME_WANT, w.p, w.n);
	wr_done(&w);
	return e;
}

/* ---- handing a set to root ---- */

/* One output as sealed memory at the end of fds, borrowed, if there is one. */
static enum cluster_err add_memory(const struct memory *b, uint32_t flag, struct ipc *m, int *fds, size_t *n, struct diag *d)
{
	enum cluster_err e;

	if (!b->p)
		return CLUSTER_OK;
	if ((e = ipc_seal(b->fd, d)) != CLUSTER_OK)
		return e;
	fds[(*n)++] = b->fd;
	m->publish.flags |= flag;
	return CLUSTER_OK;
}

static enum cluster_err send_set(struct verifier *v, const struct assemble_output *o, struct diag *d)
{
	int fds[IPC_FDS_MAX];
	enum cluster_err e;
	struct ipc m;
	size_t n = 0;

	ipc_init(&m, IPC_PUBLISH);
	m.publish.flags = o->rebuilt ? IPC_PUBLISH_REBUILT : 0;
	m.publish.head_version = (uint64_t)o->head_version;
	m.publish.head_iat = o->head_iat;
	if ((e = add_memory(&o->accounts, IPC_PUBLISH_ACCOUNTS, &m, fds, &n, d)) == CLUSTER_OK &&
	    (e = add_memory(&o->trust, IPC_PUBLISH_TRUST, &m, fds, &n, d)) == CLUSTER_OK)
		e = add_memory(&o->docs, IPC_PUBLISH_DOCS, &m, fds, &n, d);
	if (e == CLUSTER_OK && (e = ipc_send(v->root, &m, fds, n, 1)) != CLUSTER_OK)
		diag_set(d, e, "cannot reach the root process");
	return e;
}

/* Builds the offered set, or the installed one again, and hands it over. Root answers with IPC_PUBLISHED. */
static enum cluster_err publish(struct verifier *v, struct diag *d)
{
	const struct local_report report = { .line = report_line, .arg = v };
	struct assemble_output o;
	enum cluster_err e;

	if ((e = assemble_build(v->a, &report, &o, d)) == CLUSTER_OK) {
		e = send_set(v, &o, d);
		assemble_output_done(&o);
	}
	if (e == CLUSTER_OK)
		v->publishing = true;
	else
		assemble_drop(v->a);
	return e;
}

/* After each step of an offer by fetch. */
static enum cluster_err proceed(struct verifier *v, enum cluster_err e, enum assemble_state state, struct diag *d)
{
	v->owed = true;
	if (e == CLUSTER_OK && state == ASSEMBLE_READY) {
		e = publish(v, d);
		if (e == CLUSTER_OK)
			return CLUSTER_OK; /* fetch hears of it when root has answered */
	}
	if (e != CLUSTER_OK) {
		ipc_log(v->root, LOG_LEVEL_WARNING, "a head is refused: %s", d->text);
		return answer_poll(v, e, d->text);
	}
	return state == ASSEMBLE_WANT ? answer_want(v) : answer_poll(v, CLUSTER_OK, NULL);
}

/* What fetch has found for a session that nears its end: root hears of it if it is a credential of this cluster. */
static enum cluster_err renewal(struct verifier *v, const struct frame *f)
{
	struct credential c;
	enum cluster_err e;
	struct ipc m;
	struct diag d;
	int fd = -1;

	if (f->n <= ID_SIZE)
		return CLUSTER_EFORMAT;
	diag_clear(&d);
	memset(&c, 0, sizeof c);
	ipc_init(&m, IPC_RENEWED);
	memcpy(m.renew.session.b, f->data, ID_SIZE);
	if ((e = assemble_credential(v->a, (const char *)f->data + ID_SIZE, f->n - ID_SIZE, now_seconds(), &c, &d)) == CLUSTER_OK &&
	    (e = ipc_memory("credential", &c, sizeof c, &fd, &d)) == CLUSTER_OK) {
		e = ipc_send(v->root, &m, &fd, 1, 1);
		ipc_close_fds(&fd, 1);
		return e;
	}
	ipc_log(v->root, LOG_LEVEL_WARNING, "a newer credential is refused: %s", d.text);
	return CLUSTER_OK;
}

static enum cluster_err fetch_ready(struct verifier *v)
{
	enum assemble_state state = ASSEMBLE_SAME;
	enum cluster_err e;
	struct frame f;
	struct diag d;

	diag_clear(&d);
	if ((e = frame_receive(v->fetch, &f)) != CLUSTER_OK)
		return e;
	switch (f.type) {
	case FRAME_SIGN:
		e = sign(v, &f);
		break;
	case FRAME_HEAD:
		e = assemble_head(v->a, (const char *)f.data, f.n, now_seconds(), &state, &d);
		e = proceed(v, e, state, &d);
		break;
	case FRAME_OBJECT:
		if (assemble_object(v->a, f.data, f.n, &d) != CLUSTER_OK)
			ipc_log(v->root, LOG_LEVEL_WARNING, "%s", d.text);
		break;
	case FRAME_FETCHED:
		e = assemble_step(v->a, now_seconds(), &state, &d);
		e = proceed(v, e, state, &d);
		break;
	case FRAME_ABANDON:
		assemble_drop(v->a);
		e = answer_poll(v, CLUSTER_OK, NULL);
		break;
	case FRAME_RENEWAL:
		e = renewal(v, &f);
		break;
	case FRAME_TOKEN:
	case FRAME_WANT:
	case FRAME_POLL:
	case FRAME_REFUSED:
	case FRAME_PINS:
	case FRAME_TYPE_N:
		e = CLUSTER_EFORMAT;
		break;
	}
	frame_done(&f);
	return e;
}

/* ---- messages of root ---- */

/* Nothing is on its way any more: what waited for that happens now. */
static enum cluster_err settle(struct verifier *v)
{
	struct diag d;

	diag_clear(&d);
	if (v->again && assemble_installed(v->a)) {
		v->again = false;
		if (publish(v, &d) == CLUSTER_OK)
			return CLUSTER_OK;
		ipc_log(v->root, LOG_LEVEL_ERROR, "%s", d.text);
	}
	if (!v->started) {
		v->started = true;
		return answer_poll(v, CLUSTER_OK, NULL);
	}
	return CLUSTER_OK;
}

static enum cluster_err on_published(struct verifier *v, const struct ipc_published *p)
{
	enum cluster_err e = CLUSTER_OK;

	if (!v->publishing)
		return CLUSTER_EFORMAT;
	v->publishing = false;
	v->ended = p->ended;
	if (p->err == CLUSTER_OK)
		assemble_commit(v->a);
	else
		assemble_drop(v->a);
	if (p->err == CLUSTER_OK && !p->unproved)
		v->proved = assemble_version(v->a);
	if (v->owed)
		e = answer_poll(v, (enum cluster_err)p->err, p->err == CLUSTER_OK ? NULL : p->text);
	return e == CLUSTER_OK ? settle(v) : e;
}

static enum cluster_err take_local(struct verifier *v, const int *fds, size_t n, struct diag *d)
{
	const uint8_t *passwd = NULL, *group = NULL;
	size_t passwd_n = 0, group_n = 0;
	enum cluster_err e;

	if (n != 2)
		return diag_set(d, CLUSTER_EFORMAT, "the local files are incomplete");
	if ((e = ipc_map(fds[0], LOCAL_FILE_MAX, &passwd, &passwd_n, d)) == CLUSTER_OK && (e = ipc_map(fds[1], LOCAL_FILE_MAX, &group, &group_n, d)) == CLUSTER_OK)
		e = assemble_local(v->a, (const char *)passwd, passwd_n, (const char *)group, group_n);
	ipc_unmap(passwd, passwd_n);
	ipc_unmap(group, group_n);
	return e;
}

static enum cluster_err on_local(struct verifier *v, const int *fds, size_t n)
{
	enum cluster_err e;
	struct diag d;

	diag_clear(&d);
	if ((e = take_local(v, fds, n, &d)) != CLUSTER_OK)
		return e;
	if (v->restored) {
		v->restored = false;
		if (publish(v, &d) == CLUSTER_OK)
			return CLUSTER_OK;
		ipc_log(v->root, LOG_LEVEL_ERROR, "the documents on disk are of no use: %s", d.text);
	}
	v->again = assemble_installed(v->a);
	return v->publishing ? CLUSTER_OK : settle(v);
}

static enum cluster_err on_again(struct verifier *v)
{
	assemble_whole(v->a);
	v->again = true;
	return v->publishing || !v->started ? CLUSTER_OK : settle(v);
}

static enum cluster_err root_ready(struct verifier *v)
{
	int fds[IPC_FDS_MAX];
	enum cluster_err e;
	struct ipc m;
	size_t n;

	if ((e = ipc_receive(v->root, &m, fds, &n)) != CLUSTER_OK)
		return e;
	if (m.type == IPC_LOCAL)
		e = on_local(v, fds, n);
	else if (m.type == IPC_PUBLISHED)
		e = on_published(v, &m.published);
	else if (m.type == IPC_AGAIN)
		e = on_again(v);
	else if (m.type == IPC_PROVED)
		v->proved = v->publishing ? v->proved : assemble_version(v->a); /* what is on its way says so itself */
	else
		e = CLUSTER_EFORMAT;
	ipc_close_fds(fds, n);
	return e;
}

static enum cluster_err loop(struct verifier *v)
{
	struct pollfd p[2] = { { .fd = v->root, .events = POLLIN }, { .fd = v->fetch, .events = POLLIN } };
	enum cluster_err e = CLUSTER_OK;

	while (e == CLUSTER_OK) {
		p[1].fd = v->publishing || !v->started ? -1 : v->fetch; /* one thing at a time */
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents)
			e = root_ready(v);
		else if (p[1].revents)
			e = fetch_ready(v);
	}
	return e;
}

int trust_process(const struct agent *a, int root, int fetch, const struct assemble_floor *floor)
{
	struct verifier v = { .agent = a, .root = root, .fetch = fetch };
	enum cluster_err e;
	struct diag d;

	diag_clear(&d);
	e = trust_start(&v, floor, &d);
	if (e != CLUSTER_OK)
		ipc_log(root, LOG_LEVEL_ERROR, "%s", d.text);
	else
		e = loop(&v);
	if (e != CLUSTER_OK && e != CLUSTER_EUNAVAIL)
		ipc_log(root, LOG_LEVEL_ERROR, "the trust process stops: %s", err_name(e));
	assemble_free(v.a);
	crypto_key_free(v.key);
	return e == CLUSTER_EUNAVAIL ? 0 : 70;
}
