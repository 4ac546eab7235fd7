/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_EXIT_STATUS_H
#define AGENT_EXIT_STATUS_H

#include "cluster/err.h"

/* The exit status of an error, as sysexits(3) and the command line have it: 65 bad data, 69 unreachable, 70 our fault, 74 system, 75 later, 77 refused, 78 configuration. */
int exit_status(enum cluster_err e);

#endif
