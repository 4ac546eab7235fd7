/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_call.h"

/*
 * A login by certificate: sshd tells of it only where another method follows (AuthenticationMethods); else nothing is known here but the account, and the session stage decides. So does it for
 * certificates that are not ours.
 */
static enum reason without_handover(struct pam_call *c)
{
	enum reason r = pam_judge_certificate(c);

	if (r != REASON_NO_HANDOVER && r != REASON_CERTIFICATE_CA)
		return r;
	diag_clear(&c->detail);
	c->has_facts = false;
	return pam_call_decide(c);
}

enum reason pam_account_run(struct pam_call *c)
{
	const char *handover = pam_getenv(c->pamh, PAM_CALL_HANDOVER);
	enum reason r;

	switch (c->facts.class) {
	case POLICY_LOGIN:
		return handover ? pam_judge_handover(c, handover) : without_handover(c);
	case POLICY_JOB:
		return pam_call_decide(c);
	case POLICY_SUDO:
		r = pam_call_decide(c);
		return r == REASON_OK ? pam_session_caller(c) : r;
	}
	return REASON_SYSTEM;
}
