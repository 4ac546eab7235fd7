/* SPDX-License-Identifier: Apache-2.0 */
#include "leftover.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <shadow.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/local.h"
#include "cluster/name.h"

#define PATH_SIZE 512
#define UID_PEOPLE 1000
#define UID_NOBODY 65534

static void add(struct leftover_list *list, const char *name)
{
	size_t used = strlen(list->names);

	list->n++;
	if (used + strlen(name) + 2 <= sizeof list->names)
		(void)snprintf(list->names + used, sizeof list->names - used, "%s%s", used > 0 ? " " : "", name);
}

static bool has_keys(const char *home)
{
	static const char *const files[] = { ".ssh/authorized_keys", ".ssh/authorized_keys2" };
	char path[PATH_SIZE];
	struct stat st;

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		if (file_join(path, sizeof path, home, files[i]) == CLUSTER_OK && stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
			return true;
	}
	return false;
}

static enum leftover_whose whose(const struct conf_list *adopt, const char *name)
{
	for (size_t i = 0; i < adopt->n; i++) {
		if (strcmp(adopt->item[i], name) == 0)
			return LEFTOVER_CLUSTER;
	}
	return LEFTOVER_LOCAL;
}

static void of_passwd(const char *path, const struct conf_list *adopt, struct leftover *ret)
{
	const struct passwd *pw;
	FILE *f = fopen(path, "re");

	while (f != NULL && (pw = fgetpwent(f)) != NULL) {
		if ((pw->pw_uid == 0 || (pw->pw_uid >= UID_PEOPLE && pw->pw_uid != UID_NOBODY)) && has_keys(pw->pw_dir))
			add(&ret->keys[whose(adopt, pw->pw_name)], pw->pw_name);
	}
	if (f != NULL)
		(void)fclose(f);
}

/* A hash, or no password at all; "!" and "*" in front are locks. */
static void of_shadow(const char *path, const struct conf_list *adopt, struct leftover *ret)
{
	const struct spwd *sp;
	FILE *f = fopen(path, "re");

	while (f != NULL && (sp = fgetspent(f)) != NULL) {
		if (sp->sp_pwdp != NULL && sp->sp_pwdp[0] != '!' && sp->sp_pwdp[0] != '*')
			add(&ret->passwords[whose(adopt, sp->sp_namp)], sp->sp_namp);
	}
	if (f != NULL)
		(void)fclose(f);
}

/* Homes of accounts that only the directory knows. */
static void of_homes(const struct leftover_places *where, struct leftover *ret)
{
	char home[PATH_SIZE];
	const struct dirent *entry;
	DIR *dir = opendir(where->homes);
	uid_t uid;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (!name_account_ok(entry->d_name) || local_find(where->passwd, entry->d_name, &uid) != LOCAL_NO)
			continue;
		if (file_join(home, sizeof home, where->homes, entry->d_name) == CLUSTER_OK && has_keys(home))
			add(&ret->keys[LEFTOVER_CLUSTER], entry->d_name);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

void leftover_find(const struct leftover_places *where, const struct conf_list *adopt, struct leftover *ret)
{
	*ret = (struct leftover){ .keys = { { .n = 0 } } };
	of_passwd(where->passwd, adopt, ret);
	of_homes(where, ret);
	of_shadow(where->shadow, adopt, ret);
}
