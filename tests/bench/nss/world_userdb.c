/* SPDX-License-Identifier: Apache-2.0 */
/* Drop-in records as nss-systemd reads them: a file for each account and group, a link for each id, and one for each membership, which must not be empty. */
#include "world.h"

#include <err.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void link_id(int dir, const char *target, uint32_t id, const char *suffix)
{
	char name[32];

	snprintf(name, sizeof name, "%u.%s", id, suffix);
	if (symlinkat(target, dir, name) != 0)
		err(1, "%s", name);
}

static void write_file(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 || dprintf(fd, "%s", text) < 0 || close(fd) != 0)
		err(1, "%s", name);
}

static void put_account(const struct world *w, int dir, const struct world_account *a)
{
	char name[64], text[512];

	snprintf(name, sizeof name, "%s.user", a->name);
	snprintf(text, sizeof text,
	    "{\"userName\":\"%s\",\"uid\":%u,\"gid\":%u,\"realName\":\"%s\",\"homeDirectory\":\"%s\",\"shell\":\"/bin/bash\",\"disposition\":\"regular\"}\n",
	    a->name, a->uid, WORLD_PRIMARY, a->gecos, a->home);
	write_file(dir, name, text);
	link_id(dir, name, a->uid, "user");
	for (uint32_t i = 0; i < a->groups; i++) {
		snprintf(name, sizeof name, "%s:%s.membership", a->name, w->group[a->group[i]].name);
		write_file(dir, name, "{}\n");
	}
}

void world_userdb(const struct world *w, const char *parent)
{
	char name[512], text[128];
	int dir;

	snprintf(name, sizeof name, "%s/userdb", parent);
	if (mkdir(name, 0755) != 0 || (dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		err(1, "%s", name);
	for (uint32_t i = 0; i < w->accounts; i++)
		put_account(w, dir, &w->account[i]);
	for (uint32_t i = 0; i < w->groups; i++) {
		snprintf(name, sizeof name, "%s.group", w->group[i].name);
		snprintf(text, sizeof text, "{\"groupName\":\"%s\",\"gid\":%u,\"disposition\":\"regular\"}\n", w->group[i].name, w->group[i].gid);
		write_file(dir, name, text);
		link_id(dir, name, w->group[i].gid, "group");
	}
	close(dir);
}
