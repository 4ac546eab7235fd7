/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requirement E4 and the corruption goals: a snapshot cut at every length, every bit of header, table and indexes, random bits of the rest. Through the
 * module nothing changed is ever answered as a success, nothing that is there as "not found", and no signal is raised.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/snap.h"
#include "nss_world.h"
#include "snap_vector.h"

#define ACCOUNTS 12
#define FLIPS 100000 /* NSS_FLIPS in the environment says otherwise */

static uint8_t *good;
static size_t good_n;
static uint64_t generation;
static unsigned long answered, refused;

/* Right, or unavailable. */
static void right_or_unavailable(enum nss_status status, bool right, int code)
{
	if (status == NSS_STATUS_SUCCESS) {
		assert_true(right);
		answered++;
		return;
	}
	assert_int_equal(status, NSS_STATUS_UNAVAIL);
	assert_int_equal(code, EIO);
	refused++;
}

static bool account_right(const struct passwd *pw, int i)
{
	char name[16], home[32];

	snprintf(name, sizeof name, "user%04d", i);
	snprintf(home, sizeof home, "/home/%s", name);
	return strcmp(pw->pw_name, name) == 0 && strcmp(pw->pw_passwd, "*") == 0 && strcmp(pw->pw_gecos, "A Person") == 0 &&
	    strcmp(pw->pw_dir, home) == 0 && strcmp(pw->pw_shell, "/bin/bash") == 0 && pw->pw_uid == WORLD_UID(i, 0) && pw->pw_gid == pw->pw_uid;
}

static bool group_right(const struct group *gr, int i)
{
	char name[16], member[2][16];

	snprintf(name, sizeof name, "group%04d", i);
	snprintf(member[0], sizeof member[0], "user%04d", i);
	snprintf(member[1], sizeof member[1], "user%04d", (i + 1) % ACCOUNTS);
	if (strcmp(member[0], member[1]) > 0) /* the last group's: members stand in order */
		snprintf(member[1], sizeof member[1], "%s", member[0]), snprintf(member[0], sizeof member[0], "user0000");
	return strcmp(gr->gr_name, name) == 0 && strcmp(gr->gr_passwd, "*") == 0 && gr->gr_gid == WORLD_GID(i) && gr->gr_mem[0] && gr->gr_mem[1] &&
	    !gr->gr_mem[2] && strcmp(gr->gr_mem[0], member[0]) == 0 && strcmp(gr->gr_mem[1], member[1]) == 0;
}

static void check_one(int i)
{
	long start = 0, size = 0;
	gid_t *gids = NULL;
	struct passwd pw;
	struct group gr;
	enum nss_status status;
	char buf[512], name[16];
	int code = 0;

	snprintf(name, sizeof name, "user%04d", i);
	status = module.getpwnam(name, &pw, buf, sizeof buf, &code);
	right_or_unavailable(status, status == NSS_STATUS_SUCCESS && account_right(&pw, i), code);
	status = module.getpwuid(WORLD_UID(i, 0), &pw, buf, sizeof buf, &code);
	right_or_unavailable(status, status == NSS_STATUS_SUCCESS && account_right(&pw, i), code);
	status = module.initgroups(name, 1, &start, &size, &gids, -1, &code);
	right_or_unavailable(status, status == NSS_STATUS_SUCCESS && start == 2 && gids[0] == WORLD_GID(i ? i - 1 : 0) &&
	    gids[1] == WORLD_GID(i ? i : ACCOUNTS - 1), code);
	free(gids);
	snprintf(name, sizeof name, "group%04d", i);
	status = module.getgrnam(name, &gr, buf, sizeof buf, &code);
	right_or_unavailable(status, status == NSS_STATUS_SUCCESS && group_right(&gr, i), code);
	status = module.getgrgid(WORLD_GID(i), &gr, buf, sizeof buf, &code);
	right_or_unavailable(status, status == NSS_STATUS_SUCCESS && group_right(&gr, i), code);
}

/* Enumeration hands out the right ones in order and ends, early perhaps. */
static void check_enumeration(void)
{
	struct passwd pw;
	struct group gr;
	char buf[512];
	int code, n;

	module.setpwent(0);
	for (n = 0; module.getpwent(&pw, buf, sizeof buf, &code) == NSS_STATUS_SUCCESS; n++)
		assert_true(n < ACCOUNTS && account_right(&pw, n));
	assert_true(code == (n == ACCOUNTS ? ENOENT : EIO));
	module.endpwent();
	module.setgrent(0);
	for (n = 0; module.getgrent(&gr, buf, sizeof buf, &code) == NSS_STATUS_SUCCESS; n++)
		assert_true(n < ACCOUNTS && group_right(&gr, n));
	assert_true(code == (n == ACCOUNTS ? ENOENT : EIO));
	module.endgrent();
}

static void check_all(void)
{
	for (int i = 0; i < ACCOUNTS; i++)
		check_one(i);
	check_enumeration();
}

/* A whole new generation with these bytes, which must be refused whole. */
static void publish_refused(const void *data, size_t n)
{
	struct passwd pw;
	char buf[512];
	int code = 0;

	world_publish(++generation, data, n);
	assert_int_equal(module.getpwnam("user0001", &pw, buf, sizeof buf, &code), NSS_STATUS_UNAVAIL);
	assert_int_equal(code, EIO);
}

static void test_e4_every_length(void **state)
{
	(void)state;
	for (size_t n = 0; n < good_n; n++)
		if (n <= 4096 || n % 64 <= 1 || n % 64 == 63)
			publish_refused(good, n);
	check_all();
	assert_int_equal(answered, 0);
	world_publish(++generation, good, good_n);
	check_all();
	assert_true(answered > 0);
}

static void test_every_bit_of_header_and_table(void **state)
{
	uint8_t *copy = malloc(good_n);

	(void)state;
	assert_non_null(copy);
	memcpy(copy, good, good_n);
	for (size_t bit = 0; bit < 8 * SNAP_VECTOR_TABLE_END; bit++) {
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		publish_refused(copy, good_n);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(copy);
	world_publish(++generation, good, good_n);
}

/* ---- in the file that is mapped, as a failing disk or memory would ---- */

static int mapped_file;

static void open_mapped_file(void)
{
	char path[128];

	assert_ok(snap_path(path, sizeof path, WORLD_STATE, generation, "accounts.snap"));
	mapped_file = open(path, O_RDWR | O_CLOEXEC);
	assert_true(mapped_file >= 0);
	check_one(0);
}

static void poke(size_t bit, bool check_everything)
{
	uint8_t byte = (uint8_t)(good[bit / 8] ^ 1u << bit % 8);

	assert_int_equal(pwrite(mapped_file, &byte, 1, (off_t)(bit / 8)), 1);
	if (check_everything)
		check_all();
	for (int i = 0; !check_everything && i < 3; i++)
		check_one((int)((bit >> 3) + (size_t)i) % ACCOUNTS);
	assert_int_equal(pwrite(mapped_file, good + bit / 8, 1, (off_t)(bit / 8)), 1);
}

static void test_every_bit_of_the_indexes(void **state)
{
	static const uint32_t indexes[] = { SNAP_A_BY_NAME, SNAP_A_BY_UID, SNAP_A_GROUP_BY_NAME, SNAP_A_GROUP_BY_GID, SNAP_A_MEMBER_BY_NAME };
	struct snap s;

	(void)state;
	assert_ok(snap_parse(good, good_n, SNAP_ACCOUNTS, &s));
	open_mapped_file();
	refused = 0;
	for (size_t i = 0; i < sizeof indexes / sizeof indexes[0]; i++) {
		size_t at = (size_t)(s.section[indexes[i]].p - good);

		for (size_t bit = 8 * at; bit < 8 * (at + s.section[indexes[i]].n); bit++)
			poke(bit, true);
	}
	assert_true(refused > 0);
	close(mapped_file);
}

static void test_random_bits(void **state)
{
	const char *knob = getenv("NSS_FLIPS");
	unsigned long flips = knob ? strtoul(knob, NULL, 10) : FLIPS;
	uint32_t x = 20260101;

	(void)state;
	open_mapped_file();
	refused = 0;
	for (unsigned long i = 0; i < flips; i++) {
		x = x * 1664525u + 1013904223u;
		poke(SNAP_VECTOR_TABLE_END * 8 + (x >> 7) % (8 * (good_n - SNAP_VECTOR_TABLE_END)), i % 16 == 0);
	}
	assert_true(refused > flips / 100);
	check_all();
	close(mapped_file);
}

/* One lookup in a child; the signal that ended it, or 0. */
static int signal_of_lookup(void)
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct passwd pw;
		char buf[512];
		int code;

		signal(SIGBUS, SIG_DFL);
		(void)module.getpwnam("user0001", &pw, buf, sizeof buf, &code);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/*
 * What SECURITY.md says of root's own hand, exactly: a shorter file renamed over the mapped one raises no signal; the mapped one cut in place does,
 * until it has its bytes again.
 */
static void test_e4_truncation_in_place(void **state)
{
	char path[128];

	(void)state;
	open_mapped_file();
	assert_ok(snap_path(path, sizeof path, WORLD_STATE, generation, "accounts.snap"));
	assert_int_equal(ftruncate(mapped_file, 0), 0);
	assert_int_equal(signal_of_lookup(), SIGBUS);
	assert_int_equal(pwrite(mapped_file, good, good_n, 0), good_n);
	assert_int_equal(signal_of_lookup(), 0);
	check_all();
	world_write(path, good, 64);
	assert_int_equal(signal_of_lookup(), 0);
	close(mapped_file);
	world_publish(++generation, good, good_n);
	check_all();
}

/* Bytes swapped between sections, records and buckets under good seals of their own. */
static void test_swapped_parts(void **state)
{
	uint8_t *copy = malloc(good_n), piece[64];
	struct snap s;

	(void)state;
	assert_non_null(copy);
	assert_ok(snap_parse(good, good_n, SNAP_ACCOUNTS, &s));
	for (uint32_t a = 1; a <= 8; a++) {
		for (uint32_t b = a + 1; b <= 8; b++) {
			size_t at = (size_t)(s.section[a].p - good), to = (size_t)(s.section[b].p - good);

			memcpy(copy, good, good_n);
			memcpy(piece, copy + at, sizeof piece);
			memcpy(copy + at, copy + to, sizeof piece);
			memcpy(copy + to, piece, sizeof piece);
			world_publish(++generation, copy, good_n);
			check_all();
		}
	}
	free(copy);
	world_publish(++generation, good, good_n);
}

/* ---- judged once, in one file ---- */

/* In the record of section `type` that holds `text`, `part` becomes `other`, of the same length, under a good seal. */
static void break_record(uint8_t *copy, uint32_t type, const char *text, const char *part, const char *other)
{
	struct snap s;
	struct rd body;
	uint64_t cursor = 0;
	uint8_t *at;

	assert_ok(snap_parse(copy, good_n, SNAP_ACCOUNTS, &s));
	do {
		assert_ok(snap_each(&s, type, &cursor, &body));
	} while (!memmem(body.p, body.n, text, strlen(text)));
	at = memmem(body.p, body.n, part, strlen(part));
	assert_non_null(at);
	memcpy(at, other, strlen(other));
	snap_reseal_record((uint8_t *)(uintptr_t)body.p - 8, type);
}

/*
 * What was found good in one generation says nothing of another's record in the same place, though that comes to stand at the same address: a range is used
 * again two generations later, so every third is the bad one.
 */
static void test_e4_judged_in_one_file_only(void **state)
{
	const unsigned long before = refused;
	uint8_t *bad = malloc(good_n);
	struct passwd pw;
	struct group gr;
	char buf[512];
	int code;

	(void)state;
	assert_non_null(bad);
	memcpy(bad, good, good_n);
	break_record(bad, SNAP_A_ACCOUNTS, "/home/user0005", "/bin/bash", "/bin:bash");
	break_record(bad, SNAP_A_GROUPS, "group0005", "user0006", "user:006");
	for (int i = 0; i < 12; i++) {
		world_publish(++generation, i % 3 == 2 ? bad : good, good_n);
		for (int again = 0; again < 3; again++) {
			if (i % 3 != 2) {
				check_one(5);
				continue;
			}
			assert_int_equal(module.getpwnam("user0005", &pw, buf, sizeof buf, &code), NSS_STATUS_UNAVAIL);
			assert_int_equal(module.getpwuid(WORLD_UID(5, 0), &pw, buf, sizeof buf, &code), NSS_STATUS_UNAVAIL);
			assert_int_equal(module.getgrnam("group0005", &gr, buf, sizeof buf, &code), NSS_STATUS_UNAVAIL);
			assert_int_equal(module.getgrgid(WORLD_GID(5), &gr, buf, sizeof buf, &code), NSS_STATUS_UNAVAIL);
		}
	}
	assert_int_equal(refused, before);
	free(bad);
	world_publish(++generation, good, good_n);
}

static int set_up(void **state)
{
	(void)state;
	world_enter();
	world_load();
	world_enroll();
	good = world_accounts(ACCOUNTS, 0, &good_n);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_e4_every_length),
		cmocka_unit_test(test_every_bit_of_header_and_table),
		cmocka_unit_test(test_every_bit_of_the_indexes),
		cmocka_unit_test(test_random_bits),
		cmocka_unit_test(test_e4_truncation_in_place),
		cmocka_unit_test(test_swapped_parts),
		cmocka_unit_test(test_e4_judged_in_one_file_only),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
