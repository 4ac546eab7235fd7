/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_FILE_H
#define CLUSTER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

struct secret;

/* What a file must be before a byte of it is believed (THREATS.md I3). */
struct file_rules {
	uid_t owner;       /* owner of the file and of its parents; root is always accepted as a parent's owner */
	mode_t forbid;     /* permission bits that must be off, e.g. 022 or 077 */
	size_t max_size;   /* larger is CLUSTER_ELIMIT */
	bool any_parent;   /* do not judge the parent directories (a person's own home) */
};

/*
 * Opens for reading with O_NOFOLLOW|O_CLOEXEC|O_NONBLOCK, then judges the descriptor: regular, one owner, no forbidden bit, not too large;
 * then every parent up to "/": a directory, owned by root or by rules->owner, not writable by group or others unless sticky.
 * The caller closes *ret_fd. CLUSTER_ENOTFOUND: ENOENT on the file or a parent. CLUSTER_EUNTRUSTED: a rule does not hold (also ELOOP).
 * A symbolic link among the parents is followed if it belongs to root or rules->owner; one as the last component is refused. In a sticky
 * directory that others may write, a file with more than one link is refused. CLUSTER_ESYSTEM: anything else, errno in d. `ret_st` may be NULL.
 */
enum cluster_err file_open(const char *path, const struct file_rules *rules, int *ret_fd, struct stat *ret_st, struct diag *d) CLUSTER_MUST_USE;

/* file_open, then the whole content (NUL-terminated after n bytes). Errors as file_open; CLUSTER_ELIMIT if it grew meanwhile. */
enum cluster_err file_read(const char *path, const struct file_rules *rules, struct secret **ret, struct diag *d) CLUSTER_MUST_USE;

/*
 * Replaces `path` as a whole: temporary name beside it (O_EXCL, `mode` from creation), write, fsync, rename, fsync of the directory.
 * On failure the old file stands as it was and nothing else is left (only when the very last fsync fails, the new file may stand).
 * CLUSTER_ESYSTEM with errno in d.
 */
enum cluster_err file_replace(const char *path, const void *data, size_t n, mode_t mode, struct diag *d) CLUSTER_MUST_USE;

/* As file_replace, but CLUSTER_EDENIED if `path` exists already (keys are never overwritten). */
enum cluster_err file_create(const char *path, const void *data, size_t n, mode_t mode, struct diag *d) CLUSTER_MUST_USE;

/* Makes one directory with `mode` (exactly, whatever the umask); an existing one must be a directory of ours without 022 bits. */
enum cluster_err file_mkdir(const char *path, mode_t mode, struct diag *d) CLUSTER_MUST_USE;

/* Is it the file that it was, with the bytes, the owner and the mode that it had then? As far as its inode and its times tell. */
bool file_untouched(const struct stat *was, const struct stat *is) CLUSTER_PURE;

/* Writes all `n` bytes, through EINTR and short writes. CLUSTER_ESYSTEM, errno kept. */
enum cluster_err file_write_all(int fd, const void *data, size_t n) CLUSTER_MUST_USE;
/* Reads exactly `n` bytes. CLUSTER_ETRUNC at end of file; CLUSTER_ESYSTEM, errno kept. */
enum cluster_err file_read_all(int fd, void *dst, size_t n) CLUSTER_MUST_USE;

/* close(2) that keeps errno; a negative `fd` is allowed. */
void file_close(int fd);

/* Joins "dir/name" into dst. CLUSTER_ELIMIT if it does not fit. */
enum cluster_err file_join(char *dst, size_t size, const char *dir, const char *name) CLUSTER_MUST_USE;

#endif
