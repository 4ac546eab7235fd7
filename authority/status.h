/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_STATUS_H
#define AUTHORITY_STATUS_H

#include "blob.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* The one map from our errors to HTTP (PROTOCOL.md 6). */
int status_http(enum cluster_err e);

/* {"error","message"} with `word`, or the error's own name if NULL; NULL when out of memory. */
struct blob *status_body(enum cluster_err e, const char *word, const char *message);

#endif
