/* SPDX-License-Identifier: Apache-2.0 */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/log.h"

enum cluster_err start_lock(const char *state, struct diag *d)
{
	char path[PATH_MAX];
	enum cluster_err e;
	int fd;

	if ((e = file_join(path, sizeof path, state, "lock")) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", state);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return diag_errno(d, "cannot open %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		e = errno == EWOULDBLOCK ? diag_set(d, CLUSTER_EUNAVAIL, "another cluster-agentd has %s", path) : diag_errno(d, "cannot lock %s", path);
		close(fd);
		return e;
	}
	return CLUSTER_OK;
}

enum cluster_err start_listen(const char *run, const char *name, int type, int *ret, struct diag *d)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	enum cluster_err e;
	int fd;

	if (file_join(a.sun_path, sizeof a.sun_path, run, name) != CLUSTER_OK)
		return diag_set(d, CLUSTER_ECONFIG, "%s/%s: too long for a socket", run, name);
	if (unlink(a.sun_path) != 0 && errno != ENOENT)
		return diag_errno(d, "cannot remove %s", a.sun_path);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || chmod(a.sun_path, 0666) != 0 || listen(fd, SOMAXCONN) != 0) {
		e = diag_errno(d, "cannot listen on %s", a.sun_path);
		file_close(fd);
		return e;
	}
	*ret = fd;
	return CLUSTER_OK;
}

void start_unlisten(const char *run, const char *name, int fd)
{
	char path[PATH_MAX];

	file_close(fd);
	if (fd >= 0 && file_join(path, sizeof path, run, name) == CLUSTER_OK && unlink(path) != 0)
		log_line(LOG_LEVEL_DEBUG, "cannot remove %s", path);
}
