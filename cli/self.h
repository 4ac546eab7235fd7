/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SELF_H
#define CLI_SELF_H

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "profile.h"

/* The absolute path of this program. CLUSTER_ECONFIG for a path that ssh's configuration or a shell could misread. */
enum cluster_err self_path(char dst[PROFILE_PATH_MAX], struct diag *d) CLUSTER_MUST_USE;

/* The path under which ssh starts this program as its helper: the installed link, or one that is made in the person's directory. */
enum cluster_err self_askpass(const char *home, char dst[PROFILE_PATH_MAX], struct diag *d) CLUSTER_MUST_USE;

/* Letters, digits and / . _ - + @ , = ~ only, so that a path means the same to ssh, a shell and us. */
bool self_path_ok(const char *path);

#endif
