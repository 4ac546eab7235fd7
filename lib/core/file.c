/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cluster/secret.h"

#define PATH_ROOM 1024
#define LINKS_MAX 8

void file_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

static enum cluster_err open_failed(struct diag *d, const char *path)
{
	switch (errno) {
	case ENOENT:
		return diag_set(d, CLUSTER_ENOTFOUND, "%s: no such file", path);
	case ELOOP:
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s: a symbolic link is not accepted here", path);
	case ENOTDIR:
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s: a part of the path is not a directory", path);
	case ENXIO:
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s: not a regular file", path);
	default:
		return diag_errno(d, "%s", path);
	}
}

/* The walk from "/" to a file's directory: each directory is judged before a name is looked up in it. */
struct walk {
	const char *path; /* for messages */
	const struct file_rules *rules;
	int dir;          /* O_PATH descriptor of the directory reached */
	struct stat st;   /* of that directory */
	unsigned links;
	char at[PATH_ROOM];   /* its name, for messages */
	char rest[PATH_ROOM]; /* what is still to be walked */
};

static enum cluster_err judge_directory(struct walk *w, struct diag *d)
{
	const char *at = w->at[0] ? w->at : "/";

	if (fstat(w->dir, &w->st) != 0)
		return diag_errno(d, "%s", w->path);
	if (!S_ISDIR(w->st.st_mode))
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s: %s is not a directory", w->path, at);
	if (w->st.st_uid != 0 && w->st.st_uid != w->rules->owner)
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s: the directory %s belongs to uid %u", w->path, at, (unsigned)w->st.st_uid);
	if ((w->st.st_mode & 022) && !(w->st.st_mode & S_ISVTX))
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s: others may write the directory %s (mode %04o)", w->path, at, (unsigned)w->st.st_mode & 07777);
	return CLUSTER_OK;
}

/* Goes to the directory open as `next`, which the walk owns from here on. */
static enum cluster_err enter(struct walk *w, int next, struct diag *d)
{
	file_close(w->dir);
	w->dir = next;
	return next < 0 ? open_failed(d, w->path) : judge_directory(w, d);
}

static enum cluster_err enter_root(struct walk *w, struct diag *d)
{
	w->at[0] = '\0';
	return enter(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), d);
}

/* A symbolic link among the parents: its owner must be one we believe; its target takes its place in `rest`. */
static enum cluster_err follow_link(struct walk *w, int link, const struct stat *st, const char *after, struct diag *d)
{
	char target[PATH_ROOM], joined[PATH_ROOM];
	ssize_t n;
	int m;

	if (st->st_uid != 0 && st->st_uid != w->rules->owner)
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s: a link in the path belongs to uid %u", w->path, (unsigned)st->st_uid);
	if (++w->links > LINKS_MAX)
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s: too many symbolic links", w->path);
	n = readlinkat(link, "", target, sizeof target - 1);
	if (n < 0)
		return diag_errno(d, "%s", w->path);
	target[n] = '\0';
	m = snprintf(joined, sizeof joined, "%s/%s", target, after);
	if (m < 0 || (size_t)m >= sizeof joined)
		return diag_set(d, CLUSTER_ELIMIT, "%s: the path is too long", w->path);
	memcpy(w->rest, joined, (size_t)m + 1);
	if (target[0] != '/')
		return CLUSTER_OK;
	return enter_root(w, d);
}

/* One step down: `name` is not the last component, `after` is what follows it. */
static enum cluster_err step(struct walk *w, const char *name, const char *after, struct diag *d)
{
	struct stat st;
	enum cluster_err e = CLUSTER_EUNTRUSTED;
	size_t n;
	int next = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (next < 0)
		return open_failed(d, w->path);
	if (fstat(next, &st) != 0) {
		e = diag_errno(d, "%s", w->path);
		goto out;
	}
	if (S_ISLNK(st.st_mode)) {
		e = follow_link(w, next, &st, after, d);
		goto out;
	}
	n = strlen(w->at);
	snprintf(w->at + n, sizeof w->at - n, "/%s", name);
	memmove(w->rest, after, strlen(after) + 1);
	e = enter(w, next, d);
	next = -1;
out:
	file_close(next);
	return e;
}

/* Walks until `rest` is the last component only. w->dir is the caller's to close, also on failure. */
static enum cluster_err walk_to_directory(struct walk *w, struct diag *d)
{
	enum cluster_err e = enter_root(w, d);

	while (e == CLUSTER_OK) {
		size_t skip = strspn(w->rest, "/"), n;
		char name[PATH_ROOM];

		memmove(w->rest, w->rest + skip, strlen(w->rest + skip) + 1);
		n = strcspn(w->rest, "/");
		if (w->rest[n] == '\0')
			return CLUSTER_OK;
		memcpy(name, w->rest, n);
		name[n] = '\0';
		e = step(w, name, w->rest + n + 1, d);
	}
	return e;
}

static enum cluster_err start_walk(struct walk *w, const char *path, const struct file_rules *rules, struct diag *d)
{
	char here[PATH_ROOM] = "";
	int n;

	*w = (struct walk){ .path = path, .rules = rules, .dir = -1 };
	if (path[0] != '/' && !getcwd(here, sizeof here))
		return diag_errno(d, "%s: the current directory", path);
	n = snprintf(w->rest, sizeof w->rest, "%s/%s", here, path);
	if (n < 0 || (size_t)n >= sizeof w->rest)
		return diag_set(d, CLUSTER_ELIMIT, "%s: the path is too long", path);
	return CLUSTER_OK;
}

static enum cluster_err judge_file(const struct stat *st, const struct file_rules *rules, const char *path, struct diag *d)
{
	if (!S_ISREG(st->st_mode))
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s: not a regular file", path);
	if (st->st_uid != rules->owner)
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s: belongs to uid %u and not to uid %u", path, (unsigned)st->st_uid, (unsigned)rules->owner);
	if (st->st_mode & rules->forbid)
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s: mode %04o, where %04o must be off", path, (unsigned)st->st_mode & 07777, (unsigned)rules->forbid);
	if ((uint64_t)st->st_size > rules->max_size)
		return diag_set(d, CLUSTER_ELIMIT, "%s: larger than %zu bytes", path, rules->max_size);
	return CLUSTER_OK;
}

enum cluster_err file_open(const char *path, const struct file_rules *rules, int *ret_fd, struct stat *ret_st, struct diag *d)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	enum cluster_err e = CLUSTER_EUNTRUSTED;
	struct walk w;
	struct stat st;
	int fd = -1;

	if ((e = start_walk(&w, path, rules, d)) != CLUSTER_OK)
		goto out;
	if (!rules->any_parent && (e = walk_to_directory(&w, d)) != CLUSTER_OK)
		goto out;
	fd = rules->any_parent ? open(path, flags) : openat(w.dir, w.rest[0] ? w.rest : ".", flags);
	if (fd < 0) {
		e = open_failed(d, path);
		goto out;
	}
	if (fstat(fd, &st) != 0) {
		e = diag_errno(d, "%s", path);
		goto out;
	}
	if ((e = judge_file(&st, rules, path, d)) != CLUSTER_OK)
		goto out;
	/* Where others may add names, a second link may be somebody else's name for a file that is meant for another place. */
	if (!rules->any_parent && (w.st.st_mode & 022) && st.st_nlink != 1) {
		e = diag_set(d, CLUSTER_EUNTRUSTED, "%s: has %lu links in a directory that others may write", path, (unsigned long)st.st_nlink);
		goto out;
	}
	if (ret_st)
		*ret_st = st;
	*ret_fd = fd;
	fd = -1;
	e = CLUSTER_OK;
out:
	file_close(fd);
	file_close(w.dir);
	return e;
}

/* Reads until `size` bytes or the end of the file. */
static enum cluster_err read_up_to(int fd, void *dst, size_t size, size_t *ret_n)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, (uint8_t *)dst + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return CLUSTER_ESYSTEM;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	*ret_n = have;
	return CLUSTER_OK;
}

enum cluster_err file_read(const char *path, const struct file_rules *rules, struct secret **ret, struct diag *d)
{
	enum cluster_err e = CLUSTER_EUNTRUSTED;
	struct secret *s = NULL;
	struct stat st;
	size_t n = 0;
	int fd = -1;

	if ((e = file_open(path, rules, &fd, &st, d)) != CLUSTER_OK)
		goto out;
	/* One byte more than it has, so that growth shows. */
	if ((e = secret_new((size_t)st.st_size + 1, &s)) != CLUSTER_OK) {
		e = diag_set(d, e, "%s: %s", path, e == CLUSTER_ELIMIT ? "too large" : "out of memory");
		goto out;
	}
	if (read_up_to(fd, s->bytes, s->n, &n) != CLUSTER_OK) {
		e = diag_errno(d, "%s", path);
		goto out;
	}
	if (n == s->n) {
		e = diag_set(d, CLUSTER_ELIMIT, "%s: grew while it was read", path);
		goto out;
	}
	s->n = n;
	*ret = s;
	s = NULL;
	e = CLUSTER_OK;
out:
	secret_free(s);
	file_close(fd);
	return e;
}

bool file_untouched(const struct stat *was, const struct stat *is)
{
	return was->st_dev == is->st_dev && was->st_ino == is->st_ino && was->st_size == is->st_size && was->st_mtim.tv_sec == is->st_mtim.tv_sec &&
	    was->st_mtim.tv_nsec == is->st_mtim.tv_nsec && was->st_ctim.tv_sec == is->st_ctim.tv_sec && was->st_ctim.tv_nsec == is->st_ctim.tv_nsec;
}

enum cluster_err file_write_all(int fd, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return CLUSTER_ESYSTEM;
		p += done;
		n -= (size_t)done;
	}
	return CLUSTER_OK;
}

enum cluster_err file_read_all(int fd, void *dst, size_t n)
{
	size_t have;
	enum cluster_err e = read_up_to(fd, dst, n, &have);

	if (e != CLUSTER_OK)
		return e;
	return have == n ? CLUSTER_OK : CLUSTER_ETRUNC;
}

enum cluster_err file_join(char *dst, size_t size, const char *dir, const char *name)
{
	int n = snprintf(dst, size, "%s/%s", dir, name);

	return n < 0 || (size_t)n >= size ? CLUSTER_ELIMIT : CLUSTER_OK;
}
