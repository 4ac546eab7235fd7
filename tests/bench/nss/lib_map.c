/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest NSS module over a mapped hash: map once, then hash, compare, copy. It trusts its file and never looks for a newer one. */
#include "module.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map.h"

MODULE_DECLARE(map);

static const char *_Atomic mapped;
static uint64_t account_cursor;

static const char *map_file(void)
{
	const char *base = NULL;
	struct stat st;
	void *p;
	int fd = open(MAP_PATH, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0) {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		base = p == MAP_FAILED ? NULL : p;
	}
	close(fd);
	atomic_store(&mapped, base);
	return base;
}

static inline const char *map_get(void)
{
	const char *base = atomic_load_explicit(&mapped, memory_order_acquire);

	return base ? base : map_file();
}

/* The next record of a chain whose hash agrees, or NULL. */
static inline const void *map_find(const char *base, enum map_table table, uint64_t hash, uint64_t *at)
{
	const struct map_head *head = (const void *)base;
	const struct map_entry *entries = (const void *)(base + head->table[table]);

	for (;; ++*at) {
		const struct map_entry *e = &entries[*at & head->mask[table]];

		if (!e->record)
			return NULL;
		if (e->tag == (uint32_t)(hash >> 32)) {
			++*at;
			return base + (uint64_t)e->record * 8;
		}
	}
}

static inline enum nss_status put_account(const struct map_account *a, struct passwd *ret, char *buf, size_t n, int *errnop)
{
	size_t size = (size_t)a->name_n + a->gecos_n + a->home_n + a->shell_n + 4;

	if (n < size + 2)
		return module_answer(NSS_STATUS_TRYAGAIN, ERANGE, errnop);
	memcpy(buf, a + 1, size);
	ret->pw_name = buf;
	ret->pw_gecos = buf + a->name_n + 1;
	ret->pw_dir = ret->pw_gecos + a->gecos_n + 1;
	ret->pw_shell = ret->pw_dir + a->home_n + 1;
	ret->pw_passwd = memcpy(buf + size, "*", 2);
	ret->pw_uid = a->uid;
	ret->pw_gid = a->gid;
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_map_getpwnam_r(const char *name, struct passwd *ret, char *buf, size_t n, int *errnop)
{
	const char *base = map_get();
	size_t length = strlen(name);
	const struct map_account *a;
	uint64_t hash = map_hash(name, length), at = hash;

	if (!base)
		return module_answer(NSS_STATUS_UNAVAIL, EIO, errnop);
	while ((a = map_find(base, MAP_ACCOUNT_NAME, hash, &at)))
		if (a->name_n == length && memcmp(a + 1, name, length) == 0)
			return put_account(a, ret, buf, n, errnop);
	return module_answer(NSS_STATUS_NOTFOUND, ENOENT, errnop);
}

enum nss_status _nss_map_getpwuid_r(uid_t uid, struct passwd *ret, char *buf, size_t n, int *errnop)
{
	const char *base = map_get();
	const struct map_account *a;
	uint64_t hash = map_hash(&uid, sizeof uid), at = hash;

	if (!base)
		return module_answer(NSS_STATUS_UNAVAIL, EIO, errnop);
	while ((a = map_find(base, MAP_ACCOUNT_UID, hash, &at)))
		if (a->uid == uid)
			return put_account(a, ret, buf, n, errnop);
	return module_answer(NSS_STATUS_NOTFOUND, ENOENT, errnop);
}

enum nss_status _nss_map_setpwent(int stay)
{
	(void)stay;
	account_cursor = 0;
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_map_getpwent_r(struct passwd *ret, char *buf, size_t n, int *errnop)
{
	const struct map_head *head = (const void *)map_get();
	const struct map_account *a;
	enum nss_status status;
	uint64_t at;

	if (!head)
		return module_answer(NSS_STATUS_UNAVAIL, EIO, errnop);
	at = account_cursor ? account_cursor : head->accounts;
	if (at >= head->end)
		return module_answer(NSS_STATUS_NOTFOUND, ENOENT, errnop);
	a = (const void *)((const char *)head + at);
	status = put_account(a, ret, buf, n, errnop);
	if (status == NSS_STATUS_SUCCESS)
		account_cursor = (at + sizeof *a + a->name_n + a->gecos_n + a->home_n + a->shell_n + 4 + 7) & ~(uint64_t)7;
	return status;
}

enum nss_status _nss_map_endpwent(void)
{
	return NSS_STATUS_SUCCESS;
}

static enum nss_status put_group(const struct map_group *g, struct group *ret, char *buf, size_t n, int *errnop)
{
	size_t pad = -(uintptr_t)buf % sizeof(char *), array = ((size_t)g->members + 1) * sizeof(char *);
	char **members, *name;

	if (n < pad + array + g->size + 2)
		return module_answer(NSS_STATUS_TRYAGAIN, ERANGE, errnop);
	members = (void *)(buf + pad);
	name = memcpy(buf + pad + array, g + 1, g->size);
	ret->gr_name = name;
	ret->gr_passwd = memcpy(name + g->size, "*", 2);
	ret->gr_gid = g->gid;
	ret->gr_mem = members;
	name += g->name_n + 1;
	for (uint32_t i = 0; i < g->members; i++, name += strlen(name) + 1)
		members[i] = name;
	members[g->members] = NULL;
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_map_getgrnam_r(const char *name, struct group *ret, char *buf, size_t n, int *errnop)
{
	const char *base = map_get();
	size_t length = strlen(name);
	const struct map_group *g;
	uint64_t hash = map_hash(name, length), at = hash;

	if (!base)
		return module_answer(NSS_STATUS_UNAVAIL, EIO, errnop);
	while ((g = map_find(base, MAP_GROUP_NAME, hash, &at)))
		if (g->name_n == length && memcmp(g + 1, name, length) == 0)
			return put_group(g, ret, buf, n, errnop);
	return module_answer(NSS_STATUS_NOTFOUND, ENOENT, errnop);
}

enum nss_status _nss_map_getgrgid_r(gid_t gid, struct group *ret, char *buf, size_t n, int *errnop)
{
	const char *base = map_get();
	const struct map_group *g;
	uint64_t hash = map_hash(&gid, sizeof gid), at = hash;

	if (!base)
		return module_answer(NSS_STATUS_UNAVAIL, EIO, errnop);
	while ((g = map_find(base, MAP_GROUP_GID, hash, &at)))
		if (g->gid == gid)
			return put_group(g, ret, buf, n, errnop);
	return module_answer(NSS_STATUS_NOTFOUND, ENOENT, errnop);
}

/* Groups are not enumerated in the bench. */
enum nss_status _nss_map_setgrent(int stay)
{
	(void)stay;
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_map_getgrent_r(struct group *ret, char *buf, size_t n, int *errnop)
{
	(void)ret, (void)buf, (void)n;
	return module_answer(NSS_STATUS_NOTFOUND, ENOENT, errnop);
}

enum nss_status _nss_map_endgrent(void)
{
	return NSS_STATUS_SUCCESS;
}

static enum nss_status put_gids(const struct map_member *m, gid_t primary, long *start, long *size, gid_t **groups)
{
	const gid_t *gids = (const void *)(m + 1);

	if (*size - *start < (long)m->gids) {
		gid_t *more = reallocarray(*groups, (size_t)*size + m->gids, sizeof *more);

		if (!more)
			return NSS_STATUS_TRYAGAIN;
		*groups = more;
		*size += m->gids;
	}
	for (uint32_t i = 0; i < m->gids; i++)
		if (gids[i] != primary)
			(*groups)[(*start)++] = gids[i];
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_map_initgroups_dyn(const char *user, gid_t primary, long *start, long *size, gid_t **groups, long limit, int *errnop)
{
	const char *base = map_get();
	size_t length = strlen(user);
	const struct map_member *m;
	uint64_t hash = map_hash(user, length), at = hash;

	(void)limit;
	if (!base)
		return module_answer(NSS_STATUS_UNAVAIL, EIO, errnop);
	while ((m = map_find(base, MAP_MEMBER, hash, &at)))
		if (m->name_n == length && memcmp((const gid_t *)(const void *)(m + 1) + m->gids, user, length) == 0)
			return put_gids(m, primary, start, size, groups);
	return module_answer(NSS_STATUS_NOTFOUND, ENOENT, errnop);
}
