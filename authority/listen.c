/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "cluster/file.h"
#include "cluster/log.h"
#include "cluster/num.h"
#include "conn.h"
#include "expected.h"
#include "limit.h"
#include "poll.h"
#include "routes.h"
#include "tls.h"

#define DOORS_MAX 18
#define BACKLOG 4096 /* who is not accepted at once waits here: after a restart everybody comes back at the same time */
#define BATCH 64
#define PAUSE_SECONDS 1
#define LOOK_SECONDS 60

enum door_kind { DOOR_TLS, DOOR_PLAIN, DOOR_LOCAL };

struct door {
	struct listen *listen;
	struct event *event;
	int fd;
	enum door_kind kind;
};

struct listen {
	struct authority *a;
	struct tls *tls;
	struct crowd crowd;
	size_t n;
	struct event *resume; /* after there were no descriptors */
	struct event *look;   /* for new addresses of nodes */
	struct expected expected;
	struct door door[DOORS_MAX];
};

/* No descriptors, no memory: not accepting for a moment is better than spinning. */
static void pause_all(struct listen *l)
{
	const struct timeval tv = { .tv_sec = PAUSE_SECONDS };

	for (size_t i = 0; i < l->n; i++)
		event_del(l->door[i].event);
	evtimer_add(l->resume, &tv);
}

static void on_resume(evutil_socket_t fd, short what, void *ctx)
{
	struct listen *l = ctx;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < l->n; i++)
		event_add(l->door[i].event, NULL);
}

static void on_request(struct conn *c, void *ctx)
{
	struct listen *l = ctx;

	routes_request(c, l->a);
}

static void on_closed(struct conn *c, void *ctx)
{
	struct listen *l = ctx;

	routes_closed(c, l->a);
}

static bool peer_allowed(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0 || n != sizeof peer)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	log_line(LOG_LEVEL_WARNING, "uid %u (pid %d) was turned away from the admin socket", (unsigned)peer.uid, (int)peer.pid);
	return false;
}

static void address_text(const struct sockaddr *sa, char dst[INET6_ADDRSTRLEN])
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)sa;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)sa;

	dst[0] = '\0';
	if (sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, dst, INET6_ADDRSTRLEN);
	else if (sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], dst, INET6_ADDRSTRLEN);
	else if (sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, dst, INET6_ADDRSTRLEN);
}

static void on_look(evutil_socket_t fd, short what, void *ctx)
{
	const struct timeval tv = { .tv_sec = LOOK_SECONDS };
	struct listen *l = ctx;

	(void)fd;
	(void)what;
	expected_load(&l->expected, l->a->store);
	evtimer_add(l->look, &tv);
}

/* Takes the descriptor. */
static void let_in(struct door *door, int fd, const struct sockaddr *sa)
{
	struct listen *l = door->listen;
	struct conn_handler h = { .crowd = &l->crowd, .request = on_request, .closed = on_closed, .ctx = l };
	struct conn_peer peer = { .local = door->kind == DOOR_LOCAL, .kind = CROWD_LOCAL, .text = "local" };
	struct tls_stream stream;
	int one = 1;

	tls_stream_init(&stream, fd, door->kind == DOOR_TLS ? l->tls : NULL);
	if (peer.local) {
		if (!peer_allowed(fd))
			goto out;
	} else {
		address_text(sa, peer.text);
		peer.address = door->kind == DOOR_TLS ? limit_key(peer.text) : 0; /* through a proxy all come from one */
		peer.kind = door->kind == DOOR_PLAIN || expected_has(&l->expected, peer.address) ? CROWD_EXPECTED : CROWD_STRANGER;
		if (!crowd_admits(&l->crowd, peer.kind, peer.address))
			goto out;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	}
	(void)!conn_new(l->a->base, &stream, &peer, &h);
	return;
out:
	tls_stream_done(&stream);
}

/* Some at a time, then others have their turn. */
static void on_accept(evutil_socket_t at, short what, void *ctx)
{
	struct door *door = ctx;

	(void)what;
	for (unsigned i = 0; i < BATCH; i++) {
		struct sockaddr_storage sa = { 0 };
		socklen_t n = sizeof sa;
		int fd = accept4(at, (struct sockaddr *)&sa, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			let_in(door, fd, (struct sockaddr *)&sa);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_line(LOG_LEVEL_WARNING, "accept: %s", strerror(errno));
			pause_all(door->listen);
		}
		return;
	}
}

enum cluster_err listen_new(struct authority *a, struct listen **ret)
{
	struct listen *l = calloc(1, sizeof *l);

	if (!l)
		return CLUSTER_ENOMEM;
	l->a = a;
	*ret = l;
	return CLUSTER_OK;
}

/* Takes the descriptor. */
static enum cluster_err add(struct listen *l, int fd, enum door_kind kind, const char *where, struct diag *d)
{
	if (l->n == DOORS_MAX) {
		close(fd);
		return diag_set(d, CLUSTER_ELIMIT, "more than %d addresses to listen on", DOORS_MAX - 1);
	}
	if (listen(fd, BACKLOG) != 0) {
		diag_errno(d, "%s", where);
		close(fd);
		return CLUSTER_ESYSTEM;
	}
	l->door[l->n++] = (struct door){ .listen = l, .fd = fd, .kind = kind };
	return CLUSTER_OK;
}

static void log_place(int fd, const char *where, const char *how)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t n = sizeof sa;
	uint16_t port = 0;

	if (getsockname(fd, (struct sockaddr *)&sa, &n) == 0)
		port = sa.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&sa)->sin6_port : ((struct sockaddr_in *)(void *)&sa)->sin_port;
	log_line(LOG_LEVEL_NOTICE, "listening on %.*s:%u%s", (int)(strrchr(where, ':') - where), where, (unsigned)ntohs(port), how);
}

/* "ADDR:PORT" or "[ADDR]:PORT"; 0: not one. */
static socklen_t place_parse(const char *where, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)ret;
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)ret;
	const char *colon = strrchr(where, ':');
	char host[INET6_ADDRSTRLEN + 2] = "";
	size_t n = colon ? (size_t)(colon - where) : 0;
	uint32_t port;

	if (n == 0 || n >= sizeof host || num_u32(colon + 1, 0, 65535, &port) != CLUSTER_OK)
		return 0;
	memcpy(host, where, n);
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1 ? sizeof *v6 : 0;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1 ? sizeof *v4 : 0;
}

enum cluster_err listen_tcp(struct listen *l, const char *where, bool plain, struct diag *d)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t n = place_parse(where, &sa);
	int one = 1, fd;
	enum cluster_err e;

	if (n == 0)
		return diag_set(d, CLUSTER_ECONFIG, "\"%s\" is not ADDR:PORT", where);
	if ((fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
		return diag_errno(d, "%s", where);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&sa, n) != 0) {
		diag_errno(d, "%s", where);
		close(fd);
		return CLUSTER_ESYSTEM;
	}
	if ((e = add(l, fd, plain ? DOOR_PLAIN : DOOR_TLS, where, d)) == CLUSTER_OK)
		log_place(fd, where, plain ? " without TLS" : "");
	return e;
}

/* A socket file that nobody serves is taken away; anything else stays, and bind says so. */
static enum cluster_err clear_stale(const struct sockaddr_un *sa, struct diag *d)
{
	struct stat st;
	int fd, failed;

	if (lstat(sa->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return CLUSTER_OK;
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		return diag_errno(d, "socket");
	failed = connect(fd, (const struct sockaddr *)sa, sizeof *sa);
	close(fd);
	if (failed == 0)
		return diag_set(d, CLUSTER_EUNAVAIL, "%s: another authority serves it", sa->sun_path);
	return unlink(sa->sun_path) == 0 ? CLUSTER_OK : diag_errno(d, "%s", sa->sun_path);
}

static enum cluster_err parent_of(const char *path, struct diag *d)
{
	char dir[sizeof((struct sockaddr_un *)NULL)->sun_path];
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return CLUSTER_OK;
	snprintf(dir, sizeof dir, "%.*s", (int)(slash - path), path);
	return access(dir, F_OK) == 0 ? CLUSTER_OK : file_mkdir(dir, 0755, d);
}

enum cluster_err listen_unix(struct listen *l, const char *path, struct diag *d)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	enum cluster_err e;
	mode_t mask;
	int fd, failed;

	if (strlen(path) >= sizeof sa.sun_path)
		return diag_set(d, CLUSTER_ECONFIG, "%s: the path is too long for a socket", path);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	if ((e = parent_of(path, d)) != CLUSTER_OK || (e = clear_stale(&sa, d)) != CLUSTER_OK)
		return e;
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
		return diag_errno(d, "socket");
	mask = umask(0177);
	failed = bind(fd, (struct sockaddr *)&sa, sizeof sa);
	umask(mask);
	if (failed) {
		diag_errno(d, "%s", path);
		close(fd);
		return CLUSTER_ESYSTEM;
	}
	return add(l, fd, DOOR_LOCAL, path, d);
}

enum cluster_err listen_start(struct listen *l, struct tls *t, size_t max, struct diag *d)
{
	l->tls = t;
	l->crowd.run = conn_run;
	l->crowd.drop = conn_drop;
	if (crowd_init(&l->crowd, l->a->base, max) != CLUSTER_OK || !(l->resume = evtimer_new(l->a->base, on_resume, l)))
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	for (size_t i = 0; i < l->n; i++) {
		struct door *door = &l->door[i];

		if (!(door->event = event_new(l->a->base, door->fd, EV_READ | EV_PERSIST, on_accept, door)) || event_add(door->event, NULL) != 0)
			return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	}
	if (!(l->look = evtimer_new(l->a->base, on_look, l)))
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	on_look(-1, 0, l);
	poll_crowd(l->a->poll, &l->crowd);
	return CLUSTER_OK;
}

static void close_all(struct crowd_list *list)
{
	struct crowd_one *one;

	while ((one = TAILQ_FIRST(list)))
		conn_free(one->owner);
}

void listen_free(struct listen *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++) {
		if (l->door[i].event)
			event_free(l->door[i].event);
		file_close(l->door[i].fd);
	}
	l->n = 0;
	if (l->crowd.event) {
		for (int k = 0; k < CROWD_KIND_N; k++)
			close_all(&l->crowd.all[k]);
	}
	crowd_done(&l->crowd);
	if (l->resume)
		event_free(l->resume);
	if (l->look)
		event_free(l->look);
	expected_done(&l->expected);
	free(l);
}
