/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ASKPASS_H
#define CLI_ASKPASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/challenge.h"
#include "cluster/diag.h"
#include "cluster/directory.h"
#include "cluster/err.h"
#include "profile.h"

/* Answering ssh's prompt (PROTOCOL.md 4.3): only the cluster's challenge, only for the node that the local ssh has dialled. */

/* Was this program started as ssh's helper? */
bool askpass_named(const char *argv0);

/* Does the challenge belong to the host and account that ssh named, to our cluster, and to now? CLUSTER_EDENIED and why not. Pure. */
enum cluster_err askpass_check(const struct challenge_prompt_view *v, const struct cluster_id *cluster, const struct directory *dir, int64_t now, struct diag *d) CLUSTER_MUST_USE;

/* The whole helper: exit status 0 and the answer on stdout, or 1 and nothing. */
int askpass_run(int argc, char **argv);

#endif
