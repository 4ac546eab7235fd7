/* SPDX-License-Identifier: Apache-2.0 */
#include "sessions.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/file.h"
#include "cluster/log.h"
#include "cluster/policy.h"

#include "sessions_part.h"

#define AGAIN_MS 1000        /* after a look that left something undone */
#define ASK_SECONDS 20       /* between two looks for a newer credential */
#define LAST_WORDS_MS 25     /* for sshd to pass on why a session ends, before it is ended itself */
#define LONGEST_MS 60000     /* clocks are set */

void sessions_say(const struct sessions *s, int level, const char *fmt, ...)
{
	char line[SESSIONS_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	s->conf.log(level, line);
}

void sessions_fail(const struct sessions *s, enum cluster_err *e, struct diag *d, enum cluster_err found, const char *text)
{
	sessions_say(s, LOG_LEVEL_ERROR, "%s", text);
	if (*e == CLUSTER_OK)
		*e = diag_set(d, found, "%s", text);
}

enum cluster_err sessions_new(const struct sessions_conf *conf, struct sessions **ret, struct diag *d)
{
	struct sessions *s = calloc(1, sizeof *s);
	enum cluster_err e;

	if (!s)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	s->conf = *conf;
	if ((e = file_join(s->dir, sizeof s->dir, conf->run_dir, "sessions")) != CLUSTER_OK)
		diag_set(d, e, "%s: the path is too long", conf->run_dir);
	else
		e = file_mkdir(s->dir, 0700, d);
	if (e != CLUSTER_OK) {
		free(s);
		return e;
	}
	*ret = s;
	return CLUSTER_OK;
}

void sessions_free(struct sessions *s)
{
	if (!s)
		return;
	free(s->entry);
	free(s);
}

static uint32_t count(const struct sessions *s, bool closed)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		n += (s->entry[i].s.closed != 0) == closed;
	return n;
}

uint32_t sessions_live(const struct sessions *s)
{
	return count(s, false);
}

uint32_t sessions_closing(const struct sessions *s)
{
	return count(s, true);
}

uint64_t sessions_ended(const struct sessions *s)
{
	return s->ended;
}

uint64_t sessions_change(const struct sessions *s)
{
	return s->change;
}

enum cluster_err sessions_list(const struct sessions *s, struct session **ret, size_t *ret_n)
{
	struct session *list = calloc(s->n + 1, sizeof *list);
	size_t i;

	if (!list)
		return CLUSTER_ENOMEM;
	for (i = 0; i < s->n; i++)
		list[i] = s->entry[i].s;
	*ret = list;
	*ret_n = s->n;
	return CLUSTER_OK;
}

/* Is a process left by which a closed session can still be told? */
static bool any_left(const struct sessions *s, const struct entry *x, struct processes *p)
{
	struct ending_target target = sessions_target(s, x);
	size_t i;

	if (!target.by_audit)
		return false;
	processes_once(p);
	for (i = 0; i < p->n; i++) {
		if (session_has(&x->s, p->p[i].pid, &p->p[i].facts) && (target.until == 0 || p->p[i].facts.start < target.until))
			return true;
	}
	return p->incomplete;
}

/* The leader has gone without a word to us, and something is left. */
static void mark_closed(struct sessions *s, struct entry *x, const struct moment *now)
{
	struct diag d;

	diag_clear(&d);
	x->s.closed = now->wall > 0 ? now->wall : 1;
	s->change++;
	if (session_store(s->dir, &x->s, &d) != CLUSTER_OK)
		sessions_say(s, LOG_LEVEL_WARNING, "%s", d.text); /* this table knows; who comes after finds out as we did */
}

/* Drops the entries of which nothing lives any more; marks those as closed that have only lost their leader. */
static void bury(struct sessions *s, const struct moment *now, struct processes *p)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		struct entry *x = &s->entry[i];

		if (!x->look || (x->s.closed == 0 && id_equal(&x->s.boot_id, &now->boot_id) && sessions_leader_alive(&x->s)))
			continue;
		if (!id_equal(&x->s.boot_id, &now->boot_id) || !any_left(s, x, p))
			sessions_records_drop(s, x);
		else if (x->s.closed == 0)
			mark_closed(s, x, now);
	}
	sessions_records_compact(s);
}

/* Has everything of a doomed session ended? */
static bool is_over(const struct sessions *s, const struct entry *x, struct processes *p)
{
	return !sessions_leader_alive(&x->s) && !any_left(s, x, p);
}

static enum cluster_err end_doomed(struct sessions *s, struct diag *d)
{
	struct ending_target *targets = calloc(s->n + 1, sizeof *targets);
	struct processes p = { .p = NULL };
	enum cluster_err e = CLUSTER_OK;
	size_t i, doomed = 0, left;
	char line[100];

	if (!targets) {
		sessions_fail(s, &e, d, CLUSTER_ENOMEM, "out of memory: sessions that must end live on");
		return e;
	}
	for (i = 0; i < s->n; i++) {
		if (s->entry[i].doomed)
			targets[doomed++] = sessions_target(s, &s->entry[i]);
	}
	if (s->last_words > 0)
		nanosleep(&(struct timespec){ .tv_nsec = LAST_WORDS_MS * 1000000L }, NULL);
	s->last_words = 0;
	left = ending_run(targets, doomed, s->conf.grace_ms);
	if (left > 0) {
		snprintf(line, sizeof line, "%zu processes of ended sessions cannot be killed", left);
		sessions_fail(s, &e, d, CLUSTER_ESYSTEM, line);
	}
	for (i = 0; i < s->n; i++) {
		struct entry *x = &s->entry[i];

		/* what could not be ended is tried again at the next look */
		if (x->doomed && (left == 0 || is_over(s, x, &p))) {
			sessions_records_drop(s, x);
			s->ended++;
		}
	}
	sessions_records_compact(s);
	processes_done(&p);
	free(targets);
	return e;
}

/* What follows the reading: bury, judge, end. `e` and d: what has failed so far. */
static enum cluster_err proceed(struct sessions *s, const struct trust *t, const struct moment *now, enum cluster_err e, struct diag *d)
{
	struct processes p = { .p = NULL };
	enum cluster_err more;
	size_t i, doomed = 0;
	struct diag what;

	diag_clear(&what);
	bury(s, now, &p);
	if ((more = sessions_judge(s, t, now, &p, &what)) != CLUSTER_OK && e == CLUSTER_OK)
		e = diag_set(d, more, "%s", what.text);
	for (i = 0; i < s->n; i++)
		doomed += s->entry[i].doomed;
	if (doomed > 0 && (more = end_doomed(s, &what)) != CLUSTER_OK && e == CLUSTER_OK)
		e = diag_set(d, more, "%s", what.text);
	processes_done(&p);
	s->failed = e != CLUSTER_OK;
	return e;
}

enum cluster_err sessions_sweep(struct sessions *s, const struct trust *t, const struct moment *now, struct diag *d)
{
	enum cluster_err e = sessions_records_all(s, now, d);

	s->patience++;
	return proceed(s, t, now, e, d);
}

enum cluster_err sessions_look(struct sessions *s, const struct trust *t, const struct moment *now, const struct cluster_id *id, struct diag *d)
{
	enum cluster_err e = sessions_records_one(s, id, d);

	s->patience = 0;
	if (e != CLUSTER_OK)
		sessions_say(s, LOG_LEVEL_ERROR, "%s", d->text);
	return proceed(s, t, now, e, d);
}

/* Closing sessions are looked at soon after they closed, and then ever more rarely. */
static int64_t patience_ms(const struct sessions *s)
{
	static const int64_t steps[] = { 30, 60, 120, 250, 500, 1000, 2000, 5000, 10000, 30000 };
	const size_t n = sizeof steps / sizeof *steps;

	return sessions_closing(s) == 0 ? INT64_MAX : s->patience < n ? steps[s->patience] : LONGEST_MS;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t sessions_next_ms(const struct sessions *s, const struct moment *now)
{
	int64_t ms = earlier(s->failed ? AGAIN_MS : INT64_MAX, patience_ms(s)), at = INT64_MAX, next;
	size_t i;

	for (i = 0; i < s->n; i++) {
		const struct entry *x = &s->entry[i];

		if (session_due(&x->s, now->wall, s->conf.notice, &next) == SESSION_DUE_NOTICE && x->s.closed == 0 && (!x->noticed || sessions_renewable(&x->s)))
			next = earlier(next, x->noticed && x->asked ? x->asked + ASK_SECONDS : now->wall + 1);
		at = earlier(at, next);
	}
	if (at != INT64_MAX)
		ms = earlier(ms, at <= now->wall ? AGAIN_MS : at - now->wall > LONGEST_MS / 1000 ? LONGEST_MS : (at - now->wall) * 1000);
	return ms;
}

/* Who has waited longest, so that whatever is asked for some is not kept from others. */
bool sessions_renewal(struct sessions *s, const struct moment *now, struct cluster_id *ret_session, struct cluster_id *ret_jti)
{
	struct entry *first = NULL;
	int64_t next;
	size_t i;

	for (i = 0; i < s->n; i++) {
		struct entry *x = &s->entry[i];

		if (x->asked > now->wall)
			x->asked = 0; /* the clock was set back */
		if (x->s.closed != 0 || !sessions_renewable(&x->s) || session_due(&x->s, now->wall, s->conf.notice, &next) != SESSION_DUE_NOTICE || (x->asked != 0 && now->wall - x->asked < ASK_SECONDS))
			continue;
		if (!first || x->asked < first->asked)
			first = x;
	}
	if (!first)
		return false;
	first->asked = now->wall;
	*ret_session = first->s.id;
	*ret_jti = first->s.jti;
	return true;
}

static enum cluster_err renewed_ok(const struct trust *t, const struct moment *now, const struct session *x, const struct credential *c, int64_t *ret_exp, struct diag *d)
{
	struct policy_request q = { .class = POLICY_LOGIN, .account = x->account, .now = now, .source = x->rhost[0] ? x->rhost : NULL, .credential = c };
	struct policy_answer a;

	if (!id_equal(&c->person, &x->person) || !id_equal(&c->device, &x->device))
		return diag_set(d, CLUSTER_EDENIED, "the newer credential is another person's or device's");
	if (policy_decide(t, &q, &a) != REASON_OK)
		return diag_set(d, CLUSTER_EDENIED, "the newer credential does not open this account here: %s", reason_word(a.reason));
	*ret_exp = policy_session_end(c, &a.grant);
	if (*ret_exp <= x->exp)
		return diag_set(d, CLUSTER_EDENIED, "the newer credential ends no later");
	return CLUSTER_OK;
}

enum cluster_err sessions_renew(struct sessions *s, const struct trust *t, const struct moment *now, const struct cluster_id *session, const struct credential *c, struct diag *d)
{
	struct entry *x = sessions_records_find(s, session);
	struct processes p = { .p = NULL };
	struct ending_target target;
	struct session renewed;
	enum cluster_err e;

	if (!x || x->s.closed != 0 || !x->s.end_at_expiry || !sessions_renewable(&x->s))
		return diag_set(d, CLUSTER_ENOTFOUND, "no session waits for this credential");
	renewed = x->s;
	if ((e = renewed_ok(t, now, &x->s, c, &renewed.exp, d)) != CLUSTER_OK)
		return e;
	renewed.iat = c->iat;
	renewed.jti = c->jti;
	memset(renewed.issuer, 0, sizeof renewed.issuer);
	memcpy(renewed.issuer, c->issuer, strlen(c->issuer));
	if ((e = session_store(s->dir, &renewed, d)) != CLUSTER_OK)
		return e;
	x->s = renewed;
	x->noticed = false;
	x->asked = 0;
	s->change++;
	target = sessions_target(s, x);
	ending_tell(&p, &target, "\r\ncluster login: a newer credential has been found, and your session goes on.\r\n");
	processes_done(&p);
	sessions_say(s, LOG_LEVEL_NOTICE, "a session as %s (process %u) goes on with a newer credential until %lld", x->s.account, x->s.pid, (long long)x->s.exp);
	return CLUSTER_OK;
}
