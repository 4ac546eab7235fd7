/* SPDX-License-Identifier: Apache-2.0 */
/* Requirements E8 (whose file, which version), H9 (absent, empty, damaged), I3 (links and modes), and the container of PROTOCOL.md 5.1. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snap_vector.h"

static uint8_t good[SNAP_VECTOR_MAX], bytes[SNAP_VECTOR_MAX + 64];
static size_t good_n;

static int set_up(void **state)
{
	(void)state;
	good_n = snap_vector_read(SNAP_VECTOR_FILE, good, sizeof good);
	return good_n > 0 ? 0 : -1;
}

static uint8_t *fresh_copy(void)
{
	memcpy(bytes, good, good_n);
	return bytes;
}

static enum cluster_err parse(const uint8_t *p, size_t n)
{
	struct snap s;

	return snap_parse(p, n, SNAP_ACCOUNTS, &s);
}

static void test_hash_vectors(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		uint64_t seed, want;
	} rows[] = {
		{ "", 0, 0, UINT64_C(0x398a23880c289b39) },
		{ "a", 1, 0, UINT64_C(0x7a6b8ba673523759) },
		{ "ab", 2, 0, UINT64_C(0x4138cfc5a3e69ceb) },
		{ "abc", 3, 0, UINT64_C(0xe9e27a678097dc2f) },
		{ "alice", 5, 0, UINT64_C(0xed0a2c42318438fd) },
		{ "emr-user", 8, 0, UINT64_C(0x2116fae37e9b7edb) },
		{ "\x70\x0e\x8b\x80", 4, 0, UINT64_C(0x4dd4d8815b6cc972) },
		{ NULL, 16, 0, UINT64_C(0xfcd1e9ea24ebd234) },
		{ NULL, 17, 1, UINT64_C(0x7bf24579e60b27d7) },
		{ NULL, 32, 2, UINT64_C(0x2aaa9c6a18fd0a7c) },
		{ NULL, 33, 3, UINT64_C(0xd3c2e97086b807b2) },
		{ NULL, 60, UINT64_C(0x200000007), UINT64_C(0x292b4c8041c0cbc4) },
		{ NULL, 200, UINT64_MAX, UINT64_C(0x2189639399f5209e) },
	};
	uint8_t counting[200];

	(void)state;
	for (size_t i = 0; i < sizeof counting; i++)
		counting[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_true(snap_hash(rows[i].text ? (const void *)rows[i].text : counting, rows[i].n, rows[i].seed) == rows[i].want);
}

/* No flipped bit of data or seed leaves either half of the hash as it was. */
static void test_hash_sees_every_bit(void **state)
{
	uint8_t data[100] = { 0 };

	(void)state;
	for (size_t n = 0; n <= sizeof data; n++) {
		for (size_t i = 0; i < n; i++)
			data[i] = (uint8_t)(i * 37 + n);
		uint64_t whole = snap_hash(data, n, n);

		for (size_t bit = 0; bit < 8 * n + 64; bit++) {
			uint64_t seed = bit < 8 * n ? n : n ^ UINT64_C(1) << (bit - 8 * n);

			if (bit < 8 * n)
				data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			uint64_t other = snap_hash(data, n, seed);

			assert_true((uint32_t)other != (uint32_t)whole && other >> 32 != whole >> 32);
			if (bit < 8 * n)
				data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

static void test_guard_vectors(void **state)
{
	static const struct {
		size_t n;
		uint32_t type, want;
	} rows[] = {
		{ 0, 1, UINT32_C(0xd9fa3d2f) },
		{ 1, 1, UINT32_C(0xf45c933a) },
		{ 15, 4, UINT32_C(0xa9227d4f) },
		{ 16, 1, UINT32_C(0xd025493e) },
		{ 17, 7, UINT32_C(0xe31c294c) },
		{ 32, 7, UINT32_C(0x059bd036) },
		{ 74, 1, UINT32_C(0xa1a85147) },
		{ 96, 1, UINT32_C(0x1ce381da) },
		{ 97, 4, UINT32_C(0x63423db0) },
		{ 200, 4, UINT32_C(0xfddcacf6) },
	};
	uint8_t counting[200];

	(void)state;
	for (size_t i = 0; i < sizeof counting; i++)
		counting[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(snap_record_guard(counting, rows[i].n, rows[i].type), rows[i].want);
}

/* No one flipped bit, and no two, nor two chunks or bytes in one another's places, leave a guard as it was; nor the type or the length. */
static void test_guard_sees_every_bit(void **state)
{
	uint8_t data[240] = { 0 }, swapped[240];

	(void)state;
	for (size_t n = 0; n <= sizeof data; n++) {
		for (size_t i = 0; i < n; i++)
			data[i] = (uint8_t)(n % 2 ? i * 37 + n : 'a' + i / 16); /* also one with much the same everywhere */
		const uint32_t whole = snap_record_guard(data, n, 1);

		for (size_t bit = 0; bit < 8 * n; bit++) {
			data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_true(snap_record_guard(data, n, 1) != whole);
			for (size_t other = bit % 128; n < 100 && other < bit; other += 128) {
				data[other / 8] ^= (uint8_t)(1u << other % 8);
				assert_true(snap_record_guard(data, n, 1) != whole);
				data[other / 8] ^= (uint8_t)(1u << other % 8);
			}
			data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t at = 0; at + 32 <= n; at += 16) {
			memcpy(swapped, data, n);
			memcpy(swapped + at, data + at + 16, 16);
			memcpy(swapped + at + 16, data + at, 16);
			assert_true(memcmp(swapped, data, n) == 0 || snap_record_guard(swapped, n, 1) != whole);
		}
		for (unsigned int bit = 0; bit < 32; bit++)
			assert_true(snap_record_guard(data, n, 1 ^ UINT32_C(1) << bit) != whole);
		assert_true(n == 0 || snap_record_guard(data, n - 1, 1) != whole);
	}
}

/* Numbered names, the usual case, spread as evenly as chance: 65536 keys over 4096 buckets. */
static void test_hash_spreads_names(void **state)
{
	static unsigned int count[4096];
	char name[16];

	(void)state;
	memset(count, 0, sizeof count);
	for (unsigned int i = 0; i < 65536; i++) {
		int n = snprintf(name, sizeof name, "user%05u", i);

		count[snap_hash(name, (size_t)n, 0) & 4095]++;
	}
	for (size_t i = 0; i < 4096; i++)
		assert_in_range(count[i], 1, 48); /* 16 on average, a deviation of 4 */
}

static void test_golden_file(void **state)
{
	struct snap s;

	(void)state;
	assert_ok(snap_parse(good, good_n, SNAP_ACCOUNTS, &s));
	assert_ok(snap_verify(&s));
	assert_int_equal(s.size, good_n);
	assert_false(s.mapped);
	assert_int_equal(s.cluster.b[0], 0xc1);
	assert_err(snap_parse(good, good_n, SNAP_TRUST, &s), CLUSTER_EFORMAT);
}

static void test_every_bit_of_header_and_table(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < 8 * SNAP_VECTOR_TABLE_END; bit++) {
		uint8_t *p = fresh_copy();

		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(parse(p, good_n), CLUSTER_OK);
	}
}

static void test_every_length(void **state)
{
	(void)state;
	for (size_t n = 0; n < good_n; n++) {
		uint8_t *tight = malloc(n ? n : 1); /* for the sanitizer: not a byte behind */

		assert_non_null(tight);
		memcpy(tight, good, n);
		assert_int_not_equal(parse(tight, n), CLUSTER_OK);
		free(tight);
	}
	memset(fresh_copy() + good_n, 0, 64);
	assert_err(parse(bytes, good_n + 1), CLUSTER_EFORMAT);
	assert_err(parse(bytes, good_n + 64), CLUSTER_EFORMAT);
	snap_put64(bytes + 16, good_n + 64);
	snap_reseal_header(bytes);
	assert_err(parse(bytes, good_n + 64), CLUSTER_EFORMAT);
}

static void test_versions(void **state)
{
	static uint8_t old[SNAP_VECTOR_MAX];

	(void)state;
	assert_int_equal(snap_be16(good + 8), SNAP_A_MAJOR);
	assert_int_equal(snap_be16(good + 10), SNAP_MINOR);
	fresh_copy()[9]++;
	snap_reseal_header(bytes);
	assert_err(parse(bytes, good_n), CLUSTER_EVERSION);
	fresh_copy()[9]--;
	snap_reseal_header(bytes);
	assert_err(parse(bytes, good_n), CLUSTER_EFORMAT);
	assert_err(parse(old, snap_vector_read(SNAP_VECTOR_OLD_FILE, old, sizeof old)), CLUSTER_EFORMAT);
	fresh_copy()[11] = 9; /* a minor version may add what we can skip */
	snap_reseal_header(bytes);
	assert_ok(parse(bytes, good_n));
}

/* Gives one section another type, as a later version might. */
static void retype(uint32_t from, uint32_t type, uint32_t flags)
{
	uint8_t *entry = snap_entry(fresh_copy(), from);

	snap_put32(entry, type);
	snap_put32(entry + 4, flags);
	snap_reseal_header(bytes);
}

static void test_sections(void **state)
{
	(void)state;
	retype(SNAP_A_ADDRESS_BY_BYTES, 31, SNAP_CRITICAL);
	assert_err(parse(bytes, good_n), CLUSTER_EVERSION);
	retype(SNAP_A_ADDRESS_BY_BYTES, 31, 0);
	assert_ok(parse(bytes, good_n));
	retype(SNAP_A_MEMBER, SNAP_A_GROUP_BY_GID, SNAP_CRITICAL); /* twice */
	assert_err(parse(bytes, good_n), CLUSTER_EFORMAT);
	retype(SNAP_A_MEMBER_BY_NAME, SNAP_A_BY_UID, SNAP_CRITICAL); /* out of order */
	assert_err(parse(bytes, good_n), CLUSTER_EFORMAT);
	retype(SNAP_A_MEMBER_BY_NAME, SNAP_A_MEMBER_BY_NAME, SNAP_CRITICAL | 2);
	assert_err(parse(bytes, good_n), CLUSTER_EFORMAT);
	retype(SNAP_A_ACCOUNTS, 0, 0);
	assert_err(parse(bytes, good_n), CLUSTER_EFORMAT);
}

/* A missing section of 1 to 8 is damage, one of nodes is not. */
static void test_missing_sections(void **state)
{
	const size_t n = snap_without_nodes(good, bytes);
	struct snap s;

	(void)state;
	assert_ok(snap_parse(bytes, n, SNAP_ACCOUNTS, &s));
	assert_ok(snap_verify(&s));
	snap_put32(snap_entry(bytes, SNAP_A_MEMBER_BY_NAME), 31);
	snap_put32(snap_entry(bytes, 31) + 4, 0);
	snap_reseal_header(bytes);
	assert_err(snap_parse(bytes, n, SNAP_ACCOUNTS, &s), CLUSTER_EFORMAT);
	for (uint32_t type = 1; type <= SNAP_VECTOR_SECTIONS; type++)
		assert_int_equal(snap_be32(snap_entry(good, type) + 4), type <= SNAP_A_CRITICAL_MAX ? SNAP_CRITICAL : 0);
}

/* An optional section that this build does not know, behind the others. */
static void test_optional_section_is_skipped(void **state)
{
	uint8_t file[SNAP_VECTOR_MAX] = { 0 };
	struct snap s;
	size_t n = good_n + 64;

	(void)state;
	/* the entries fill whole 64-byte lines: one more moves every section by 64 */
	memcpy(file, good, SNAP_VECTOR_TABLE_END);
	memcpy(file + SNAP_VECTOR_TABLE_END + 64, good + SNAP_VECTOR_TABLE_END, good_n - SNAP_VECTOR_TABLE_END);
	for (size_t i = 0; i < SNAP_VECTOR_SECTIONS; i++)
		snap_put64(file + 64 + 32 * i + 8, snap_be64(file + 64 + 32 * i + 8) + 64);
	snap_put32(file + SNAP_VECTOR_TABLE_END, 77);
	snap_put64(file + SNAP_VECTOR_TABLE_END + 8, n);
	snap_put32(file + 40, SNAP_VECTOR_SECTIONS + 1);
	snap_put64(file + 16, n);
	snap_reseal_header(file);
	assert_ok(snap_parse(file, n, SNAP_ACCOUNTS, &s));
	assert_ok(snap_verify(&s));
}

/* Offsets and lengths under a good checksum. */
static void test_bounds(void **state)
{
	static const uint64_t values[] = { 0, 1, 8, 63, 64, 65, 0x10000, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX - 63 };

	(void)state;
	for (uint32_t type = 1; type <= 8; type++) {
		for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
			for (size_t field = 8; field <= 16; field += 8) {
				uint8_t *entry = snap_entry(fresh_copy(), type);

				if (snap_be64(entry + field) == values[i])
					continue;
				snap_put64(entry + field, values[i]);
				snap_reseal_header(bytes);
				assert_int_not_equal(parse(bytes, good_n), CLUSTER_OK);
			}
		}
	}
	snap_put32(fresh_copy() + 40, 0);
	snap_reseal_header(bytes);
	assert_err(parse(bytes, good_n), CLUSTER_EFORMAT);
	snap_put32(fresh_copy() + 40, 33);
	assert_err(parse(bytes, good_n), CLUSTER_EFORMAT);
}

static void test_probe_and_each_on_nonsense(void **state)
{
	struct snap_probe p;
	struct snap s;
	struct rd body;
	uint64_t cursor;

	(void)state;
	assert_ok(snap_parse(good, good_n, SNAP_ACCOUNTS, &s));
	snap_probe_init(&p, &s, SNAP_A_ACCOUNTS, 20, "x", 1);
	assert_err(snap_probe_next(&p, &body), CLUSTER_EFORMAT);
	for (uint64_t i = 1; i < 2000; i++) {
		cursor = i;
		enum cluster_err e = snap_each(&s, SNAP_A_ACCOUNTS, &cursor, &body);

		if (e != CLUSTER_OK)
			assert_int_equal(cursor, i);
		else
			assert_true(body.p + body.n <= good + good_n);
	}
	cursor = 0;
	assert_err(snap_each(&s, 31, &cursor, &body), CLUSTER_ENOTFOUND);
	assert_err(snap_each(&s, 32, &cursor, &body), CLUSTER_EFORMAT);
}

/* A bucket that says "go on" for ever, and one that says it has more slots than there are. */
static void test_probe_ends(void **state)
{
	uint8_t *bucket = snap_bytes_of(fresh_copy(), SNAP_A_BY_NAME);
	struct snap_probe p;
	struct rd body;
	struct snap s;

	(void)state;
	bucket[5] = SNAP_BUCKET_OVERFLOW;
	snap_reseal_bucket(bucket, SNAP_A_BY_NAME, 0);
	assert_ok(snap_parse(bytes, good_n, SNAP_ACCOUNTS, &s));
	snap_probe_init(&p, &s, SNAP_A_ACCOUNTS, SNAP_A_BY_NAME, "nobody-here", 11);
	assert_err(snap_probe_next(&p, &body), CLUSTER_ENOTFOUND);
	bucket[4] = 8;
	snap_reseal_bucket(bucket, SNAP_A_BY_NAME, 0);
	snap_probe_init(&p, &s, SNAP_A_ACCOUNTS, SNAP_A_BY_NAME, "nobody-here", 11);
	assert_err(snap_probe_next(&p, &body), CLUSTER_EFORMAT);
}

/* ---- files ---- */

static char dir[] = "/tmp/test_snap_read.XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return set_up(state) == 0 && mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return chdir("/") == 0 && rmdir(dir) == 0 ? 0 : -1;
}

static void write_file(const char *path, const void *data, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static enum cluster_err try_open(const char *path, uid_t owner)
{
	struct snap s = { 0 };
	enum cluster_err e = snap_open(path, owner, SNAP_ACCOUNTS, &s);

	assert_int_equal(s.mapped, e == CLUSTER_OK);
	snap_close(&s);
	snap_close(&s);
	return e;
}

static void test_e8_files(void **state)
{
	uid_t me = geteuid();

	(void)state;
	assert_err(try_open("a", me), CLUSTER_ENOTFOUND);
	write_file("a", good, good_n, 0644);
	assert_ok(try_open("a", me));
	assert_err(try_open("a", me + 1), CLUSTER_EUNTRUSTED);
	assert_int_equal(chmod("a", 0664), 0);
	assert_err(try_open("a", me), CLUSTER_EUNTRUSTED);
	assert_int_equal(chmod("a", 0646), 0);
	assert_err(try_open("a", me), CLUSTER_EUNTRUSTED);
	assert_int_equal(chmod("a", 0444), 0);
	assert_ok(try_open("a", me));
	assert_err(try_open("a/b", me), CLUSTER_ESYSTEM);
	assert_int_equal(symlink("a", "link"), 0);
	assert_err(try_open("link", me), CLUSTER_EUNTRUSTED);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_err(try_open("fifo", me), CLUSTER_EUNTRUSTED);
	assert_int_equal(mkdir("d", 0700), 0);
	assert_err(try_open("d", me), CLUSTER_EUNTRUSTED);
	assert_int_equal(unlink("a") | unlink("link") | unlink("fifo") | rmdir("d"), 0);
}

static void test_h9_empty_and_short_files(void **state)
{
	(void)state;
	for (size_t n = 0; n < 400; n += 21) {
		write_file("b", good, n, 0644);
		assert_int_not_equal(try_open("b", geteuid()), CLUSTER_OK);
	}
	assert_int_equal(unlink("b"), 0);
}

static unsigned int open_descriptors(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void test_e5_e7_no_descriptor_stays(void **state)
{
	struct rlimit saved, none;
	unsigned int before;
	struct snap s;

	(void)state;
	write_file("c", good, good_n, 0644);
	write_file("bad", good, good_n - 64, 0644);
	before = open_descriptors();
	assert_ok(snap_open("c", geteuid(), SNAP_ACCOUNTS, &s));
	assert_int_equal(open_descriptors(), before);
	snap_close(&s);
	assert_err(try_open("bad", geteuid()), CLUSTER_ETRUNC);
	assert_err(try_open("c", geteuid() + 1), CLUSTER_EUNTRUSTED);
	assert_int_equal(open_descriptors(), before);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	none = saved;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	enum cluster_err e = snap_open("c", geteuid(), SNAP_ACCOUNTS, &s);
	int code = errno;

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	assert_err(e, CLUSTER_ESYSTEM);
	assert_int_equal(code, EMFILE);
	assert_int_equal(unlink("c") | unlink("bad"), 0);
}

int main(void)
{
	const struct CMUnitTest memory[] = {
		cmocka_unit_test(test_hash_vectors),
		cmocka_unit_test(test_hash_sees_every_bit),
		cmocka_unit_test(test_guard_vectors),
		cmocka_unit_test(test_guard_sees_every_bit),
		cmocka_unit_test(test_hash_spreads_names),
		cmocka_unit_test(test_golden_file),
		cmocka_unit_test(test_every_bit_of_header_and_table),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_missing_sections),
		cmocka_unit_test(test_optional_section_is_skipped),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_probe_and_each_on_nonsense),
		cmocka_unit_test(test_probe_ends),
	};
	const struct CMUnitTest files[] = {
		cmocka_unit_test(test_e8_files),
		cmocka_unit_test(test_h9_empty_and_short_files),
		cmocka_unit_test(test_e5_e7_no_descriptor_stays),
	};
	int failed = cmocka_run_group_tests_name("container", memory, set_up, NULL);

	return failed + cmocka_run_group_tests_name("files", files, make_dir, remove_dir);
}
