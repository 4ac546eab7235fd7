/* SPDX-License-Identifier: Apache-2.0 */
#include "sessions.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/log.h"
#include "cluster/moment.h"
#include "cluster/policy.h"
#include "cluster/session.h"

#include "ending.h"

#define TOLD_MAX 256
#define LINE_MAX_BYTES 500

/* A record that was read, and what became of it in this sweep. */
struct record {
	struct session s;
	enum reason reason;
	bool doomed;
};

struct sessions {
	char dir[PATH_MAX];
	struct sessions_conf conf;
	uint32_t live;
	uint64_t ended;
	struct cluster_id told[TOLD_MAX]; /* sessions that live on although revoked: said once */
	size_t n_told;
};

static void say(const struct sessions *s, int level, const char *fmt, ...) CLUSTER_PRINTF(3, 4);
static void say(const struct sessions *s, int level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	s->conf.log(level, line);
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
	free(s);
}

uint32_t sessions_live(const struct sessions *s)
{
	return s->live;
}

uint64_t sessions_ended(const struct sessions *s)
{
	return s->ended;
}

static bool alive(const struct session *s, const struct cluster_id *boot_id)
{
	struct session_facts f;
	enum cluster_err e;

	if (!id_equal(&s->boot_id, boot_id))
		return false;
	e = session_facts_read((pid_t)s->pid, &f);
	if (e == CLUSTER_ESYSTEM)
		return true; /* what cannot be looked at is not taken for dead */
	return e == CLUSTER_OK && f.start == s->start && !f.ended;
}

static void drop_record(struct sessions *s, const struct session *x)
{
	struct diag d;

	diag_clear(&d);
	if (session_remove(s->dir, &x->id, &d) != CLUSTER_OK)
		say(s, LOG_LEVEL_WARNING, "%s", d.text);
}

/* All live records; dead ones are removed. The caller frees *ret. */
static size_t read_records(struct sessions *s, struct record **ret)
{
	struct record *list = NULL, *more;
	const struct dirent *entry;
	struct cluster_id id;
	struct moment now;
	size_t n = 0, room = 0;
	enum cluster_err e;
	struct diag d;
	DIR *dir;

	*ret = NULL;
	dir = opendir(s->dir);
	if (!dir || moment_now(&now) != CLUSTER_OK) {
		say(s, LOG_LEVEL_ERROR, "cannot read %s: %s", s->dir, strerror(errno));
		if (dir)
			closedir(dir);
		return 0;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (id_parse(entry->d_name, &id) != CLUSTER_OK)
			continue;
		if (n == room) {
			room = room ? room * 2 : 16;
			more = reallocarray(list, room, sizeof *list);
			if (!more)
				break;
			list = more;
		}
		memset(&list[n], 0, sizeof list[n]);
		diag_clear(&d);
		e = session_load(s->dir, entry->d_name, s->conf.owner, &list[n].s, &d);
		if (e != CLUSTER_OK) {
			if (e != CLUSTER_ENOTFOUND)
				say(s, LOG_LEVEL_WARNING, "session record %s: %s", entry->d_name, d.text);
		} else if (alive(&list[n].s, &now.boot_id)) {
			n++;
		} else {
			drop_record(s, &list[n].s);
		}
	}
	closedir(dir);
	*ret = list;
	return n;
}

static enum reason judge(const struct trust *t, const struct session *x, struct policy_answer *answer)
{
	const struct policy_session p = { .person = x->person, .device = x->device, .jti = x->jti, .iat = x->iat, .account = x->account, .issuer = x->issuer };

	return policy_session_check(t, &p, answer);
}

/* Is the reason something that was decided against the session, and not a failure to decide? */
static bool must_end(enum reason r)
{
	enum cluster_err e = reason_err(r);

	return r != REASON_OK && (e == CLUSTER_EREVOKED || e == CLUSTER_EDENIED || e == CLUSTER_EEXPIRED);
}

static bool tell_once(struct sessions *s, const struct cluster_id *id)
{
	size_t i;

	for (i = 0; i < s->n_told && i < TOLD_MAX; i++) {
		if (id_equal(&s->told[i], id))
			return false;
	}
	s->told[s->n_told++ % TOLD_MAX] = *id;
	return true;
}

/*
 * Is the audit id this session's alone? Not if it is the agent's own or that of the process above the leader (then nobody gave the session one of its own), nor if another record
 * with another leader has it.
 */
static bool audit_is_own(const struct record *list, size_t n, const struct record *r)
{
	struct session_facts self, leader, parent;
	size_t i;

	if (r->s.audit == SESSION_NO_AUDIT || session_facts_read(getpid(), &self) != CLUSTER_OK || self.audit == r->s.audit)
		return false;
	if (session_facts_read((pid_t)r->s.pid, &leader) != CLUSTER_OK || leader.start != r->s.start || leader.audit != r->s.audit)
		return false;
	if (leader.parent > 0 && session_facts_read(leader.parent, &parent) == CLUSTER_OK && parent.audit == r->s.audit)
		return false;
	for (i = 0; i < n; i++) {
		if (list[i].s.audit == r->s.audit && list[i].s.pid != r->s.pid)
			return false;
	}
	return true;
}

static struct ending_target target_of(const struct record *list, size_t n, const struct record *r)
{
	return (struct ending_target){ .leader = (pid_t)r->s.pid, .start = r->s.start, .audit = r->s.audit, .by_audit = audit_is_own(list, n, r) };
}

static void describe(const struct session *x, char dst[160])
{
	char person[ID_TEXT + 1];

	id_text(&x->person, person);
	snprintf(dst, 160, "session of person %s as %s (%s, process %u)", person, x->account, x->service, x->pid);
}

/* A session that must not go on: ended, or told, as its grant says. */
static void sentence(struct sessions *s, struct record *list, size_t n, struct record *r, const struct policy_answer *answer)
{
	struct ending_target target = target_of(list, n, r);
	char who[160], line[LINE_MAX_BYTES];

	describe(&r->s, who);
	switch (r->s.on_revoke) {
	case DIRECTORY_END:
		r->doomed = true;
		say(s, LOG_LEVEL_NOTICE, "%s ends: %s (%s)", who, reason_word(r->reason), answer->detail.text[0] ? answer->detail.text : reason_text(r->reason));
		snprintf(line, sizeof line, "\r\ncluster login: this session ends now: %s.\r\n", reason_text(r->reason));
		ending_tell(&target, line);
		return;
	case DIRECTORY_WARN:
		if (!tell_once(s, &r->s.id))
			return;
		say(s, LOG_LEVEL_NOTICE, "%s is warned and lives on, as its grant says: %s", who, reason_word(r->reason));
		snprintf(line, sizeof line, "\r\ncluster login: %s. Please end this session.\r\n", reason_text(r->reason));
		ending_tell(&target, line);
		return;
	case DIRECTORY_KEEP:
		if (tell_once(s, &r->s.id))
			say(s, LOG_LEVEL_NOTICE, "%s lives on, as its grant says: %s", who, reason_word(r->reason));
		return;
	}
}

static void end_doomed(struct sessions *s, struct record *list, size_t n)
{
	struct ending_target *targets = calloc(n + 1, sizeof *targets);
	size_t i, doomed = 0, left;

	if (!targets) {
		say(s, LOG_LEVEL_ERROR, "out of memory: %zu sessions are judged again later", n);
		return;
	}
	for (i = 0; i < n; i++) {
		if (list[i].doomed)
			targets[doomed++] = target_of(list, n, &list[i]);
	}
	left = ending_run(targets, doomed, s->conf.grace_ms);
	if (left > 0)
		say(s, LOG_LEVEL_ERROR, "%zu processes of ended sessions cannot be killed", left);
	for (i = 0; i < n; i++) {
		/* what could not be ended is tried again at the next look */
		if (list[i].doomed && (left == 0 || !alive(&list[i].s, &list[i].s.boot_id))) {
			drop_record(s, &list[i].s);
			s->ended++;
			s->live--;
		}
	}
	free(targets);
}

void sessions_sweep(struct sessions *s, const struct trust *t)
{
	struct policy_answer answer;
	struct record *list;
	size_t n, i, doomed = 0;

	n = read_records(s, &list);
	s->live = (uint32_t)n;
	for (i = 0; t && i < n; i++) {
		list[i].reason = judge(t, &list[i].s, &answer);
		if (must_end(list[i].reason))
			sentence(s, list, n, &list[i], &answer);
		else if (list[i].reason != REASON_OK)
			say(s, LOG_LEVEL_WARNING, "a session cannot be judged: %s (%s)", reason_word(list[i].reason), answer.detail.text);
		doomed += list[i].doomed;
	}
	if (doomed > 0)
		end_doomed(s, list, n);
	free(list);
}
