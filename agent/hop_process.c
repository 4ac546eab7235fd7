/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "cluster/file.h"
#include "cluster/log.h"
#include "cluster/policy.h"

#include "hop_lines.h"
#include "hop_room.h"
#include "hop_talk.h"
#include "ipc.h"
#include "private_key.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define LIFE_SECONDS (HOP_LIFE_MAX + 10)
#define REQUEST_SECONDS 10 /* for the first request to come, and for each to come whole */
#define TELL_SECONDS 5
#define HEADER 4
#define ANSWER_MAX (HOP_JUDGE_ACCOUNTS_MAX * (SSHCERT_BLOB_MAX + 64) + 64)

/*
 * The process that holds the hop key and answers on the hop socket (PROTOCOL.md 5.8). Who asks is known from the kernel before a byte is read; in which session that is, only root is asked, one
 * question at a time; may it be, is hop_judge's to say; what may be said when, hop_talk's.
 */
struct conn {
	struct bufferevent *b; /* NULL: free */
	struct event *timer;
	uint64_t number;
	struct ucred peer;
	int pidfd;
	bool waiting;          /* for root's answer to the request at the head of the input */
	int64_t since, begun;  /* when it came; when a request was first waited for that is not whole yet; 0: none is */
	struct hop_talk talk;
};

struct hopping {
	const struct agent *agent;
	int root, listener;
	struct crypto_key *key;
	struct event_base *base;
	struct event *on_listener, *on_root, *tell;
	struct hop_room room;
	struct conn conn[HOP_ROOM_ALL];
	uint64_t asked;        /* whom root has been asked about; 0: nobody */
	struct ipc_hop_counts counts, told;
	struct hop_lines lines;
	int exit_status;
};

static struct hopping hop;

static int64_t seconds(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_BOOTTIME, &t) == 0 ? (int64_t)t.tv_sec + 1 : 1;
}

static void conn_close(struct conn *c)
{
	hop_room_leave(&hop.room, (int)(c - hop.conn));
	hop.counts.now--;
	hop_talk_done(&c->talk);
	if (c->timer)
		event_free(c->timer);
	bufferevent_free(c->b);
	file_close(c->pidfd);
	memset(c, 0, sizeof *c);
}

/* ---- what is told ---- */

static void tell(const struct conn *c, const struct hop_talk_note *x)
{
	char session[ID_TEXT + 1], jti[ID_TEXT + 1];

	hop.counts.vouched += x->what == HOP_TALK_VOUCHED;
	hop.counts.refused += x->what == HOP_TALK_REFUSED;
	if (!hop_lines_says(&hop.lines, x, c->peer.uid, seconds()))
		return;
	if (x->what == HOP_TALK_VOUCHED) {
		id_text(&x->session, session);
		id_text(&x->jti, jti);
		ipc_log(hop.root, LOG_LEVEL_NOTICE, "event=hop result=vouched person=%s account=%s target=%s sid=%s jti=%s", x->person, x->account, x->target, session, jti);
	} else {
		ipc_log(hop.root, LOG_LEVEL_NOTICE, "event=hop result=refused reason=%s uid=%u target=%s%s%s", reason_word(x->reason), (unsigned int)c->peer.uid, x->target,
		    x->detail.text[0] ? " " : "", x->detail.text);
	}
}

static void tell_left_out(int64_t now)
{
	uint64_t vouched, refused;

	if (hop_lines_left(&hop.lines, now, &vouched, &refused))
		ipc_log(hop.root, LOG_LEVEL_NOTICE, "event=hop result=left_out vouched=%" PRIu64 " refused=%" PRIu64, vouched, refused);
}

static void tell_due(evutil_socket_t fd, short what, void *arg)
{
	struct ipc m;

	(void)fd;
	(void)what;
	(void)arg;
	tell_left_out(seconds());
	if (memcmp(&hop.counts, &hop.told, sizeof hop.counts) == 0)
		return;
	ipc_init(&m, IPC_HOP_COUNTS);
	m.hop_counts = hop.counts;
	if (ipc_send(hop.root, &m, NULL, 0, 0) == CLUSTER_OK)
		hop.told = hop.counts;
}

/* ---- what is installed ---- */

struct installed {
	struct trust trust;
	struct snap accounts;
	struct hop_view view;
	bool open;
	enum reason why; /* it is not */
};

/* Anew for each request that wants it: what is judged by is what is installed now. */
static void installed_open(struct installed *x)
{
	const struct node_conf *conf = &hop.agent->conf;
	struct snap_fresh fresh;
	enum cluster_err e;

	memset(x, 0, sizeof *x);
	x->view.trust = &x->trust;
	x->view.accounts = &x->accounts;
	x->view.max_stale = node_conf_max_stale(conf, NULL);
	if ((e = moment_now(&x->view.now)) != CLUSTER_OK) {
		x->why = REASON_SYSTEM;
		return;
	}
	if ((e = trust_open(conf->state, hop.agent->owner, &x->trust)) != CLUSTER_OK) {
		x->why = policy_snapshot_reason(e);
		return;
	}
	if ((e = snap_open_current(conf->state, hop.agent->owner, SNAP_ACCOUNTS, &x->accounts, &fresh)) != CLUSTER_OK) {
		x->why = policy_snapshot_reason(e);
		trust_close(&x->trust);
		return;
	}
	x->open = true;
}

static void installed_close(struct installed *x)
{
	if (!x->open)
		return;
	snap_close(&x->accounts);
	trust_close(&x->trust);
}

/* ---- requests ---- */

/* The oldest one that waits, if root has answered the one before. False: root cannot be asked. */
static bool ask_next(void)
{
	const struct conn *c = NULL;
	struct ipc m;

	for (size_t i = 0; i < HOP_ROOM_ALL && !hop.asked; i++) {
		if (hop.conn[i].waiting && (!c || hop.conn[i].number < c->number))
			c = &hop.conn[i];
	}
	if (!c)
		return true;
	ipc_init(&m, IPC_HOP_ASK);
	m.hop_ask = (struct ipc_hop_ask){ .client = c->number, .uid = c->peer.uid, .pid = c->peer.pid };
	if (ipc_send(hop.root, &m, &c->pidfd, 1, 1) != CLUSTER_OK)
		return false;
	hop.asked = c->number;
	return true;
}

static void stop(int status)
{
	hop.exit_status = status;
	event_base_loopbreak(hop.base);
}

/* The request of n bytes at the head of the input. Returns false when the connection has to go. */
static bool conn_request(struct conn *c, uint32_t n, const struct hop_caller *caller)
{
	struct evbuffer *in = bufferevent_get_input(c->b);
	const uint8_t *p = evbuffer_pullup(in, HEADER + (ev_ssize_t)n);
	struct hop_talk_request q = { .n = n, .caller = caller, .key = hop.key };
	struct installed x = { .open = false };
	enum hop_talk_step step;
	struct hop_talk_note note;
	bool ok = false;
	struct wr w;

	if (!p)
		return false;
	q.p = p + HEADER;
	if (hop_talk_judges(&c->talk, q.p, n)) {
		installed_open(&x);
		q.view = x.open ? &x.view : NULL;
		q.why = x.why;
	}
	wr_grow(&w, ANSWER_MAX);
	wr_u32(&w, 0);
	step = hop_talk_take(&c->talk, &q, &w, &note);
	installed_close(&x);
	c->waiting = step == HOP_TALK_ASK;
	if (step == HOP_TALK_ANSWERED) {
		wr_patch_u32(&w, 0, (uint32_t)(w.n - HEADER));
		tell(c, &note);
		ok = wr_end(&w) == CLUSTER_OK && evbuffer_drain(in, HEADER + n) == 0 && bufferevent_write(c->b, w.p, w.n) == 0;
	} else if (step == HOP_TALK_ASK) {
		ok = bufferevent_disable(c->b, EV_READ) == 0;
	}
	wr_done(&w);
	return ok;
}

/* When its time is up: its own, or that of a request that does not come or does not end. */
static bool set_timer(struct conn *c, bool whole)
{
	struct timeval left = { .tv_sec = 0 };
	int64_t now = seconds(), end = c->since + LIFE_SECONDS;

	c->begun = whole ? 0 : c->begun ? c->begun : now;
	if (c->begun && c->begun + REQUEST_SECONDS < end)
		end = c->begun + REQUEST_SECONDS;
	left.tv_sec = end > now ? end - now : 0;
	return event_add(c->timer, &left) == 0;
}

/* As many requests as are there whole, one after the other: the next when the answer before has been taken. `caller` is root's answer to the first. */
static void conn_go(struct conn *c, const struct hop_caller *caller)
{
	struct evbuffer *in = bufferevent_get_input(c->b), *out = bufferevent_get_output(c->b);
	bool ok = true, whole = true;
	uint8_t header[HEADER];

	while (ok && !c->waiting && evbuffer_get_length(in) > 0) {
		struct rd r = { .p = header, .n = sizeof header };
		uint32_t n;

		whole = false;
		if (evbuffer_get_length(out) > 0 || evbuffer_copyout(in, header, sizeof header) != HEADER || rd_u32(&r, &n) != CLUSTER_OK)
			break;
		ok = n > 0 && n <= SSHAGENT_MSG_MAX;
		if (ok && evbuffer_get_length(in) < HEADER + n)
			break;
		ok = ok && conn_request(c, n, caller);
		whole = true;
		caller = NULL;
	}
	if (!ok || !set_timer(c, whole))
		conn_close(c);
}

static void on_read(struct bufferevent *b, void *arg)
{
	(void)b;
	conn_go(arg, NULL);
	if (!ask_next())
		stop(70);
}

static void on_event(struct bufferevent *b, short what, void *arg)
{
	(void)b;
	(void)what;
	conn_close(arg);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	conn_close(arg);
}

static void on_caller(const struct ipc_hop_caller *m)
{
	hop.asked = 0;
	for (size_t i = 0; i < HOP_ROOM_ALL; i++) {
		struct conn *c = &hop.conn[i];

		if (!c->waiting || c->number != m->client || m->caller.uid != c->peer.uid)
			continue;
		c->waiting = false;
		if (bufferevent_enable(c->b, EV_READ) != 0)
			conn_close(c);
		else
			conn_go(c, &m->caller);
	}
	if (!ask_next())
		stop(70);
}

/* ---- connections ---- */

/* Who it is, by a descriptor that means that process for ever; a process that has gone is nobody. */
static bool identify(int fd, struct ucred *ret_peer, int *ret_pidfd)
{
	socklen_t n = sizeof *ret_peer, m = sizeof *ret_pidfd;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &n) != 0 || n != sizeof *ret_peer || ret_peer->pid <= 0)
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, ret_pidfd, &m) == 0)
		return true;
	*ret_pidfd = (int)syscall(SYS_pidfd_open, ret_peer->pid, 0); /* Linux before 6.5: of whoever has the number now */
	return *ret_pidfd >= 0;
}

static bool conn_start(struct conn *c)
{
	c->since = seconds();
	c->timer = event_new(hop.base, -1, 0, on_timer, c);
	if (!c->timer || !set_timer(c, false))
		return false;
	bufferevent_setcb(c->b, on_read, on_read, on_event, c);
	bufferevent_setwatermark(c->b, EV_READ, 0, HEADER + SSHAGENT_MSG_MAX);
	return bufferevent_enable(c->b, EV_READ | EV_WRITE) == 0;
}

static void listener_ready(evutil_socket_t listener, short what, void *arg)
{
	struct conn *c;
	struct ucred peer;
	int fd, pidfd, place;

	(void)what;
	(void)arg;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return; /* gone again; or out of descriptors, which the cap prevents */
	if (!identify(fd, &peer, &pidfd)) {
		close(fd);
		return;
	}
	place = hop_room_find(&hop.room, peer.uid);
	c = place < 0 ? NULL : &hop.conn[place];
	if (c && c->b)
		conn_close(c);
	if (c)
		c->b = bufferevent_socket_new(hop.base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c || !c->b) {
		close(fd);
		close(pidfd);
		return;
	}
	c->peer = peer;
	c->pidfd = pidfd;
	c->number = hop_room_take(&hop.room, place, peer.uid);
	hop_talk_init(&c->talk);
	hop.counts.now++;
	if (!conn_start(c))
		conn_close(c);
}

static void root_ready(evutil_socket_t fd, short what, void *arg)
{
	int fds[IPC_FDS_MAX];
	enum cluster_err e;
	struct ipc m;
	size_t n;

	(void)what;
	(void)arg;
	e = ipc_receive(fd, &m, fds, &n);
	if (e != CLUSTER_OK) {
		stop(e == CLUSTER_EUNAVAIL ? 0 : 70);
		return;
	}
	ipc_close_fds(fds, n);
	if (m.type == IPC_HOP_CALLER)
		on_caller(&m.hop_caller);
}

/* ---- the process ---- */

/* What a library does when it is first used, it does now. */
static enum cluster_err warm_up(void)
{
	struct crypto_key *key = NULL;
	uint8_t sig[CRYPTO_SIG_SIZE];
	struct crypto_pub pub;
	enum cluster_err e;

	if ((e = crypto_key_pub(hop.key, &pub)) == CLUSTER_OK && (e = crypto_sign(hop.key, "", 0, sig)) == CLUSTER_OK && (e = crypto_verify(&pub, "", 0, sig)) == CLUSTER_OK)
		e = crypto_key_new(CRYPTO_ED25519, &key);
	crypto_key_free(key);
	return e;
}

static enum cluster_err start(struct diag *d)
{
	const struct timeval every = { .tv_sec = TELL_SECONDS };
	const int keep[] = { hop.root, hop.listener };
	enum cluster_err e;

	if ((e = sandbox_descriptors(keep, sizeof keep / sizeof keep[0], d)) != CLUSTER_OK)
		return e;
	if ((e = crypto_start()) != CLUSTER_OK)
		return diag_set(d, e, "libcrypto does not start");
	if ((e = private_key_load(hop.agent, PRIVATE_KEY_HOP, &hop.key, d)) != CLUSTER_OK || (e = sandbox_enter("agentd-hop", &hop.agent->user, hop.agent->parent, d)) != CLUSTER_OK)
		return e;
	hop.base = event_base_new();
	if (!hop.base)
		return diag_set(d, CLUSTER_ENOMEM, "libevent does not start");
	if ((e = warm_up()) != CLUSTER_OK)
		return diag_set(d, e, "libcrypto does not start");
	if ((e = sandbox_filter_local(d)) != CLUSTER_OK)
		return e;
	hop.on_listener = event_new(hop.base, hop.listener, EV_READ | EV_PERSIST, listener_ready, NULL);
	hop.on_root = event_new(hop.base, hop.root, EV_READ | EV_PERSIST, root_ready, NULL);
	hop.tell = event_new(hop.base, -1, EV_PERSIST, tell_due, NULL);
	if (!hop.on_listener || !hop.on_root || !hop.tell || event_add(hop.on_listener, NULL) != 0 || event_add(hop.on_root, NULL) != 0 || event_add(hop.tell, &every) != 0)
		return diag_set(d, CLUSTER_ENOMEM, "libevent does not start");
	return CLUSTER_OK;
}

int hop_process(const struct agent *a, int root, int listener)
{
	struct event *const *events[] = { &hop.on_listener, &hop.on_root, &hop.tell };
	struct diag d;

	diag_clear(&d);
	hop = (struct hopping){ .agent = a, .root = root, .listener = listener, .exit_status = 70 };
	if (start(&d) != CLUSTER_OK)
		ipc_log(root, LOG_LEVEL_ERROR, "hop: %s", d.text);
	else if (event_base_dispatch(hop.base) < 0)
		ipc_log(root, LOG_LEVEL_ERROR, "the hop process: its loop failed");
	tell_left_out(INT64_MAX);
	for (size_t i = 0; i < HOP_ROOM_ALL; i++) {
		if (hop.conn[i].b)
			conn_close(&hop.conn[i]);
	}
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
		if (*events[i])
			event_free(*events[i]);
	}
	if (hop.base)
		event_base_free(hop.base);
	crypto_key_free(hop.key);
	return hop.exit_status;
}
