/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For nss_glibc.sh, in a mount namespace where /var/lib is its own:
 *   tool_world publish GENERATION COUNT   an enrolled node with COUNT accounts and groups
 *   tool_world craft GENERATION GID...    well-sealed and hostile: mallory, listed under each GID, and for each GID a group of that number; a group "sudo"
 *   tool_world ask                        getppid(), then one lookup: prints found, notfound, unavail or tryagain
 *   tool_world warm                       a lookup of each kind, then a thousand of each between two getppid()
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cluster/snap.h"
#include "nss_world.h"
#include "snap_vector.h"

static const struct cluster_id cluster = { { 0xc1, 0xd2 } };

/* The module's clock stands still: the look at the files that is due once a second does not come between warm lookups, however long they take. */
CLUSTER_EXPORT int clock_gettime(clockid_t id, struct timespec *t);

int clock_gettime(clockid_t id, struct timespec *t)
{
	if (id != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, id, t);
	*t = (struct timespec){ .tv_sec = 1000 };
	return 0;
}

static void must(enum cluster_err e)
{
	if (e != CLUSTER_OK)
		errx(1, "%s", err_name(e));
}

static void add(struct snap_writer *w, uint32_t records, const uint8_t *body, size_t n, const char *name, uint32_t by_id, uint32_t id)
{
	uint32_t offset;
	uint8_t key[4];

	snap_put32(key, id);
	must(snap_writer_record(w, records, body, n, &offset));
	must(snap_writer_key(w, records + 1, name, strlen(name), offset));
	if (by_id)
		must(snap_writer_key(w, by_id, key, sizeof key, offset));
}

static void craft_account(struct snap_writer *w)
{
	static const char strings[] = "mallory\0\0/home/mallory\0/bin/sh";
	uint8_t body[16 + sizeof strings] = { 0 };

	snap_put32(body, 1880000666);
	snap_put32(body + 4, 1880000666);
	memcpy(body + 8, (const uint8_t[]){ 7, 0, 13, 7 }, 4);
	memcpy(body + 16, strings, sizeof strings);
	add(w, SNAP_A_ACCOUNTS, body, sizeof body, "mallory", SNAP_A_BY_UID, 1880000666);
}

static void craft_group(struct snap_writer *w, const char *name, uint32_t gid)
{
	size_t name_n = strlen(name);
	uint8_t body[128] = { 0 };

	snap_put32(body, gid);
	snap_put32(body + 4, 1);
	snap_put32(body + 8, 8);
	body[12] = (uint8_t)name_n;
	memcpy(body + 16, name, name_n + 1);
	memcpy(body + 16 + name_n + 1, "mallory", 8);
	body[16 + name_n + 1 + 8] = 8;
	add(w, SNAP_A_GROUPS, body, 16 + name_n + 1 + 8 + 1, name, SNAP_A_GROUP_BY_GID, gid);
}

static void craft(uint64_t generation, char **gids, int n)
{
	uint8_t body[512] = { 0 }, *file;
	struct snap_writer *w;
	struct diag d;
	size_t size;
	char name[32];

	must(snap_writer_new(SNAP_ACCOUNTS, &cluster, &w));
	craft_account(w);
	craft_group(w, "sudo", 1880000027);
	snap_put32(body, (uint32_t)n);
	body[4] = 7;
	memcpy(body + 8, "mallory", 8);
	for (int i = 0; i < n; i++) {
		uint32_t gid = (uint32_t)strtoul(gids[i], NULL, 10);

		snap_put32(body + 16 + 4 * i, gid);
		snprintf(name, sizeof name, "evil%u", gid);
		craft_group(w, name, gid);
	}
	add(w, SNAP_A_MEMBER, body, 16 + 4 * (size_t)n, "mallory", 0, 0);
	must(snap_writer_end(w, &file, &size, &d));
	snap_writer_free(w);
	world_publish(generation, file, size);
	free(file);
}

static void ask_once(void)
{
	enum nss_status status;
	struct passwd pw;
	char buf[256];
	int code = 0;

	world_load();
	(void)getppid();
	status = module.getpwnam("user0005", &pw, buf, sizeof buf, &code);
	(void)getppid();
	puts(status == NSS_STATUS_SUCCESS && pw.pw_uid == WORLD_UID(5, 0) ? "found" : status == NSS_STATUS_NOTFOUND ? "notfound" :
	    status == NSS_STATUS_UNAVAIL ? "unavail" : status == NSS_STATUS_TRYAGAIN ? "tryagain" : "wrong");
}

static int ask_hosts(void)
{
	static const uint8_t address[4] = { 10, 77, 0, 21 };
	struct gaih_addrtuple *list = NULL;
	int code, h_code, bad = 0;
	struct hostent h;
	char buf[512];

	bad |= module.gethostbyname2("core-1-1", AF_INET, &h, buf, sizeof buf, &code, &h_code) != NSS_STATUS_SUCCESS;
	bad |= module.gethostbyname4("worker", &list, buf, sizeof buf, &code, &h_code, NULL) != NSS_STATUS_SUCCESS;
	bad |= module.gethostbyname4("deb.debian.org", &list, buf, sizeof buf, &code, &h_code, NULL) != NSS_STATUS_NOTFOUND;
	bad |= module.gethostbyaddr(address, sizeof address, AF_INET, &h, buf, sizeof buf, &code, &h_code) != NSS_STATUS_SUCCESS;
	module.sethostent(0);
	bad |= module.gethostent(&h, buf, sizeof buf, &code, &h_code) != NSS_STATUS_SUCCESS;
	module.endhostent();
	return bad;
}

static void ask_all(void)
{
	static gid_t room[64];
	gid_t *gids = room;
	long start = 0, size = 64;
	struct passwd pw;
	struct group gr;
	char buf[512];
	int code, bad = 0;

	bad |= module.getpwnam("user0005", &pw, buf, sizeof buf, &code) != NSS_STATUS_SUCCESS;
	bad |= module.getpwuid(WORLD_UID(5, 0), &pw, buf, sizeof buf, &code) != NSS_STATUS_SUCCESS;
	bad |= module.getpwnam("nosuchuser", &pw, buf, sizeof buf, &code) != NSS_STATUS_NOTFOUND;
	bad |= module.getgrnam("group0005", &gr, buf, sizeof buf, &code) != NSS_STATUS_SUCCESS;
	bad |= module.getgrgid(WORLD_GID(5), &gr, buf, sizeof buf, &code) != NSS_STATUS_SUCCESS;
	bad |= module.initgroups("user0005", 1, &start, &size, &gids, -1, &code) != NSS_STATUS_SUCCESS;
	module.setpwent(0);
	bad |= module.getpwent(&pw, buf, sizeof buf, &code) != NSS_STATUS_SUCCESS;
	module.endpwent();
	bad |= ask_hosts();
	if (bad)
		errx(1, "a lookup failed");
}

/* Never on the machine's own /var/lib: whoever mounted another says so there. */
static void must_be_apart(void)
{
	if (access("/var/lib/this-is-a-test", F_OK) != 0)
		errx(1, "refused: /var/lib is not one for tests");
}

int main(int argc, char **argv)
{
	umask(022);
	must_be_apart();
	if (argc == 4 && strcmp(argv[1], "publish") == 0) {
		size_t n;
		uint8_t *file = world_accounts(strtoul(argv[3], NULL, 10), 0, &n);

		world_enroll();
		world_publish(strtoull(argv[2], NULL, 10), file, n);
		free(file);
		return 0;
	}
	if (argc > 3 && strcmp(argv[1], "craft") == 0) {
		craft(strtoull(argv[2], NULL, 10), argv + 3, argc - 3);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "ask") == 0) {
		ask_once();
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "warm") == 0) {
		world_load();
		ask_all();
		(void)getppid();
		for (int i = 0; i < 1000; i++)
			ask_all();
		(void)getppid();
		return 0;
	}
	fputs("usage: tool_world publish GENERATION COUNT | craft GENERATION GID... | ask | warm\n", stderr);
	return 64;
}
