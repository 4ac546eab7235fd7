/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_SERVE_H
#define AUTHORITY_SERVE_H

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "config.h"

/* Serves until SIGTERM or SIGINT. Binds first, then becomes conf->user, or the owner of conf->dir if we are root. */
enum cluster_err serve_run(const struct config *conf, struct diag *d) CLUSTER_MUST_USE;

#endif
