/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_world.h"

#include <dlfcn.h>
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/snap.h"

struct world_module module;

static const struct cluster_id cluster = { { 0xc1, 0xd2 } };

static char master[][NAME_ROLE_MAX + 1] = { "master" }, core[][NAME_ROLE_MAX + 1] = { "core", "worker" }, task[][NAME_ROLE_MAX + 1] = { "task", "worker", "localhost" };
static char master_1[][SNAP_ADDRESS_TEXT] = { "10.77.0.11", "fd00:77::11" }, master_2[][SNAP_ADDRESS_TEXT] = { "fd00:77::12", "10.77.0.12" };
static char core_1[][SNAP_ADDRESS_TEXT] = { "127.0.0.1", "10.77.0.21", "fe80::21", "192.168.77.21", "::1", "169.254.1.1" }, core_2[][SNAP_ADDRESS_TEXT] = { "10.77.0.22" };
static char task_1[][SNAP_ADDRESS_TEXT] = { "fd00:77::31" };

/* Not in order. */
const struct snap_node_in world_nodes[WORLD_NODES] = {
	{ "task-1-1", task, 3, task_1, 1, false },
	{ "master-1-2", master, 1, master_2, 2, true },
	{ "core-1-2", core, 2, core_2, 1, false },
	{ "master-1-1", master, 1, master_1, 2, false },
	{ "core-1-1", core, 2, core_1, 6, false },
};

void world_enter(void)
{
	if (unshare(CLONE_NEWNS) != 0)
		err(1, "these tests need root and a mount namespace");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("tmpfs", "/var/lib", "tmpfs", 0, "size=64m,mode=0755") != 0)
		err(1, "mount");
	umask(022);
	if (mkdir(WORLD_STATE, 0755) != 0 || mkdir(WORLD_STATE "/gen", 0755) != 0)
		err(1, "%s", WORLD_STATE);
}

const char *world_module_path(void)
{
	static char path[512];
	const char *build = getenv("BUILD");

	snprintf(path, sizeof path, "%s/libnss_cluster.so.2", build ? build : "build/release");
	return path;
}

static void *symbol(void *handle, const char *name)
{
	char full[64];
	void *p;

	snprintf(full, sizeof full, "_nss_cluster_%s", name);
	p = dlsym(handle, full);
	if (!p)
		errx(1, "%s", dlerror());
	return p;
}

static void load_hosts(void *handle)
{
	*(void **)&module.gethostbyname = symbol(handle, "gethostbyname_r");
	*(void **)&module.gethostbyname2 = symbol(handle, "gethostbyname2_r");
	*(void **)&module.gethostbyname3 = symbol(handle, "gethostbyname3_r");
	*(void **)&module.gethostbyname4 = symbol(handle, "gethostbyname4_r");
	*(void **)&module.gethostbyaddr = symbol(handle, "gethostbyaddr_r");
	*(void **)&module.gethostbyaddr2 = symbol(handle, "gethostbyaddr2_r");
	*(void **)&module.sethostent = symbol(handle, "sethostent");
	*(void **)&module.gethostent = symbol(handle, "gethostent_r");
	*(void **)&module.endhostent = symbol(handle, "endhostent");
}

void world_load(void)
{
	void *handle = dlopen(world_module_path(), RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		errx(1, "%s", dlerror());
	*(void **)&module.getpwnam = symbol(handle, "getpwnam_r");
	*(void **)&module.getpwuid = symbol(handle, "getpwuid_r");
	*(void **)&module.setpwent = symbol(handle, "setpwent");
	*(void **)&module.getpwent = symbol(handle, "getpwent_r");
	*(void **)&module.endpwent = symbol(handle, "endpwent");
	*(void **)&module.getgrnam = symbol(handle, "getgrnam_r");
	*(void **)&module.getgrgid = symbol(handle, "getgrgid_r");
	*(void **)&module.setgrent = symbol(handle, "setgrent");
	*(void **)&module.getgrent = symbol(handle, "getgrent_r");
	*(void **)&module.endgrent = symbol(handle, "endgrent");
	*(void **)&module.initgroups = symbol(handle, "initgroups_dyn");
	load_hosts(handle);
}

void world_write(const char *path, const void *data, size_t n)
{
	static const char temporary[] = "/var/lib/new";
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n || close(fd) != 0 || rename(temporary, path) != 0)
		err(1, "%s", path);
}

void world_enroll(void)
{
	world_write(WORLD_STATE "/enrolled", "", 0);
}

static void remove_generation(uint64_t generation)
{
	char path[128];

	snprintf(path, sizeof path, WORLD_STATE "/gen/%llu/accounts.snap", (unsigned long long)generation);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

void world_publish_silently(uint64_t generation, const void *file, size_t n)
{
	struct snap_fresh f = { .cluster = cluster, .generation = generation, .head_version = generation, .head_iat = 1700000000, .newest_iat = 1700000000 };
	uint8_t fresh[SNAP_FRESH_SIZE];
	char path[128];

	snprintf(path, sizeof path, WORLD_STATE "/gen/%llu", (unsigned long long)generation);
	if (mkdir(path, 0755) != 0)
		err(1, "%s", path);
	strcat(path, "/accounts.snap");
	world_write(path, file, n);
	snap_fresh_build(&f, fresh);
	world_write(WORLD_STATE "/fresh", fresh, sizeof fresh);
}

void world_publish(uint64_t generation, const void *file, size_t n)
{
	if (snap_word_begin(WORLD_STATE) != CLUSTER_OK)
		err(1, "generation");
	world_publish_silently(generation, file, n);
	if (snap_word_finish(WORLD_STATE) != CLUSTER_OK)
		err(1, "generation");
	if (generation > 2)
		remove_generation(generation - 2);
}

uint8_t *world_accounts(size_t n, uint32_t shift, size_t *ret_n)
{
	struct snap_account_in *accounts = calloc(n + 1, sizeof *accounts);
	struct snap_group_in *groups = calloc(n + 1, sizeof *groups);
	char(*text)[3][32] = calloc(n + 1, sizeof *text);
	const char *(*members)[2] = calloc(n + 1, sizeof *members);
	const struct snap_names names = { accounts, n, groups, n, world_nodes, WORLD_NODES, NULL, 0 };
	uint8_t *file = NULL;
	struct diag d;

	if (!accounts || !groups || !text || !members)
		err(1, "calloc");
	for (size_t i = 0; i < n; i++) {
		snprintf(text[i][0], sizeof text[i][0], "user%04zu", i);
		snprintf(text[i][1], sizeof text[i][1], "/home/user%04zu", i);
		snprintf(text[i][2], sizeof text[i][2], "group%04zu", i);
		accounts[i] = (struct snap_account_in){ text[i][0], "A Person", text[i][1], "/bin/bash", WORLD_UID(i, shift), WORLD_UID(i, shift) };
		members[i][0] = text[i][0];
		members[i][1] = text[(i + 1) % n][0];
		groups[i] = (struct snap_group_in){ text[i][2], WORLD_GID(i), members[i], 2 };
	}
	diag_clear(&d);
	if (snap_accounts_build(&cluster, &names, &file, ret_n, &d) != CLUSTER_OK)
		errx(1, "%s", d.text);
	free(accounts);
	free(groups);
	free(text);
	free(members);
	return file;
}
