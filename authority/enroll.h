/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_ENROLL_H
#define AUTHORITY_ENROLL_H

#include "call.h"

/* POST /v1/enroll (PROTOCOL.md 6.3): an invited person's device. */
call_handler enroll_run;

#endif
