/* SPDX-License-Identifier: Apache-2.0 */
#include "conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "status.h"

#define HEAD_SECONDS 10
#define BODY_SECONDS 20
#define STALL_SECONDS 30
#define IDLE_SECONDS 120
#define STRANGER_SECONDS 5
#define LINGER_SECONDS 2
#define COPY_MAX 32768
#define READ_SIZE 16384
#define INPUT_MAX (HEAD_MAX + HEAD_BODY_MAX)
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
	struct crowd_one one;
	struct tls_stream stream;
	struct event *io, *timer;
	struct conn_handler handler;
	struct conn_peer peer;
	enum state state;
	bool close, reading_head, broken;
	char *in; /* what has come and is not yet taken */
	size_t n_in, room_in;
	char *head_text, *body;
	struct head head;
	struct blob *out[2];
	size_t sent; /* of out[0], or of out[1] once that is gone */
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
	memset(&c->head, 0, sizeof c->head);
}

/* It ends with its next turn: whoever is at work on it may still look at it. */
static void give_up(struct conn *c)
{
	c->broken = true;
	crowd_ready(c->handler.crowd, &c->one);
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	crowd_leave(c->handler.crowd, &c->one);
	c->handler.closed(c, c->handler.ctx);
	forget_request(c);
	if (c->in)
		explicit_bzero(c->in, c->n_in);
	free(c->in);
	blob_unref(c->out[0]);
	blob_unref(c->out[1]);
	event_free(c->timer);
	event_free(c->io);
	tls_stream_done(&c->stream);
	free(c);
}

void conn_drop(void *conn)
{
	conn_free(conn);
}

static void refuse(struct conn *c, enum cluster_err e, const struct diag *d)
{
	struct conn_answer a = { .status = status_http(e), .type = "application/json", .cache = "no-store", .close = true, .body = status_body(e, NULL, d->text) };

	conn_answer(c, &a);
}

/* ---- what comes in ---- */

/* Takes `n` bytes out of the input as a terminated string. An empty input keeps no memory. */
static char *take(struct conn *c, size_t n)
{
	char *text = malloc(n + 1);

	if (!text)
		return NULL;
	if (n)
		memcpy(text, c->in, n);
	text[n] = '\0';
	c->n_in -= n;
	if (c->n_in) {
		memmove(c->in, c->in + n, c->n_in);
	} else if (c->in) {
		explicit_bzero(c->in, n);
		free(c->in);
		c->in = NULL;
		c->room_in = 0;
	}
	return text;
}

static bool append(struct conn *c, const char *data, size_t n)
{
	if (c->n_in + n > c->room_in) {
		size_t room = c->n_in + n > READ_SIZE ? 2 * (c->n_in + n) : c->n_in + n;
		char *grown = realloc(c->in, room);

		if (!grown)
			return false;
		c->in = grown;
		c->room_in = room;
	}
	memcpy(c->in + c->n_in, data, n);
	c->n_in += n;
	return true;
}

/* Reads what there is, up to a bound: the rest when the request at hand has been answered. False: the connection is at its end. */
static bool fill(struct conn *c)
{
	const size_t most = c->state == STATE_HEAD || c->state == STATE_BODY ? INPUT_MAX : READ_SIZE;
	static char buffer[READ_SIZE];
	enum cluster_err e;
	size_t n;

	while (c->n_in < most) {
		if ((e = tls_stream_read(&c->stream, buffer, sizeof buffer, &n)) != CLUSTER_OK)
			return e == CLUSTER_EUNAVAIL;
		if (c->state == STATE_LINGER) {
			crowd_ready(c->handler.crowd, &c->one); /* one buffer a turn: nobody is kept waiting by what nobody reads */
			return true;
		}
		if (!append(c, buffer, n))
			return false;
	}
	return true;
}

static void dispatch(struct conn *c)
{
	deadline(c, 0);
	c->state = STATE_BUSY;
	c->close = c->head.close;
	c->handler.request(c, c->handler.ctx);
}

static void read_body(struct conn *c)
{
	struct diag d = { 0 };

	if (c->n_in < c->head.body_n)
		return;
	if ((c->body = take(c, c->head.body_n))) {
		dispatch(c);
		return;
	}
	diag_set(&d, CLUSTER_ENOMEM, "out of memory");
	refuse(c, CLUSTER_ENOMEM, &d);
}

static void read_head(struct conn *c)
{
	const char *end = c->n_in ? memmem(c->in, c->n_in, END_OF_HEAD, strlen(END_OF_HEAD)) : NULL;
	size_t n = end ? (size_t)(end - c->in) + strlen(END_OF_HEAD) : 0;
	struct diag d = { 0 };
	enum cluster_err e;

	if (!end || n > HEAD_MAX + strlen(END_OF_HEAD)) {
		if (c->n_in > HEAD_MAX) {
			diag_set(&d, CLUSTER_ELIMIT, "the request's head is larger than %d bytes", HEAD_MAX);
			refuse(c, CLUSTER_ELIMIT, &d);
		} else if (!c->reading_head && c->n_in) {
			c->reading_head = true;
			deadline(c, HEAD_SECONDS);
		}
		return;
	}
	c->reading_head = false;
	if (!(c->head_text = take(c, n)))
		e = diag_set(&d, CLUSTER_ENOMEM, "out of memory");
	else
		e = head_parse(c->head_text, n, &c->head, &d);
	if (e != CLUSTER_OK) {
		refuse(c, e, &d);
		return;
	}
	c->state = STATE_BODY;
	deadline(c, BODY_SECONDS);
	read_body(c);
}

/* ---- what goes out ---- */

/* The whole answer is with the kernel. */
static void answered(struct conn *c)
{
	if (c->close) {
		c->state = STATE_LINGER;
		deadline(c, LINGER_SECONDS);
		tls_stream_end(&c->stream);
		crowd_ready(c->handler.crowd, &c->one);
		return;
	}
	c->state = STATE_HEAD;
	c->reading_head = false;
	deadline(c, c->one.kind == CROWD_STRANGER || c->one.kind == CROWD_EXPECTED ? STRANGER_SECONDS : IDLE_SECONDS);
	if (c->n_in)
		crowd_ready(c->handler.crowd, &c->one);
}

static void flush(struct conn *c)
{
	enum cluster_err e = CLUSTER_OK;
	bool progress = false;
	size_t n;

	while (c->out[0] && (e = tls_stream_write(&c->stream, c->out[0]->bytes + c->sent, c->out[0]->n - c->sent, &n)) == CLUSTER_OK) {
		progress = true;
		c->sent += n;
		if (c->sent < c->out[0]->n)
			continue;
		blob_unref(c->out[0]);
		c->out[0] = c->out[1];
		c->out[1] = NULL;
		c->sent = 0;
	}
	if (!c->out[0])
		answered(c);
	else if (e != CLUSTER_EUNAVAIL)
		give_up(c);
	else if (progress || !evtimer_pending(c->timer, NULL))
		deadline(c, STALL_SECONDS);
}

/* ---- its life ---- */

void conn_run(void *conn)
{
	struct conn *c = conn;

	if (c->broken) {
		conn_free(c);
		return;
	}
	if (c->state == STATE_ANSWER)
		flush(c);
	if (c->broken || !fill(c)) {
		conn_free(c);
		return;
	}
	if (c->state == STATE_HEAD)
		read_head(c);
	else if (c->state == STATE_BODY)
		read_body(c);
}

static void on_io(evutil_socket_t fd, short what, void *ctx)
{
	struct conn *c = ctx;

	(void)fd;
	(void)what;
	crowd_ready(c->handler.crowd, &c->one);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	conn_free(ctx);
}

struct conn *conn_new(struct event_base *base, const struct tls_stream *stream, const struct conn_peer *peer, const struct conn_handler *h)
{
	struct conn *c = calloc(1, sizeof *c);
	struct tls_stream own = *stream;

	/* the edges of both directions, registered once and for all */
	if (!c || !(c->timer = evtimer_new(base, on_deadline, c)) || !(c->io = event_new(base, stream->fd, EV_READ | EV_WRITE | EV_ET | EV_PERSIST, on_io, c)) ||
	    event_add(c->io, NULL) != 0) {
		if (c && c->io)
			event_free(c->io);
		if (c && c->timer)
			event_free(c->timer);
		free(c);
		tls_stream_done(&own);
		return NULL;
	}
	c->stream = own;
	c->peer = *peer;
	c->handler = *h;
	c->one.owner = c;
	c->one.address = peer->address;
	c->one.kind = peer->kind;
	crowd_enter(h->crowd, &c->one);
	c->reading_head = true; /* the first deadline covers handshake and head together */
	deadline(c, HEAD_SECONDS);
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
	if (!crowd_known(c->handler.crowd, &c->one))
		c->close = true;
	else if (c->state == STATE_HEAD) /* answered already */
		deadline(c, IDLE_SECONDS);
}

void conn_set_parked(struct conn *c, void *parked)
{
	c->parked = parked;
	if (!parked)
		return;
	forget_request(c);
	crowd_patient(&c->one);
}

void *conn_parked(const struct conn *c)
{
	return c->parked;
}

/* ---- answers ---- */

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

/* Status line and headers, and the first `body` bytes of the body behind them. */
static struct blob *text_of(const struct conn_answer *a, bool close, size_t body)
{
	char head[ANSWER_HEAD_MAX];
	struct blob *b;
	int n;

	n = snprintf(head, sizeof head, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: %s\r\nX-Content-Type-Options: nosniff\r\n%s\r\n", a->status,
	    phrase(a->status), a->type, a->body->n, a->cache, close ? "Connection: close\r\n" : "");
	if (n < 0 || (size_t)n >= sizeof head || !(b = malloc(sizeof *b + (size_t)n + body + 1)))
		return NULL;
	b->refs = 1;
	b->n = (size_t)n + body;
	memcpy(b->bytes, head, (size_t)n);
	memcpy(b->bytes + n, a->body->bytes, body);
	b->bytes[b->n] = '\0';
	return b;
}

struct blob *conn_text(const struct conn_answer *a)
{
	struct blob *text = a->body ? text_of(a, false, a->body->n) : NULL;

	blob_unref(a->body);
	return text;
}

static void send_out(struct conn *c)
{
	forget_request(c);
	c->parked = NULL;
	c->sent = 0;
	c->state = STATE_ANSWER;
	deadline(c, 0);
	flush(c);
}

void conn_send(struct conn *c, struct blob *text)
{
	if (!text) {
		give_up(c);
		return;
	}
	c->out[0] = text;
	send_out(c);
}

void conn_answer(struct conn *c, const struct conn_answer *a)
{
	const bool apart = a->body && a->body->n > COPY_MAX; /* a large body is referred to, a small one shares record and write with its head */

	c->close = c->close || a->close;
	if (!a->body || !(c->out[0] = text_of(a, c->close, apart ? 0 : a->body->n))) {
		blob_unref(a->body);
		give_up(c);
		return;
	}
	if (apart)
		c->out[1] = a->body;
	else
		blob_unref(a->body);
	send_out(c);
}
