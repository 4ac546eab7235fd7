/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_ADMIN_H
#define AUTHORITY_ADMIN_H

#include "call.h"

/* POST /v1/admin/<call> (PROTOCOL.md 6.4): one table of calls, each a function with the call's name. */
struct admin_row {
	const char *name;
	call_handler *run;
};
extern const struct admin_row admin_table[];
extern const size_t admin_n;

call_handler admin_run;

#endif
