/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "pam_call.h"

/* Was this challenge made by this node, for this service and account, just now? */
static bool challenge_ours(const struct pam_call *c, const struct challenge *ch)
{
	const struct trust *t = &c->view.trust;

	return id_equal(&ch->cluster, &t->snap.cluster) && id_equal(&ch->node, &t->self.node) &&
	    crypto_equal(ch->hostkey_hash, t->self.hostkey_hash, sizeof ch->hostkey_hash) && ch->service[0] != '\0' && strcmp(ch->service, c->facts.service) == 0 &&
	    ch->account[0] != '\0' && strcmp(ch->account, c->facts.user) == 0 && challenge_time_ok(ch, c->view.now.wall, t->self.skew);
}

/* The work, the same for everybody: one signature of what was shown, one of a proof. What it says is looked at in the order of PROTOCOL.md 4.5. */
struct work {
	enum cluster_err parsed, verified, proved;
};

static struct work work(struct pam_call *c, const struct challenge *ch, const char *answer, size_t n)
{
	const struct trust *t = &c->view.trust;
	const struct keyring_at at = { .cluster = &t->snap.cluster, .ring = &t->ring, .now = c->view.now.wall, .skew = t->self.skew };
	struct work w = { CLUSTER_OK, CLUSTER_EDENIED, CLUSTER_EDENIED };
	uint8_t proof[CRYPTO_SIG_SIZE] = { 0 };
	bool proof_due = false;
	size_t credential_n = 0;

	if (pam_onetime_shown(answer, n)) {
		w.verified = w.proved = pam_onetime_verify(c, answer, n, &at); /* a bearer token */
	} else {
		w.parsed = challenge_answer_parse(answer, n, &credential_n, proof);
		w.verified = credential_verify(answer, w.parsed == CLUSTER_OK ? credential_n : 0, &at, &c->credential, &c->detail);
		proof_due = w.verified == CLUSTER_OK;
	}
	if (proof_due)
		w.proved = challenge_proof_verify(answer, credential_n, &c->credential.cnf, ch, proof);
	else
		credential_verify_nothing();
	return w;
}

/* What OpenSSH hands over in the place of what was typed, repeated to its length, where it has no such user or does not admit him. */
static bool withheld(const char *answer, size_t n)
{
	static const char junk[] = "\b\n\r\177INCORRECT";

	return n >= sizeof junk - 1 && strncmp(answer, junk, sizeof junk - 1) == 0;
}

enum reason pam_judge_answer(struct pam_call *c, const struct challenge *ch, const char *answer, size_t n)
{
	const struct trust *t = &c->view.trust;
	enum reason r;
	struct work w;

	c->verified = c->onetime = false;
	c->use = POLICY_USE_ANY;
	if (crypto_start() != CLUSTER_OK)
		return REASON_SYSTEM;
	w = work(c, ch, answer, n);
	if (c->view.reason != REASON_OK) {
		c->detail = c->view.detail;
		return c->view.reason;
	}
	if ((r = policy_fresh(t, &c->view.now, pam_call_max_stale(c), &c->detail)) != REASON_OK)
		return r;
	if (n == 0)
		return REASON_NO_ANSWER;
	if (withheld(answer, n))
		return reason_refuse(&c->detail, REASON_ANSWER_FORMAT, "sshd withheld the answer: it has no such account, or does not admit it (AllowUsers, PermitRootLogin ...)");
	if (w.parsed != CLUSTER_OK)
		return REASON_ANSWER_FORMAT;
	if (w.verified != CLUSTER_OK)
		return policy_credential_reason(w.verified);
	c->verified = true;
	diag_clear(&c->detail);
	if (!name_account_ok(c->facts.user))
		return REASON_NAME;
	if (!challenge_ours(c, ch))
		return REASON_CHALLENGE;
	if (w.proved != CLUSTER_OK)
		return w.proved == CLUSTER_ESIGNATURE ? REASON_PROOF : REASON_SYSTEM;
	if (c->onetime && !id_equal(&c->only_node, &t->self.node))
		return REASON_NARROW_NODE;
	return pam_call_decide(c);
}

enum reason pam_judge_handover(struct pam_call *c, const char *text)
{
	const char *answer = text + CHALLENGE_TEXT + 1, *dot;
	size_t n = strlen(text);
	struct challenge ch;

	if (n <= CHALLENGE_TEXT + 1 || n > PAM_CALL_HANDOVER_MAX || text[CHALLENGE_TEXT] != '.' || challenge_text_parse(text, CHALLENGE_TEXT, &ch) != CLUSTER_OK) {
		diag_set(&c->detail, CLUSTER_EFORMAT, "the hand-over from auth is not what auth writes");
		return REASON_CHALLENGE;
	}
	n -= CHALLENGE_TEXT + 1;
	if (!pam_onetime_shown(answer, n))
		return pam_judge_answer(c, &ch, answer, n);
	/* the receipt of its use stands behind the last dot */
	dot = strrchr(answer, '.');
	if (!dot || id_parse(dot + 1, &c->receipt) != CLUSTER_OK)
		return REASON_ANSWER_FORMAT;
	return pam_judge_answer(c, &ch, answer, (size_t)(dot - answer));
}
