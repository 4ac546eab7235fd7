/* SPDX-License-Identifier: Apache-2.0 */
#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "cluster/file.h"
#include "cluster/log.h"

#define HOLD_MAX ((size_t)48 << 10) /* bytes of one direction, before the last read of at most 16 KiB */
#define SAY_MS 10000
#define LISTENERS_MAX 8
#define BACKLOG 256
#define ADDRESS_KEY 16

enum side { NEAR, FAR };

/* One connection of a leaf, and ours to the authority. */
struct link {
	LIST_ENTRY(link) entry;
	struct relay *relay;
	struct bufferevent *end[2];
	uint8_t address[ADDRESS_KEY]; /* whose it is */
	size_t tried, at;             /* addresses of the authority: how many, and the last of them */
	int64_t since;
	bool open;                    /* both ends are there */
	bool ended[2];                /* this end sends no more */
	bool shut[2];                 /* and the other has been told */
	int64_t moved;                /* when a byte last did */
};

struct relay {
	struct event_base *base;
	const struct relay_conf *conf;
	struct relay_find *find;
	struct evconnlistener *listener[LISTENERS_MAX];
	size_t n_listeners;
	struct event *sweep, *resume;
	LIST_HEAD(links, link) links;
	struct relay_counts counts;
	size_t best; /* the address of the authority to begin with */
	int64_t said;
};

static int64_t now_ms(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_BOOTTIME, &t) == 0 ? (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 : 0;
}

static void link_free(struct link *l)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (l->end[i])
			bufferevent_free(l->end[i]);
	}
	LIST_REMOVE(l, entry);
	l->relay->counts.now--;
	free(l);
}

/* ---- bytes ---- */

static enum side side_of(const struct link *l, const struct bufferevent *b)
{
	return l->end[NEAR] == b ? NEAR : FAR;
}

static size_t held(const struct link *l, enum side to)
{
	return evbuffer_get_length(bufferevent_get_output(l->end[to]));
}

/* After bytes have moved, or an end has come: passes the end of stream on behind the last byte; both ends there: that was it. True: the link is gone. */
static bool settle(struct link *l)
{
	int from;

	for (from = 0; from < 2; from++) {
		if (!l->ended[from] || l->shut[from] || held(l, (enum side)!from) > 0)
			continue;
		l->shut[from] = true;
		if (shutdown(bufferevent_getfd(l->end[!from]), SHUT_WR) != 0) {
			link_free(l);
			return true;
		}
	}
	if (!l->shut[NEAR] || !l->shut[FAR])
		return false;
	link_free(l);
	return true;
}

static void on_read(struct bufferevent *b, void *arg)
{
	struct link *l = arg;
	enum side from = side_of(l, b);

	l->moved = now_ms();
	if (evbuffer_add_buffer(bufferevent_get_output(l->end[!from]), bufferevent_get_input(b)) != 0)
		link_free(l);
	else if (held(l, (enum side)!from) >= HOLD_MAX)
		(void)bufferevent_disable(b, EV_READ); /* until the other side has taken half of it */
}

static void on_write(struct bufferevent *b, void *arg)
{
	struct link *l = arg;
	enum side to = side_of(l, b);

	l->moved = now_ms();
	if (!l->open || settle(l))
		return;
	if (!l->ended[!to] && held(l, to) < HOLD_MAX && !(bufferevent_get_enabled(l->end[!to]) & EV_READ) && bufferevent_enable(l->end[!to], EV_READ) != 0)
		link_free(l);
}

static void keep_alive(int fd)
{
	static const int on = 1, idle = 30, interval = 10, count = 3, unanswered_ms = 60000;

	if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) != 0 || setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval) != 0 || setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms) != 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
		return; /* without: the sweep finds what has gone silent */
}

/* ---- to the authority ---- */

static void on_event(struct bufferevent *b, short what, void *arg);

static void give_up(struct link *l, const char *why)
{
	struct relay *r = l->relay;
	int64_t now = now_ms();

	r->counts.failed++;
	if (r->said == 0 || now - r->said >= SAY_MS) {
		r->said = now;
		r->conf->log(r->conf->log_arg, LOG_LEVEL_WARNING, why);
	}
	relay_find_again(r->find);
	link_free(l);
}

/* The next address, within the time that the leaf has. */
static void reach(struct link *l)
{
	const struct timeval limit = { .tv_sec = l->relay->conf->connect_ms / 1000, .tv_usec = (suseconds_t)(l->relay->conf->connect_ms % 1000) * 1000 };
	struct relay *r = l->relay;
	const struct relay_address *known, *a;
	size_t n = relay_find_known(r->find, &known);

	while (l->tried < n && now_ms() - l->since < 2 * (int64_t)r->conf->connect_ms) {
		l->at = (r->best + (l->tried++ > 0)) % n;
		r->best = l->at; /* if it hangs, others begin with the next */
		a = &known[l->at];
		if (l->end[FAR])
			bufferevent_free(l->end[FAR]);
		l->end[FAR] = bufferevent_socket_new(r->base, -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
		if (!l->end[FAR])
			break;
		bufferevent_setcb(l->end[FAR], on_read, on_write, on_event, l);
		bufferevent_setwatermark(l->end[FAR], EV_READ, 0, HOLD_MAX);
		bufferevent_setwatermark(l->end[FAR], EV_WRITE, HOLD_MAX / 2, 0);
		if (bufferevent_set_timeouts(l->end[FAR], NULL, &limit) == 0 && bufferevent_socket_connect(l->end[FAR], (const struct sockaddr *)&a->sa, (int)a->n) == 0)
			return; /* on_event goes on, also with a refusal that came at once */
	}
	give_up(l, n == 0 ? "relay: the authority's address is not known" : "relay: the authority cannot be reached");
}

static void reached(struct link *l)
{
	l->relay->best = l->at;
	keep_alive(bufferevent_getfd(l->end[FAR]));
	l->open = true;
	l->moved = now_ms();
	if (bufferevent_set_timeouts(l->end[FAR], NULL, NULL) != 0 || bufferevent_enable(l->end[NEAR], EV_READ | EV_WRITE) != 0 ||
	    bufferevent_enable(l->end[FAR], EV_READ | EV_WRITE) != 0)
		link_free(l);
}

static void on_event(struct bufferevent *b, short what, void *arg)
{
	struct link *l = arg;
	enum side side = side_of(l, b);

	if (what & BEV_EVENT_CONNECTED) {
		reached(l);
	} else if (!l->open) {
		if (side == FAR)
			reach(l);
		else
			link_free(l);
	} else if (what & BEV_EVENT_EOF) {
		l->ended[side] = true;
		if (bufferevent_disable(b, EV_READ) != 0)
			link_free(l);
		else
			(void)settle(l);
	} else {
		link_free(l);
	}
}

/* ---- from the leaves ---- */

/* Whose connection it is: an IPv4 address, or the first half of an IPv6 one, as one machine has many of those. */
static void address_key(const struct sockaddr *sa, uint8_t key[ADDRESS_KEY])
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;

	memset(key, 0, ADDRESS_KEY);
	if (sa->sa_family == AF_INET)
		memcpy(key + 12, &v4->sin_addr, 4);
	else if (sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		memcpy(key + 12, v6->sin6_addr.s6_addr + 12, 4);
	else if (sa->sa_family == AF_INET6)
		memcpy(key, &v6->sin6_addr, 8);
}

static bool has_room(const struct relay *r, const uint8_t key[ADDRESS_KEY])
{
	const struct link *l;
	size_t n = 0;

	if (r->counts.now >= r->conf->most)
		return false;
	LIST_FOREACH(l, &r->links, entry)
		n += memcmp(l->address, key, ADDRESS_KEY) == 0;
	return n < r->conf->most_of_address;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int n, void *arg)
{
	struct relay *r = arg;
	uint8_t key[ADDRESS_KEY];
	struct link *l = NULL;

	(void)listener;
	(void)n;
	address_key(sa, key);
	if (!has_room(r, key) || (l = calloc(1, sizeof *l)) == NULL || !(l->end[NEAR] = bufferevent_socket_new(r->base, fd, BEV_OPT_CLOSE_ON_FREE))) {
		r->counts.refused++;
		free(l);
		close(fd);
		return;
	}
	keep_alive(fd);
	l->relay = r;
	l->since = l->moved = now_ms();
	memcpy(l->address, key, sizeof key);
	LIST_INSERT_HEAD(&r->links, l, entry);
	r->counts.now++;
	r->counts.accepted++;
	bufferevent_setcb(l->end[NEAR], on_read, on_write, on_event, l);
	bufferevent_setwatermark(l->end[NEAR], EV_READ, 0, HOLD_MAX);
	bufferevent_setwatermark(l->end[NEAR], EV_WRITE, HOLD_MAX / 2, 0);
	if (bufferevent_disable(l->end[NEAR], EV_READ) != 0) /* nothing is held for whom the authority does not answer */
		link_free(l);
	else
		reach(l);
}

static void listeners_enable(struct relay *r, bool on)
{
	size_t i;

	for (i = 0; i < r->n_listeners; i++)
		(void)(on ? evconnlistener_enable(r->listener[i]) : evconnlistener_disable(r->listener[i]));
}

/* Out of descriptors or memory: no accepting in a circle. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	const struct timeval pause = { .tv_sec = 1 };
	struct relay *r = arg;

	(void)listener;
	listeners_enable(r, false);
	if (event_add(r->resume, &pause) != 0)
		listeners_enable(r, true);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	listeners_enable(arg, true);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct relay *r = arg;
	struct link *l, *next;
	int64_t now = now_ms();

	(void)fd;
	(void)what;
	for (l = LIST_FIRST(&r->links); l; l = next) {
		next = LIST_NEXT(l, entry);
		if (l->open && now - l->moved > (int64_t)r->conf->idle_ms)
			link_free(l);
	}
}

/* ---- start and end ---- */

enum cluster_err relay_listen(struct relay *r, const struct endpoint *where, uint16_t *ret_port, struct diag *d)
{
	union { struct sockaddr sa; struct sockaddr_in v4; struct sockaddr_in6 v6; } a;
	const int on = 1;
	enum cluster_err e;
	socklen_t n;
	int fd;

	memset(&a, 0, sizeof a);
	a.sa.sa_family = strchr(where->host, ':') ? AF_INET6 : AF_INET;
	n = a.sa.sa_family == AF_INET6 ? sizeof a.v6 : sizeof a.v4;
	if (r->n_listeners == LISTENERS_MAX || inet_pton(a.sa.sa_family, where->host, a.sa.sa_family == AF_INET6 ? (void *)&a.v6.sin6_addr : (void *)&a.v4.sin_addr) != 1)
		return diag_set(d, CLUSTER_ECONFIG, "relay: cannot listen on \"%s\", or on more than %d addresses", where->host, LISTENERS_MAX);
	if (a.sa.sa_family == AF_INET6)
		a.v6.sin6_port = htons(where->port);
	else
		a.v4.sin_port = htons(where->port);
	fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    (a.sa.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) || bind(fd, &a.sa, n) != 0 || listen(fd, BACKLOG) != 0 ||
	    getsockname(fd, &a.sa, &n) != 0) {
		diag_errno(d, "relay: cannot listen on %s, port %u", where->host, (unsigned int)where->port);
		e = CLUSTER_EUNAVAIL;
		goto out;
	}
	r->listener[r->n_listeners] = evconnlistener_new(r->base, on_accept, r, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!r->listener[r->n_listeners]) {
		e = diag_set(d, CLUSTER_ENOMEM, "relay: out of memory");
		goto out;
	}
	fd = -1;
	evconnlistener_set_error_cb(r->listener[r->n_listeners++], on_accept_error);
	*ret_port = ntohs(a.sa.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
	e = CLUSTER_OK;
out:
	file_close(fd);
	return e;
}

enum cluster_err relay_new(struct event_base *base, const struct relay_conf *conf, struct relay **ret, struct diag *d)
{
	const struct timeval every = { .tv_sec = conf->sweep_ms / 1000, .tv_usec = (suseconds_t)(conf->sweep_ms % 1000) * 1000 };
	struct relay *r = calloc(1, sizeof *r);
	enum cluster_err e = CLUSTER_ENOMEM;

	if (!r)
		goto out;
	r->base = base;
	r->conf = conf;
	LIST_INIT(&r->links);
	if ((e = relay_find_new(base, conf->target, conf->n_targets, &r->find)) != CLUSTER_OK)
		goto out;
	r->sweep = event_new(base, -1, EV_PERSIST, on_sweep, r);
	r->resume = event_new(base, -1, 0, on_resume, r);
	e = r->sweep && r->resume && event_add(r->sweep, &every) == 0 ? CLUSTER_OK : CLUSTER_ENOMEM;
	if (e != CLUSTER_OK)
		goto out;
	*ret = r;
	r = NULL;
out:
	relay_free(r);
	return e == CLUSTER_OK ? e : diag_set(d, e, "relay: out of memory");
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	while (!LIST_EMPTY(&r->links))
		link_free(LIST_FIRST(&r->links));
	while (r->n_listeners > 0)
		evconnlistener_free(r->listener[--r->n_listeners]);
	if (r->sweep)
		event_free(r->sweep);
	if (r->resume)
		event_free(r->resume);
	relay_find_free(r->find);
	free(r);
}

struct relay_counts relay_counts(const struct relay *r)
{
	return r->counts;
}
