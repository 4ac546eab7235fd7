/* SPDX-License-Identifier: Apache-2.0 */
/* Requirements D2 (the same answer), E1 (buffers), E3 (no endless ERANGE), E9 (strings in the buffer), E11 (long names), I3 of the result map. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nss_result.h"
#include "nss_world.h"

#define ACCOUNTS 20
#define ARENA 4096

/* A function under test, with what it is asked. `ret` is a struct passwd or group. */
typedef enum nss_status ask_function(void *ret, char *buf, size_t n, int *errnop);

static enum nss_status ask_name(void *ret, char *buf, size_t n, int *errnop)
{
	return module.getpwnam("user0003", ret, buf, n, errnop);
}

static enum nss_status ask_uid(void *ret, char *buf, size_t n, int *errnop)
{
	return module.getpwuid(WORLD_UID(3, 0), ret, buf, n, errnop);
}

static enum nss_status ask_first(void *ret, char *buf, size_t n, int *errnop)
{
	module.setpwent(0);
	return module.getpwent(ret, buf, n, errnop);
}

static enum nss_status ask_group(void *ret, char *buf, size_t n, int *errnop)
{
	return module.getgrnam("group0003", ret, buf, n, errnop);
}

static enum nss_status ask_gid(void *ret, char *buf, size_t n, int *errnop)
{
	return module.getgrgid(WORLD_GID(3), ret, buf, n, errnop);
}

static enum nss_status ask_first_group(void *ret, char *buf, size_t n, int *errnop)
{
	module.setgrent(0);
	return module.getgrent(ret, buf, n, errnop);
}

static void inside(const void *p, size_t size, const char *buf, size_t n)
{
	assert_true((const char *)p >= buf && (const char *)p + size <= buf + n);
}

static void check_account(const struct passwd *pw, const char *buf, size_t n)
{
	inside(pw->pw_name, strlen(pw->pw_name) + 1, buf, n);
	inside(pw->pw_passwd, strlen(pw->pw_passwd) + 1, buf, n);
	inside(pw->pw_gecos, strlen(pw->pw_gecos) + 1, buf, n);
	inside(pw->pw_dir, strlen(pw->pw_dir) + 1, buf, n);
	inside(pw->pw_shell, strlen(pw->pw_shell) + 1, buf, n);
	assert_string_equal(pw->pw_passwd, "*");
	assert_string_equal(pw->pw_gecos, "A Person");
	assert_string_equal(pw->pw_shell, "/bin/bash");
	assert_string_equal(pw->pw_dir + 6, pw->pw_name);
	assert_int_equal(pw->pw_uid, WORLD_UID(atoi(pw->pw_name + 4), 0));
	assert_int_equal(pw->pw_gid, pw->pw_uid);
}

static void check_group(const struct group *gr, const char *buf, size_t n)
{
	int number = atoi(gr->gr_name + 5);
	char want[16];

	inside(gr->gr_name, strlen(gr->gr_name) + 1, buf, n);
	inside(gr->gr_passwd, strlen(gr->gr_passwd) + 1, buf, n);
	assert_int_equal((uintptr_t)gr->gr_mem % sizeof(char *), 0);
	inside(gr->gr_mem, 3 * sizeof(char *), buf, n);
	assert_string_equal(gr->gr_passwd, "*");
	assert_int_equal(gr->gr_gid, WORLD_GID(number));
	for (int i = 0; i < 2; i++) {
		inside(gr->gr_mem[i], strlen(gr->gr_mem[i]) + 1, buf, n);
		snprintf(want, sizeof want, "user%04d", number + i);
		assert_string_equal(gr->gr_mem[i], want);
	}
	assert_null(gr->gr_mem[2]);
}

/* Every size from 0 to 2048 at every alignment: refused, or inside; the bytes around are never touched, nor the buffer when it is refused. */
static void sweep(ask_function *ask, bool is_group)
{
	static _Alignas(64) unsigned char arena[ARENA], clean[ARENA];
	union {
		struct passwd pw;
		struct group gr;
	} ret, untouched;
	size_t least = SIZE_MAX;

	memset(clean, 0xa5, sizeof clean);
	memset(&untouched, 0x5a, sizeof untouched);
	for (size_t shift = 0; shift < 9; shift++) {
		for (size_t n = 0; n <= 2048; n++) {
			char *buf = (char *)arena + 512 + shift;
			int code = 0;

			memcpy(arena, clean, sizeof arena);
			memcpy(&ret, &untouched, sizeof ret);
			enum nss_status status = ask(&ret, buf, n, &code);

			if (status == NSS_STATUS_TRYAGAIN) {
				assert_int_equal(code, ERANGE);
				assert_memory_equal(arena, clean, sizeof arena);
				assert_memory_equal(&ret, &untouched, sizeof ret);
				continue;
			}
			assert_int_equal(status, NSS_STATUS_SUCCESS);
			assert_int_equal(code, 0);
			assert_memory_equal(arena, clean, 512 + shift);
			assert_memory_equal(buf + n, clean, 512);
			if (is_group)
				check_group(&ret.gr, buf, n);
			else
				check_account(&ret.pw, buf, n);
			if (n < least)
				least = n;
		}
	}
	assert_in_range(least, 20, 64); /* not wasteful either */
}

static void test_e1_buffers(void **state)
{
	(void)state;
	sweep(ask_name, false);
	sweep(ask_uid, false);
	sweep(ask_first, false);
	sweep(ask_group, true);
	sweep(ask_gid, true);
	sweep(ask_first_group, true);
}

static void test_not_found(void **state)
{
	static const char *const names[] = { "", "user", "user00030", "USER0003", "root", "nobody", "sudo", "user0003\n", "user0003:", "a b", "\xff", "group0003x" };
	char buf[256];
	struct passwd pw;
	struct group gr;
	int code;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		code = 0;
		assert_int_equal(module.getpwnam(names[i], &pw, buf, sizeof buf, &code), NSS_STATUS_NOTFOUND);
		assert_int_equal(code, ENOENT);
		assert_int_equal(module.getgrnam(names[i], &gr, buf, sizeof buf, &code), NSS_STATUS_NOTFOUND);
	}
	for (uint32_t id = 0; id < 2000; id++) {
		assert_int_equal(module.getpwuid(id, &pw, buf, sizeof buf, &code), NSS_STATUS_NOTFOUND);
		assert_int_equal(module.getgrgid(id, &gr, buf, sizeof buf, &code), NSS_STATUS_NOTFOUND);
	}
	assert_int_equal(module.getpwuid(UINT32_MAX, &pw, buf, sizeof buf, &code), NSS_STATUS_NOTFOUND);
	assert_int_equal(module.getgrgid(UINT32_MAX, &gr, buf, sizeof buf, &code), NSS_STATUS_NOTFOUND);
}

static void test_e11_long_name(void **state)
{
	char *name = malloc(120001), buf[256];
	long start = 0, size = 0;
	gid_t *gids = NULL;
	struct passwd pw;
	struct group gr;
	int code = 0;

	(void)state;
	assert_non_null(name);
	memset(name, 'u', 120000);
	name[120000] = '\0';
	assert_int_equal(module.getpwnam(name, &pw, buf, sizeof buf, &code), NSS_STATUS_NOTFOUND);
	assert_int_equal(module.getgrnam(name, &gr, buf, sizeof buf, &code), NSS_STATUS_NOTFOUND);
	assert_int_equal(module.initgroups(name, 1, &start, &size, &gids, -1, &code), NSS_STATUS_NOTFOUND);
	free(name);
}

static void test_d2_same_answer(void **state)
{
	char a[256], b[256];
	struct passwd x, y;
	int code;

	(void)state;
	memset(a, 0, sizeof a);
	memset(b, 0, sizeof b);
	assert_int_equal(module.getpwnam("user0007", &x, a, sizeof a, &code), NSS_STATUS_SUCCESS);
	assert_int_equal(module.getpwuid(WORLD_UID(7, 0), &y, b, sizeof b, &code), NSS_STATUS_SUCCESS);
	assert_memory_equal(a, b, sizeof a);
	assert_int_equal(x.pw_uid, y.pw_uid);
	assert_int_equal(x.pw_gid, y.pw_gid);
}

static void test_errno_is_kept(void **state)
{
	char buf[256];
	struct passwd pw;
	int code = 4711;

	(void)state;
	errno = 4712;
	assert_int_equal(module.getpwnam("user0007", &pw, buf, sizeof buf, &code), NSS_STATUS_SUCCESS);
	assert_int_equal(errno, 4712);
	assert_int_equal(code, 4711);
}

/* ---- enumeration ---- */

static void test_passwd_enumeration(void **state)
{
	char buf[256], want[16];
	struct passwd pw;
	int code;

	(void)state;
	for (int round = 0; round < 3; round++) {
		if (round < 2) /* without setpwent it starts at the beginning as well */
			assert_int_equal(module.setpwent(round), NSS_STATUS_SUCCESS);
		for (int i = 0; i < ACCOUNTS; i++) {
			/* too small a buffer skips nobody */
			assert_int_equal(module.getpwent(&pw, buf, 20, &code), NSS_STATUS_TRYAGAIN);
			assert_int_equal(code, ERANGE);
			assert_int_equal(module.getpwent(&pw, buf, sizeof buf, &code), NSS_STATUS_SUCCESS);
			snprintf(want, sizeof want, "user%04d", i);
			assert_string_equal(pw.pw_name, want);
		}
		for (int i = 0; i < 3; i++) {
			assert_int_equal(module.getpwent(&pw, buf, sizeof buf, &code), NSS_STATUS_NOTFOUND);
			assert_int_equal(code, ENOENT);
		}
		assert_int_equal(module.endpwent(), NSS_STATUS_SUCCESS);
	}
	assert_int_equal(module.endpwent(), NSS_STATUS_SUCCESS);
}

static void test_group_enumeration(void **state)
{
	char buf[256];
	struct group gr;
	int code, n = 0;

	(void)state;
	assert_int_equal(module.setgrent(1), NSS_STATUS_SUCCESS);
	while (module.getgrent(&gr, buf, sizeof buf, &code) == NSS_STATUS_SUCCESS)
		assert_int_equal(gr.gr_gid, WORLD_GID(n++));
	assert_int_equal(n, ACCOUNTS);
	assert_int_equal(module.endgrent(), NSS_STATUS_SUCCESS);
}

/* Passwd and group, and lookups, do not disturb each other's place. */
static void test_interleaved(void **state)
{
	char buf[256], want[16];
	struct passwd pw;
	struct group gr;
	int code;

	(void)state;
	module.setpwent(0);
	module.setgrent(0);
	for (int i = 0; i < ACCOUNTS; i++) {
		assert_int_equal(module.getpwent(&pw, buf, sizeof buf, &code), NSS_STATUS_SUCCESS);
		snprintf(want, sizeof want, "user%04d", i);
		assert_string_equal(pw.pw_name, want);
		assert_int_equal(module.getgrent(&gr, buf, sizeof buf, &code), NSS_STATUS_SUCCESS);
		assert_int_equal(gr.gr_gid, WORLD_GID(i));
		assert_int_equal(module.getpwnam("user0019", &pw, buf, sizeof buf, &code), NSS_STATUS_SUCCESS);
	}
	module.endpwent();
	module.endgrent();
}

/* ---- initgroups ---- */

static void test_initgroups(void **state)
{
	long start = 1, size = 1;
	gid_t *gids = malloc(sizeof *gids);
	int code = 0;

	(void)state;
	assert_non_null(gids);
	gids[0] = 100;
	assert_int_equal(module.initgroups("user0005", 100, &start, &size, &gids, -1, &code), NSS_STATUS_SUCCESS);
	assert_int_equal(start, 3);
	assert_true(size >= 3);
	assert_int_equal(gids[0], 100);
	assert_int_equal(gids[1], WORLD_GID(4));
	assert_int_equal(gids[2], WORLD_GID(5));
	/* the primary group is not given again */
	start = 1;
	assert_int_equal(module.initgroups("user0005", WORLD_GID(4), &start, &size, &gids, -1, &code), NSS_STATUS_SUCCESS);
	assert_int_equal(start, 2);
	assert_int_equal(gids[1], WORLD_GID(5));
	/* no more than the limit */
	free(gids);
	gids = malloc(sizeof *gids);
	assert_non_null(gids);
	start = size = 1;
	assert_int_equal(module.initgroups("user0005", 100, &start, &size, &gids, 2, &code), NSS_STATUS_SUCCESS);
	assert_int_equal(start, 2);
	assert_int_equal(size, 2);
	start = size = 1;
	assert_int_equal(module.initgroups("user0005", 100, &start, &size, &gids, 1, &code), NSS_STATUS_SUCCESS);
	assert_int_equal(start, 1);
	assert_int_equal(module.initgroups("nosuchuser", 100, &start, &size, &gids, -1, &code), NSS_STATUS_NOTFOUND);
	assert_int_equal(code, ENOENT);
	assert_int_equal(module.initgroups("root", 0, &start, &size, &gids, -1, &code), NSS_STATUS_NOTFOUND);
	assert_int_equal(start, 1);
	free(gids);
}

/* ---- the map of results ---- */

static void test_result_map(void **state)
{
	int code;

	(void)state;
	for (int e = CLUSTER_OK; e <= CLUSTER_ECONFIG; e++) {
		code = 0;
		errno = EACCES;
		enum nss_status status = nss_result((enum cluster_err)e, &code);

		if (e == CLUSTER_OK) {
			assert_int_equal(status, NSS_STATUS_SUCCESS);
			assert_int_equal(code, 0);
		} else if (e == CLUSTER_ENOTFOUND) {
			assert_int_equal(status, NSS_STATUS_NOTFOUND);
			assert_int_equal(code, ENOENT);
		} else if (e == CLUSTER_ELIMIT || e == CLUSTER_ENOMEM) {
			assert_int_equal(status, NSS_STATUS_TRYAGAIN);
			assert_int_equal(code, e == CLUSTER_ELIMIT ? ERANGE : ENOMEM);
		} else {
			assert_int_equal(status, NSS_STATUS_UNAVAIL);
			assert_int_equal(code, EIO);
		}
	}
	static const int shortages[] = { EMFILE, ENFILE, ENOMEM, EAGAIN };

	for (size_t i = 0; i < 3; i++) {
		errno = shortages[i];
		assert_int_equal(nss_result(CLUSTER_ESYSTEM, &code), NSS_STATUS_TRYAGAIN);
		assert_int_equal(code, shortages[i]);
	}
	errno = ERANGE; /* never with another status than TRYAGAIN */
	assert_int_equal(nss_result(CLUSTER_ESYSTEM, &code), NSS_STATUS_UNAVAIL);
	assert_int_equal(code, EIO);
	assert_int_equal(nss_result((enum cluster_err)4711, &code), NSS_STATUS_UNAVAIL);
}

static int set_up(void **state)
{
	uint8_t *file;
	size_t n;

	(void)state;
	world_enter();
	world_load();
	world_enroll();
	file = world_accounts(ACCOUNTS, 0, &n);
	world_publish(1, file, n);
	free(file);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_e1_buffers),
		cmocka_unit_test(test_not_found),
		cmocka_unit_test(test_e11_long_name),
		cmocka_unit_test(test_d2_same_answer),
		cmocka_unit_test(test_errno_is_kept),
		cmocka_unit_test(test_passwd_enumeration),
		cmocka_unit_test(test_group_enumeration),
		cmocka_unit_test(test_interleaved),
		cmocka_unit_test(test_initgroups),
		cmocka_unit_test(test_result_map),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
