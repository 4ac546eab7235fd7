/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "cluster/file.h"
#include "cluster/log.h"
#include "cluster/moment.h"
#include "cluster/quiet.h"

#include "care.h"
#include "exit_status.h"
#include "hop_answer.h"
#include "ipc.h"
#include "publish.h"
#include "revive.h"
#include "sessions.h"
#include "ssh_keep.h"
#include "start.h"
#include "vitals.h"
#include "watch.h"

#define LOCAL_SECONDS 5   /* between looks at the local account files */
#define SWEEP_SECONDS 60  /* between looks at session records without other cause */
#define STOP_SECONDS 3    /* for children to end before they are killed */
#define SNAPSHOT_MAX ((size_t)4 << 30)
#define EVENTS_MAX 16
#define SSH_REST 4        /* times as long as making the files for sshd and ssh took, until they may be made again */
#define PRIORITIES 3      /* of events: all have the middle one but what can wait */

struct supervisor {
	const struct agent *agent;
	struct publish *publish;
	struct sessions *sessions;
	struct care care;
	struct children children;
	struct watch *local;
	struct event_base *base;
	struct event *event[EVENTS_MAX];
	size_t n_events;
	struct agent_msg_status status;
	struct quiet quiet;
	struct vitals vitals;
	struct ssh_keep ssh;
	struct event *ssh_due;
	int64_t ssh_next; /* by moment_ms: not before */
	struct event *channel[CHILD_N]; /* of those that are not revived */
	struct revive revive;
	char url[IPC_URL_MAX];
	int listener, hop_listener;
	int exit_status;
	bool stopping;
};

static int64_t wall(void)
{
	return (int64_t)time(NULL);
}

/* Logs a line that may come again and again. */
static struct quiet *all_quiet;
static void say(int level, const char *line)
{
	struct timespec t;

	if (level > LOG_LEVEL_WARNING || clock_gettime(CLOCK_MONOTONIC, &t) != 0 || quiet_says(all_quiet, line, (int64_t)t.tv_sec + 1))
		log_line((enum log_level)level, "%s", line);
}

static void stop(struct supervisor *s, int status)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->exit_status = status;
	event_base_loopbreak(s->base);
}

/* ---- status for the agent socket ---- */

static void tell_status(struct supervisor *s)
{
	const struct snap_fresh *f = publish_fresh(s->publish);
	struct ipc m;

	s->status.generation = f->generation;
	s->status.head_version = f->head_version;
	s->status.head_iat = f->head_iat;
	s->status.sessions = sessions_live(s->sessions);
	s->status.closing = sessions_closing(s->sessions);
	ipc_init(&m, IPC_STATUS);
	m.status = s->status;
	if (ipc_send(s->children.channel[CHILD_SERVE], &m, NULL, 0, 0) != CLUSTER_OK)
		return; /* it hears of the next */
}

static void look(struct supervisor *s, bool head)
{
	const struct trust *installed = publish_trust(s->publish);
	struct moment now;
	struct trust t;

	if (moment_now(&now) != CLUSTER_OK)
		return;
	if (installed) {
		t = *installed;
		t.fresh = *publish_fresh(s->publish);
	}
	if (vitals_look(&s->vitals, installed ? &t : NULL, &now) || head)
		vitals_write(&s->vitals, &s->status, sessions_ended(s->sessions));
}

/* Something has looked at the sessions; `proved`: it made good what had been left undone. */
static void after_care(void *arg, bool proved)
{
	struct supervisor *s = arg;
	struct ipc m;

	tell_status(s);
	ipc_init(&m, IPC_PROVED);
	if (proved && ipc_send(s->children.channel[CHILD_TRUST], &m, NULL, 0, 0) != CLUSTER_OK)
		s->care.behind = true; /* it is busy: said after the next look */
}

static void sweep(struct supervisor *s)
{
	bool before = s->care.behind;

	care_sweep(&s->care);
	after_care(s, before && !s->care.behind);
}

/*
 * What sshd and ssh read. Nothing waits for it: who is trusted is decided by the snapshots. The loop turns to it when nothing else is to be done, and while nodes come and go all the time it
 * gets a part of the time only.
 */
static void ssh_soon(struct supervisor *s)
{
	int64_t wait = s->ssh_next - moment_ms();
	const struct timeval t = { .tv_sec = (time_t)(wait / 1000), .tv_usec = (suseconds_t)(wait % 1000 * 1000) };

	if (wait <= 0 || event_add(s->ssh_due, &t) != 0)
		event_active(s->ssh_due, EV_TIMEOUT, 0);
}

static void look_at_ssh(struct supervisor *s)
{
	const struct trust *t = publish_trust(s->publish);
	struct moment now;

	if (t && moment_now(&now) == CLUSTER_OK)
		ssh_keep_look(&s->ssh, t, now.wall);
}

static void ssh_due(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;
	int64_t begun = moment_ms();

	(void)fd;
	(void)what;
	look_at_ssh(s);
	s->ssh_next = moment_ms() + (moment_ms() - begun) * SSH_REST;
}

/* ---- trust ---- */

/* The descriptors that came with a set, as the set's three parts; *n of them are mapped. */
struct parts {
	const uint8_t *p[IPC_FDS_MAX];
	size_t n[IPC_FDS_MAX], count;
};

static enum cluster_err map_parts(const struct ipc_publish *m, const int *fds, size_t n_fds, struct publish_set *set, struct parts *parts, struct diag *d)
{
	struct publish_bytes *const bytes[IPC_FDS_MAX] = { &set->accounts, &set->trust, &set->docs };
	static const uint32_t flags[IPC_FDS_MAX] = { IPC_PUBLISH_ACCOUNTS, IPC_PUBLISH_TRUST, IPC_PUBLISH_DOCS };
	enum cluster_err e;
	size_t i;

	for (i = 0; i < IPC_FDS_MAX; i++) {
		if (!(m->flags & flags[i]))
			continue;
		if (parts->count == n_fds)
			return diag_set(d, CLUSTER_EFORMAT, "a set without its parts");
		if ((e = ipc_map(fds[parts->count], SNAPSHOT_MAX, &parts->p[parts->count], &parts->n[parts->count], d)) != CLUSTER_OK)
			return e;
		*bytes[i] = (struct publish_bytes){ .p = parts->p[parts->count], .n = parts->n[parts->count] };
		parts->count++;
	}
	set->head_version = m->head_version > INT64_MAX ? 0 : (int64_t)m->head_version;
	set->head_iat = m->head_iat;
	set->rebuilt = m->flags & IPC_PUBLISH_REBUILT;
	return CLUSTER_OK;
}

static void log_published(struct supervisor *s, bool changed, uint64_t ended)
{
	const struct snap_fresh *f = publish_fresh(s->publish);
	const struct trust *t = publish_trust(s->publish);

	if (!changed) {
		log_line(LOG_LEVEL_DEBUG, "head %llu", (unsigned long long)f->head_version);
		return;
	}
	log_line(LOG_LEVEL_INFO, "generation %llu: head %llu, keyset %lld, directory %lld, revocations %lld; %u sessions live, %llu ended",
	    (unsigned long long)f->generation, (unsigned long long)f->head_version, t ? (long long)t->self.keyset_version : 0,
	    t ? (long long)t->self.directory_version : 0, t ? (long long)t->self.revocations_version : 0, sessions_live(s->sessions), (unsigned long long)ended);
}

/* Publish, end sessions, and only then say so: what the node reports to have applied has been applied. */
static enum cluster_err put_set(struct supervisor *s, const struct ipc_publish *m, const int *fds, size_t n_fds, struct diag *d)
{
	const uint64_t ended = sessions_ended(s->sessions);
	struct parts parts = { .count = 0 };
	struct publish_set set;
	bool changed = false;
	enum cluster_err e;
	size_t i;

	memset(&set, 0, sizeof set);
	e = map_parts(m, fds, n_fds, &set, &parts, d);
	if (e == CLUSTER_OK)
		e = publish_put(s->publish, &set, &changed, d);
	if (e == CLUSTER_OK && changed) {
		sweep(s);
		ssh_soon(s);
	}
	if (e == CLUSTER_OK)
		log_published(s, changed, sessions_ended(s->sessions) - ended);
	for (i = 0; i < parts.count; i++)
		ipc_unmap(parts.p[i], parts.n[i]);
	return e;
}

/* What is installed has been damaged while we run: trust has all that it takes to make it again. */
static void mend(struct supervisor *s)
{
	struct ipc m;

	if (publish_fresh(s->publish)->generation == 0 || !publish_damaged(s->publish))
		return;
	say(LOG_LEVEL_ERROR, "the installed snapshots are damaged: they are made again");
	ipc_init(&m, IPC_AGAIN);
	if (ipc_send(s->children.channel[CHILD_TRUST], &m, NULL, 0, 0) != CLUSTER_OK)
		return; /* busy: again at the next look */
}

static void on_publish(struct supervisor *s, const struct ipc_publish *m, const int *fds, size_t n_fds)
{
	char line[IPC_TEXT_MAX + 100];
	enum cluster_err e;
	struct ipc answer;
	struct diag d;

	diag_clear(&d);
	e = put_set(s, m, fds, n_fds, &d);
	ipc_init(&answer, IPC_PUBLISHED);
	answer.published.err = (uint32_t)e;
	answer.published.unproved = s->care.behind;
	answer.published.ended = sessions_ended(s->sessions);
	ipc_text(answer.published.text, sizeof answer.published.text, d.text);
	if (e != CLUSTER_OK) {
		snprintf(line, sizeof line, "head %llu cannot be put in place, the installed one stays: %s", (unsigned long long)m->head_version, d.text);
		say(LOG_LEVEL_ERROR, line);
		publish_look(s->publish);
	}
	if (ipc_send(s->children.channel[CHILD_TRUST], &answer, NULL, 0, 0) != CLUSTER_OK)
		stop(s, 70);
	else if (e != CLUSTER_OK && !(m->flags & IPC_PUBLISH_REBUILT))
		mend(s); /* a rebuilt set that fails is not asked for again at once */
	tell_status(s);
	look(s, true);
}

/* ---- fetch ---- */

static void on_contact(struct supervisor *s, const struct ipc_contact *m)
{
	enum cluster_err e = m->err <= CLUSTER_ECONFIG ? (enum cluster_err)m->err : CLUSTER_EFORMAT;
	char line[IPC_TEXT_MAX + IPC_URL_MAX + 8];

	if (e == CLUSTER_OK) {
		if (!s->status.connected || strcmp(s->url, m->url) != 0)
			log_line(LOG_LEVEL_NOTICE, "in contact with %s", m->url);
		ipc_text(s->url, sizeof s->url, m->url);
		s->status.connected = true;
		s->status.last_contact = wall();
		s->status.last_error[0] = '\0';
	} else {
		snprintf(line, sizeof line, "%s: %s", m->url, m->text);
		ipc_text(s->status.last_error, sizeof s->status.last_error, line);
		s->status.connected = false;
		say(LOG_LEVEL_WARNING, line);
	}
	vitals_contact(&s->vitals, e, wall());
	tell_status(s);
	if (s->agent->once && (e == CLUSTER_OK || m->round))
		stop(s, exit_status(e));
}

/* ---- serve ---- */

static void on_session(struct supervisor *s, const struct ipc *m)
{
	struct ipc answer = *m;

	care_look(&s->care, &m->session.id);
	tell_status(s);
	answer.session.err = CLUSTER_OK;
	if (ipc_send(s->children.channel[CHILD_SERVE], &answer, NULL, 0, 0) != CLUSTER_OK)
		return; /* its client hears nothing, and does not wait for long */
}

/* Best effort: while fetch does not read, the authority hears of fewer refusals; this node has them all. */
static void on_refusal(const struct supervisor *s, const struct ipc *m)
{
	if (ipc_send(s->children.channel[CHILD_FETCH], m, NULL, 0, 0) != CLUSTER_OK)
		say(LOG_LEVEL_DEBUG, "a refusal is not told to the authority");
}

/* ---- hop ---- */

static void on_hop_ask(struct supervisor *s, const struct ipc_hop_ask *q, int pidfd)
{
	struct ipc answer;

	ipc_init(&answer, IPC_HOP_CALLER);
	answer.hop_caller.client = q->client;
	hop_answer(s->sessions, &s->agent->conf, q, pidfd, &answer.hop_caller.caller);
	if (ipc_send(s->children.channel[CHILD_HOP], &answer, NULL, 0, 0) != CLUSTER_OK)
		children_kill(&s->children, CHILD_HOP); /* it asks one question at a time, and does not read the answer */
}

/* ---- messages, each allowed from one place only ---- */

static void dispatch(struct supervisor *s, enum child from, const struct ipc *m, const int *fds, size_t n_fds)
{
	if (m->type == IPC_LOG)
		say(m->log.level >= LOG_LEVEL_ERROR && m->log.level <= LOG_LEVEL_DEBUG ? (int)m->log.level : LOG_LEVEL_ERROR, m->log.text);
	else if (m->type == IPC_PUBLISH && from == CHILD_TRUST)
		on_publish(s, &m->publish, fds, n_fds);
	else if (m->type == IPC_CONTACT && from == CHILD_FETCH)
		on_contact(s, &m->contact);
	else if (m->type == IPC_SESSION && from == CHILD_SERVE)
		on_session(s, m);
	else if (m->type == IPC_RENEWED && from == CHILD_TRUST)
		care_renewed(&s->care, &m->renew.session, fds, n_fds);
	else if (m->type == IPC_REFUSAL && from == CHILD_SERVE)
		on_refusal(s, m);
	else if (m->type == IPC_RELAY && from == CHILD_RELAY)
		vitals_relay(&s->vitals, &m->relay);
	else if (m->type == IPC_HOP_ASK && from == CHILD_HOP)
		on_hop_ask(s, &m->hop_ask, n_fds > 0 ? fds[0] : -1);
	else if (m->type == IPC_HOP_COUNTS && from == CHILD_HOP)
		vitals_hop(&s->vitals, &m->hop_counts);
	else {
		log_line(LOG_LEVEL_ERROR, "the %s process said what it may not say", children_name(from));
		if (revive_has(from))
			children_kill(&s->children, from);
		else
			stop(s, 70);
	}
}

static void channel_ready(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;
	int fds[IPC_FDS_MAX];
	enum cluster_err e;
	enum child from;
	struct ipc m;
	size_t n;

	(void)what;
	for (from = 0; from < CHILD_N && s->children.channel[from] != fd; from++)
		;
	if (from == CHILD_N)
		return;
	e = ipc_receive(fd, &m, fds, &n);
	if (e == CLUSTER_ENOTFOUND)
		return;
	if (e != CLUSTER_OK) { /* gone, or of no use any more: how it ended is said when it is reaped */
		if (revive_has(from))
			revive_mute(&s->revive, from);
		else
			event_del(s->channel[from]);
		children_kill(&s->children, from);
		return;
	}
	dispatch(s, from, &m, fds, n);
	ipc_close_fds(fds, n);
}

/* ---- timers and signals ---- */

static void send_local(struct supervisor *s)
{
	enum cluster_err e;
	struct ipc m;
	struct diag d;
	int fds[2];

	diag_clear(&d);
	e = watch_read(s->local, fds, &d);
	if (e == CLUSTER_ENOTFOUND)
		return; /* as before */
	if (e != CLUSTER_OK) {
		say(LOG_LEVEL_ERROR, d.text);
		return;
	}
	ipc_init(&m, IPC_LOCAL);
	if (ipc_send(s->children.channel[CHILD_TRUST], &m, fds, 2, 0) != CLUSTER_OK)
		watch_forget(s->local); /* it is busy: again at the next look */
	ipc_close_fds(fds, 2);
}

static void local_due(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_local(arg);
}

static void sweep_due(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)fd;
	(void)what;
	publish_look(s->publish);
	mend(s);
	sweep(s);
	ssh_soon(s);
}

static void vitals_due(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	look(arg, false);
}

static void signal_stop(evutil_socket_t number, short what, void *arg)
{
	(void)what;
	log_line(LOG_LEVEL_NOTICE, "stopping: signal %d", (int)number);
	stop(arg, 0);
}

static void signal_child(evutil_socket_t number, short what, void *arg)
{
	struct supervisor *s = arg;
	char how[64];
	enum child c;

	(void)number;
	(void)what;
	while (children_reap(&s->children, &c, how, sizeof how)) {
		if (revive_has(c) && !s->stopping) {
			revive_ended(&s->revive, c, how);
			continue;
		}
		if (!s->stopping)
			log_line(LOG_LEVEL_ERROR, "the %s process has ended (%s): stopping", children_name(c), how);
		stop(s, 70);
	}
}

static void not_revived(void *arg)
{
	stop(arg, 70);
}

static bool add_event(struct supervisor *s, int fd, short what, event_callback_fn call, int seconds)
{
	const struct timeval t = { .tv_sec = seconds };
	struct event *e;

	if (s->n_events == EVENTS_MAX)
		return false;
	e = event_new(s->base, fd, (short)(what | EV_PERSIST), call, s);
	if (!e)
		return false;
	s->event[s->n_events++] = e;
	return event_add(e, seconds ? &t : NULL) == 0;
}

static enum cluster_err start_loop(struct supervisor *s, struct diag *d)
{
	bool ok;
	int c;

	s->base = event_base_new();
	s->care = (struct care){ .sessions = s->sessions, .publish = s->publish, .fetch = &s->children.channel[CHILD_FETCH], .after = after_care, .arg = s };
	ok = s->base != NULL && event_base_priority_init(s->base, PRIORITIES) == 0 && (s->ssh_due = event_new(s->base, -1, 0, ssh_due, s)) != NULL &&
	    event_priority_set(s->ssh_due, PRIORITIES - 1) == 0 && care_start(&s->care, s->base) == CLUSTER_OK;
	for (c = 0; ok && c < CHILD_N; c++) {
		if (s->children.channel[c] < 0)
			continue;
		ok = add_event(s, s->children.channel[c], EV_READ, channel_ready, 0);
		s->channel[c] = ok ? s->event[s->n_events - 1] : NULL;
	}
	ok = ok && add_event(s, -1, 0, vitals_due, VITALS_SECONDS) && add_event(s, -1, 0, local_due, LOCAL_SECONDS) && add_event(s, -1, 0, sweep_due, SWEEP_SECONDS) &&
	    add_event(s, SIGTERM, EV_SIGNAL, signal_stop, 0) && add_event(s, SIGINT, EV_SIGNAL, signal_stop, 0) && add_event(s, SIGCHLD, EV_SIGNAL, signal_child, 0);
	s->revive = (struct revive){ .agent = s->agent, .children = &s->children, .hop_listener = s->hop_listener, .base = s->base, .ready = channel_ready, .say = say,
		.failed = not_revived, .arg = s };
	return ok ? revive_start(&s->revive, d) : diag_set(d, CLUSTER_ENOMEM, "libevent does not start");
}

/* ---- start and end ---- */

static enum cluster_err prepare(struct supervisor *s, struct diag *d)
{
	const struct agent *a = s->agent;
	const struct sessions_conf conf = { .run_dir = a->conf.run, .owner = a->owner, .grace_ms = (unsigned int)a->conf.kill_grace_ms,
		.notice = (int64_t)a->conf.expiry_notice, .log = say };
	enum cluster_err e;

	if ((e = start_lock(a->conf.state, d)) != CLUSTER_OK || (e = file_mkdir(a->conf.run, 0755, d)) != CLUSTER_OK ||
	    (e = publish_open(a->conf.state, a->owner, &a->enrolled.cluster, &a->enrolled.node, &s->publish, d)) != CLUSTER_OK ||
	    (e = sessions_new(&conf, &s->sessions, d)) != CLUSTER_OK || (e = watch_new(a->conf.passwd, a->conf.group, &s->local, d)) != CLUSTER_OK)
		return e;
	if ((e = start_listen(a->conf.run, SERVE_SOCKET, SOCK_SEQPACKET, &s->listener, d)) != CLUSTER_OK || a->once || !a->conf.hop)
		return e;
	return start_listen(a->conf.run, HOP_SOCKET, SOCK_STREAM, &s->hop_listener, d);
}

static void release(struct supervisor *s)
{
	size_t i;

	children_stop(&s->children, STOP_SECONDS);
	for (i = 0; i < s->n_events; i++)
		event_free(s->event[i]);
	if (s->ssh_due)
		event_free(s->ssh_due);
	revive_stop(&s->revive);
	care_stop(&s->care);
	if (s->base)
		event_base_free(s->base);
	watch_free(s->local);
	sessions_free(s->sessions);
	publish_close(s->publish);
}

int supervise(struct agent *a)
{
	struct supervisor s = { .agent = a, .exit_status = 70, .listener = -1, .hop_listener = -1 };
	struct assemble_floor floor;
	enum cluster_err e;
	struct diag d;

	diag_clear(&d);
	all_quiet = &s.quiet;
	vitals_init(&s.vitals, &a->conf, AGENT_VERSION, say);
	s.ssh = (struct ssh_keep){ .state_dir = a->conf.state, .run_dir = a->conf.hop ? a->conf.run : NULL, .owner = a->owner, .log = say };
	children_init(&s.children);
	a->parent = getpid();
	if ((e = prepare(&s, &d)) != CLUSTER_OK)
		goto out;
	floor = publish_floor(s.publish);
	if ((e = children_start(&s.children, a, s.listener, &floor, &d)) != CLUSTER_OK || (e = start_loop(&s, &d)) != CLUSTER_OK)
		goto out;
	log_line(LOG_LEVEL_NOTICE, "node %s, %s; generation %llu, head %llu%s", a->enrolled.name, a->enrolled.pin_text, (unsigned long long)publish_fresh(s.publish)->generation,
	    (unsigned long long)publish_fresh(s.publish)->head_version, publish_fresh(s.publish)->generation && publish_damaged(s.publish) ? ", damaged" : "");
	send_local(&s);
	sweep(&s);
	ssh_soon(&s);
	if (event_base_dispatch(s.base) < 0)
		log_line(LOG_LEVEL_ERROR, "the main loop failed");
	look_at_ssh(&s); /* the loop may have ended before it came to that */
out:
	if (e != CLUSTER_OK) {
		log_line(LOG_LEVEL_ERROR, "%s", d.text);
		s.exit_status = e == CLUSTER_EUNAVAIL ? 75 : exit_status(e);
	}
	start_unlisten(a->conf.run, SERVE_SOCKET, s.listener);
	start_unlisten(a->conf.run, HOP_SOCKET, s.hop_listener);
	if (s.listener >= 0)
		metrics_remove(a->conf.run);
	release(&s);
	return s.exit_status;
}
