/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requirements E7 (shortages are TRYAGAIN), E8 (whose snapshot), E10 (none: at once), H9 (absent, empty, unreadable: never NOTFOUND), and the renewal of
 * PROTOCOL.md 5.5. Cases that ask what a process sees that has never looked before run in a child.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cluster/snap.h"
#include "nss_world.h"

#define ACCOUNTS 20

static uint8_t *first, *second; /* the same names, uids moved by 1000 */
static size_t first_n, second_n;
static uint64_t generation;
static long clock_now = 1000; /* seconds */

/* The module's clock too: it stands still until a test moves it, so that no second passes between two lookups however long they take. */
CLUSTER_EXPORT int clock_gettime(clockid_t id, struct timespec *t);

int clock_gettime(clockid_t id, struct timespec *t)
{
	if (id != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, id, t);
	*t = (struct timespec){ .tv_sec = clock_now };
	return 0;
}

/* All but the generation word, which outlives everything. */
static void remove_state(void)
{
	assert_int_equal(system("cd " WORLD_STATE " && find . -mindepth 1 ! -name generation -delete && mkdir gen"), 0);
}

/* An enrolled node with `first` published. */
static int set_up(void **state)
{
	(void)state;
	remove_state();
	world_enroll();
	world_publish(++generation, first, first_n);
	return 0;
}

struct answer {
	enum nss_status status;
	int code;
	uint32_t uid;
};

static struct answer ask(void)
{
	struct answer a = { NSS_STATUS_UNAVAIL, 0, 0 };
	struct passwd pw = { 0 };
	char buf[256];

	a.status = module.getpwnam("user0005", &pw, buf, sizeof buf, &a.code);
	a.uid = pw.pw_uid;
	return a;
}

/* The same question by a process that has nothing mapped yet. */
static struct answer ask_cold(void)
{
	struct answer a;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execl("/proc/self/exe", "test_nss_state", "--ask", ends[1] == 9 ? "9" : (dup2(ends[1], 9) < 0 ? "" : "9"), (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &a, sizeof a), sizeof a);
	close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return a;
}

static int answer_as_child(void)
{
	struct answer a;

	world_load();
	a = ask();
	return write(9, &a, sizeof a) == sizeof a ? 0 : 1;
}

/*
 * More than a second, and some lookups: what was done by hand, behind the generation word's back, is seen then.
 */
static void later(void)
{
	clock_now += 2;
	for (int i = 0; i < 64; i++)
		(void)ask();
}

static void is_found(struct answer a, uint32_t shift)
{
	assert_int_equal(a.status, NSS_STATUS_SUCCESS);
	assert_int_equal(a.uid, WORLD_UID(5, shift));
}

static void is_unavailable(struct answer a)
{
	assert_int_equal(a.status, NSS_STATUS_UNAVAIL);
	assert_int_not_equal(a.code, 0);
	assert_int_not_equal(a.code, ERANGE);
	assert_int_not_equal(a.code, ENOENT);
}

static void is_not_enrolled(struct answer a)
{
	assert_int_equal(a.status, NSS_STATUS_NOTFOUND);
	assert_int_equal(a.code, ENOENT);
}

/* Every function says the same. */
static void all_say(enum nss_status want)
{
	long start = 0, size = 0;
	gid_t *gids = NULL;
	struct passwd pw;
	struct group gr;
	char buf[256];
	int code;

	assert_int_equal(module.getpwnam("user0005", &pw, buf, sizeof buf, &code), want);
	assert_int_equal(module.getpwuid(WORLD_UID(5, 0), &pw, buf, sizeof buf, &code), want);
	assert_int_equal(module.getgrnam("group0005", &gr, buf, sizeof buf, &code), want);
	assert_int_equal(module.getgrgid(WORLD_GID(5), &gr, buf, sizeof buf, &code), want);
	assert_int_equal(module.initgroups("user0005", 1, &start, &size, &gids, -1, &code), want);
	module.setpwent(0);
	assert_int_equal(module.getpwent(&pw, buf, sizeof buf, &code), want);
	module.endpwent();
	module.setgrent(0);
	assert_int_equal(module.getgrent(&gr, buf, sizeof buf, &code), want);
	module.endgrent();
	free(gids);
}

static void test_not_enrolled(void **state)
{
	(void)state;
	all_say(NSS_STATUS_SUCCESS);
	remove_state();
	later();
	all_say(NSS_STATUS_NOTFOUND);
	is_not_enrolled(ask_cold());
	assert_int_equal(rename(WORLD_STATE, "/var/lib/away"), 0);
	all_say(NSS_STATUS_NOTFOUND);
	is_not_enrolled(ask_cold());
	assert_int_equal(rename("/var/lib/away", WORLD_STATE), 0);
}

static void test_h9_enrolled_and_nothing_there(void **state)
{
	(void)state;
	remove_state();
	world_enroll();
	later();
	all_say(NSS_STATUS_UNAVAIL);
	is_unavailable(ask_cold());
	/* an enrolled marker of any kind counts */
	assert_int_equal(unlink(WORLD_STATE "/enrolled") | mkdir(WORLD_STATE "/enrolled", 0), 0);
	is_unavailable(ask_cold());
	assert_int_equal(rmdir(WORLD_STATE "/enrolled") | symlink("nowhere", WORLD_STATE "/enrolled"), 0);
	is_unavailable(ask_cold());
	/* the state directory is no directory: not ENOENT */
	assert_int_equal(rename(WORLD_STATE, "/var/lib/away"), 0);
	world_write(WORLD_STATE, "", 0);
	is_unavailable(ask());
	is_unavailable(ask_cold());
	assert_int_equal(unlink(WORLD_STATE) | rename("/var/lib/away", WORLD_STATE), 0);
}

/* ---- files that must not be believed, for a process that has a good one mapped and for one that has none ---- */

static char *snap_path_now(void)
{
	static char path[128];

	assert_ok(snap_path(path, sizeof path, WORLD_STATE, generation, "accounts.snap"));
	return path;
}

static void both_unavailable(void)
{
	is_unavailable(ask());
	is_unavailable(ask_cold());
	later();
	all_say(NSS_STATUS_UNAVAIL);
	/* and a good one heals it */
	world_publish(++generation, second, second_n);
	is_found(ask(), 1000);
	is_found(ask_cold(), 1000);
}

static void bad_generation(void (*spoil)(const char *path))
{
	world_publish_silently(++generation, first, first_n);
	spoil(snap_path_now());
	assert_ok(snap_word_finish(WORLD_STATE));
	both_unavailable();
}

static void spoil_missing(const char *path) { assert_int_equal(unlink(path), 0); }
static void spoil_owner(const char *path) { assert_int_equal(chown(path, 1, 0), 0); }
static void spoil_group(const char *path) { assert_int_equal(chmod(path, 0664), 0); }
static void spoil_other(const char *path) { assert_int_equal(chmod(path, 0646), 0); }
static void spoil_directory(const char *path) { assert_int_equal(unlink(path) | mkdir(path, 0755), 0); }
static void spoil_fifo(const char *path) { assert_int_equal(unlink(path) | mkfifo(path, 0644), 0); }
static void spoil_device(const char *path) { assert_int_equal(unlink(path) | mknod(path, S_IFCHR | 0644, 1 << 8 | 3), 0); }
static void spoil_empty(const char *path) { assert_int_equal(truncate(path, 0), 0); }
static void spoil_growth(const char *path) { assert_int_equal(truncate(path, (off_t)first_n + 64), 0); }

static void spoil_symlink(const char *path)
{
	assert_int_equal(rename(path, "/var/lib/elsewhere") | symlink("/var/lib/elsewhere", path), 0);
}

static void spoil_byte(const char *path, off_t at, uint8_t value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &value, 1, at), 1);
	close(fd);
}

static void spoil_major(const char *path) { spoil_byte(path, 9, SNAP_A_MAJOR + 1); }
static void spoil_old_major(const char *path) { spoil_byte(path, 9, SNAP_A_MAJOR - 1); }
static void spoil_kind(const char *path) { spoil_byte(path, 15, 2); }
static void spoil_cluster(const char *path) { spoil_byte(path, 24, 0x77); }

static void test_e8_snapshots_not_believed(void **state)
{
	(void)state;
	is_found(ask(), 0);
	bad_generation(spoil_missing);
	bad_generation(spoil_owner);
	bad_generation(spoil_group);
	bad_generation(spoil_other);
	bad_generation(spoil_directory);
	bad_generation(spoil_fifo);
	bad_generation(spoil_device);
	bad_generation(spoil_symlink);
	bad_generation(spoil_empty);
	bad_generation(spoil_growth);
	bad_generation(spoil_major);
	bad_generation(spoil_old_major);
	bad_generation(spoil_kind);
	bad_generation(spoil_cluster);
}

/* The file that is mapped right now, spoilt: seen within a second. */
static void test_current_file_loses_trust(void **state)
{
	(void)state;
	is_found(ask(), 0);
	spoil_group(snap_path_now());
	later();
	both_unavailable();
	spoil_owner(snap_path_now());
	later();
	both_unavailable();
	spoil_major(snap_path_now());
	later();
	both_unavailable();
}

static void test_e8_fresh_not_believed(void **state)
{
	void (*const spoils[])(const char *) = { spoil_missing, spoil_owner, spoil_group, spoil_other, spoil_directory, spoil_fifo, spoil_symlink, spoil_empty,
		spoil_major, spoil_kind, spoil_cluster };

	(void)state;
	for (size_t i = 0; i < sizeof spoils / sizeof spoils[0]; i++) {
		is_found(ask(), i ? 1000 : 0);
		spoils[i](WORLD_STATE "/fresh");
		later();
		is_unavailable(ask());
		is_unavailable(ask_cold());
		rmdir(WORLD_STATE "/fresh");
		world_publish(++generation, second, second_n);
		is_found(ask(), 1000);
	}
}

/* A snapshot of another cluster, well formed, under our fresh. */
static void test_other_cluster(void **state)
{
	struct snap_fresh f = { .cluster = { { 9 } }, .generation = generation };
	uint8_t fresh[SNAP_FRESH_SIZE];

	(void)state;
	is_found(ask(), 0);
	snap_fresh_build(&f, fresh);
	world_write(WORLD_STATE "/fresh", fresh, sizeof fresh);
	later();
	both_unavailable();
}

/* ---- renewal ---- */

static void test_renewal_by_word(void **state)
{
	(void)state;
	is_found(ask(), 0);
	for (int i = 0; i < 20; i++) {
		world_publish(++generation, second, second_n);
		is_found(ask(), 1000);
		world_publish(++generation, first, first_n);
		is_found(ask(), 0);
	}
}

/* An agent that was killed between any two of its steps: after it said that a change is under way, before or after fresh was changed. */
static void test_renewal_by_a_killed_agent(void **state)
{
	(void)state;
	is_found(ask(), 0);
	assert_ok(snap_word_begin(WORLD_STATE));
	is_found(ask(), 0); /* looked, and there was nothing new yet */
	world_publish_silently(++generation, second, second_n);
	is_found(ask(), 0); /* not looked again within the second */
	clock_now += 2;
	is_found(ask(), 1000);
	world_publish_silently(++generation, first, first_n); /* it goes on and on being killed */
	clock_now += 2;
	is_found(ask(), 0);
	assert_ok(snap_word_begin(WORLD_STATE));
	world_publish_silently(++generation, second, second_n);
	is_found(ask(), 1000); /* at once */
	assert_ok(snap_word_finish(WORLD_STATE)); /* the next start */
	is_found(ask(), 1000);
}

/* A word at rest is believed: not even the clock is asked. Somebody's hand is noticed all the same, after some lookups and a second. */
static void test_renewal_without_word(void **state)
{
	(void)state;
	is_found(ask(), 0);
	world_publish_silently(++generation, second, second_n);
	is_found(ask(), 0); /* not yet looked */
	later();
	is_found(ask(), 1000);
	/* also where there is no word at all, or a bad one */
	assert_int_equal(rename(WORLD_STATE "/generation", "/var/lib/generation"), 0);
	is_found(ask_cold(), 1000);
	world_write(WORLD_STATE "/generation", "short", 5);
	is_found(ask_cold(), 1000);
	world_publish_silently(++generation, first, first_n);
	later();
	is_found(ask(), 0);
	is_found(ask_cold(), 0);
	assert_int_equal(rename("/var/lib/generation", WORLD_STATE "/generation"), 0);
}

static unsigned int mappings(char first_line[256])
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	unsigned int n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		if (!strstr(line, "accounts.snap"))
			continue;
		if (!n++ && first_line)
			snprintf(first_line, 256, "%.30s", line);
	}
	fclose(f);
	return n;
}

/* An unchanged snapshot is a hard link in the next generation: nothing is mapped anew. */
static void test_unchanged_snapshot_stays_mapped(void **state)
{
	char before[256], after[256], old[128];

	(void)state;
	is_found(ask(), 0);
	assert_int_equal(mappings(before), 1);
	snprintf(old, sizeof old, "%s", snap_path_now());
	world_publish_silently(++generation, "", 0);
	assert_int_equal(unlink(snap_path_now()) | link(old, snap_path_now()), 0);
	assert_ok(snap_word_finish(WORLD_STATE));
	is_found(ask(), 0);
	assert_int_equal(mappings(after), 1);
	assert_string_equal(before, after);
}

static void test_leave_and_join_again(void **state)
{
	(void)state;
	is_found(ask(), 0);
	assert_ok(snap_word_begin(WORLD_STATE));
	is_found(ask(), 0);
	assert_int_equal(unlink(WORLD_STATE "/enrolled") | unlink(WORLD_STATE "/fresh"), 0);
	assert_ok(snap_word_begin(WORLD_STATE));
	is_not_enrolled(ask()); /* at once */
	assert_int_equal(mappings(NULL), 0);
	/* the same generation number again, other content */
	remove_state();
	world_enroll();
	world_publish(generation, second, second_n);
	is_found(ask(), 1000);
	is_found(ask_cold(), 1000);
	/* and without a look in between */
	remove_state();
	world_enroll();
	world_publish(generation, first, first_n);
	later();
	is_found(ask(), 0);
}

/* A new file for the word is found within a second, and then tells of renewals at once again. */
static void test_new_word_file(void **state)
{
	(void)state;
	is_found(ask(), 0);
	assert_ok(snap_word_begin(WORLD_STATE));
	assert_int_equal(unlink(WORLD_STATE "/generation"), 0);
	world_publish(++generation, second, second_n);
	is_found(ask(), 1000); /* the old word's last change */
	later();
	is_found(ask(), 1000);
	world_publish(++generation, first, first_n);
	is_found(ask(), 0);
	world_publish(++generation, second, second_n);
	is_found(ask(), 1000);
}

static long mapped_pages(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long size, resident;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &size, &resident), 2);
	fclose(f);
	return size;
}

static void test_ten_thousand_renewals(void **state)
{
	long before = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		world_publish(++generation, i % 2 ? first : second, i % 2 ? first_n : second_n);
		is_found(ask(), i % 2 ? 0 : 1000);
		if (i == 100)
			before = mapped_pages();
	}
	assert_int_equal(mappings(NULL), 1);
	assert_true(mapped_pages() <= before + 16);
}

/* ---- enumeration over a renewal: the generation it began with, to its end, then let go ---- */

static void test_enumeration_over_renewals(void **state)
{
	struct passwd pw;
	char buf[256];
	int code, n = 0;

	(void)state;
	module.setpwent(0);
	while (module.getpwent(&pw, buf, sizeof buf, &code) == NSS_STATUS_SUCCESS) {
		assert_int_equal(pw.pw_uid, WORLD_UID(n++, 0));
		for (int i = 0; i < 20; i++) {
			world_publish(++generation, second, second_n);
			is_found(ask(), 1000);
		}
		assert_in_range(mappings(NULL), 2, 3);
	}
	assert_int_equal(n, ACCOUNTS);
	/* one abandoned half-way and never ended goes with endpwent */
	module.setpwent(0);
	assert_int_equal(module.getpwent(&pw, buf, sizeof buf, &code), NSS_STATUS_SUCCESS);
	world_publish(++generation, first, first_n);
	is_found(ask(), 0);
	assert_int_equal(mappings(NULL), 2);
	module.endpwent();
	later();
	is_found(ask(), 0);
	assert_int_equal(mappings(NULL), 1);
	/* and it ends even if the node leaves meanwhile */
	module.setpwent(0);
	assert_int_equal(module.getpwent(&pw, buf, sizeof buf, &code), NSS_STATUS_SUCCESS);
	remove_state();
	later();
	is_not_enrolled(ask());
	for (n = 1; module.getpwent(&pw, buf, sizeof buf, &code) == NSS_STATUS_SUCCESS; n++)
		assert_int_equal(pw.pw_uid, WORLD_UID(n, 0));
	assert_int_equal(n, ACCOUNTS);
	assert_int_equal(code, ENOENT);
	module.setpwent(0);
	assert_int_equal(module.getpwent(&pw, buf, sizeof buf, &code), NSS_STATUS_NOTFOUND);
	module.endpwent();
}

/* ---- shortages ---- */

static void test_e7_shortages(void **state)
{
	struct rlimit saved, none;
	struct answer warm, held, cold;

	(void)state;
	warm = ask();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	none = saved;
	none.rlim_cur = 0;
	world_publish(++generation, second, second_n);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	held = ask(); /* cannot open the new one: goes on with the old */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	is_found(warm, 0);
	is_found(held, 0);
	is_found(ask(), 1000);

	remove_state();
	later();
	is_not_enrolled(ask());
	world_enroll();
	world_publish(++generation, first, first_n);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	cold = ask();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	assert_int_equal(cold.status, NSS_STATUS_TRYAGAIN);
	assert_int_equal(cold.code, EMFILE);
	is_found(ask(), 0);
}

static void test_e7_no_memory(void **state)
{
	struct rlimit saved, none;
	struct answer held;

	(void)state;
	is_found(ask(), 0);
	assert_int_equal(getrlimit(RLIMIT_AS, &saved), 0);
	none = saved;
	none.rlim_cur = 4096;
	world_publish(++generation, second, second_n);
	assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
	held = ask();
	assert_int_equal(setrlimit(RLIMIT_AS, &saved), 0);
	is_found(held, 0);
	is_found(ask(), 1000);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_not_enrolled, set_up),
		cmocka_unit_test_setup(test_h9_enrolled_and_nothing_there, set_up),
		cmocka_unit_test_setup(test_e8_snapshots_not_believed, set_up),
		cmocka_unit_test_setup(test_current_file_loses_trust, set_up),
		cmocka_unit_test_setup(test_e8_fresh_not_believed, set_up),
		cmocka_unit_test_setup(test_other_cluster, set_up),
		cmocka_unit_test_setup(test_renewal_by_word, set_up),
		cmocka_unit_test_setup(test_renewal_by_a_killed_agent, set_up),
		cmocka_unit_test_setup(test_renewal_without_word, set_up),
		cmocka_unit_test_setup(test_unchanged_snapshot_stays_mapped, set_up),
		cmocka_unit_test_setup(test_leave_and_join_again, set_up),
		cmocka_unit_test_setup(test_new_word_file, set_up),
		cmocka_unit_test_setup(test_ten_thousand_renewals, set_up),
		cmocka_unit_test_setup(test_enumeration_over_renewals, set_up),
		cmocka_unit_test_setup(test_e7_shortages, set_up),
		cmocka_unit_test_setup(test_e7_no_memory, set_up),
	};

	if (argc > 1 && strcmp(argv[1], "--ask") == 0)
		return answer_as_child();
	world_enter();
	world_load();
	first = world_accounts(ACCOUNTS, 0, &first_n);
	second = world_accounts(ACCOUNTS, 1000, &second_n);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
