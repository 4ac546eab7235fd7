/* SPDX-License-Identifier: Apache-2.0 */
#include "sessions_part.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cluster/log.h"
#include "cluster/policy.h"
#include "cluster/snap.h"

/* What is to become of each session. */

#define YOUNG_SECONDS 10

bool sessions_of_machine(const struct session *x)
{
	return x->kind == SESSION_HOP && x->hops == 0;
}

bool sessions_renewable(const struct session *x)
{
	return x->kind != SESSION_HOP;
}

bool sessions_leader_alive(const struct session *x)
{
	struct session_facts f;
	enum cluster_err e = session_facts_read((pid_t)x->pid, &f);

	return e == CLUSTER_ESYSTEM || (e == CLUSTER_OK && f.start == x->start && !f.ended);
}

static bool has_audit(pid_t pid, uint32_t audit)
{
	struct session_facts f;

	return session_facts_read(pid, &f) == CLUSTER_OK && f.audit == audit;
}

/*
 * Is the audit id this session's alone? PAM records it only then. Yet never the agent's own or that of the first process, and while the leader lives it must have it, and the
 * process above it must not. Another record with the same id (the kernel's counter came round) parts the processes by the time they started.
 */
static bool audit_is_own(const struct sessions *s, const struct session *x, uint64_t *ret_until)
{
	struct session_facts leader;
	enum cluster_err e;
	size_t i;

	if (x->audit == SESSION_NO_AUDIT || has_audit(getpid(), x->audit) || has_audit(1, x->audit))
		return false;
	e = session_facts_read((pid_t)x->pid, &leader);
	if (e != CLUSTER_OK && e != CLUSTER_ENOTFOUND)
		return false;
	if (e == CLUSTER_OK && leader.start == x->start && (leader.audit != x->audit || (leader.parent > 0 && has_audit(leader.parent, x->audit))))
		return false;
	for (*ret_until = 0, i = 0; i < s->n; i++) {
		const struct session *o = &s->entry[i].s;

		if (o->audit != x->audit || (o->pid == x->pid && o->start == x->start) || !id_equal(&o->boot_id, &x->boot_id))
			continue;
		if (o->start == x->start)
			return false;
		if (o->start > x->start && (*ret_until == 0 || o->start < *ret_until))
			*ret_until = o->start;
	}
	return true;
}

struct ending_target sessions_target(const struct sessions *s, const struct entry *x)
{
	struct ending_target t = { .leader = (pid_t)x->s.pid, .start = x->s.start, .audit = x->s.audit };

	t.by_audit = audit_is_own(s, &x->s, &t.until);
	return t;
}

static void describe(const struct session *x, char dst[200])
{
	char person[ID_TEXT + 1], id[ID_TEXT + 1], source[ID_TEXT + 1], via[ID_TEXT + 20] = "";

	id_text(&x->person, person);
	id_text(&x->id, id);
	id_text(&x->source, source);
	if (x->kind == SESSION_HOP)
		snprintf(via, sizeof via, ", from node %s", source);
	snprintf(dst, 200, "session %s of %s%s as %s (%s, process %u%s)", id, sessions_of_machine(x) ? "nobody" : "person ", sessions_of_machine(x) ? "" : person, x->account, x->service, x->pid, via);
}

/* A verdict is told once; another one of the same session, by another revocation, is told again. */
static bool tell_once(struct entry *x, enum reason r, const char *detail)
{
	uint64_t verdict = snap_hash(detail, strlen(detail), (uint64_t)r) | 1;

	if (x->told == verdict)
		return false;
	x->told = verdict;
	return true;
}

static size_t tell(struct sessions *s, const struct entry *x, struct processes *p, const char *line)
{
	const struct ending_target target = sessions_target(s, x);

	return ending_tell(p, &target, line);
}

static void doom(struct sessions *s, struct entry *x, struct processes *p, enum reason r, const char *detail)
{
	char who[200], line[SESSIONS_LINE_MAX];

	x->doomed = true;
	describe(&x->s, who);
	sessions_say(s, LOG_LEVEL_NOTICE, "%s ends: %s (%s)", who, reason_word(r), detail[0] ? detail : reason_text(r));
	snprintf(line, sizeof line, "\r\ncluster login: this session ends now: %s.\r\n", reason_text(r));
	s->last_words += tell(s, x, p, line);
}

/* A session that must not go on: ended, or told, as its grant says. Whom an administrator names is ended in any case. */
static void sentence(struct sessions *s, struct entry *x, struct processes *p, const struct policy_answer *a)
{
	enum directory_on_revoke what = a->reason == REASON_REVOKED_SESSION ? DIRECTORY_END : x->s.on_revoke;
	char who[200], line[SESSIONS_LINE_MAX];

	describe(&x->s, who);
	switch (what) {
	case DIRECTORY_END:
		doom(s, x, p, a->reason, a->detail.text);
		return;
	case DIRECTORY_WARN:
		if (!tell_once(x, a->reason, a->detail.text))
			return;
		sessions_say(s, LOG_LEVEL_NOTICE, "%s is warned and lives on, as its grant says: %s", who, reason_word(a->reason));
		snprintf(line, sizeof line, "\r\ncluster login: %s. Please end this session.\r\n", reason_text(a->reason));
		tell(s, x, p, line);
		return;
	case DIRECTORY_KEEP:
		if (tell_once(x, a->reason, a->detail.text))
			sessions_say(s, LOG_LEVEL_NOTICE, "%s lives on, as its grant says: %s", who, reason_word(a->reason));
		return;
	}
}

/* A session that has just been opened has no terminal yet: it is told at the next look. */
static void announce(struct sessions *s, struct entry *x, const struct moment *now, struct processes *p)
{
	char who[200], line[SESSIONS_LINE_MAX], at[MOMENT_TEXT], left[40];

	moment_text(x->s.exp, at);
	moment_span(x->s.exp - now->wall, left, sizeof left);
	snprintf(line, sizeof line, "\r\ncluster login: your session ends in %s, at %s; %s.\r\n", left, at,
	    sessions_renewable(&x->s) ? "run cluster-login get on your own machine to go on" : "log on again to go on");
	if (tell(s, x, p, line) == 0 && now->wall - x->s.opened >= 0 && now->wall - x->s.opened < YOUNG_SECONDS)
		return;
	x->noticed = true;
	describe(&x->s, who);
	sessions_say(s, LOG_LEVEL_INFO, "%s is told that it ends at %lld, with its credential", who, (long long)x->s.exp);
}

static void judge_expiry(struct sessions *s, struct entry *x, const struct moment *now, struct processes *p)
{
	int64_t next;

	switch (session_due(&x->s, now->wall, s->conf.notice, &next)) {
	case SESSION_DUE_NOTHING:
		x->noticed = false;
		return;
	case SESSION_DUE_NOTICE:
		if (!x->noticed && x->s.closed == 0)
			announce(s, x, now, p);
		return;
	case SESSION_DUE_END:
		doom(s, x, p, REASON_SESSION_EXPIRED, "");
		return;
	}
}

/* Is the reason something that was decided against the session, and not a failure to decide? */
static bool must_end(enum reason r)
{
	enum cluster_err e = reason_err(r);

	return r != REASON_OK && (e == CLUSTER_EREVOKED || e == CLUSTER_EDENIED || e == CLUSTER_EEXPIRED);
}

enum cluster_err sessions_judge(struct sessions *s, const struct trust *t, const struct moment *now, struct processes *p, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;
	struct policy_answer answer;
	char line[SESSIONS_LINE_MAX];
	size_t i;

	for (i = 0; i < s->n; i++) {
		struct entry *x = &s->entry[i];
		struct policy_session facts = policy_session_of(&x->s);
		enum reason r = REASON_OK;

		if (!x->look || x->gone)
			continue;
		x->doomed = false;
		if (t)
			r = policy_session_check(t, &facts, &answer);
		if (must_end(r)) {
			sentence(s, x, p, &answer);
		} else if (r != REASON_OK) {
			snprintf(line, sizeof line, "a session cannot be judged: %s (%s)", reason_word(r), answer.detail.text);
			sessions_fail(s, &e, d, reason_err(r), line);
		}
		if (!x->doomed)
			judge_expiry(s, x, now, p);
	}
	return e;
}
