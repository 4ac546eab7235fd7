/* SPDX-License-Identifier: Apache-2.0 */
/* Requirements D2 (the same answer every time), E11 (long names), and what single flipped bits may do; the fast checks equal the slow. */
#include "unit.h"

#include <string.h>

#include "snap_vector.h"

/* For the static functions and lists. */
#include "../../../lib/core/name.c"
#undef COUNT
#include "../../../lib/core/snap_account.c"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static uint8_t good[SNAP_VECTOR_MAX];
static size_t good_n;
static struct snap snap;

static int set_up(void **state)
{
	(void)state;
	good_n = snap_vector_read(SNAP_VECTOR_FILE, good, sizeof good);
	return snap_parse(good, good_n, SNAP_ACCOUNTS, &snap) == CLUSTER_OK ? 0 : -1;
}

static void test_lookups(void **state)
{
	struct snap_account a, b;
	struct snap_group g;
	const uint8_t *gids;
	uint32_t n;

	(void)state;
	assert_ok(snap_account_by_name(&snap, "alice", &a));
	assert_string_equal(a.name, "alice");
	assert_string_equal(a.gecos, "Alice Example");
	assert_string_equal(a.home, "/home/alice");
	assert_string_equal(a.shell, "/bin/zsh");
	assert_int_equal(a.uid, 1880000100);
	assert_int_equal(a.gid, 1880000200);
	assert_int_equal(a.home_n, 11);
	assert_ptr_equal(a.shell, a.home + a.home_n + 1); /* one block */
	assert_ok(snap_account_by_uid(&snap, 1880000100, &b));
	assert_memory_equal(&a, &b, sizeof a);
	assert_err(snap_account_by_uid(&snap, 1880000103, &a), CLUSTER_ENOTFOUND);
	assert_err(snap_account_by_uid(&snap, 0, &a), CLUSTER_ENOTFOUND);
	assert_err(snap_account_by_name(&snap, "alic", &a), CLUSTER_ENOTFOUND);
	assert_err(snap_account_by_name(&snap, "", &a), CLUSTER_ENOTFOUND);
	assert_err(snap_account_by_name(&snap, "ecs-user", &a), CLUSTER_ENOTFOUND);

	assert_ok(snap_group_by_name(&snap, "hadoop", &g));
	assert_int_equal(g.gid, 1880000200);
	assert_int_equal(g.n_members, 3);
	assert_int_equal(g.members_size, 19);
	assert_memory_equal(g.members, "alice\0ecs-user\0zoe", 19);
	assert_memory_equal(g.lengths, "\x06\x09\x04", 3);
	assert_ok(snap_group_by_gid(&snap, 1500, &g));
	assert_string_equal(g.name, "analysts");
	assert_err(snap_group_by_gid(&snap, 27, &g), CLUSTER_ENOTFOUND);
	assert_err(snap_group_by_name(&snap, "sudo", &g), CLUSTER_ENOTFOUND);

	assert_ok(snap_member_groups(&snap, "alice", &gids, &n));
	assert_int_equal(n, 2);
	assert_int_equal(snap_be32(gids), 1500);
	assert_int_equal(snap_be32(gids + 4), 1880000200);
	assert_ok(snap_member_groups(&snap, "ecs-user", &gids, &n));
	assert_err(snap_member_groups(&snap, "bob", &gids, &n), CLUSTER_ENOTFOUND);
	assert_err(snap_member_groups(&snap, "root", &gids, &n), CLUSTER_ENOTFOUND);
}

static void test_each(void **state)
{
	static const char *const names[] = { "alice", "bob", "emr-user", "zoe" }, *const groups[] = { "analysts", "emr-user", "hadoop" };
	struct snap_account a;
	struct snap_group g;
	uint64_t cursor = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_ok(snap_account_each(&snap, &cursor, &a));
		assert_string_equal(a.name, names[i]);
	}
	assert_err(snap_account_each(&snap, &cursor, &a), CLUSTER_ENOTFOUND);
	assert_err(snap_account_each(&snap, &cursor, &a), CLUSTER_ENOTFOUND);
	cursor = 0;
	for (size_t i = 0; i < COUNT(groups); i++) {
		assert_ok(snap_group_each(&snap, &cursor, &g));
		assert_string_equal(g.name, groups[i]);
	}
	assert_err(snap_group_each(&snap, &cursor, &g), CLUSTER_ENOTFOUND);
}

static void test_e11_long_names(void **state)
{
	char *name = malloc(120001);
	struct snap_account a;
	struct snap_group g;

	(void)state;
	assert_non_null(name);
	memset(name, 'a', 120000);
	name[120000] = '\0';
	assert_err(snap_account_by_name(&snap, name, &a), CLUSTER_ENOTFOUND);
	assert_err(snap_group_by_name(&snap, name, &g), CLUSTER_ENOTFOUND);
	free(name);
	/* no byte beyond the 33rd is looked at, and none beyond the first that cannot be */
	name = malloc(33);
	assert_non_null(name);
	memset(name, 'a', 33);
	assert_err(snap_account_by_name(&snap, name, &a), CLUSTER_ENOTFOUND);
	name[0] = 'A';
	assert_err(snap_account_by_name(&snap, name, &a), CLUSTER_ENOTFOUND);
	free(name);
}

static bool same_account(const struct snap_account *x, const struct snap_account *y)
{
	return x->uid == y->uid && x->gid == y->gid && strcmp(x->name, y->name) == 0 && strcmp(x->gecos, y->gecos) == 0 &&
	    strcmp(x->home, y->home) == 0 && strcmp(x->shell, y->shell) == 0;
}

/* Asked of a damaged copy, everything is answered as by the good one or not at all; never another value, never "no such name". */
static void check_damaged(const struct snap *s)
{
	static const char *const names[] = { "alice", "bob", "emr-user", "zoe" }, *const group_names[] = { "analysts", "emr-user", "hadoop" };
	struct snap_account a, want;
	struct snap_group g, want_group;
	const uint8_t *gids, *want_gids;
	uint32_t n, want_n;
	enum cluster_err e;

	for (size_t i = 0; i < COUNT(names); i++) {
		assert_ok(snap_account_by_name(&snap, names[i], &want));
		e = snap_account_by_name(s, names[i], &a);
		assert_true(e == CLUSTER_EFORMAT || (e == CLUSTER_OK && same_account(&a, &want)));
		e = snap_account_by_uid(s, want.uid, &a);
		assert_true(e == CLUSTER_EFORMAT || (e == CLUSTER_OK && same_account(&a, &want)));
	}
	for (size_t i = 0; i < COUNT(group_names); i++) {
		assert_ok(snap_group_by_name(&snap, group_names[i], &want_group));
		e = snap_group_by_name(s, group_names[i], &g);
		assert_true(e == CLUSTER_EFORMAT || (e == CLUSTER_OK && g.gid == want_group.gid && g.n_members == want_group.n_members &&
		    memcmp(g.members, want_group.members, g.members_size) == 0));
		e = snap_group_by_gid(s, want_group.gid, &g);
		assert_true(e == CLUSTER_EFORMAT || (e == CLUSTER_OK && strcmp(g.name, want_group.name) == 0));
	}
	assert_ok(snap_member_groups(&snap, "alice", &want_gids, &want_n));
	e = snap_member_groups(s, "alice", &gids, &n);
	assert_true(e == CLUSTER_EFORMAT || (e == CLUSTER_OK && n == want_n && memcmp(gids, want_gids, 4 * (size_t)n) == 0));
}

static void test_every_bit_of_the_file(void **state)
{
	static uint8_t bytes[SNAP_VECTOR_MAX];
	size_t refused = 0;
	struct snap s;

	(void)state;
	memcpy(bytes, good, good_n);
	for (size_t bit = 0; bit < 8 * good_n; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (snap_parse(bytes, good_n, SNAP_ACCOUNTS, &s) == CLUSTER_OK) {
			check_damaged(&s);
			assert_int_not_equal(snap_verify(&s), CLUSTER_OK);
		} else {
			refused++;
		}
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(refused, 8 * SNAP_VECTOR_TABLE_END); /* header and table, and nothing else */
}

/* ---- the fast checks ---- */

static uint32_t next_random(uint32_t *x)
{
	*x = *x * 1664525u + 1013904223u;
	return *x >> 8;
}

static void check_name(const char *s)
{
	char room[48] = ""; /* in a snapshot more follows a name: 8 bytes are read of the shortest */
	size_t n = snap_name_length(s);

	assert_int_equal(n, name_account_ok(s) ? strlen(s) : 0);
	if (!n)
		return;
	memcpy(room, s, n);
	if (snap_account_reserved(room, n) != name_account_reserved(s) || snap_group_reserved(room, n) != name_group_reserved(s))
		fail_msg("snap_name.h does not know that \"%s\" is reserved: test_snap_account --print", s);
}

static void test_names_as_in_name_c(void **state)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789_-A.\x80 ";
	uint32_t x = 1;
	char text[40];

	(void)state;
	for (size_t i = 0; i < COUNT(reserved_accounts); i++)
		check_name(reserved_accounts[i]);
	for (size_t i = 0; i < COUNT(reserved_groups); i++)
		check_name(reserved_groups[i]);
	check_name("systemd-");
	check_name("systemd-abcdefghijklmnopqrstuvwx");
	check_name("");
	for (unsigned int round = 0; round < 200000; round++) {
		size_t n = next_random(&x) % sizeof text, span = round % 2 ? sizeof set - 1 : 38;

		for (size_t i = 0; i < n; i++)
			text[i] = set[next_random(&x) % span];
		text[n < sizeof text ? n : sizeof text - 1] = '\0';
		check_name(text);
	}
}

/* The quick forms of the hash, the grammar of names and the search in a bucket say the same as the plain ones. */
static void test_quick_forms(void **state)
{
	static const char set[] = "abcyz0189_-A@[`{.\x80\xff\x00/:";
	uint8_t bytes[256] = { 0 };
	uint32_t x = 3;

	(void)state;
	for (unsigned int round = 0; round < 100000; round++) {
		size_t n = SNAP_SUM_CHUNK + round % (SNAP_SUM_SHORT - SNAP_SUM_CHUNK + 1), name_n = 1 + round % NAME_ACCOUNT_MAX;
		struct snap_key key;
		char name[64] = { 0 };
		snap_lanes v;
		uint32_t tag, found = 0;

		for (size_t i = 0; i < 160; i++)
			bytes[i] = (uint8_t)next_random(&x);
		assert_int_equal(snap_record_guard_short(bytes, n, round), snap_record_guard(bytes, n, round));
		key = snap_key_of(bytes, name_n);
		assert_true(snap_key_hash(&key) == snap_hash(bytes, name_n, 0));
		assert_true(snap_key_is(&key, bytes, name_n) && snap_key_is(&key, bytes + 1, name_n) == (memcmp(bytes, bytes + 1, name_n) == 0));
		v = snap_lanes_load(bytes) > 0;
		assert_int_equal(snap_lanes_bits(v), snap_lanes_bits_portable(v));
		for (size_t i = 0; i < SNAP_BUCKET_SLOTS; i++)
			bytes[8 + 8 * i] = (uint8_t)(round % 3), bytes[9 + 8 * i] = bytes[10 + 8 * i] = 0, bytes[11 + 8 * i] &= 3;
		tag = (round % 3) << 24 | (round & 3);
		for (uint32_t i = 0; i < SNAP_BUCKET_SLOTS; i++)
			found |= (uint32_t)(snap_be32(bytes + 8 + 8 * i) == tag) << (2 * i + 2);
		assert_int_equal(snap_bucket_match(bytes, tag), found);
		for (size_t i = 0; i < name_n; i++)
			name[i] = set[next_random(&x) % (round % 2 ? 11 : sizeof set)];
		assert_int_equal(snap_name_judge((uint8_t *)name, name_n), strlen(name) == name_n && name_account_ok(name));
	}
	for (uint32_t i = 0; i < 200000; i++)
		assert_int_equal(snap_id_ok(i), name_id_ok(i));
	for (uint32_t i = INT32_MAX - 10u; i < INT32_MAX + 10u; i++)
		assert_int_equal(snap_id_ok(i), name_id_ok(i));
}

/* Strings near the edge of what is allowed: what the one pass accepts, the three predicates accept, and for plain text it does accept. */
static void test_text_as_in_name_c(void **state)
{
	static const char set[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa//////...:,\n\x7f\x80\xc3\xab ";
	unsigned int fast = 0;
	uint32_t x = 7;

	(void)state;
	for (unsigned int round = 0; round < 300000; round++) {
		size_t lengths[3] = { next_random(&x) % 40, 1 + next_random(&x) % 40, 1 + next_random(&x) % 40 }, n = 0;
		size_t span = round % 4 ? 40 + round % 3 : sizeof set;
		char text[256] = { 0 };
		char *starts[3];

		for (size_t part = 0; part < 3; part++, n++) {
			starts[part] = text + 1 + n;
			for (size_t i = 0; i < lengths[part]; i++)
				text[1 + n++] = part && !i ? '/' : set[next_random(&x) % span];
		}
		struct snap_account a = { .gecos = starts[0], .home = starts[1], .shell = starts[2], .gecos_n = lengths[0], .home_n = lengths[1], .shell_n = lengths[2] };

		if (n < SNAP_TEXT_MIN)
			continue;
		if (text_plain_long((uint8_t *)text + 1, n)) {
			assert_true(text_ok(&a));
			fast++;
		}
		/* tightly allocated, so that the sanitizer sees a read or a write too many */
		uint8_t *tight = malloc(n + 1);

		assert_non_null(tight);
		memcpy(tight, text, n + 1);
		assert_int_equal(text_plain_long(tight + 1, n), text_plain_long((uint8_t *)text + 1, n));
		free(tight);
	}
	assert_in_range(fast, 3000, 290000);
	assert_true(text_plain_long((const uint8_t *)"\0Some Person\0/home/someone\0/bin/bash" + 1, 36));
}

/* The table of snap_name_suspect for the lists as they are. */
static int print_table(void)
{
	uint32_t seen[512] = { 0 };

	for (size_t i = 0; i < COUNT(reserved_accounts) + COUNT(reserved_groups); i++) {
		const char *s = i < COUNT(reserved_accounts) ? reserved_accounts[i] : reserved_groups[i - COUNT(reserved_accounts)];
		uint32_t bit = snap_name_bit(s, strlen(s));

		seen[bit / 32] |= UINT32_C(1) << bit % 32;
	}
	for (size_t i = 0; i < 512; i++)
		printf("%s0x%08x,%s", i % 12 ? " " : "\t\t", seen[i], i % 12 == 11 || i == 511 ? "\n" : "");
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookups),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_e11_long_names),
		cmocka_unit_test(test_every_bit_of_the_file),
		cmocka_unit_test(test_names_as_in_name_c),
		cmocka_unit_test(test_quick_forms),
		cmocka_unit_test(test_text_as_in_name_c),
	};

	if (argc > 1 && strcmp(argv[1], "--print") == 0)
		return print_table();
	return cmocka_run_group_tests(tests, set_up, NULL);
}
