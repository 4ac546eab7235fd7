/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "cluster/answer.h"
#include "cluster/local.h"
#include "cluster/secret.h"
#include "cluster/session.h"

#include "pam_call.h"

#define LIFE 60 /* of what a step-up is worth to the policy: it is judged now */

/* su names the account that it opens, sudo the one that it leaves. */
static bool is_su(const struct pam_call *c)
{
	return strcmp(c->facts.service, "su") == 0 || strcmp(c->facts.service, "su-l") == 0;
}

/* This person with this device, now, as the policy wants to hear it. */
static void claim(struct pam_call *c, const struct cluster_id *person, const struct cluster_id *device, const struct session *s)
{
	int64_t now = c->view.now.wall;

	c->credential = (struct credential){
		.cluster = c->view.trust.snap.cluster, .person = *person, .device = *device, .iat = now, .nbf = now, .exp = now + LIFE, .auth_time = now,
	};
	if (s) /* for the log; and whoever revokes that credential means this too */
		c->credential.jti = s->jti;
	c->use = is_su(c) ? POLICY_USE_ANY : POLICY_USE_SUDO;
	c->verified = true;
}

/* The session may live, and for sudo it is one of the account that asks. */
static enum reason session_holds(struct pam_call *c, const struct session *s)
{
	const struct policy_session session = policy_session_of(s);
	struct policy_answer answer;
	enum reason r;

	if (c->view.reason != REASON_OK) {
		c->detail = c->view.detail;
		return c->view.reason;
	}
	if ((r = policy_session_check(&c->view.trust, &session, &answer)) != REASON_OK)
		c->detail = answer.detail;
	else if (!is_su(c) && strcmp(s->account, c->facts.user) != 0)
		r = REASON_NO_SESSION;
	return r;
}

/*
 * Is it the account itself that runs this program? A session has processes of other accounts too (a shell after su, a daemon that was started there), and whoever may be those is not this
 * person. sudo is root by then, so the program has to say who ran it; su still has the uid of who did.
 */
static bool run_by(const struct pam_call *c, const char *account)
{
	uid_t uid = getuid(), own;

	if (strcmp(c->facts.ruser, account) != 0)
		return false;
	return uid == 0 || (local_ask_nss(account, &own) == LOCAL_NSS_FOUND && own == uid);
}

/*
 * No more is asked of whoever has just proved it, on an account that nobody else has. A shared account always steps up: others there could use the session. So does a session that came by a hop:
 * another node says who that is and since when, and root there would be root here.
 */
static bool fresh_and_personal(struct pam_call *c, const struct session *s)
{
	const struct trust *t = &c->view.trust;
	struct trust_account account;
	int64_t age = c->view.now.wall - s->auth_time;

	if (s->kind == SESSION_HOP || trust_account_by_name(t, s->account, &account) != CLUSTER_OK || !account.personal || !id_equal(&account.person, &s->person) || !run_by(c, s->account))
		return false;
	if (is_su(c) && s->narrowed) /* what was asked for one account opens no other */
		return false;
	return age <= (int64_t)t->self.sudo_fresh && age >= -(int64_t)t->self.skew;
}

/* A session that a node came with, and no person: then anybody may answer who is allowed to. */
static bool nobody_behind(const struct session *s)
{
	return s->kind == SESSION_HOP && s->hops == 0;
}

static enum reason judge(struct pam_call *c, const struct challenge *ch, const char *reply, const struct session *s)
{
	struct cluster_id device;
	struct answer a;
	enum cluster_err e = answer_verify(reply, strlen(reply), ch, &a, &c->detail);
	enum reason r;

	if (c->view.reason != REASON_OK) {
		c->detail = c->view.detail;
		return c->view.reason;
	}
	if (reply[0] == '\0')
		return REASON_NO_ANSWER;
	if (e != CLUSTER_OK)
		return e == CLUSTER_ESIGNATURE ? REASON_PROOF : e == CLUSTER_ENOMEM || e == CLUSTER_ECRYPTO ? REASON_SYSTEM : REASON_ANSWER_FORMAT;
	if (!challenge_time_ok(ch, c->view.now.wall, c->view.trust.self.skew))
		return REASON_CHALLENGE;
	if (s && !nobody_behind(s) && !id_equal(&s->person, &a.person))
		return REASON_NOT_THE_CALLER;
	if (s && (r = session_holds(c, s)) != REASON_OK)
		return r;
	if ((r = policy_device_by_key(&c->view.trust, &a.person, a.thumbprint, &device, &c->detail)) != REASON_OK)
		return r;
	claim(c, &a.person, &device, s);
	return REASON_OK;
}

enum reason pam_step_up(struct pam_call *c)
{
	const char *node = c->view.trust.self.node_name;
	char prompt[CHALLENGE_PROMPT_MAX + 1];
	struct challenge ch;
	struct session s;
	char *reply = NULL;
	bool found = false;
	enum reason r;

	if ((r = pam_session_of_caller(c, &s, &found)) != REASON_OK || (found && (r = session_holds(c, &s)) != REASON_OK))
		return r;
	if (found && fresh_and_personal(c, &s)) {
		claim(c, &s.person, &s.device, &s);
		return pam_call_decide(c);
	}
	if (!pam_auth_challenge(c, &ch))
		return REASON_SYSTEM;
	challenge_step_up_prompt(&ch, node[0] ? node : "?", prompt);
	r = pam_auth_ask(c, prompt, &reply);
	pam_call_refresh(c); /* what was revoked while the prompt stood counts */
	r = judge(c, &ch, r == REASON_OK ? reply : "", found ? &s : NULL);
	secret_free_string(reply);
	return r == REASON_OK ? pam_call_decide(c) : r;
}
