/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/b64.h"
#include "cluster/file.h"
#include "cluster/json.h"
#include "cluster/log.h"
#include "cluster/num.h"
#include "cluster/request.h"
#include "cluster/rd.h"
#include "cluster/secret.h"
#include "cluster/wr.h"

#include "docs.h"
#include "ipc.h"

#define KEY_MAX 4096
#define LOCAL_FILE_MAX ((size_t)64 << 20)
#define OBJECT_TEXT 43

/* The process that verifies. It reads what fetch brings, believes nothing of it, and hands what holds to root. */
struct verifier {
	const struct agent *agent;
	struct assemble *a;
	struct crypto_key *key;
	int root, fetch;
	bool publishing;    /* root has a set of ours and has not answered */
	bool owed;          /* fetch waits for an answer */
	bool started;       /* the local files are known, and what was on disk is installed or given up */
	bool restored;      /* an offer from disk is ready */
	bool again;         /* the installed set has to be built again: local files changed, or it is damaged */
	uint64_t ended;
};

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

/* "/v1/head?after=<number>&wait=<number>" and "/v1/objects/<sha256>": what a node reads. */
static bool path_ok(const char *path)
{
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	const char *at = path;

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
	ipc_text(r.c.htm, sizeof r.c.htm, "GET");
	ipc_text(r.c.htu, sizeof r.c.htu, (const char *)f->data);
	r.cluster = v->agent->enrolled.cluster;
	r.node = v->agent->enrolled.node;
	r.applied = assemble_installed(v->a) ? assemble_version(v->a) : 0;
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

static enum cluster_err answer_poll(struct verifier *v, const char *refusal)
{
	uint64_t version = assemble_installed(v->a) ? (uint64_t)assemble_version(v->a) : 0;
	const uint8_t (*pins)[CRYPTO_SHA256_SIZE];
	uint8_t body[8 + IPC_TEXT_MAX];
	enum cluster_err e;
	struct wr w;
	size_t n;

	v->owed = false;
	n = assemble_pins(v->a, &pins);
	if (n > 0 && (e = frame_send(v->fetch, FRAME_PINS, pins, n * sizeof *pins)) != CLUSTER_OK)
		return e;
	wr_init(&w, body, sizeof body);
	wr_u64(&w, version);
	if (refusal)
		wr_bytes(&w, refusal, strnlen(refusal, IPC_TEXT_MAX));
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

/* One output as sealed memory at the end of fds, if there is one. */
static enum cluster_err add_memory(const char *name, const struct snap_bytes *b, uint32_t flag, struct ipc *m, int *fds, size_t *n, struct diag *d)
{
	enum cluster_err e;

	if (!b->p)
		return CLUSTER_OK;
	if ((e = ipc_memory(name, b->p, b->n, &fds[*n], d)) != CLUSTER_OK)
		return e;
	(*n)++;
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
	if ((e = add_memory("accounts.snap", &o->accounts, IPC_PUBLISH_ACCOUNTS, &m, fds, &n, d)) == CLUSTER_OK &&
	    (e = add_memory("trust.snap", &o->trust, IPC_PUBLISH_TRUST, &m, fds, &n, d)) == CLUSTER_OK)
		e = add_memory("documents", &o->docs, IPC_PUBLISH_DOCS, &m, fds, &n, d);
	if (e == CLUSTER_OK && (e = ipc_send(v->root, &m, fds, n, 1)) != CLUSTER_OK)
		diag_set(d, e, "cannot reach the root process");
	ipc_close_fds(fds, n);
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
		return answer_poll(v, d->text);
	}
	return state == ASSEMBLE_WANT ? answer_want(v) : answer_poll(v, NULL);
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
		e = answer_poll(v, NULL);
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
		return answer_poll(v, NULL);
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
	if (v->owed)
		e = answer_poll(v, p->err == CLUSTER_OK ? NULL : p->text);
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

/* ---- start ---- */

static enum cluster_err load_key(const struct agent *a, struct crypto_key **ret, struct diag *d)
{
	const struct file_rules rules = { .owner = a->owner, .forbid = 077, .max_size = KEY_MAX };
	struct secret *pem = NULL;
	char path[PATH_MAX];
	enum cluster_err e;

	if ((e = file_join(path, sizeof path, a->conf.state, "node.key")) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", a->conf.state);
	if ((e = file_read(path, &rules, &pem, d)) != CLUSTER_OK)
		return e;
	e = crypto_key_parse(pem->bytes, pem->n, ret);
	secret_free(pem);
	return e == CLUSTER_OK ? CLUSTER_OK : diag_set(d, e, "%s is not a private key: %s", path, err_name(e));
}

/* Supplies what the head on disk wants, from disk. */
static enum cluster_err supply(struct verifier *v, const char *dir, struct diag *d)
{
	const struct assemble_want *want;
	struct assemble_want *copy;
	enum cluster_err e = CLUSTER_OK;
	char *text = NULL;
	size_t i, n, len;

	want = assemble_wanted(v->a, &n);
	copy = calloc(n + 1, sizeof *copy);
	if (!copy)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	memcpy(copy, want, n * sizeof *copy);
	for (i = 0; i < n && e == CLUSTER_OK; i++) {
		if ((e = docs_object(dir, v->agent->owner, copy[i].sha256, (size_t)copy[i].max, &text, &len, d)) != CLUSTER_OK)
			break;
		e = assemble_object(v->a, text, len, d);
		free(text);
	}
	free(copy);
	return e;
}

/* The documents of the last run: verified as if they came from the network, but for their age. Without them everything is fetched again. */
static void restore(struct verifier *v)
{
	enum assemble_state state = ASSEMBLE_WANT;
	char dir[PATH_MAX], *head = NULL;
	enum cluster_err e;
	struct diag d;
	size_t n;

	diag_clear(&d);
	if (file_join(dir, sizeof dir, v->agent->conf.state, DOCS_DIR) != CLUSTER_OK)
		return;
	e = docs_head(dir, v->agent->owner, &head, &n, &d);
	if (e == CLUSTER_ENOTFOUND)
		return;
	if (e == CLUSTER_OK)
		e = assemble_restore(v->a, head, n, &state, &d);
	while (e == CLUSTER_OK && state == ASSEMBLE_WANT) {
		if ((e = supply(v, dir, &d)) == CLUSTER_OK)
			e = assemble_step(v->a, 0, &state, &d);
	}
	free(head);
	v->restored = e == CLUSTER_OK;
	if (e != CLUSTER_OK) {
		assemble_drop(v->a);
		ipc_log(v->root, LOG_LEVEL_WARNING, "the documents in %s are not used: %s", dir, d.text);
	}
}

static int compare_byte(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/* Libraries look at files when they are first used (jansson /dev/urandom, qsort /proc/meminfo): now is the time. */
static enum cluster_err warm_up(const struct verifier *v)
{
	uint8_t sig[CRYPTO_SIG_SIZE], sha256[CRYPTO_SHA256_SIZE];
	struct crypto_pub pub;
	struct json *j = NULL;
	char large[8192] = "";
	enum cluster_err e;

	qsort(large, sizeof large, 1, compare_byte);
	if ((e = json_parse("{\"a\":1}", 7, 16, &j, NULL)) != CLUSTER_OK)
		return e;
	json_free(j);
	if ((e = crypto_random(sha256, sizeof sha256)) != CLUSTER_OK || (e = crypto_sha256("", 0, sha256)) != CLUSTER_OK ||
	    (e = crypto_key_pub(v->key, &pub)) != CLUSTER_OK || (e = crypto_sign(v->key, "", 0, sig)) != CLUSTER_OK)
		return e;
	return crypto_verify(&pub, "", 0, sig);
}

static enum cluster_err start(struct verifier *v, const struct assemble_floor *floor, struct diag *d)
{
	const struct agent *a = v->agent;
	const int keep[] = { v->root, v->fetch };
	struct assemble_conf conf;
	enum cluster_err e;

	memset(&conf, 0, sizeof conf);
	memcpy(conf.pin, a->enrolled.pin, sizeof conf.pin);
	conf.cluster = a->enrolled.cluster;
	conf.node = a->enrolled.node;
	conf.adopt = a->conf.adopt;
	conf.id_min = (uint32_t)a->conf.id_min;
	conf.id_max = (uint32_t)a->conf.id_max;
	if ((e = sandbox_descriptors(keep, sizeof keep / sizeof keep[0], d)) != CLUSTER_OK)
		return e;
	if ((e = crypto_start()) != CLUSTER_OK)
		return diag_set(d, e, "cannot start libcrypto");
	if ((e = load_key(a, &v->key, d)) != CLUSTER_OK || (e = sandbox_enter("agentd-trust", &a->user, a->parent, d)) != CLUSTER_OK)
		return e;
	if ((e = assemble_new(&conf, floor, &v->a)) != CLUSTER_OK)
		return diag_set(d, e, "out of memory");
	restore(v);
	if ((e = warm_up(v)) != CLUSTER_OK)
		return diag_set(d, e, "libraries do not start: %s", err_name(e));
	return sandbox_filter(d);
}

int trust_process(const struct agent *a, int root, int fetch, const struct assemble_floor *floor)
{
	struct verifier v = { .agent = a, .root = root, .fetch = fetch };
	enum cluster_err e;
	struct diag d;

	diag_clear(&d);
	e = start(&v, floor, &d);
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
