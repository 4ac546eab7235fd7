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

enum reason pam_judge_answer(struct pam_call *c, const struct challenge *ch, const char *answer, size_t n)
{
	const struct trust *t = &c->view.trust;
	const struct keyring_at at = { .cluster = &t->snap.cluster, .ring = &t->ring, .now = c->view.now.wall, .skew = t->self.skew };
	uint8_t proof[CRYPTO_SIG_SIZE] = { 0 };
	enum cluster_err parsed, verified, proved = CLUSTER_EDENIED;
	size_t credential_n = 0;
	enum reason r;

	c->verified = false;
	if (crypto_start() != CLUSTER_OK)
		return REASON_SYSTEM;
	/* the work first, the same for everybody; what it says is looked at in the order of PROTOCOL.md 4.5 */
	parsed = challenge_answer_parse(answer, n, &credential_n, proof);
	verified = credential_verify(answer, parsed == CLUSTER_OK ? credential_n : 0, &at, &c->credential, &c->detail);
	if (verified == CLUSTER_OK)
		proved = challenge_proof_verify(answer, credential_n, &c->credential.cnf, ch, proof);
	else
		credential_verify_nothing();

	if (c->view.reason != REASON_OK) {
		c->detail = c->view.detail;
		return c->view.reason;
	}
	if ((r = policy_fresh(t, &c->view.now, pam_call_max_stale(c), &c->detail)) != REASON_OK)
		return r;
	if (n == 0)
		return REASON_NO_ANSWER;
	if (parsed != CLUSTER_OK)
		return REASON_ANSWER_FORMAT;
	if (verified != CLUSTER_OK)
		return policy_credential_reason(verified);
	c->verified = true;
	diag_clear(&c->detail);
	if (!name_account_ok(c->facts.user))
		return REASON_NAME;
	if (!challenge_ours(c, ch))
		return REASON_CHALLENGE;
	if (proved != CLUSTER_OK)
		return proved == CLUSTER_ESIGNATURE ? REASON_PROOF : REASON_SYSTEM;
	return pam_call_decide(c);
}

enum reason pam_judge_handover(struct pam_call *c, const char *text)
{
	size_t n = strlen(text);
	struct challenge ch;

	if (n <= CHALLENGE_TEXT + 1 || n > PAM_CALL_HANDOVER_MAX || text[CHALLENGE_TEXT] != '.' || challenge_text_parse(text, CHALLENGE_TEXT, &ch) != CLUSTER_OK) {
		diag_set(&c->detail, CLUSTER_EFORMAT, "the hand-over from auth is not what auth writes");
		return REASON_CHALLENGE;
	}
	return pam_judge_answer(c, &ch, text + CHALLENGE_TEXT + 1, n - CHALLENGE_TEXT - 1);
}
