/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/num.h"

/* What the kernel says of processes. */

#define STAT_MAX 4096
#define STAT_STATE 3 /* fields of proc(5) */
#define STAT_PARENT 4
#define STAT_TTY 7
#define STAT_START 22

/* A small file of /proc, NUL-terminated in dst. */
static enum cluster_err read_proc(int dir, const char *name, char *dst, size_t size)
{
	ssize_t n;
	int fd;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ESRCH ? CLUSTER_ENOTFOUND : CLUSTER_ESYSTEM;
	do {
		n = read(fd, dst, size - 1);
	} while (n < 0 && errno == EINTR);
	file_close(fd);
	if (n <= 0)
		return n == 0 || errno == ESRCH ? CLUSTER_ENOTFOUND : CLUSTER_ESYSTEM;
	dst[n] = '\0';
	return CLUSTER_OK;
}

/*
 * The facts in /proc/<pid>/stat. Its second field is the process's own choice of bytes, so fields are counted from behind the last ')': state is the first, parent the
 * second, then process group, session, tty; start time is the twentieth.
 */
static enum cluster_err read_stat(char *text, struct session_facts *f)
{
	char *p = strrchr(text, ')'), *field, *save = NULL;
	enum cluster_err e = CLUSTER_OK;
	uint32_t parent = 0;
	unsigned int i;

	if (!p)
		return CLUSTER_EFORMAT;
	field = strtok_r(p + 1, " \n", &save);
	for (i = STAT_STATE; field && i < STAT_START && e == CLUSTER_OK; i++) {
		if (i == STAT_STATE)
			f->ended = *field == 'Z' || *field == 'X';
		else if (i == STAT_PARENT)
			e = num_u32(field, 0, INT_MAX, &parent);
		else if (i == STAT_TTY && num_u32(field, 0, UINT32_MAX, &f->tty) != CLUSTER_OK)
			f->tty = 0; /* negative: a number that no terminal of ours has */
		field = strtok_r(NULL, " \n", &save);
	}
	if (e != CLUSTER_OK || !field)
		return CLUSTER_EFORMAT;
	f->parent = (pid_t)parent;
	return num_u64(field, 0, UINT64_MAX, &f->start);
}

enum cluster_err session_facts_read(pid_t pid, struct session_facts *ret)
{
	char name[sizeof "/proc/" + 12], text[STAT_MAX];
	struct session_facts f = { .audit = SESSION_NO_AUDIT };
	enum cluster_err e;
	int dir;

	snprintf(name, sizeof name, "/proc/%d", (int)pid);
	dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* both files are then of one process, whatever becomes of the number */
	if (dir < 0)
		return errno == ENOENT ? CLUSTER_ENOTFOUND : CLUSTER_ESYSTEM;
	if ((e = read_proc(dir, "stat", text, sizeof text)) != CLUSTER_OK || (e = read_stat(text, &f)) != CLUSTER_OK)
		goto out;
	e = read_proc(dir, "sessionid", text, sizeof text); /* absent from a kernel without audit */
	if (e == CLUSTER_OK) {
		text[strcspn(text, "\n")] = '\0';
		e = num_u32(text, 0, UINT32_MAX, &f.audit);
	} else if (e == CLUSTER_ENOTFOUND) {
		e = faccessat(dir, "stat", F_OK, 0) == 0 ? CLUSTER_OK : CLUSTER_ENOTFOUND;
	}
	if (e != CLUSTER_OK)
		goto out;
	*ret = f;
	e = CLUSTER_OK;
out:
	file_close(dir);
	return e;
}

enum cluster_err session_process(pid_t pid, uint64_t *ret_start, uint32_t *ret_audit)
{
	struct session_facts f;
	enum cluster_err e;

	if ((e = session_facts_read(pid, &f)) != CLUSTER_OK)
		return e;
	*ret_start = f.start;
	*ret_audit = f.audit;
	return CLUSTER_OK;
}

uint32_t session_own_audit(pid_t pid)
{
	struct session_facts self, parent;

	if (session_facts_read(pid, &self) != CLUSTER_OK || self.audit == SESSION_NO_AUDIT || self.parent <= 0)
		return SESSION_NO_AUDIT;
	return session_facts_read(self.parent, &parent) == CLUSTER_OK && parent.audit != self.audit ? self.audit : SESSION_NO_AUDIT;
}

bool session_has(const struct session *s, pid_t pid, const struct session_facts *f)
{
	return s->audit != SESSION_NO_AUDIT && f->audit == s->audit && f->start >= s->start && !f->ended && !((uint32_t)pid == s->pid && f->start == s->start);
}

bool session_left(const struct session *s)
{
	const struct dirent *entry;
	struct session_facts f;
	bool left = false;
	uint32_t pid;
	DIR *proc;

	if (s->audit == SESSION_NO_AUDIT)
		return false;
	proc = opendir("/proc");
	if (!proc)
		return true;
	while (!left && (errno = 0, entry = readdir(proc))) {
		enum cluster_err e;

		if (num_u32(entry->d_name, 1, INT_MAX, &pid) != CLUSTER_OK)
			continue;
		e = session_facts_read((pid_t)pid, &f);
		left = e == CLUSTER_OK ? session_has(s, (pid_t)pid, &f) : e != CLUSTER_ENOTFOUND;
	}
	left = left || errno != 0;
	closedir(proc);
	return left;
}
