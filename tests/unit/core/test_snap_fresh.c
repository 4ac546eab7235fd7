/* SPDX-License-Identifier: Apache-2.0 */
/* Requirements E8, H9, I3 on `fresh`, the current generation and the generation word (PROTOCOL.md 5.4, 5.5). */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snap_vector.h"

static const struct snap_fresh sample = {
	.cluster = { { 0xc1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } },
	.generation = 7,
	.head_version = 123456789,
	.head_iat = 1700000000,
	.newest_iat = 1700000060,
	.boot_id = { { 0xb0, 0x07 } },
	.boot_time = 86400,
};
static uint8_t snap_file[SNAP_VECTOR_MAX];
static size_t snap_file_n;
static char dir[] = "/tmp/test_snap_fresh.XXXXXX";

static int set_up(void **state)
{
	(void)state;
	snap_file_n = snap_vector_read(SNAP_VECTOR_FILE, snap_file, sizeof snap_file);
	return mkdtemp(dir) && chdir(dir) == 0 && mkdir("gen", 0755) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir("gen") == 0 && chdir("/") == 0 && rmdir(dir) == 0 ? 0 : -1;
}

static void write_file(const char *path, const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, 0644), 0);
	close(fd);
}

static void write_fresh(const struct snap_fresh *f)
{
	uint8_t data[SNAP_FRESH_SIZE];

	snap_fresh_build(f, data);
	write_file("fresh", data, sizeof data);
}

static void test_bytes(void **state)
{
	uint8_t data[SNAP_FRESH_SIZE];
	struct snap_fresh f;

	(void)state;
	snap_fresh_build(&sample, data);
	assert_memory_equal(data, "CLFRSH1\n\0\1\0\0\0\0\0\x70\xc1\1", 18);
	assert_memory_equal(data + 32, "\0\0\0\0\0\0\0\7\0\0\0\0\7\x5b\xcd\x15", 16);
	assert_ok(snap_fresh_parse(data, sizeof data, &f));
	assert_memory_equal(&f, &sample, sizeof f);
}

static void test_every_bit_and_length(void **state)
{
	uint8_t data[SNAP_FRESH_SIZE + 1] = { 0 };
	struct snap_fresh f;

	(void)state;
	snap_fresh_build(&sample, data);
	for (size_t bit = 0; bit < 8 * SNAP_FRESH_SIZE; bit++) {
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(snap_fresh_parse(data, SNAP_FRESH_SIZE, &f), CLUSTER_OK);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t n = 0; n < SNAP_FRESH_SIZE; n++)
		assert_err(snap_fresh_parse(data, n, &f), CLUSTER_ETRUNC);
	assert_err(snap_fresh_parse(data, SNAP_FRESH_SIZE + 1, &f), CLUSTER_EFORMAT);
	data[9] = 2;
	assert_err(snap_fresh_parse(data, SNAP_FRESH_SIZE, &f), CLUSTER_EVERSION);
}

static void refuse(struct snap_fresh f)
{
	uint8_t data[SNAP_FRESH_SIZE];

	snap_fresh_build(&f, data);
	assert_err(snap_fresh_parse(data, sizeof data, &f), CLUSTER_EFORMAT);
}

static void test_values(void **state)
{
	struct snap_fresh f = sample;

	(void)state;
	f.generation = 0;
	refuse(f);
	f = sample;
	f.head_iat = -1;
	refuse(f);
	f = sample;
	f.newest_iat = f.head_iat - 1;
	refuse(f);
	f = sample;
	f.boot_time = -1;
	refuse(f);
}

static void test_e8_reading(void **state)
{
	uint8_t data[SNAP_FRESH_SIZE + 8] = { 0 };
	uid_t me = geteuid();
	struct snap_fresh f;

	(void)state;
	assert_err(snap_fresh_read(".", me, &f), CLUSTER_ENOTFOUND);
	assert_err(snap_fresh_read("nowhere", me, &f), CLUSTER_ENOTFOUND);
	write_fresh(&sample);
	assert_ok(snap_fresh_read(".", me, &f));
	assert_memory_equal(&f, &sample, sizeof f);
	assert_err(snap_fresh_read(".", me + 1, &f), CLUSTER_EUNTRUSTED);
	assert_int_equal(chmod("fresh", 0664), 0);
	assert_err(snap_fresh_read(".", me, &f), CLUSTER_EUNTRUSTED);
	snap_fresh_build(&sample, data);
	write_file("fresh", data, sizeof data);
	assert_err(snap_fresh_read(".", me, &f), CLUSTER_EFORMAT);
	write_file("fresh", data, 0);
	assert_err(snap_fresh_read(".", me, &f), CLUSTER_ETRUNC);
	assert_int_equal(unlink("fresh"), 0);
	assert_int_equal(symlink("elsewhere", "fresh"), 0);
	assert_err(snap_fresh_read(".", me, &f), CLUSTER_EUNTRUSTED);
	assert_int_equal(unlink("fresh"), 0);
}

static void test_paths(void **state)
{
	char path[64], *much = malloc(5000);
	struct snap_fresh f;

	(void)state;
	assert_ok(snap_path(path, sizeof path, SNAP_STATE_DIR, UINT64_MAX, "x"));
	assert_string_equal(path, "/var/lib/cluster-login/gen/18446744073709551615/x");
	assert_err(snap_path(path, strlen(path), SNAP_STATE_DIR, UINT64_MAX, "x"), CLUSTER_ELIMIT);
	assert_non_null(much);
	memset(much, '/', 4999);
	much[4999] = '\0';
	assert_err(snap_fresh_read(much, 0, &f), CLUSTER_ELIMIT);
	free(much);
}

static void test_current(void **state)
{
	uid_t me = geteuid();
	struct snap_fresh f = sample, got;
	struct snap s;

	(void)state;
	assert_err(snap_open_current(".", me, SNAP_ACCOUNTS, &s, &got), CLUSTER_ENOTFOUND);
	write_fresh(&sample);
	assert_err(snap_open_current(".", me, SNAP_ACCOUNTS, &s, &got), CLUSTER_ENOTFOUND);
	assert_int_equal(mkdir("gen/7", 0755), 0);
	write_file("gen/7/accounts.snap", snap_file, snap_file_n);
	assert_ok(snap_open_current(".", me, SNAP_ACCOUNTS, &s, &got));
	assert_true(s.mapped);
	assert_memory_equal(&got, &sample, sizeof got);
	snap_close(&s);
	assert_err(snap_open_current(".", me, SNAP_TRUST, &s, &got), CLUSTER_ENOTFOUND);
	write_file("gen/7/trust.snap", snap_file, snap_file_n); /* one in the other's place */
	assert_err(snap_open_current(".", me, SNAP_TRUST, &s, &got), CLUSTER_EFORMAT);
	f.cluster.b[3] ^= 1;
	write_fresh(&f);
	assert_err(snap_open_current(".", me, SNAP_ACCOUNTS, &s, &got), CLUSTER_EUNTRUSTED);
	write_file("gen/7/accounts.snap", snap_file, snap_file_n - 1);
	write_fresh(&sample);
	assert_err(snap_open_current(".", me, SNAP_ACCOUNTS, &s, &got), CLUSTER_ETRUNC);
	assert_int_equal(unlink("gen/7/accounts.snap") | unlink("gen/7/trust.snap") | rmdir("gen/7") | unlink("fresh"), 0);
}

/* Still the same file: also through a hard link in the next generation, but not with another owner, mode, size or content. */
static void test_still_current(void **state)
{
	uid_t me = geteuid();
	struct snap_fresh f = sample, got;
	bool same = false;
	struct snap s;

	(void)state;
	write_fresh(&sample);
	assert_int_equal(mkdir("gen/7", 0755) | mkdir("gen/8", 0755), 0);
	write_file("gen/7/accounts.snap", snap_file, snap_file_n);
	assert_ok(snap_open_current(".", me, SNAP_ACCOUNTS, &s, &got));
	assert_ok(snap_still_current(".", me, &s, &same));
	assert_true(same);
	f.generation = 8;
	write_fresh(&f);
	assert_ok(snap_still_current(".", me, &s, &same));
	assert_false(same);
	assert_int_equal(link("gen/7/accounts.snap", "gen/8/accounts.snap"), 0);
	assert_ok(snap_still_current(".", me, &s, &same));
	assert_true(same);
	assert_ok(snap_still_current(".", me, &s, &same));
	assert_int_equal(chmod("gen/8/accounts.snap", 0664), 0);
	assert_ok(snap_still_current(".", me, &s, &same));
	assert_false(same);
	assert_int_equal(unlink("gen/8/accounts.snap"), 0);
	write_file("gen/8/accounts.snap", snap_file, snap_file_n);
	assert_ok(snap_still_current(".", me, &s, &same));
	assert_false(same);
	assert_int_equal(unlink("fresh"), 0);
	assert_err(snap_still_current(".", me, &s, &same), CLUSTER_ENOTFOUND);
	snap_close(&s);
	assert_int_equal(unlink("gen/7/accounts.snap") | unlink("gen/8/accounts.snap") | rmdir("gen/7") | rmdir("gen/8"), 0);
}

static void test_word(void **state)
{
	uid_t me = geteuid();
	const uint64_t *word;
	struct stat before, after;

	(void)state;
	assert_err(snap_word_map(".", me, &word), CLUSTER_ENOTFOUND);
	assert_ok(snap_word_begin("."));
	assert_int_equal(stat("generation", &before), 0);
	assert_int_equal(before.st_size, SNAP_WORD_SIZE);
	assert_int_equal(before.st_mode & 07777, 0644);
	assert_err(snap_word_map(".", me + 1, &word), CLUSTER_EUNTRUSTED);
	assert_ok(snap_word_map(".", me, &word));
	for (unsigned int i = 0; i < 100; i++) { /* it only goes up, also after a stop, and says what was done last */
		uint64_t last = __atomic_load_n(word, __ATOMIC_RELAXED);
		bool finish = i % 3;

		assert_ok(finish ? snap_word_finish(".") : snap_word_begin("."));
		assert_true(__atomic_load_n(word, __ATOMIC_RELAXED) > last);
		assert_int_equal(snap_word_settled(__atomic_load_n(word, __ATOMIC_RELAXED)), finish);
		assert_ok(i % 2 ? snap_word_begin(".") : snap_word_finish("."));
		assert_int_equal(snap_word_settled(__atomic_load_n(word, __ATOMIC_RELAXED)), i % 2 == 0);
	}
	assert_false(snap_word_settled(0));
	assert_int_equal(stat("generation", &after), 0);
	assert_true(before.st_ino == after.st_ino && before.st_size == after.st_size);
	assert_int_equal(munmap((void *)(uintptr_t)word, SNAP_WORD_SIZE), 0);
	write_file("generation", "12345678", 8);
	assert_err(snap_word_map(".", me, &word), CLUSTER_EFORMAT);
	assert_int_equal(unlink("generation"), 0);
	assert_int_equal(symlink("elsewhere", "generation"), 0);
	assert_err(snap_word_begin("."), CLUSTER_EUNTRUSTED);
	assert_err(snap_word_map(".", me, &word), CLUSTER_EUNTRUSTED);
	assert_int_equal(access("elsewhere", F_OK), -1);
	assert_int_equal(unlink("generation"), 0);
	assert_err(snap_word_finish("nowhere"), CLUSTER_ESYSTEM);
	assert_int_equal(errno, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_every_bit_and_length),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_e8_reading),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_current),
		cmocka_unit_test(test_still_current),
		cmocka_unit_test(test_word),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
