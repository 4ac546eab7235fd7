/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise_part.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/log.h"
#include "cluster/moment.h"

#include "exit_status.h"
#include "start.h"

#define LOCAL_SECONDS 5   /* between looks at the local account files */
#define SWEEP_SECONDS 60  /* between looks at session records without other cause */
#define STOP_SECONDS 3    /* for children to end before they are killed */
#define SSH_REST 4        /* times as long as making the files for sshd and ssh took, until they may be made again */
#define PRIORITIES 3      /* of events: all have the middle one but what can wait */

static struct quiet *all_quiet;

void supervise_say(int level, const char *line)
{
	if (level > LOG_LEVEL_WARNING || quiet_says(all_quiet, line, moment_ms() / 1000 + 1))
		log_line((enum log_level)level, "%s", line);
}

void supervise_stop(struct supervisor *s, int status)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->exit_status = status;
	event_base_loopbreak(s->base);
}

/* ---- what it does of itself ---- */

void supervise_tell_status(struct supervisor *s)
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

void supervise_vitals(struct supervisor *s, bool head)
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

	supervise_tell_status(s);
	ipc_init(&m, IPC_PROVED);
	if (proved && ipc_send(s->children.channel[CHILD_TRUST], &m, NULL, 0, 0) != CLUSTER_OK)
		s->care.behind = true; /* it is busy: said after the next look */
}

void supervise_sweep(struct supervisor *s)
{
	bool before = s->care.behind;

	care_sweep(&s->care);
	after_care(s, before && !s->care.behind);
}

void supervise_ssh_soon(struct supervisor *s)
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

/* Trust has all that it takes. */
void supervise_mend(struct supervisor *s)
{
	struct ipc m;

	if (publish_fresh(s->publish)->generation == 0 || !publish_damaged(s->publish))
		return;
	supervise_say(LOG_LEVEL_ERROR, "the installed snapshots are damaged: they are made again");
	ipc_init(&m, IPC_AGAIN);
	if (ipc_send(s->children.channel[CHILD_TRUST], &m, NULL, 0, 0) != CLUSTER_OK)
		return; /* busy: again at the next look */
}

/* ---- the loop ---- */

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
	supervise_heard(s, from, &m, fds, n);
	ipc_close_fds(fds, n);
}

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
		supervise_say(LOG_LEVEL_ERROR, d.text);
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
	supervise_mend(s);
	supervise_sweep(s);
	supervise_ssh_soon(s);
}

static void vitals_due(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	supervise_vitals(arg, false);
}

static void signal_stop(evutil_socket_t number, short what, void *arg)
{
	(void)what;
	log_line(LOG_LEVEL_NOTICE, "stopping: signal %d", (int)number);
	supervise_stop(arg, 0);
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
		supervise_stop(s, 70);
	}
}

static void not_revived(void *arg)
{
	supervise_stop(arg, 70);
}

static bool add_event(struct supervisor *s, int fd, short what, event_callback_fn call, int seconds)
{
	const struct timeval t = { .tv_sec = seconds };
	struct event *e;

	if (s->n_events == SUPERVISE_EVENTS_MAX)
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
	s->revive = (struct revive){ .agent = s->agent, .children = &s->children, .hop_listener = s->hop_listener, .base = s->base, .ready = channel_ready, .say = supervise_say,
		.failed = not_revived, .arg = s };
	return ok ? revive_start(&s->revive, d) : diag_set(d, CLUSTER_ENOMEM, "libevent does not start");
}

/* ---- start and end ---- */

static enum cluster_err prepare(struct supervisor *s, struct diag *d)
{
	const struct agent *a = s->agent;
	const struct sessions_conf conf = { .run_dir = a->conf.run, .owner = a->owner, .grace_ms = (unsigned int)a->conf.kill_grace_ms,
		.notice = (int64_t)a->conf.expiry_notice, .log = supervise_say };
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
	vitals_init(&s.vitals, &a->conf, AGENT_VERSION, supervise_say);
	s.ssh = (struct ssh_keep){ .state_dir = a->conf.state, .run_dir = a->conf.hop ? a->conf.run : NULL, .owner = a->owner, .log = supervise_say };
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
	supervise_sweep(&s);
	supervise_ssh_soon(&s);
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
