/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define DIRECTORY_ROOM 1024
#define NAME_ROOM 300
#define ATTEMPTS 16

/* A file being written under a temporary name in the directory where it is going to stand. */
struct pending {
	int dir;
	int fd;
	const char *name; /* points into the caller's path */
	char temporary[NAME_ROOM];
};

static enum cluster_err open_directory(struct pending *p, const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[DIRECTORY_ROOM] = ".";
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (n >= sizeof dir) {
		errno = ENAMETOOLONG;
		return CLUSTER_ESYSTEM;
	}
	if (slash) {
		memcpy(dir, path, n);
		dir[n] = '\0';
	}
	p->name = slash ? slash + 1 : path;
	p->dir = open(slash == path ? "/" : dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->dir < 0 ? CLUSTER_ESYSTEM : CLUSTER_OK;
}

/* Opens a temporary file beside `name`, with `mode` whatever the umask. On failure p->temporary is empty. */
static enum cluster_err open_temporary(struct pending *p, mode_t mode)
{
	for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
		uint64_t r;

		if (getrandom(&r, sizeof r, 0) != (ssize_t)sizeof r)
			break;
		snprintf(p->temporary, sizeof p->temporary, ".%.*s.%016llx", NAME_ROOM - 32, p->name, (unsigned long long)r);
		p->fd = openat(p->dir, p->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (p->fd >= 0)
			return CLUSTER_OK;
		if (errno != EEXIST)
			break;
	}
	p->temporary[0] = '\0';
	return CLUSTER_ESYSTEM;
}

static enum cluster_err write_temporary(struct pending *p, const void *data, size_t n, mode_t mode)
{
	int fd;

	if (fchmod(p->fd, mode) != 0 || file_write_all(p->fd, data, n) != CLUSTER_OK || fsync(p->fd) != 0)
		return CLUSTER_ESYSTEM;
	fd = p->fd;
	p->fd = -1;
	return close(fd) == 0 ? CLUSTER_OK : CLUSTER_ESYSTEM;
}

/* Gives the temporary file its name: over an old one, or only where there is none. */
static enum cluster_err settle(struct pending *p, bool may_exist)
{
	if (may_exist) {
		if (renameat(p->dir, p->temporary, p->dir, p->name) != 0)
			return CLUSTER_ESYSTEM;
		p->temporary[0] = '\0';
		return CLUSTER_OK;
	}
	if (linkat(p->dir, p->temporary, p->dir, p->name, 0) != 0)
		return errno == EEXIST ? CLUSTER_EDENIED : CLUSTER_ESYSTEM;
	return CLUSTER_OK;
}

static void discard(struct pending *p)
{
	int saved = errno;

	file_close(p->fd);
	if (p->temporary[0])
		unlinkat(p->dir, p->temporary, 0);
	errno = saved;
}

static enum cluster_err put(const char *path, const void *data, size_t n, mode_t mode, bool may_exist, struct diag *d)
{
	struct pending p = { .dir = -1, .fd = -1 };
	enum cluster_err e = CLUSTER_ESYSTEM;

	if ((e = open_directory(&p, path)) != CLUSTER_OK || (e = open_temporary(&p, mode)) != CLUSTER_OK ||
	    (e = write_temporary(&p, data, n, mode)) != CLUSTER_OK || (e = settle(&p, may_exist)) != CLUSTER_OK)
		goto out;
	discard(&p);
	p.temporary[0] = '\0';
	if (fsync(p.dir) != 0)
		e = CLUSTER_ESYSTEM;
out:
	discard(&p);
	file_close(p.dir);
	if (e == CLUSTER_EDENIED)
		return diag_set(d, e, "%s: exists already", path);
	return e == CLUSTER_OK ? e : diag_errno(d, "%s: cannot be written", path);
}

enum cluster_err file_replace(const char *path, const void *data, size_t n, mode_t mode, struct diag *d)
{
	return put(path, data, n, mode, true, d);
}

enum cluster_err file_create(const char *path, const void *data, size_t n, mode_t mode, struct diag *d)
{
	return put(path, data, n, mode, false, d);
}

enum cluster_err file_mkdir(const char *path, mode_t mode, struct diag *d)
{
	enum cluster_err e = CLUSTER_EUNTRUSTED;
	bool made = mkdir(path, mode & 0700) == 0;
	struct stat st;
	int fd;

	if (!made && errno != EEXIST)
		return diag_errno(d, "%s: cannot be made", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s: not a directory", path);
	if (fd < 0 || fstat(fd, &st) != 0 || (made && fchmod(fd, mode) != 0)) {
		e = diag_errno(d, "%s", path);
		goto out;
	}
	if (st.st_uid != geteuid()) {
		e = diag_set(d, CLUSTER_EUNTRUSTED, "%s: belongs to uid %u", path, (unsigned)st.st_uid);
		goto out;
	}
	if (!made && (st.st_mode & 022)) {
		e = diag_set(d, CLUSTER_EUNTRUSTED, "%s: can be written by others (mode %04o)", path, (unsigned)st.st_mode & 07777);
		goto out;
	}
	e = CLUSTER_OK;
out:
	file_close(fd);
	return e;
}
