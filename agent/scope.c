/* SPDX-License-Identifier: Apache-2.0 */
#include "scope.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/session.h"

#define TEXT_MAX 8192
#define UNIFIED "0::"

static bool name_ok(const char *name)
{
	static const char prefix[] = "session-", suffix[] = ".scope";
	size_t n = strlen(name);

	return n > sizeof prefix - 1 + sizeof suffix - 1 && strncmp(name, prefix, sizeof prefix - 1) == 0 && strcmp(name + n - (sizeof suffix - 1), suffix) == 0;
}

bool scope_parse(const char *text, char ret[SCOPE_MAX])
{
	const char *line = text, *path;
	size_t n;

	memset(ret, 0, SCOPE_MAX);
	while (line && strncmp(line, UNIFIED, sizeof UNIFIED - 1) != 0) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line)
		return false;
	path = line + sizeof UNIFIED - 1;
	n = strcspn(path, "\n");
	if (n == 0 || n >= SCOPE_MAX || *path != '/' || memchr(path, '\0', n))
		return false;
	memcpy(ret, path, n);
	if (!strstr(ret, "/../") && !strstr(ret, "//") && name_ok(strrchr(ret, '/') + 1))
		return true;
	memset(ret, 0, SCOPE_MAX);
	return false;
}

/* The scope of a process; empty if it has none. False: it cannot be told. */
static bool scope_of(pid_t pid, char ret[SCOPE_MAX])
{
	char path[sizeof "/proc/" + 12 + sizeof "/cgroup"], text[TEXT_MAX];
	ssize_t n;
	int fd;

	memset(ret, 0, SCOPE_MAX);
	snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	do {
		n = read(fd, text, sizeof text - 1);
	} while (n < 0 && errno == EINTR);
	file_close(fd);
	if (n < 0)
		return false;
	text[n] = '\0';
	(void)scope_parse(text, ret);
	return true;
}

void scope_of_leader(pid_t leader, uint64_t start, char ret[SCOPE_MAX])
{
	char found[SCOPE_MAX], parent[SCOPE_MAX], self[SCOPE_MAX];
	struct session_facts f;

	memset(ret, 0, SCOPE_MAX);
	if (!scope_of(leader, found) || found[0] == '\0' || session_facts_read(leader, &f) != CLUSTER_OK || f.start != start)
		return;
	if (f.parent <= 0 || !scope_of(f.parent, parent) || !scope_of(getpid(), self) || strcmp(parent, found) == 0 || strcmp(self, found) == 0)
		return;
	memcpy(ret, found, SCOPE_MAX);
}

void scope_kill(const char *root, const char *scope)
{
	char path[PATH_MAX];
	int fd;

	if (scope[0] == '\0' || snprintf(path, sizeof path, "%s%s/cgroup.kill", root, scope) >= (int)sizeof path)
		return;
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return; /* gone, or a kernel before 5.14 */
	if (write(fd, "1", 1) != 1)
		errno = 0; /* the processes are ended one by one as well */
	file_close(fd);
}
