/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_NSSWITCH_H
#define CLI_NSSWITCH_H

#include <stdbool.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* Edits of the text of nsswitch.conf(5) that keep every other byte. Pure. */

/*
 * Puts "cluster" behind the first "files" (or "compat") of passwd and group, and of initgroups if there is such a line; what is there already stays. A missing passwd or group
 * line is added as "files cluster". CLUSTER_ECONFIG: a line has neither. In hosts behind "files", where there is one; a missing line is added as
 * "files cluster dns". The caller frees *ret with free().
 */
enum cluster_err nsswitch_add(const char *text, char **ret, struct diag *d) CLUSTER_MUST_USE;
/* Takes the word out of those lines again. */
enum cluster_err nsswitch_remove(const char *text, char **ret) CLUSTER_MUST_USE;
/* Do passwd and group both name it? */
bool nsswitch_has(const char *text);
bool nsswitch_has_hosts(const char *text);

#endif
