/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "cluster/agent_msg.h"
#include "cluster/file.h"
#include "cluster/log.h"
#include "cluster/refusals.h"

#include "ipc.h"
#include "redeem.h"

#define CLIENTS_MAX 64
#define IDLE_SECONDS 5
#define USES_MAX 4096
#define GATE_STAGE "principals"
#define REFUSALS_MAX 1024
#define REFUSALS_SHARE (REFUSALS_MAX / 4) /* one source's */
#define TELL_MAX 16     /* refusals to the authority at once, then */
#define TELL_SECONDS 10 /* one in so many seconds: not more than fetch keeps for strangers */

/*
 * The process behind the agent socket (PROTOCOL.md 5.7). Everybody may connect; who it is is known before a byte is read (THREATS.md I1, I2), and a table says who may ask what.
 * It decides nothing: sessions are root's business.
 */
struct client {
	int fd; /* -1: free */
	uint64_t number;
	struct ucred peer;
	struct event *event;
};

struct serve {
	const struct agent *agent;
	int root, listener;
	struct event_base *base;
	struct event *on_listener, *on_root, *on_tell;
	struct agent_msg_status status;
	struct redeem *redeem;
	struct refusals *refusals;
	unsigned int told; /* lately, to the authority */
	struct client client[CLIENTS_MAX];
	uint64_t last_number;
	int exit_status;
};

enum who { WHO_ANYBODY, WHO_GATE, WHO_ROOT };

/* One kind of request. Returns whether the answer is in *a now; otherwise it comes from root. */
struct request {
	enum agent_msg_type type;
	enum who who;
	bool (*handle)(struct serve *s, struct client *c, const struct agent_msg_request *q, struct agent_msg_answer *a);
};

static bool handle_status(struct serve *s, struct client *c, const struct agent_msg_request *q, struct agent_msg_answer *a)
{
	(void)c;
	(void)q;
	a->result = CLUSTER_OK;
	a->status = s->status;
	return true;
}

static bool handle_session(struct serve *s, struct client *c, const struct agent_msg_request *q, struct agent_msg_answer *a)
{
	struct ipc m;

	ipc_init(&m, IPC_SESSION);
	m.session.request = (uint32_t)q->type;
	m.session.client = c->number;
	m.session.id = q->session;
	a->result = ipc_send(s->root, &m, NULL, 0, 0);
	return a->result != CLUSTER_OK;
}

static bool handle_redeem(struct serve *s, struct client *c, const struct agent_msg_request *q, struct agent_msg_answer *a)
{
	const struct redeem_use use = { .jti = q->jti, .receipt = q->receipt, .person = q->person, .iat = q->iat, .exp = q->exp, .skew = q->skew };

	(void)c;
	a->result = redeem_take(s->redeem, &use, time(NULL));
	return true;
}

static bool handle_confirm(struct serve *s, struct client *c, const struct agent_msg_request *q, struct agent_msg_answer *a)
{
	(void)c;
	a->result = redeem_confirm(s->redeem, &q->jti, &q->receipt, time(NULL));
	return true;
}

static void tell_later(struct serve *s)
{
	const struct timeval t = { .tv_sec = TELL_SECONDS };

	if (!event_pending(s->on_tell, EV_TIMEOUT, NULL) && event_add(s->on_tell, &t) != 0)
		ipc_log(s->root, LOG_LEVEL_ERROR, "libevent: a timer is not set");
}

/* Refusals on their way to the authority, as many as may go now; while it is out of reach they wait here. */
static void tell(struct serve *s)
{
	struct ipc m;

	ipc_init(&m, IPC_REFUSAL);
	while (s->status.connected && s->told < TELL_MAX && refusals_next(s->refusals, &m.refusal)) {
		s->told++;
		if (ipc_send(s->root, &m, NULL, 0, 0) != CLUSTER_OK)
			break; /* busy: that one is for this node only */
	}
	if (s->told > 0)
		tell_later(s);
}

static void tell_due(evutil_socket_t fd, short what, void *arg)
{
	struct serve *s = arg;

	(void)fd;
	(void)what;
	s->told--;
	tell(s);
}

/* cluster-login-principals answers strangers: whoever shows it a certificate has proved nothing, and it says nothing in another gate's name. All of them are one source. */
static struct refusal of_stranger(const struct refusal *x)
{
	struct refusal out = *x;

	memset(out.person, 0, sizeof out.person);
	memset(out.jti, 0, sizeof out.jti);
	refusal_copy(out.stage, sizeof out.stage, GATE_STAGE);
	refusal_copy(out.service, sizeof out.service, "sshd");
	refusal_copy(out.rhost, sizeof out.rhost, "unknown");
	return out;
}

/* The gate does not wait for an answer. */
static bool handle_refused(struct serve *s, struct client *c, const struct agent_msg_request *q, struct agent_msg_answer *a)
{
	const struct refusal x = c->peer.uid == s->agent->owner ? q->refusal : of_stranger(&q->refusal);

	a->result = refusals_add(s->refusals, &x, NULL);
	tell(s);
	return true;
}

static bool handle_explain(struct serve *s, struct client *c, const struct agent_msg_request *q, struct agent_msg_answer *a)
{
	size_t at = 0;

	(void)c;
	a->result = refusals_find(s->refusals, q->refusal.id, &at, &a->refusal, NULL) ? CLUSTER_OK : CLUSTER_ENOTFOUND;
	return true;
}

static const struct request requests[] = {
	{ AGENT_MSG_STATUS, WHO_ANYBODY, handle_status },
	{ AGENT_MSG_SESSION_OPENED, WHO_ROOT, handle_session },
	{ AGENT_MSG_SESSION_CLOSED, WHO_ROOT, handle_session },
	{ AGENT_MSG_REDEEM, WHO_ROOT, handle_redeem },
	{ AGENT_MSG_CONFIRM, WHO_ROOT, handle_confirm },
	{ AGENT_MSG_REFUSED, WHO_GATE, handle_refused },
	{ AGENT_MSG_EXPLAIN, WHO_ROOT, handle_explain },
};

static void client_close(struct client *c)
{
	if (c->event)
		event_free(c->event);
	file_close(c->fd);
	*c = (struct client){ .fd = -1 };
}

static void client_answer(struct client *c, const struct agent_msg_answer *a)
{
	uint8_t packet[AGENT_MSG_MAX];
	size_t n;

	if (agent_msg_answer_build(a, packet, &n) != CLUSTER_OK || send(c->fd, packet, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n)
		client_close(c); /* one that does not read, or has gone */
}

static bool allowed(const struct serve *s, const struct client *c, enum who who)
{
	return who == WHO_ANYBODY || c->peer.uid == s->agent->owner || (who == WHO_GATE && c->peer.uid == s->agent->gate);
}

static void client_request(struct serve *s, struct client *c, const struct agent_msg_request *q)
{
	struct agent_msg_answer a = { .type = q->type, .result = CLUSTER_EFORMAT };
	const struct request *r = NULL;
	size_t i;

	for (i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		if (requests[i].type == q->type)
			r = &requests[i];
	}
	if (r && !allowed(s, c, r->who))
		a.result = CLUSTER_EDENIED;
	else if (r && !r->handle(s, c, q, &a))
		return;
	client_answer(c, &a);
}

static void client_ready(evutil_socket_t fd, short what, void *arg)
{
	struct serve *s = arg;
	uint8_t packet[AGENT_MSG_MAX + 1];
	struct agent_msg_request q;
	struct client *c = NULL;
	ssize_t n;
	size_t i;

	for (i = 0; i < CLIENTS_MAX; i++) {
		if (s->client[i].fd == fd)
			c = &s->client[i];
	}
	if (!c)
		return;
	n = what & EV_READ ? recv(fd, packet, sizeof packet, MSG_DONTWAIT) : 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || agent_msg_request_parse(packet, (size_t)n, &q) != CLUSTER_OK)
		client_close(c); /* gone, silent for too long, or not speaking our language */
	else
		client_request(s, c, &q);
}

static bool client_start(struct serve *s, struct client *c, int fd)
{
	const struct timeval idle = { .tv_sec = IDLE_SECONDS };
	socklen_t n = sizeof c->peer;

	*c = (struct client){ .fd = fd, .number = ++s->last_number };
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->peer, &n) != 0 || n != sizeof c->peer)
		return false;
	c->event = event_new(s->base, fd, EV_READ | EV_PERSIST, client_ready, s);
	return c->event && event_add(c->event, &idle) == 0;
}

/* A free place; if there is none, that of the client of another user who has been here longest: people cannot keep PAM out. */
static struct client *client_place(struct serve *s)
{
	struct client *oldest = NULL;
	size_t i;

	for (i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &s->client[i];

		if (c->fd < 0)
			return c;
		if (c->peer.uid != s->agent->owner && (!oldest || c->number < oldest->number))
			oldest = c;
	}
	if (oldest)
		client_close(oldest);
	return oldest;
}

static void listener_ready(evutil_socket_t listener, short what, void *arg)
{
	struct serve *s = arg;
	struct client *c;
	int fd;

	(void)what;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return; /* gone again; or out of descriptors, which the cap below prevents */
	c = client_place(s);
	if (!c)
		close(fd);
	else if (!client_start(s, c, fd))
		client_close(c);
}

static void session_answer(struct serve *s, const struct ipc_session *m)
{
	struct agent_msg_answer a = { .type = (enum agent_msg_type)m->request, .result = (enum cluster_err)m->err };
	size_t i;

	for (i = 0; i < CLIENTS_MAX; i++) {
		if (s->client[i].fd >= 0 && s->client[i].number == m->client)
			client_answer(&s->client[i], &a);
	}
}

static void root_ready(evutil_socket_t fd, short what, void *arg)
{
	struct serve *s = arg;
	int fds[IPC_FDS_MAX];
	enum cluster_err e;
	struct ipc m;
	size_t n;

	(void)what;
	e = ipc_receive(fd, &m, fds, &n);
	if (e != CLUSTER_OK) {
		s->exit_status = e == CLUSTER_EUNAVAIL ? 0 : 70;
		event_base_loopbreak(s->base);
		return;
	}
	ipc_close_fds(fds, n);
	if (m.type == IPC_STATUS) {
		s->status = m.status;
		redeem_floor(s->redeem, m.status.head_iat, time(NULL));
		tell(s);
	} else if (m.type == IPC_SESSION)
		session_answer(s, &m.session);
}

static enum cluster_err start(struct serve *s, struct diag *d)
{
	const int keep[] = { s->root, s->listener };
	enum cluster_err e;

	if ((e = sandbox_descriptors(keep, sizeof keep / sizeof keep[0], d)) != CLUSTER_OK ||
	    (e = sandbox_enter("agentd-serve", &s->agent->user, s->agent->parent, d)) != CLUSTER_OK)
		return e;
	s->redeem = redeem_new(USES_MAX, time(NULL));
	s->base = event_base_new();
	if (!s->redeem || !s->base || refusals_new(REFUSALS_MAX, REFUSALS_SHARE, &s->refusals) != CLUSTER_OK)
		return diag_set(d, CLUSTER_ENOMEM, "libevent does not start");
	s->on_listener = event_new(s->base, s->listener, EV_READ | EV_PERSIST, listener_ready, s);
	s->on_root = event_new(s->base, s->root, EV_READ | EV_PERSIST, root_ready, s);
	s->on_tell = event_new(s->base, -1, 0, tell_due, s);
	if (!s->on_listener || !s->on_root || !s->on_tell || event_add(s->on_listener, NULL) != 0 || event_add(s->on_root, NULL) != 0)
		return diag_set(d, CLUSTER_ENOMEM, "libevent does not start");
	return CLUSTER_OK;
}

int serve_process(const struct agent *a, int root, int listener)
{
	struct serve s = { .agent = a, .root = root, .listener = listener, .exit_status = 70 };
	struct diag d;
	size_t i;

	diag_clear(&d);
	for (i = 0; i < CLIENTS_MAX; i++)
		s.client[i].fd = -1;
	if (start(&s, &d) != CLUSTER_OK)
		ipc_log(root, LOG_LEVEL_ERROR, "%s", d.text);
	else if (event_base_dispatch(s.base) < 0)
		ipc_log(root, LOG_LEVEL_ERROR, "the serve process: its loop failed");
	for (i = 0; i < CLIENTS_MAX; i++)
		client_close(&s.client[i]);
	if (s.on_listener)
		event_free(s.on_listener);
	if (s.on_root)
		event_free(s.on_root);
	if (s.on_tell)
		event_free(s.on_tell);
	if (s.base)
		event_base_free(s.base);
	redeem_free(s.redeem);
	refusals_free(s.refusals);
	return s.exit_status;
}
