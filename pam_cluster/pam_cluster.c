/* SPDX-License-Identifier: Apache-2.0 */
#include <security/pam_modules.h>

#include "cluster/attr.h"

#include "pam_call.h"

/* The entry points: facts, decision, report, result. libpam checks nothing of what a module returns, so each value comes from pam_result_code. */

CLUSTER_EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct pam_call c;
	enum reason r = pam_call_begin(&c, pamh, flags, PAM_STAGE_AUTH, argc, argv);

	return pam_call_end(&c, r == REASON_OK ? pam_auth_run(&c) : r);
}

/* Nothing to establish: identity comes from NSS, and the credential never leaves the client. */
CLUSTER_EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct pam_call c;
	enum reason r = pam_call_begin(&c, pamh, flags, PAM_STAGE_CRED, argc, argv);

	return pam_call_end(&c, r == REASON_OK && c.facts.who.local == LOCAL_UNKNOWN ? REASON_SYSTEM : r);
}

CLUSTER_EXPORT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct pam_call c;
	enum reason r = pam_call_begin(&c, pamh, flags, PAM_STAGE_ACCOUNT, argc, argv);

	return pam_call_end(&c, r == REASON_OK ? pam_account_run(&c) : r);
}

CLUSTER_EXPORT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct pam_call c;
	enum reason r = pam_call_begin(&c, pamh, flags, PAM_STAGE_OPEN, argc, argv);

	return pam_call_end(&c, r == REASON_OK ? pam_session_open(&c) : r);
}

CLUSTER_EXPORT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct pam_call c;
	enum reason r = pam_call_begin(&c, pamh, flags, PAM_STAGE_CLOSE, argc, argv);

	return pam_call_end(&c, r == REASON_OK ? pam_session_close(&c) : r);
}

/* There is no password to change; pam_call_end says so once, in the preliminary round. */
CLUSTER_EXPORT int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct pam_call c;
	enum reason r = pam_call_begin(&c, pamh, flags, PAM_STAGE_PASSWORD, argc, argv);

	return pam_call_end(&c, r == REASON_OK ? REASON_STAGE : r);
}
