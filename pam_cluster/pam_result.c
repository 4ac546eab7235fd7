/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_result.h"

#include <security/pam_modules.h>

/* A definite no. In auth it ends the method for the connection, so that one login is one try (THREATS.md A10). */
static int refused(enum pam_stage stage)
{
	switch (stage) {
	case PAM_STAGE_AUTH:
		return PAM_MAXTRIES;
	case PAM_STAGE_CRED:
		return PAM_CRED_ERR;
	case PAM_STAGE_ACCOUNT:
		return PAM_PERM_DENIED;
	case PAM_STAGE_OPEN:
	case PAM_STAGE_CLOSE:
		return PAM_SESSION_ERR;
	case PAM_STAGE_PASSWORD:
		return PAM_AUTHTOK_ERR;
	}
	return PAM_ABORT;
}

/* Could not decide: no for now. */
static int unavailable(enum pam_stage stage)
{
	switch (stage) {
	case PAM_STAGE_AUTH:
	case PAM_STAGE_ACCOUNT:
		return PAM_AUTHINFO_UNAVAIL;
	case PAM_STAGE_CRED:
		return PAM_CRED_UNAVAIL;
	case PAM_STAGE_OPEN:
	case PAM_STAGE_CLOSE:
		return PAM_SESSION_ERR;
	case PAM_STAGE_PASSWORD:
		return PAM_AUTHTOK_ERR;
	}
	return PAM_ABORT;
}

static int error_code(enum pam_stage stage, enum cluster_err e)
{
	switch (e) {
	case CLUSTER_OK: /* only the reasons named in pam_result_code mean yes */
	case CLUSTER_ESIGNATURE:
	case CLUSTER_EEXPIRED:
	case CLUSTER_EEARLY:
	case CLUSTER_EREVOKED:
	case CLUSTER_EDENIED:
	case CLUSTER_ENOTFOUND:
		return refused(stage);
	case CLUSTER_ENOMEM:
	case CLUSTER_ESYSTEM:
	case CLUSTER_ELIMIT:
	case CLUSTER_ETRUNC:
	case CLUSTER_EFORMAT:
	case CLUSTER_EVERSION:
	case CLUSTER_ECRYPTO:
	case CLUSTER_EUNAVAIL:
	case CLUSTER_EUNTRUSTED:
	case CLUSTER_ECONFIG:
		return unavailable(stage);
	}
	return unavailable(stage);
}

int pam_result_ignored(enum reason r)
{
	return r == REASON_LOCAL || r == REASON_NOT_ENROLLED || r == REASON_FOREIGN_IGNORED;
}

int pam_result_code(enum pam_stage stage, enum reason r)
{
	if (r == REASON_OK)
		return PAM_SUCCESS;
	if (pam_result_ignored(r))
		return PAM_IGNORE;
	if (r == REASON_NO_ANSWER && stage == PAM_STAGE_AUTH)
		return PAM_AUTH_ERR; /* a mistyped Return may be tried again */
	return error_code(stage, reason_err(r));
}
