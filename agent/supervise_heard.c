/* SPDX-License-Identifier: Apache-2.0 */
#include "supervise_part.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cluster/log.h"

#include "exit_status.h"
#include "hop_answer.h"

#define SNAPSHOT_MAX ((size_t)4 << 30)

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

/* Publish, and end sessions. */
static enum cluster_err put_set(struct supervisor *s, const struct publish_set *set, struct diag *d)
{
	const uint64_t ended = sessions_ended(s->sessions);
	bool changed = false;
	enum cluster_err e;

	if ((e = publish_put(s->publish, set, &changed, d)) != CLUSTER_OK)
		return e;
	if (changed) {
		supervise_sweep(s);
		supervise_ssh_soon(s);
	}
	log_published(s, changed, sessions_ended(s->sessions) - ended);
	return CLUSTER_OK;
}

static void answer_publish(struct supervisor *s, const struct ipc_publish *m, enum cluster_err e, const struct diag *d)
{
	char line[IPC_TEXT_MAX + 100];
	struct ipc answer;

	ipc_init(&answer, IPC_PUBLISHED);
	answer.published.err = (uint32_t)e;
	answer.published.unproved = s->care.behind;
	answer.published.ended = sessions_ended(s->sessions);
	ipc_text(answer.published.text, sizeof answer.published.text, d->text);
	if (e != CLUSTER_OK) {
		snprintf(line, sizeof line, "head %llu cannot be put in place, the installed one stays: %s", (unsigned long long)m->head_version, d->text);
		supervise_say(LOG_LEVEL_ERROR, line);
		publish_look(s->publish);
	}
	if (ipc_send(s->children.channel[CHILD_TRUST], &answer, NULL, 0, 0) != CLUSTER_OK)
		supervise_stop(s, 70);
	else if (e != CLUSTER_OK && !(m->flags & IPC_PUBLISH_REBUILT))
		supervise_mend(s); /* a rebuilt set that fails is not asked for again at once */
	supervise_tell_status(s);
	supervise_vitals(s, true);
}

/* What the node says that it has applied has been applied; and what can wait comes after that has been said. */
static void on_publish(struct supervisor *s, const struct ipc_publish *m, const int *fds, size_t n_fds)
{
	struct parts parts = { .count = 0 };
	struct publish_set set;
	enum cluster_err e;
	struct diag d;
	size_t i;

	diag_clear(&d);
	memset(&set, 0, sizeof set);
	if ((e = map_parts(m, fds, n_fds, &set, &parts, &d)) == CLUSTER_OK)
		e = put_set(s, &set, &d);
	answer_publish(s, m, e, &d);
	if (e == CLUSTER_OK)
		publish_tidy(s->publish, &set);
	for (i = 0; i < parts.count; i++)
		ipc_unmap(parts.p[i], parts.n[i]);
}

/* ---- fetch ---- */

static int64_t wall(void)
{
	return (int64_t)time(NULL);
}

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
		supervise_say(LOG_LEVEL_WARNING, line);
	}
	vitals_contact(&s->vitals, e, wall());
	supervise_tell_status(s);
	if (s->agent->once && (e == CLUSTER_OK || m->round))
		supervise_stop(s, exit_status(e));
}

/* ---- serve ---- */

static void on_session(struct supervisor *s, const struct ipc *m)
{
	struct ipc answer = *m;

	care_look(&s->care, &m->session.id);
	supervise_tell_status(s);
	answer.session.err = CLUSTER_OK;
	if (ipc_send(s->children.channel[CHILD_SERVE], &answer, NULL, 0, 0) != CLUSTER_OK)
		return; /* its client hears nothing, and does not wait for long */
}

/* Best effort: while fetch does not read, the authority hears of fewer refusals; this node has them all. */
static void on_refusal(const struct supervisor *s, const struct ipc *m)
{
	if (ipc_send(s->children.channel[CHILD_FETCH], m, NULL, 0, 0) != CLUSTER_OK)
		supervise_say(LOG_LEVEL_DEBUG, "a refusal is not told to the authority");
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

/* ---- all ---- */

void supervise_heard(struct supervisor *s, enum child from, const struct ipc *m, const int *fds, size_t n_fds)
{
	if (m->type == IPC_LOG)
		supervise_say(m->log.level >= LOG_LEVEL_ERROR && m->log.level <= LOG_LEVEL_DEBUG ? (int)m->log.level : LOG_LEVEL_ERROR, m->log.text);
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
			supervise_stop(s, 70);
	}
}
