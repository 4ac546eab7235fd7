/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/secret.h"

/* A file in memory for each direction, so that neither side waits for the other. */
static enum cluster_err make_files(const void *in, size_t n, int ret_fd[2], struct diag *d)
{
	int fd_in = memfd_create("in", MFD_CLOEXEC), fd_out = memfd_create("out", MFD_CLOEXEC);

	if (fd_in < 0 || fd_out < 0 || (n > 0 && file_write_all(fd_in, in, n) != CLUSTER_OK) || lseek(fd_in, 0, SEEK_SET) != 0) {
		diag_errno(d, "cannot make a file in memory");
		file_close(fd_in);
		file_close(fd_out);
		return CLUSTER_ESYSTEM;
	}
	ret_fd[0] = fd_in;
	ret_fd[1] = fd_out;
	return CLUSTER_OK;
}

static int start(const char *const *argv, const int fd[2], pid_t *ret)
{
	static char *const env[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LC_ALL=C", (char *)"HOME=/", (char *)"DEBIAN_FRONTEND=noninteractive",
		(char *)"SSH_ASKPASS_REQUIRE=never", NULL };
	posix_spawn_file_actions_t actions;
	int err;

	if ((err = posix_spawn_file_actions_init(&actions)) != 0)
		return err;
	if ((err = posix_spawn_file_actions_adddup2(&actions, fd[0], 0)) == 0 && (err = posix_spawn_file_actions_adddup2(&actions, fd[1], 1)) == 0 &&
	    (err = posix_spawn_file_actions_adddup2(&actions, fd[1], 2)) == 0)
		err = posix_spawn(ret, argv[0], &actions, NULL, (char *const *)argv, env);
	(void)posix_spawn_file_actions_destroy(&actions);
	return err;
}

static enum cluster_err collect(int fd, struct secret **ret, struct diag *d)
{
	struct secret *s = NULL;
	enum cluster_err e;
	struct stat st;
	size_t n;

	if (fstat(fd, &st) != 0 || lseek(fd, 0, SEEK_SET) != 0)
		return diag_errno(d, "cannot read a program's output");
	n = (size_t)st.st_size < PROGRAM_OUT_MAX ? (size_t)st.st_size : PROGRAM_OUT_MAX;
	if ((e = secret_new(n, &s)) != CLUSTER_OK)
		return diag_set(d, e, "out of memory");
	if ((e = file_read_all(fd, s->bytes, n)) != CLUSTER_OK) {
		secret_free(s);
		return diag_errno(d, "cannot read a program's output");
	}
	*ret = s;
	return CLUSTER_OK;
}

enum cluster_err program_run(const char *const *argv, const void *in, size_t n, struct program_result *ret, struct diag *d)
{
	int fd[2] = { -1, -1 }, status = 0, err;
	enum cluster_err e;
	pid_t pid;

	if ((e = make_files(in, n, fd, d)) != CLUSTER_OK)
		goto out;
	if ((err = start(argv, fd, &pid)) != 0) {
		errno = err;
		e = diag_errno(d, "cannot run %s", argv[0]);
		goto out;
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		e = diag_errno(d, "cannot wait for %s", argv[0]);
		goto out;
	}
	if ((e = collect(fd[1], &ret->out, d)) != CLUSTER_OK)
		goto out;
	ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
out:
	file_close(fd[1]);
	file_close(fd[0]);
	return e;
}

enum cluster_err program_check(const char *const *argv, struct diag *d)
{
	struct program_result r = { .out = NULL };
	const char *text;
	enum cluster_err e;
	size_t n;

	if ((e = program_run(argv, NULL, 0, &r, d)) != CLUSTER_OK)
		return e;
	if (r.status != 0) {
		text = (const char *)r.out->bytes;
		n = r.out->n;
		if (n > 250) {
			text += n - 250;
			n = 250;
		}
		while (n > 0 && strchr("\r\n ", text[n - 1]) != NULL)
			n--;
		e = diag_set(d, CLUSTER_ECONFIG, "%s fails with status %d: %.*s", argv[0], r.status, (int)n, text);
	}
	secret_free(r.out);
	return e;
}
