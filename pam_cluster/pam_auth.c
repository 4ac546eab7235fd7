/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <security/pam_ext.h>

#include "cluster/secret.h"

#include "pam_call.h"

bool pam_auth_challenge(const struct pam_call *c, struct challenge *ch)
{
	const struct trust *t = &c->view.trust;

	memset(ch, 0, sizeof *ch);
	ch->cluster = t->snap.cluster;
	ch->node = t->self.node;
	memcpy(ch->hostkey_hash, t->self.hostkey_hash, sizeof ch->hostkey_hash);
	ch->time = c->view.now.wall;
	challenge_names(ch, c->facts.service, c->facts.user);
	return credential_warm() == CLUSTER_OK && crypto_random(ch->nonce, sizeof ch->nonce) == CLUSTER_OK;
}

enum reason pam_auth_ask(struct pam_call *c, const char *prompt, char **ret_reply)
{
	if (pam_prompt(c->pamh, PAM_PROMPT_ECHO_OFF, ret_reply, "%s", prompt) != PAM_SUCCESS || !*ret_reply)
		return REASON_NO_ANSWER;
	return REASON_OK;
}

/* Leaves challenge and answer for the account and session stages, which believe neither (PROTOCOL.md 4.4). */
static enum reason hand_over(struct pam_call *c, const struct challenge *ch, const char *answer)
{
	char text[CHALLENGE_TEXT + 1], receipt[ID_TEXT + 1], word[sizeof PAM_CALL_HANDOVER + 1 + PAM_CALL_HANDOVER_MAX];
	enum reason r = REASON_SYSTEM;
	int n;

	challenge_text(ch, text);
	id_text(&c->receipt, receipt);
	n = snprintf(word, sizeof word, PAM_CALL_HANDOVER "=%s.%s%s%s", text, answer, c->onetime ? "." : "", c->onetime ? receipt : "");
	if (n > 0 && (size_t)n < sizeof word && pam_putenv(c->pamh, word) == PAM_SUCCESS)
		r = REASON_OK;
	secret_wipe(word);
	return r;
}

/* A login: the credential, or a one-time credential. */
static enum reason log_on(struct pam_call *c)
{
	const char *node = c->view.trust.self.node_name;
	char prompt[CHALLENGE_PROMPT_MAX + 1];
	struct challenge ch;
	char *reply = NULL;
	enum reason r;
	bool made;

	made = pam_auth_challenge(c, &ch);
	challenge_prompt(&ch, node[0] ? node : "?", prompt);
	if (pam_auth_ask(c, prompt, &reply) != REASON_OK) {
		secret_free_string(reply);
		reply = NULL;
	}
	/* the prompt may have stood for a minute: what was revoked meanwhile counts */
	pam_call_refresh(c);
	if (!made)
		c->view.reason = REASON_SYSTEM;
	r = pam_judge_answer(c, &ch, reply ? reply : "", reply ? strlen(reply) : 0);
	if (r == REASON_OK && c->onetime)
		r = pam_onetime_redeem(c);
	if (r == REASON_OK)
		r = hand_over(c, &ch, reply);
	secret_free_string(reply);
	return r;
}

enum reason pam_auth_run(struct pam_call *c)
{
	if (pam_getenv(c->pamh, PAM_CALL_HANDOVER))
		pam_putenv(c->pamh, PAM_CALL_HANDOVER);
	switch (c->facts.class) {
	case POLICY_LOGIN:
		return log_on(c);
	case POLICY_SUDO:
		return pam_step_up(c);
	case POLICY_JOB:
		break;
	}
	diag_set(&c->detail, CLUSTER_EDENIED, "%.32s asks nobody", c->facts.service);
	return REASON_NO_STEPUP;
}
