/* SPDX-License-Identifier: Apache-2.0 */
#include "user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum cluster_err user_find(const char *name, struct user *ret, struct diag *d)
{
	const struct passwd *pw;

	errno = 0;
	if (!(pw = getpwnam(name)))
		return errno && errno != ENOENT ? diag_errno(d, "user %s", name) : diag_set(d, CLUSTER_ENOTFOUND, "there is no user \"%s\"", name);
	*ret = (struct user){ .uid = pw->pw_uid, .gid = pw->pw_gid };
	return CLUSTER_OK;
}

enum cluster_err user_of(const char *dir, struct user *ret, struct diag *d)
{
	struct stat st;

	if (stat(dir, &st) != 0)
		return errno == ENOENT ? diag_set(d, CLUSTER_ENOTFOUND, "%s is not there: see cluster-authorityd init", dir) : diag_errno(d, "%s", dir);
	*ret = (struct user){ .uid = st.st_uid, .gid = st.st_gid };
	return CLUSTER_OK;
}

enum cluster_err user_become(const struct user *u, struct diag *d)
{
	if (geteuid() == u->uid && geteuid() == getuid())
		return CLUSTER_OK;
	if (geteuid() != 0)
		return diag_set(d, CLUSTER_ECONFIG, "only root can become uid %u", (unsigned)u->uid);
	if (setgroups(0, NULL) != 0 || setresgid(u->gid, u->gid, u->gid) != 0 || setresuid(u->uid, u->uid, u->uid) != 0)
		return diag_errno(d, "could not become uid %u", (unsigned)u->uid);
	if (u->uid != 0 && setuid(0) == 0)
		return diag_set(d, CLUSTER_ESYSTEM, "could not give up root");
	return CLUSTER_OK;
}
