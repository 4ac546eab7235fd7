/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/local.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/num.h"

#define LINE_ROOM 4096
#define FIELDS 7
#define PASSWD_ROOM 16384
#define USER_MAX 256 /* LOGIN_NAME_MAX: nobody's name is longer, so nobody is asked */

/* Cuts a passwd line into its fields, in place. False if it has not seven. */
static bool split(char *line, char *field[FIELDS])
{
	size_t n = 0;

	for (char *p = line; p; n++) {
		char *colon = strchr(p, ':');

		if (n == FIELDS)
			return false;
		field[n] = p;
		if (colon)
			*colon++ = '\0';
		p = colon;
	}
	return n == FIELDS;
}

static bool line_is(char *line, const char *name, uid_t *ret_uid)
{
	size_t n = strlen(name);
	char *field[FIELDS];
	uint32_t uid, gid;

	if (strncmp(line, name, n) != 0 || line[n] != ':' || !split(line, field))
		return false;
	if (num_u32(field[2], 0, UINT32_MAX - 1, &uid) != CLUSTER_OK || num_u32(field[3], 0, UINT32_MAX - 1, &gid) != CLUSTER_OK)
		return false;
	*ret_uid = uid;
	return true;
}

static enum local_found search(int fd, const char *name, uid_t *ret_uid)
{
	char buffer[LINE_ROOM];
	bool skipping = false; /* the rest of a line that was too long */
	size_t n = 0;

	for (;;) {
		ssize_t got = read(fd, buffer + n, sizeof buffer - 1 - n);
		char *line = buffer, *end;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return LOCAL_UNKNOWN;
		if (got == 0) {
			buffer[n] = '\0';
			return n > 0 && !skipping && line_is(buffer, name, ret_uid) ? LOCAL_YES : LOCAL_NO;
		}
		n += (size_t)got;
		while ((end = memchr(line, '\n', n - (size_t)(line - buffer)))) {
			*end = '\0';
			if (!skipping && line_is(line, name, ret_uid))
				return LOCAL_YES;
			skipping = false;
			line = end + 1;
		}
		n -= (size_t)(line - buffer);
		memmove(buffer, line, n);
		if (n == sizeof buffer - 1) {
			skipping = true;
			n = 0;
		}
	}
}

enum local_found local_find(const char *path, const char *name, uid_t *ret_uid)
{
	enum local_found found = LOCAL_UNKNOWN;
	struct stat st;
	int fd;

	if (name[0] == '\0' || name[0] == '+' || name[0] == '-' || strpbrk(name, ":\n"))
		return LOCAL_NO;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return LOCAL_UNKNOWN;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		found = search(fd, name, ret_uid);
	file_close(fd);
	return found;
}

enum local_nss local_ask_nss(const char *name, uid_t *ret_uid)
{
	char room[PASSWD_ROOM];
	struct passwd pw, *found = NULL;
	int e;

	if (strnlen(name, USER_MAX) == USER_MAX)
		return LOCAL_NSS_NONE;
	e = getpwnam_r(name, &pw, room, sizeof room, &found);
	if (found) {
		*ret_uid = pw.pw_uid;
		return LOCAL_NSS_FOUND;
	}
	return e != 0 && e != ENOENT && e != ESRCH ? LOCAL_NSS_ERROR : LOCAL_NSS_NONE;
}
