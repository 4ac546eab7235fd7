/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_ISSUE_H
#define AUTHORITY_ISSUE_H

#include "call.h"

/* POST /v1/credential (PROTOCOL.md 6.3, 4.1). */
#define ISSUE_LIFE_MAX 43200
call_handler issue_run;

#endif
