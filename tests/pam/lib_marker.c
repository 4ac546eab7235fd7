/* SPDX-License-Identifier: Apache-2.0 */
/* Stands behind pam_cluster.so in the stacks of the tests: whoever gets here was let pass by PAM_IGNORE. */
#include <security/pam_modules.h>

#define MARKER(name) \
	__attribute__((visibility("default"))) int name(pam_handle_t *pamh, int flags, int argc, const char **argv) \
	{ \
		(void)pamh; \
		(void)flags; \
		(void)argc; \
		(void)argv; \
		return PAM_MODULE_UNKNOWN; \
	}

MARKER(pam_sm_authenticate)
MARKER(pam_sm_setcred)
MARKER(pam_sm_acct_mgmt)
MARKER(pam_sm_open_session)
MARKER(pam_sm_close_session)
MARKER(pam_sm_chauthtok)
