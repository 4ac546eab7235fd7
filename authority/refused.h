/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_REFUSED_H
#define AUTHORITY_REFUSED_H

#include "call.h"

/* The latest refusals of all nodes, in memory (PROTOCOL.md 6.5): found by the id that the person was shown. */
#define REFUSED_MAX 10000
#define REFUSED_NODE_MAX 1000 /* one node's */

/* POST /v1/refusals: whom a node has refused. What it says counts for itself alone. */
call_handler refused_run;

#endif
