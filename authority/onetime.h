/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_ONETIME_H
#define AUTHORITY_ONETIME_H

#include "call.h"

/* POST /v1/onetime (PROTOCOL.md 6.3, 4.7): for one account on one node, where a grant says so. */
call_handler onetime_run;

#endif
