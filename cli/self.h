/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SELF_H
#define CLI_SELF_H

#include <stdbool.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "profile.h"

/* No core dump has this process's keys, and no other process of the same user reads its memory (ptrace, /proc/PID/mem). What it executes is not affected. */
void self_guard(void);

/* The absolute path of this program. CLUSTER_ECONFIG for a path that ssh's configuration or a shell could misread. */
enum cluster_err self_path(char dst[PROFILE_PATH_MAX], struct diag *d) CLUSTER_MUST_USE;

/*
 * The program that ssh starts for its prompts and for host keys (main_askpass.c): the installed one if this program is, else the one that was built beside it. False: neither is
 * there, and this program does it itself.
 */
bool self_askpass(char dst[PROFILE_PATH_MAX]);

/* Names under which other programs start this one: ssh for its prompts, scp and sftp in place of ssh. */
#define SELF_ASKPASS "askpass"
#define SELF_KNOWN_HOSTS "known-hosts"
#define SELF_REACH "reach"
#define SELF_SSH "cluster-login-ssh"
/* The path of this program under such a name: the installed link, or one that is made in the person's directory. */
enum cluster_err self_link(const char *name, const char *home, char dst[PROFILE_PATH_MAX], struct diag *d) CLUSTER_MUST_USE;
/* Was it started under this name? */
bool self_named(const char *argv0, const char *name);

/* Letters, digits and / . _ - + @ , = ~ only, so that a path means the same to ssh, a shell and us. */
bool self_path_ok(const char *path);

#endif
