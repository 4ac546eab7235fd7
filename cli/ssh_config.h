/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SSH_CONFIG_H
#define CLI_SSH_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/directory.h"
#include "cluster/err.h"
#include "profile.h"

struct view;

/* The block file <home>/ssh_config, with the same options as `cluster-login ssh` for each node, and the one marked line that includes it. */

/* The text of the block file; freed by the caller with free(). */
enum cluster_err ssh_config_build(const struct directory *dir, const char *self, const char *home, char **ret, struct diag *d) CLUSTER_MUST_USE;
/* Writes the block file. */
enum cluster_err ssh_config_write(const struct profile *p, const struct view *v, struct diag *d) CLUSTER_MUST_USE;
/* Writes it anew if it is there. */
enum cluster_err ssh_config_refresh(const struct profile *p, const struct view *v, struct diag *d) CLUSTER_MUST_USE;

/*
 * The text of a person's configuration with the marked line at its top that includes `path`; one that is there already is replaced. `made` notes in the mark that there was
 * no file. Pure. The caller frees *ret with free(). CLUSTER_ENOMEM.
 */
enum cluster_err ssh_config_include(const char *text, const char *path, bool made, char **ret) CLUSTER_MUST_USE;
/* Takes the marked line out again, byte for byte; *ret_gone: there was no file before and nothing is left. CLUSTER_ENOTFOUND: there is no mark. */
enum cluster_err ssh_config_exclude(const char *text, char **ret, bool *ret_gone) CLUSTER_MUST_USE;
/* Is the mark there? */
bool ssh_config_included(const char *text);

#endif
