/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BACKUP_H
#define CLI_BACKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/*
 * Originals of the files that `join --configure` changes, under <dir>: manifest and one numbered file each. Written before anything is changed, so that a stop at any
 * point can be undone byte for byte.
 */
#define BACKUP_FILES_MAX 32

/* Copies `paths` as they are, also that one is not there. CLUSTER_EDENIED: <dir> holds a backup already. */
enum cluster_err backup_begin(const char *dir, const char *const *paths, size_t n, struct diag *d) CLUSTER_MUST_USE;
/* Notes what the files are now: what backup_restore may later replace without losing somebody's work. */
enum cluster_err backup_commit(const char *dir, struct diag *d) CLUSTER_MUST_USE;
/* Is there one? */
bool backup_exists(const char *dir);
/* Has the file been changed since backup_commit? False also if it was never committed. */
bool backup_changed(const char *dir, const char *path);
/*
 * Puts files back. `keep` is asked for each whether to leave it as it is, and told whether it was changed since backup_commit; NULL: put all back. One that fails does not
 * stop the others. The backup stays until backup_remove.
 */
enum cluster_err backup_restore(const char *dir, bool (*keep)(void *arg, const char *path, bool changed), void *arg, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err backup_remove(const char *dir, struct diag *d) CLUSTER_MUST_USE;

#endif
