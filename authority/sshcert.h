/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_SSHCERT_H
#define AUTHORITY_SSHCERT_H

#include "call.h"

/* POST /v1/sshcert (PROTOCOL.md 6.3, 4.6): whoever gets a credential gets it as an OpenSSH certificate too. */
call_handler sshcert_run;

#endif
