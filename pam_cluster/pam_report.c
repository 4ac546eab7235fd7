/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_ext.h>

#include "cluster/agent_msg.h"
#include "cluster/file.h"
#include "cluster/log.h"

#include "pam_call.h"

#define FIELD_ROOM 140
#define DETAIL_ROOM 600
#define CERTIFICATE_ROOM 240
#define PATH_ROOM 512
#define HOP_ROOM 260

static const char *event_of(enum pam_stage stage)
{
	switch (stage) {
	case PAM_STAGE_AUTH:
		return "auth";
	case PAM_STAGE_CRED:
		return "setcred";
	case PAM_STAGE_ACCOUNT:
		return "account";
	case PAM_STAGE_OPEN:
		return "session_open";
	case PAM_STAGE_CLOSE:
		return "session_close";
	case PAM_STAGE_PASSWORD:
		return "passwd";
	}
	return "?";
}

static const char *result_of(const struct pam_call *c, enum reason r)
{
	if (r == REASON_OK)
		return c->excused == REASON_OK ? "accepted" : "reported";
	if (pam_result_ignored(r))
		return "ignored";
	return reason_err(r) == CLUSTER_EUNAVAIL ? "unavailable" : "refused";
}

/* Foreign text as one word: whoever chooses it cannot add a field or a line. */
static const char *word(const char *src, char dst[FIELD_ROOM])
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (; *src && n + 8 < FIELD_ROOM; src++) {
		unsigned char b = (unsigned char)*src;

		if (b > ' ' && b < 0x7f && b != '"' && b != '=' && b != '\\') {
			dst[n++] = (char)b;
			continue;
		}
		dst[n++] = '\\';
		dst[n++] = 'x';
		dst[n++] = hex[b >> 4];
		dst[n++] = hex[b & 15];
	}
	memcpy(dst + n, *src ? "..." : "", *src ? 4 : 1);
	return n == 0 ? "-" : dst;
}

static const char *sentence(const char *src, char dst[DETAIL_ROOM])
{
	log_escape(src, strlen(src), dst, DETAIL_ROOM);
	for (char *p = strchr(dst, '"'); p; p = strchr(p, '"'))
		*p = '\'';
	return dst;
}

static int priority(const struct pam_call *c, enum reason r)
{
	if (pam_result_ignored(r)) /* a wrong configuration may have lost its list of adopted accounts: that is said aloud */
		return c->conf.diag.code == CLUSTER_OK ? LOG_DEBUG : LOG_WARNING;
	if (r != REASON_OK || c->excused != REASON_OK)
		return c->stage == PAM_STAGE_PASSWORD ? LOG_NOTICE : LOG_WARNING;
	return c->stage == PAM_STAGE_AUTH || c->stage == PAM_STAGE_OPEN ? LOG_NOTICE : LOG_DEBUG;
}

/* What there is to say beyond the reason's own sentence. */
static const char *detail_of(const struct pam_call *c, enum reason r, enum reason shown)
{
	if (c->conf.diag.code != CLUSTER_OK)
		return c->conf.diag.text;
	if (r == REASON_OK && c->excused == REASON_OK)
		return "";
	return c->detail.text[0] ? c->detail.text : reason_text(shown);
}

/* Which certificate: what an administrator may revoke it by. */
static void tell_certificate(const struct pam_call *c, char dst[CERTIFICATE_ROOM])
{
	char key_id[FIELD_ROOM];

	if (snprintf(dst, CERTIFICATE_ROOM, " serial=%" PRIu64 " key_id=%s ca=%s", c->cert.serial, word(c->cert.key_id, key_id), c->cert.ca) < 0)
		dst[0] = '\0';
}

/* Whose hop it was, and through what: by this the way is followed back to the person's own session. */
static void tell_hop(const struct pam_call *c, char dst[HOP_ROOM])
{
	char parent[ID_TEXT + 1] = "-", sid[ID_TEXT + 1] = "-";

	if (!c->hop.machine) {
		id_text(&c->hop.parent, parent);
		id_text(&c->hop.session, sid);
	}
	if (snprintf(dst, HOP_ROOM, " via=%s from=%s parent=%s sid=%s n=%" PRId64, c->via, c->hop.parent_source[0] ? c->hop.parent_source : "-", parent, sid, c->hop.count) < 0)
		dst[0] = '\0';
}

/* What was shown: empty texts if nothing was, or nothing that a signature vouches for. */
struct shown {
	char jti[ID_TEXT + 1], subject[ID_TEXT + 1], certificate[CERTIFICATE_ROOM], hop[HOP_ROOM];
	const char *person; /* the name, else the id */
};

static void look_at(const struct pam_call *c, struct shown *s)
{
	memset(s, 0, sizeof *s);
	if (c->verified) {
		id_text(&c->credential.jti, s->jti);
		id_text(&c->credential.person, s->subject);
	}
	if (c->hopped) {
		id_text(&c->hop.jti, s->jti);
		if (!c->hop.machine)
			id_text(&c->hop.person, s->subject);
		tell_hop(c, s->hop);
	}
	if (c->has_facts)
		tell_certificate(c, s->certificate);
	s->person = c->answer.person.name[0] ? c->answer.person.name : s->subject;
}

void pam_report_line(const struct pam_call *c, enum reason r, const char id[PAM_CALL_ID + 1])
{
	char account[FIELD_ROOM], service[FIELD_ROOM], rhost[FIELD_ROOM], person[FIELD_ROOM], detail[DETAIL_ROOM];
	enum reason shown = c->excused == REASON_OK ? r : c->excused;
	int level = priority(c, r);
	struct shown s;

	if (level == LOG_DEBUG && !c->conf.args.debug)
		return;
	look_at(c, &s);
	pam_syslog(c->pamh, level, "event=%s result=%s reason=%s person=%s account=%s service=%s rhost=%s jti=%s%s%s id=%s detail=\"%s\"", event_of(c->stage), result_of(c, r),
	    reason_word(shown), word(s.person, person), word(c->facts.user, account), word(c->facts.service, service),
	    word(c->facts.rhost, rhost), s.jti[0] ? s.jti : "-", s.hop, s.certificate, id, sentence(detail_of(c, r, shown), detail));
}

/* Only where the user was shown the id (tell_user). */
static bool explainable(const struct pam_call *c, enum reason r)
{
	return r != REASON_OK && !pam_result_ignored(r) && (c->stage == PAM_STAGE_AUTH || c->stage == PAM_STAGE_ACCOUNT || c->stage == PAM_STAGE_OPEN);
}

static void fill(const struct pam_call *c, enum reason r, const char *id, struct refusal *x)
{
	const char *detail = detail_of(c, r, r);
	char facts[HOP_ROOM + CERTIFICATE_ROOM];
	int64_t now = (int64_t)time(NULL);
	struct shown s;

	look_at(c, &s);
	if (snprintf(facts, sizeof facts, "%s%s", s.hop, s.certificate) < 0)
		facts[0] = '\0';
	x->time = now < 0 ? 0 : now > MOMENT_MAX ? MOMENT_MAX : now;
	refusal_copy(x->id, sizeof x->id, id);
	refusal_copy(x->stage, sizeof x->stage, event_of(c->stage));
	refusal_copy(x->reason, sizeof x->reason, reason_word(r));
	refusal_copy(x->person, sizeof x->person, s.person);
	refusal_copy(x->account, sizeof x->account, c->facts.user);
	refusal_copy(x->service, sizeof x->service, c->facts.service);
	refusal_copy(x->rhost, sizeof x->rhost, c->facts.rhost);
	refusal_copy(x->jti, sizeof x->jti, s.jti);
	refusal_copy(x->facts, sizeof x->facts, facts[0] ? facts + 1 : "");
	refusal_copy(x->detail, sizeof x->detail, detail == reason_text(r) ? "" : detail);
}

void pam_report_agent(const struct pam_call *c, enum reason r, const char id[PAM_CALL_ID + 1])
{
	struct agent_msg_request m = { .type = AGENT_MSG_REFUSED };
	char path[PATH_ROOM];

	/* from others the agent takes nothing; best effort: the log line says the same */
	if (!explainable(c, r) || geteuid() != c->conf.args.owner || file_join(path, sizeof path, pam_conf_run(&c->conf), "agent.sock") != CLUSTER_OK)
		return;
	fill(c, r, id, &m.refusal);
	if (refusal_ok(&m.refusal) && agent_msg_call(path, &m, 0, NULL) != CLUSTER_OK)
		return;
}
