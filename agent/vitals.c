/* SPDX-License-Identifier: Apache-2.0 */
#include "vitals.h"

#include <stdio.h>
#include <string.h>

#include "cluster/log.h"
#include "cluster/policy.h"

#define SUDO "sudo"

void vitals_init(struct vitals *v, const struct node_conf *conf, const char *version, void (*log)(int level, const char *line))
{
	memset(v, 0, sizeof *v);
	v->conf = conf;
	v->log = log;
	v->m.version = version;
	v->m.relay = conf->relay_listen.n > 0;
	v->m.hop = conf->hop;
}

void vitals_contact(struct vitals *v, enum cluster_err e, int64_t wall)
{
	if (e == CLUSTER_OK) {
		v->m.polls++;
		v->m.last_contact = wall;
	} else if ((int)e > 0 && (int)e < METRICS_ERRORS) {
		v->m.refused[e]++;
	}
	v->m.connected = e == CLUSTER_OK;
}

void vitals_hop(struct vitals *v, const struct ipc_hop_counts *h)
{
	v->m.hop_now = h->now;
	v->m.hop_vouched = h->vouched;
	v->m.hop_refused = h->refused;
}

void vitals_relay(struct vitals *v, const struct ipc_relay *r)
{
	v->m.relay_now = r->now;
	v->m.relay_accepted = r->accepted;
	v->m.relay_refused = r->refused;
	v->m.relay_failed = r->failed;
}

static void say(struct vitals *v, enum vitals_state state, const struct policy_age *a, const char *detail)
{
	char line[DIAG_TEXT_MAX + 80], age[40], limit[40];

	moment_span(a->wall > a->boot ? a->wall : a->boot, age, sizeof age);
	moment_span(a->limit, limit, sizeof limit);
	switch (state) {
	case VITALS_WELL:
		snprintf(line, sizeof line, "the head is fresh again: %s old", age);
		v->log(LOG_LEVEL_NOTICE, line);
		break;
	case VITALS_OLD:
		snprintf(line, sizeof line, "the newest head is %s old: at %s this node lets no cluster people in", age, limit);
		v->log(LOG_LEVEL_WARNING, line);
		break;
	case VITALS_REFUSING:
		snprintf(line, sizeof line, "this node lets no cluster people in: %s", detail);
		v->log(LOG_LEVEL_ERROR, line);
		break;
	}
	v->state = state;
}

bool vitals_look(struct vitals *v, const struct trust *t, const struct moment *now)
{
	enum vitals_state state;
	struct policy_age a;
	enum reason r;
	struct diag d;
	bool due;

	diag_clear(&d);
	v->m.has_age = t != NULL;
	v->m.fresh = false;
	v->m.written = now->wall;
	due = v->written == 0 || now->boot < v->written || now->boot - v->written >= VITALS_WRITE_SECONDS;
	v->written = due ? now->boot : v->written;
	if (!t)
		return due;
	a = policy_age(t, now, node_conf_max_stale(v->conf, NULL));
	r = policy_fresh(t, now, node_conf_max_stale(v->conf, NULL), &d);
	v->m.fresh = r == REASON_OK;
	v->m.age_wall = a.wall;
	v->m.age_boot = a.boot;
	v->m.age_limit = a.limit;
	v->m.age_limit_sudo = policy_age(t, now, node_conf_max_stale(v->conf, SUDO)).limit;
	v->m.revocations = t->self.revocations_version;
	state = r != REASON_OK ? VITALS_REFUSING : policy_age_warns(&a) ? VITALS_OLD : VITALS_WELL;
	if (state == v->state)
		return due;
	say(v, state, &a, d.text);
	return true;
}

void vitals_write(struct vitals *v, const struct agent_msg_status *s, uint64_t ended)
{
	struct diag d;

	diag_clear(&d);
	v->m.generation = s->generation;
	v->m.head_version = s->head_version;
	v->m.head_iat = s->head_iat;
	v->m.sessions = s->sessions;
	v->m.sessions_ended = ended;
	if (metrics_store(v->conf->run, &v->m, &d) != CLUSTER_OK)
		v->log(LOG_LEVEL_WARNING, d.text);
}
