/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/file.h"

#include "ipc.h"

#define FILE_MAX ((off_t)64 << 20)

struct watch {
	const char *path[2];
	struct stat seen[2];
	bool known;
};

enum cluster_err watch_new(const char *passwd, const char *group, struct watch **ret, struct diag *d)
{
	struct watch *w = calloc(1, sizeof *w);

	if (!w)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	w->path[0] = passwd;
	w->path[1] = group;
	*ret = w;
	return CLUSTER_OK;
}

void watch_free(struct watch *w)
{
	free(w);
}

void watch_forget(struct watch *w)
{
	w->known = false;
}

/* The whole file as sealed memory, and what it was when it was opened. A file that is missing is not taken for an empty one. */
static enum cluster_err read_one(const char *path, struct stat *ret_st, int *ret_fd, struct diag *d)
{
	enum cluster_err e;
	uint8_t *p = NULL;
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		e = diag_errno(d, "cannot open %s", path);
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		e = diag_set(d, CLUSTER_EUNTRUSTED, "%s is not a file of at most 64 MiB", path);
		goto out;
	}
	p = malloc((size_t)st.st_size + 1);
	if (!p) {
		e = diag_set(d, CLUSTER_ENOMEM, "%s: out of memory", path);
		goto out;
	}
	if ((e = file_read_all(fd, p, (size_t)st.st_size)) != CLUSTER_OK) {
		diag_set(d, e, "cannot read %s: it changes", path);
		goto out;
	}
	if ((e = ipc_memory("local", p, (size_t)st.st_size, ret_fd, d)) != CLUSTER_OK)
		goto out;
	*ret_st = st;
	e = CLUSTER_OK;
out:
	free(p);
	file_close(fd);
	return e;
}

enum cluster_err watch_read(struct watch *w, int ret_fds[2], struct diag *d)
{
	struct stat st[2];
	enum cluster_err e;
	int fds[2];

	if (w->known && stat(w->path[0], &st[0]) == 0 && stat(w->path[1], &st[1]) == 0 && file_untouched(&w->seen[0], &st[0]) && file_untouched(&w->seen[1], &st[1]))
		return CLUSTER_ENOTFOUND;
	if ((e = read_one(w->path[0], &st[0], &fds[0], d)) != CLUSTER_OK)
		return e;
	if ((e = read_one(w->path[1], &st[1], &fds[1], d)) != CLUSTER_OK) {
		close(fds[0]);
		return e;
	}
	memcpy(w->seen, st, sizeof st);
	w->known = true;
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return CLUSTER_OK;
}
