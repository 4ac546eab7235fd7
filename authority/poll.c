/* SPDX-License-Identifier: Apache-2.0 */
#include "poll.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "authority.h"
#include "cluster/json.h"
#include "conn.h"
#include "nodes.h"

#define HEADS 256
#define TURN 256 /* answers, then others have their turn */

struct waiters;
struct waiter {
	TAILQ_ENTRY(waiter) link;
	struct waiters *list;
	struct poll *poll;
	struct conn *conn;
	struct event *timer;
	bool for_nodes; /* else for a head */
	bool objects;
	int64_t version; /* of the head to be passed, or to be applied everywhere */
	size_t first;    /* nodes before this one have applied it */
};
TAILQ_HEAD(waiters, waiter);

struct poll {
	struct authority *a;
	struct crowd *crowd;
	struct waiters heads, due, nodes; /* due: there is a head for them */
	struct event *turn;
	struct blob *answer[PUBLISH_INLINE_N + 1]; /* with the objects from number i on, as it goes over the wire; made when first asked for */
	struct {
		int64_t version, ms;
	} when[HEADS];
	unsigned next_when;
};

static void on_turn(evutil_socket_t fd, short what, void *ctx);

static void remember(struct poll *p)
{
	p->when[p->next_when].version = p->a->published->head_version;
	p->when[p->next_when].ms = authority_ms();
	p->next_when = (p->next_when + 1) % HEADS;
}

size_t poll_held(const struct poll *p)
{
	const struct waiter *w;
	size_t n = 0;

	TAILQ_FOREACH(w, &p->heads, link)
		n++;
	return n;
}

enum cluster_err poll_new(struct authority *a, struct poll **ret)
{
	struct poll *p = calloc(1, sizeof *p);

	if (!p)
		return CLUSTER_ENOMEM;
	p->a = a;
	TAILQ_INIT(&p->heads);
	TAILQ_INIT(&p->due);
	TAILQ_INIT(&p->nodes);
	if (!(p->turn = evtimer_new(a->base, on_turn, p))) {
		free(p);
		return CLUSTER_ENOMEM;
	}
	*ret = p;
	return CLUSTER_OK;
}

static void forget_answers(struct poll *p)
{
	for (size_t i = 0; i <= PUBLISH_INLINE_N; i++) {
		blob_unref(p->answer[i]);
		p->answer[i] = NULL;
	}
}

int64_t poll_when(const struct poll *p, int64_t version)
{
	for (size_t i = 0; i < HEADS; i++) {
		if (p->when[i].version == version)
			return p->when[i].ms;
	}
	return -1;
}

static void waiter_free(struct waiter *w)
{
	TAILQ_REMOVE(w->list, w, link);
	if (w->timer)
		event_free(w->timer);
	conn_set_parked(w->conn, NULL);
	free(w);
}

/* An answer as text; takes the body. */
static struct blob *answer_text(struct blob *body)
{
	struct conn_answer a = { .status = 200, .type = "application/json", .cache = "no-store", .body = body };

	return conn_text(&a);
}

static struct json *objects_json(const struct published *p, size_t from)
{
	struct json *j = json_map();
	enum cluster_err e = j ? CLUSTER_OK : CLUSTER_ENOMEM;

	for (size_t i = from; i < p->n_recent && e == CLUSTER_OK; i++)
		e = json_set(j, p->recent[i].hash, json_make("s", p->recent[i].bytes->bytes));
	if (e != CLUSTER_OK) {
		json_free(j);
		return NULL;
	}
	return j;
}

/* A reference to the answer for somebody who has `after`; NULL when out of memory. */
static struct blob *head_answer(struct poll *p, int64_t after, bool objects)
{
	const struct published *now = p->a->published;
	size_t from = objects ? 0 : now->n_recent, n = 0;
	struct json *j = NULL;
	char *text = NULL;

	while (from < now->n_recent && now->recent[from].since <= after)
		from++;
	if (!p->answer[from]) {
		j = json_make("{s:s, s:o}", "head", now->head->bytes, "objects", objects_json(now, from));
		if (json_text(j, &text, &n) == CLUSTER_OK)
			p->answer[from] = answer_text(blob_new(text, n));
		free(text);
		json_free(j);
	}
	return blob_ref(p->answer[from]);
}

static struct json *node_json(struct poll *p, const struct nodes_one *o, int64_t version)
{
	int64_t at = nodes_when(o, version), from = poll_when(p, version);
	char id[ID_TEXT + 1];

	id_text(&o->id, id);
	return json_make("{s:I, s:I, s:s, s:I, s:s, s:b, s:b, s:I}", "applied", (long long)nodes_applied(o), "ended", (long long)nodes_ended_for(o, version), "id", id, "ms",
	    (long long)(at >= 0 && from >= 0 && at >= from ? at - from : -1), "name", o->name, "ok", nodes_applied(o) >= version, "reachable",
	    nodes_reachable(p->a->nodes, o, authority_now()), "seen", (long long)o->seen);
}

static struct blob *nodes_answer(struct poll *p, int64_t version)
{
	struct json *list = json_list(), *j = NULL;
	struct nodes_one **sorted = NULL;
	struct blob *body = NULL;
	enum cluster_err e;
	bool done = true;
	char *text = NULL;
	size_t n = 0;

	e = nodes_by_name(p->a->nodes, &sorted);
	for (size_t i = 0; e == CLUSTER_OK && i < p->a->nodes->n; i++) {
		done = done && nodes_applied(sorted[i]) >= version;
		e = json_append(list, node_json(p, sorted[i], version));
	}
	if (e != CLUSTER_OK) {
		json_free(list);
		list = NULL;
	}
	j = json_make("{s:b, s:o, s:I}", "done", done, "nodes", list, "version", (long long)version);
	if (json_text(j, &text, &n) == CLUSTER_OK)
		body = answer_text(blob_new(text, n));
	free(text);
	free(sorted);
	json_free(j);
	return body;
}

static void finish(struct waiter *w)
{
	struct poll *p = w->poll;
	struct conn *c = w->conn;
	struct blob *text = w->for_nodes ? nodes_answer(p, w->version) : head_answer(p, w->version, w->objects);

	waiter_free(w);
	conn_send(c, text);
}

static void on_time(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	finish(ctx);
}

static enum cluster_err park(struct poll *p, const struct waiter *like, int64_t ms)
{
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	struct waiter *w = malloc(sizeof *w);

	if (!w)
		return CLUSTER_ENOMEM;
	*w = *like;
	w->poll = p;
	if (!(w->timer = evtimer_new(p->a->base, on_time, w)) || evtimer_add(w->timer, &tv) != 0) {
		if (w->timer)
			event_free(w->timer);
		free(w);
		return CLUSTER_ENOMEM;
	}
	w->list = w->for_nodes ? &p->nodes : &p->heads;
	TAILQ_INSERT_TAIL(w->list, w, link);
	conn_set_parked(w->conn, w);
	return CLUSTER_OK;
}

enum cluster_err poll_head(struct poll *p, struct conn *c, int64_t after, int64_t seconds, bool objects)
{
	struct waiter w = { .conn = c, .version = after, .objects = objects };

	/* who knows a later version than ours has known another store: that shall be found out now, and not after a minute */
	if (p->a->published->head_version != after || seconds <= 0) {
		conn_send(c, head_answer(p, after, objects));
		return CLUSTER_OK;
	}
	return park(p, &w, (seconds < POLL_SECONDS ? seconds : POLL_SECONDS) * 1000);
}

/* A node that does not answer holds up nobody's proof. */
static bool settled(const struct nodes *n, const struct nodes_one *o, int64_t version, int64_t now)
{
	return nodes_applied(o) >= version || !nodes_reachable(n, o, now);
}

/* Has everybody who can be reached applied it? `first` saves asking those again who have. */
static bool everywhere(const struct nodes *n, struct waiter *w)
{
	int64_t now = authority_now();

	while (w->first < n->n && settled(n, n->one[w->first], w->version, now))
		w->first++;
	if (w->first < n->n)
		return false;
	for (w->first = 0; w->first < n->n; w->first++) { /* nodes may have come and gone */
		if (!settled(n, n->one[w->first], w->version, now))
			return false;
	}
	return true;
}

enum cluster_err poll_wait(struct poll *p, struct conn *c, int64_t version, int64_t ms)
{
	struct waiter w = { .conn = c, .version = version, .for_nodes = true };

	if (ms <= 0 || everywhere(p->a->nodes, &w)) {
		conn_send(c, nodes_answer(p, version));
		return CLUSTER_OK;
	}
	return park(p, &w, ms < POLL_SECONDS * 1000 ? ms : POLL_SECONDS * 1000);
}

void poll_forget(struct poll *p, struct conn *c)
{
	struct waiter *w = conn_parked(c);

	(void)p;
	if (w)
		waiter_free(w);
}

/* Those who are due, some at a time, the longest waiting first; what comes in meanwhile has its turns between. */
static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	static const struct timeval at_once = { 0, 0 };
	struct poll *p = ctx;

	(void)fd;
	(void)what;
	for (unsigned n = 0; n < TURN && !TAILQ_EMPTY(&p->due); n++)
		finish(TAILQ_FIRST(&p->due));
	if (!TAILQ_EMPTY(&p->due))
		evtimer_add(p->turn, &at_once);
	else if (p->crowd)
		crowd_hold(p->crowd, false);
}

void poll_publish(struct poll *p)
{
	static const struct timeval at_once = { 0, 0 };
	struct waiter *w, *next;

	remember(p);
	forget_answers(p);
	for (w = TAILQ_FIRST(&p->heads); w; w = next) {
		next = TAILQ_NEXT(w, link);
		if (p->a->published->head_version <= w->version)
			continue;
		TAILQ_REMOVE(&p->heads, w, link);
		w->list = &p->due;
		TAILQ_INSERT_TAIL(&p->due, w, link);
	}
	if (!TAILQ_EMPTY(&p->due)) {
		evtimer_add(p->turn, &at_once);
		if (p->crowd)
			crowd_hold(p->crowd, true);
	}
	poll_progress(p);
}

void poll_progress(struct poll *p)
{
	struct waiter *w, *next;

	for (w = TAILQ_FIRST(&p->nodes); w; w = next) {
		next = TAILQ_NEXT(w, link);
		if (everywhere(p->a->nodes, w))
			finish(w);
	}
}

void poll_crowd(struct poll *p, struct crowd *crowd)
{
	p->crowd = crowd;
}

void poll_free(struct poll *p)
{
	struct waiter *w;

	if (!p)
		return;
	while ((w = TAILQ_FIRST(&p->due)) || (w = TAILQ_FIRST(&p->heads)) || (w = TAILQ_FIRST(&p->nodes)))
		finish(w);
	event_free(p->turn);
	forget_answers(p);
	free(p);
}
