/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAM_RESULT_H
#define PAM_RESULT_H

#include "cluster/reason.h"

enum pam_stage { PAM_STAGE_AUTH, PAM_STAGE_CRED, PAM_STAGE_ACCOUNT, PAM_STAGE_OPEN, PAM_STAGE_CLOSE, PAM_STAGE_PASSWORD };

/* The PAM code of a decision: the only place where one is chosen. */
int pam_result_code(enum pam_stage stage, enum reason r);
/* Is this decision "not ours"? (PAM_IGNORE) */
int pam_result_ignored(enum reason r);

#endif
