/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_call.h"

enum reason pam_account_run(struct pam_call *c)
{
	const char *handover = pam_getenv(c->pamh, PAM_CALL_HANDOVER);
	enum reason r;

	switch (c->facts.class) {
	case POLICY_LOGIN:
		return handover ? pam_judge_handover(c, handover) : pam_call_decide(c);
	case POLICY_JOB:
		return pam_call_decide(c);
	case POLICY_SUDO:
		r = pam_call_decide(c);
		return r == REASON_OK ? pam_session_caller(c) : r;
	}
	return REASON_SYSTEM;
}
