/* SPDX-License-Identifier: Apache-2.0 */
#include "self.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/file.h"

void self_guard(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
}

bool self_path_ok(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@,=~";

	return path[0] == '/' && path[strspn(path, plain)] == '\0';
}

enum cluster_err self_path(char dst[PROFILE_PATH_MAX], struct diag *d)
{
	ssize_t n = readlink("/proc/self/exe", dst, PROFILE_PATH_MAX - 1);

	if (n < 0)
		return diag_errno(d, "/proc/self/exe");
	dst[n] = '\0';
	if (!self_path_ok(dst))
		return diag_set(d, CLUSTER_ECONFIG, "%s: ssh cannot be told of a path with such characters", dst);
	return CLUSTER_OK;
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

bool self_askpass(char dst[PROFILE_PATH_MAX])
{
	char self[PROFILE_PATH_MAX], *slash;

	if (self_path(self, NULL) != CLUSTER_OK || (slash = strrchr(self, '/')) == NULL)
		return false;
	if (same_file(self, CLUSTER_BINDIR "/cluster-login")) {
		if (file_join(dst, PROFILE_PATH_MAX, CLUSTER_LIBEXECDIR, SELF_ASKPASS) != CLUSTER_OK)
			return false;
	} else {
		*slash = '\0';
		if (file_join(dst, PROFILE_PATH_MAX, self, "cluster-login-" SELF_ASKPASS) != CLUSTER_OK)
			return false;
	}
	return self_path_ok(dst) && access(dst, X_OK) == 0;
}

enum cluster_err self_link(const char *name, const char *home, char dst[PROFILE_PATH_MAX], struct diag *d)
{
	char self[PROFILE_PATH_MAX];
	enum cluster_err e;

	if ((e = self_path(self, d)) != CLUSTER_OK)
		return e;
	if ((e = file_join(dst, PROFILE_PATH_MAX, CLUSTER_LIBEXECDIR, name)) == CLUSTER_OK && same_file(dst, self))
		return CLUSTER_OK;
	if ((e = file_join(dst, PROFILE_PATH_MAX, home, name)) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", home);
	if (same_file(dst, self))
		return CLUSTER_OK;
	if (unlink(dst) != 0 && errno != ENOENT)
		return diag_errno(d, "cannot replace %s", dst);
	if (symlink(self, dst) != 0)
		return diag_errno(d, "cannot make %s", dst);
	return CLUSTER_OK;
}

bool self_named(const char *argv0, const char *name)
{
	const char *slash = argv0 != NULL ? strrchr(argv0, '/') : NULL;

	return argv0 != NULL && strcmp(slash != NULL ? slash + 1 : argv0, name) == 0;
}
