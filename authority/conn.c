/* SPDX-License-Identifier: Apache-2.0 */
#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "status.h"
#include "tls.h"

#define HEAD_SECONDS 10
#define BODY_SECONDS 20
#define STALL_SECONDS 30
#define IDLE_SECONDS 120
#define STRANGER_SECONDS 5
#define LINGER_SECONDS 2
#define COPY_MAX 32768
#define ANSWER_HEAD_MAX 512
#define END_OF_HEAD "\r\n\r\n"

enum state {
	STATE_HEAD,   /* waiting for or reading a head */
	STATE_BODY,
	STATE_BUSY,   /* somebody has the request */
	STATE_ANSWER, /* the answer is on its way out */
	STATE_LINGER  /* nothing more to say; reading until the peer is done, so that a reset does not swallow the answer */
};

struct conn {
	LIST_ENTRY(conn) link;
	struct bufferevent *bev;
	struct event *timer;
	struct conn_handler handler;
	struct conn_peer peer;
	enum state state;
	bool close, reading_head, known;
	char *head_text, *body;
	struct head head;
	void *parked;
};

static void deadline(struct conn *c, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	if (seconds)
		evtimer_add(c->timer, &tv);
	else
		evtimer_del(c->timer);
}

static void forget_request(struct conn *c)
{
	if (c->body)
		explicit_bzero(c->body, c->head.body_n);
	free(c->body);
	free(c->head_text);
	c->body = c->head_text = NULL;
	c->parked = NULL;
	memset(&c->head, 0, sizeof c->head);
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	LIST_REMOVE(c, link);
	c->handler.set->n--;
	c->handler.closed(c, c->handler.ctx);
	forget_request(c);
	if (c->timer)
		event_free(c->timer);
	bufferevent_free(c->bev);
	free(c);
}

static void refuse(struct conn *c, enum cluster_err e, const struct diag *d)
{
	struct conn_answer a = { .status = status_http(e), .type = "application/json", .cache = "no-store", .close = true, .body = status_body(e, NULL, d->text) };

	conn_answer(c, &a);
}

/* Takes `n` bytes out of the input as a terminated string. */
static char *take(struct conn *c, size_t n)
{
	char *text = malloc(n + 1);

	if (!text || evbuffer_remove(bufferevent_get_input(c->bev), text, n) != (int)n) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

static void dispatch(struct conn *c)
{
	deadline(c, 0);
	c->state = STATE_BUSY;
	c->handler.request(c, c->handler.ctx);
}

/* False: needs more bytes, or has been answered. */
static bool read_body(struct conn *c)
{
	struct diag d = { 0 };

	if (evbuffer_get_length(bufferevent_get_input(c->bev)) < c->head.body_n)
		return false;
	if (!(c->body = take(c, c->head.body_n))) {
		diag_set(&d, CLUSTER_ENOMEM, "out of memory");
		refuse(c, CLUSTER_ENOMEM, &d);
		return false;
	}
	dispatch(c);
	return true;
}

static void read_head(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct evbuffer_ptr end = evbuffer_search(in, END_OF_HEAD, strlen(END_OF_HEAD), NULL);
	struct diag d = { 0 };
	enum cluster_err e;

	if (end.pos < 0 || end.pos > HEAD_MAX) {
		if (evbuffer_get_length(in) > HEAD_MAX) {
			diag_set(&d, CLUSTER_ELIMIT, "the request's head is larger than %d bytes", HEAD_MAX);
			refuse(c, CLUSTER_ELIMIT, &d);
		} else if (!c->reading_head && evbuffer_get_length(in)) {
			c->reading_head = true;
			deadline(c, HEAD_SECONDS);
		}
		return;
	}
	c->reading_head = false;
	if (!(c->head_text = take(c, (size_t)end.pos + strlen(END_OF_HEAD))))
		e = diag_set(&d, CLUSTER_ENOMEM, "out of memory");
	else
		e = head_parse(c->head_text, (size_t)end.pos + strlen(END_OF_HEAD), &c->head, &d);
	if (e != CLUSTER_OK) {
		refuse(c, e, &d);
		return;
	}
	c->state = STATE_BODY;
	deadline(c, BODY_SECONDS);
	read_body(c);
}

static void on_read(struct bufferevent *bev, void *ctx)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct conn *c = ctx;

	if (c->state == STATE_HEAD)
		read_head(c);
	else if (c->state == STATE_BODY)
		read_body(c);
	else if (c->state == STATE_LINGER)
		evbuffer_drain(in, evbuffer_get_length(in));
}

/* The whole answer is with the kernel. */
static void on_write(struct bufferevent *bev, void *ctx)
{
	struct conn *c = ctx;

	if (c->state != STATE_ANSWER || evbuffer_get_length(bufferevent_get_output(bev)))
		return;
	if (c->close) {
		c->state = STATE_LINGER;
		deadline(c, LINGER_SECONDS);
		tls_goodbye(bev);
		on_read(bev, c);
		return;
	}
	c->state = STATE_HEAD;
	c->reading_head = false;
	deadline(c, c->known ? IDLE_SECONDS : STRANGER_SECONDS);
	read_head(c);
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
	struct conn *c = ctx;

	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
		conn_free(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	conn_free(ctx);
}

struct conn *conn_new(struct event_base *base, struct bufferevent *bev, const struct conn_peer *peer, const struct conn_handler *h)
{
	struct timeval stall = { .tv_sec = STALL_SECONDS };
	struct conn *c = calloc(1, sizeof *c);

	if (!c || !(c->timer = evtimer_new(base, on_deadline, c))) {
		free(c);
		bufferevent_free(bev);
		return NULL;
	}
	c->bev = bev;
	c->peer = *peer;
	c->handler = *h;
	LIST_INSERT_HEAD(&h->set->list, c, link);
	h->set->n++;
	c->reading_head = true; /* the first deadline covers handshake and head together */
	deadline(c, HEAD_SECONDS);
	bufferevent_setwatermark(bev, EV_READ, 0, HEAD_MAX + HEAD_BODY_MAX);
	bufferevent_set_timeouts(bev, NULL, &stall);
	bufferevent_setcb(bev, on_read, on_write, on_event, c);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	return c;
}

const struct head *conn_head(const struct conn *c)
{
	return &c->head;
}

const char *conn_body(const struct conn *c)
{
	return c->body;
}

const struct conn_peer *conn_peer(const struct conn *c)
{
	return &c->peer;
}

void conn_known(struct conn *c)
{
	c->known = true;
}

void conn_set_parked(struct conn *c, void *parked)
{
	c->parked = parked;
}

void *conn_parked(const struct conn *c)
{
	return c->parked;
}

static const char *phrase(int status)
{
	static const struct {
		int status;
		const char *text;
	} phrases[] = {
		{ 200, "OK" }, { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" }, { 409, "Conflict" },
		{ 413, "Content Too Large" }, { 429, "Too Many Requests" }, { 500, "Internal Server Error" }, { 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
		if (phrases[i].status == status)
			return phrases[i].text;
	}
	return "Error";
}

static void release_blob(const void *data, size_t n, void *ctx)
{
	(void)data;
	(void)n;
	blob_unref(ctx);
}

/* Small bodies are copied beside their head, one TLS record and one write; large ones are only referred to. Takes `body` in any case. */
static int put_body(struct evbuffer *out, struct blob *body)
{
	int failed;

	if (body->n > COPY_MAX && evbuffer_add_reference(out, body->bytes, body->n, release_blob, body) == 0)
		return 0;
	failed = evbuffer_add(out, body->bytes, body->n);
	blob_unref(body);
	return failed;
}

void conn_answer(struct conn *c, const struct conn_answer *a)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	c->close = a->close || c->head.close || !a->body;
	forget_request(c);
	deadline(c, 0);
	c->state = STATE_ANSWER;
	if (!a->body || evbuffer_expand(out, ANSWER_HEAD_MAX + (a->body->n > COPY_MAX ? 0 : a->body->n)) != 0 ||
	    evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: %s\r\nX-Content-Type-Options: nosniff\r\n%s\r\n", a->status,
	    phrase(a->status), a->type, a->body->n, a->cache, c->close ? "Connection: close\r\n" : "") < 0) {
		blob_unref(a->body);
		deadline(c, 1); /* could not be made: the connection ends */
		return;
	}
	if (put_body(out, a->body) != 0)
		deadline(c, 1);
}
