/* SPDX-License-Identifier: Apache-2.0 */
#include "care.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "cluster/log.h"
#include "cluster/moment.h"

#include "ipc.h"
#include "reporter.h"

#define GATHER_MS 200  /* several changes make one message */
#define PACE_MS 1000   /* between two messages */
#define CLOCK_MS 1000  /* until the clocks are read again */

static void arm(struct event *e, int64_t ms)
{
	const struct timeval t = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	if (event_add(e, &t) != 0)
		log_line(LOG_LEVEL_ERROR, "libevent: a timer is not set");
}

/* ---- what fetch hears ---- */

static enum cluster_err send_list(const struct care *c)
{
	struct session *list = NULL;
	enum cluster_err e;
	int fd = -1;
	struct ipc m;
	struct diag d;
	size_t n;

	diag_clear(&d);
	if ((e = sessions_list(c->sessions, &list, &n)) != CLUSTER_OK || (e = ipc_memory("sessions", list, n * sizeof *list, &fd, &d)) != CLUSTER_OK)
		goto out;
	ipc_init(&m, IPC_SESSIONS);
	e = ipc_send(*c->fetch, &m, &fd, 1, 0);
out:
	if (fd >= 0)
		ipc_close_fds(&fd, 1);
	free(list);
	return e;
}

static void tell_due(evutil_socket_t fd, short what, void *arg)
{
	struct care *c = arg;

	(void)fd;
	(void)what;
	c->told_ms = moment_ms();
	if (send_list(c) == CLUSTER_OK)
		c->told = sessions_change(c->sessions);
	else
		arm(c->tell, PACE_MS); /* it is busy */
}

static void tell(struct care *c)
{
	int64_t wait = c->told_ms + PACE_MS - moment_ms();

	if (c->told != sessions_change(c->sessions) && !event_pending(c->tell, EV_TIMEOUT, NULL))
		arm(c->tell, wait > GATHER_MS ? wait : GATHER_MS);
}

/* No more at once than fetch keeps; the others at the next look. */
static void ask(struct care *c, const struct moment *now)
{
	struct ipc m;
	size_t n = 0;

	ipc_init(&m, IPC_RENEW);
	while (n++ < REPORTER_RENEWALS_MAX && sessions_renewal(c->sessions, now, &m.renew.session, &m.renew.jti)) {
		if (ipc_send(*c->fetch, &m, NULL, 0, 0) != CLUSTER_OK)
			return; /* it is busy: asked again later */
	}
}

/* ---- looking ---- */

/* After every look: what is due next, and who has to hear of it. */
static void settle(struct care *c, const struct moment *now)
{
	int64_t ms;

	ask(c, now);
	tell(c);
	ms = sessions_next_ms(c->sessions, now);
	event_del(c->due);
	if (ms != INT64_MAX)
		arm(c->due, ms);
}

/* At all sessions, or at one. */
static void look(struct care *c, const struct cluster_id *session)
{
	const struct trust *t = publish_trust(c->publish);
	struct moment now;
	enum cluster_err e;
	struct diag d;

	diag_clear(&d);
	if (moment_now(&now) != CLUSTER_OK) {
		c->behind = true;
		arm(c->due, CLOCK_MS);
		return;
	}
	e = session ? sessions_look(c->sessions, t, &now, session, &d) : sessions_sweep(c->sessions, t, &now, &d);
	if (e != CLUSTER_OK)
		c->behind = true;
	else if (!session)
		c->behind = false;
	settle(c, &now);
}

void care_sweep(struct care *c)
{
	look(c, NULL);
}

void care_look(struct care *c, const struct cluster_id *session)
{
	look(c, session);
}

static void look_due(evutil_socket_t fd, short what, void *arg)
{
	struct care *c = arg;
	bool before = c->behind;

	(void)fd;
	(void)what;
	care_sweep(c);
	c->after(c->arg, before && !c->behind);
}

/* ---- what trust has verified ---- */

/* Its bytes come from a process that may have been taken over: lists and texts end where they must. */
static bool credential_bounded(struct credential *c)
{
	size_t i;

	if (c->n_amr > CREDENTIAL_AMR_MAX || c->n_acc > CREDENTIAL_ACC_MAX || c->n_nod > CREDENTIAL_NOD_MAX || c->n_src > CREDENTIAL_SRC_MAX)
		return false;
	for (i = 0; i < CREDENTIAL_ACC_MAX; i++)
		c->acc[i][sizeof c->acc[i] - 1] = '\0';
	for (i = 0; i < CREDENTIAL_NOD_MAX; i++)
		c->nod[i][sizeof c->nod[i] - 1] = '\0';
	for (i = 0; i < CREDENTIAL_SRC_MAX; i++)
		c->src[i][sizeof c->src[i] - 1] = '\0';
	c->issuer[sizeof c->issuer - 1] = '\0';
	return true;
}

static enum cluster_err renew(struct care *c, const struct moment *now, const struct cluster_id *session, int fd, struct diag *d)
{
	const struct trust *t = publish_trust(c->publish);
	const uint8_t *p = NULL;
	struct credential cred;
	enum cluster_err e;
	struct trust fresh;
	size_t n = 0;

	if (!t)
		return diag_set(d, CLUSTER_EUNAVAIL, "there is nothing to judge by");
	if ((e = ipc_map(fd, sizeof cred, &p, &n, d)) != CLUSTER_OK)
		return e;
	if (n == sizeof cred)
		memcpy(&cred, p, sizeof cred);
	ipc_unmap(p, n);
	if (n != sizeof cred || !credential_bounded(&cred))
		return diag_set(d, CLUSTER_EFORMAT, "what trust hands over is no credential");
	fresh = *t; /* the head may be newer than the generation */
	fresh.fresh = *publish_fresh(c->publish);
	return sessions_renew(c->sessions, &fresh, now, session, &cred, d);
}

void care_renewed(struct care *c, const struct cluster_id *session, const int *fds, size_t n_fds)
{
	struct moment now;
	struct diag d;

	diag_clear(&d);
	if (n_fds != 1 || moment_now(&now) != CLUSTER_OK)
		return;
	if (renew(c, &now, session, fds[0], &d) != CLUSTER_OK)
		log_line(LOG_LEVEL_INFO, "a session is not renewed: %s", d.text);
	settle(c, &now);
}

/* ---- start and end ---- */

enum cluster_err care_start(struct care *c, struct event_base *base)
{
	c->told = UINT64_MAX; /* also that there are none has to be said once */
	c->due = event_new(base, -1, 0, look_due, c);
	c->tell = event_new(base, -1, 0, tell_due, c);
	return c->due && c->tell ? CLUSTER_OK : CLUSTER_ENOMEM;
}

void care_stop(struct care *c)
{
	if (c->due)
		event_free(c->due);
	if (c->tell)
		event_free(c->tell);
	c->due = c->tell = NULL;
}
