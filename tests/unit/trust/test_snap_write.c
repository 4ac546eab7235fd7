/* SPDX-License-Identifier: Apache-2.0 */
/* The writer of snapshots, and what the reader refuses of well-sealed content that no builder of ours would write: D1, D3, D4, D6. */
#include "unit.h"

#include <string.h>

#include "cluster/snap_quick.h"
#include "cluster/snap_write.h"
#include "snap_vector.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const struct cluster_id cluster = { { 7 } };

static struct snap_writer *writer(enum snap_kind kind)
{
	struct snap_writer *w;

	assert_ok(snap_writer_new(kind, &cluster, &w));
	return w;
}

/* Ends and frees the writer; *ret_file is the caller's. */
static struct snap end(struct snap_writer *w, enum snap_kind kind, uint8_t **ret_file)
{
	struct diag d;
	struct snap s;
	size_t n;

	assert_ok(snap_writer_end(w, ret_file, &n, &d));
	assert_ok(snap_parse(*ret_file, n, kind, &s));
	snap_writer_free(w);
	return s;
}

static void test_shapes_are_enforced(void **state)
{
	struct snap_writer *w = writer(SNAP_TRUST);
	uint32_t offset;
	struct diag d;
	uint8_t *p;
	size_t n;

	(void)state;
	assert_err(snap_writer_flat(w, SNAP_T_PEOPLE, "x", 1), CLUSTER_EFORMAT);
	assert_err(snap_writer_flat(w, 0, "x", 1), CLUSTER_EFORMAT);
	assert_err(snap_writer_flat(w, 13, "x", 1), CLUSTER_EFORMAT);
	assert_err(snap_writer_flat(w, 32, "x", 1), CLUSTER_EFORMAT);
	assert_err(snap_writer_record(w, SNAP_T_SELF, "x", 1, &offset), CLUSTER_EFORMAT);
	assert_err(snap_writer_key(w, SNAP_T_PEOPLE, "x", 1, 0), CLUSTER_EFORMAT);
	assert_err(snap_writer_record(w, SNAP_T_PEOPLE, "x", SNAP_RECORD_MAX + 1, &offset), CLUSTER_ELIMIT);
	assert_ok(snap_writer_flat(w, SNAP_T_SELF, "self", 4));
	assert_err(snap_writer_flat(w, SNAP_T_SELF, "self", 4), CLUSTER_EFORMAT);
	diag_clear(&d);
	assert_err(snap_writer_end(w, &p, &n, &d), CLUSTER_EFORMAT); /* KEYS and GLOBAL are missing */
	assert_true(d.text[0] != '\0');
	snap_writer_free(w);
	snap_writer_free(NULL);
}

static void test_flat_sections(void **state)
{
	struct snap_writer *w = writer(SNAP_TRUST);
	uint8_t *file;
	struct snap s;

	(void)state;
	assert_ok(snap_writer_flat(w, SNAP_T_KEYS, "keys", 4));
	assert_ok(snap_writer_flat(w, SNAP_T_SELF, "self and more", 13));
	assert_ok(snap_writer_flat(w, SNAP_T_GLOBAL, "", 0));
	assert_ok(snap_writer_key(w, SNAP_T_PERSON_BY_ID, NULL, 0, 0));
	s = end(w, SNAP_TRUST, &file);
	assert_ok(snap_verify(&s));
	assert_int_equal(s.section[SNAP_T_SELF].n, 13);
	assert_memory_equal(s.section[SNAP_T_SELF].p, "self and more", 13);
	assert_int_equal(s.section[SNAP_T_GLOBAL].n, 0);
	/* one byte of a flat section: the file is refused as a whole */
	snap_bytes_of(file, SNAP_T_KEYS)[3] ^= 1;
	assert_err(snap_parse(file, s.size, SNAP_TRUST, &s), CLUSTER_EFORMAT);
	free(file);
}

static struct snap_writer *trust_writer(void)
{
	struct snap_writer *w = writer(SNAP_TRUST);

	assert_ok(snap_writer_flat(w, SNAP_T_SELF, "s", 1));
	assert_ok(snap_writer_flat(w, SNAP_T_KEYS, "k", 1));
	assert_ok(snap_writer_flat(w, SNAP_T_GLOBAL, "g", 1));
	return w;
}

/* 20000 records of all lengths: each is found under its key, in order, and nothing else is. */
static void test_many_records(void **state)
{
	struct snap_writer *w = trust_writer();
	uint8_t body[512], *file;
	struct snap_probe p;
	uint64_t cursor = 0;
	uint32_t offset;
	struct rd r;
	struct snap s;

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		memset(body, (int)i, sizeof body);
		memcpy(body, &i, sizeof i);
		assert_ok(snap_writer_record(w, SNAP_T_PEOPLE, body, 4 + i % 500, &offset));
		assert_ok(snap_writer_key(w, SNAP_T_PERSON_BY_ID, &i, sizeof i, offset));
		assert_ok(snap_writer_key(w, SNAP_T_PERSON_BY_NAME, body, 4 + i % 500, offset));
	}
	s = end(w, SNAP_TRUST, &file);
	assert_ok(snap_verify(&s));
	for (uint32_t i = 0; i < 20000; i++) {
		assert_ok(snap_each(&s, SNAP_T_PEOPLE, &cursor, &r));
		assert_int_equal(r.n, 4 + i % 500);
		assert_memory_equal(r.p, &i, 4);
		snap_probe_init(&p, &s, SNAP_T_PEOPLE, SNAP_T_PERSON_BY_NAME, r.p, r.n);
		assert_ok(snap_probe_next(&p, &r));
		assert_memory_equal(r.p, &i, 4);
		assert_err(snap_probe_next(&p, &r), CLUSTER_ENOTFOUND);
	}
	assert_err(snap_each(&s, SNAP_T_PEOPLE, &cursor, &r), CLUSTER_ENOTFOUND);
	for (uint32_t i = 20000; i < 22000; i++) {
		snap_probe_init(&p, &s, SNAP_T_PEOPLE, SNAP_T_PERSON_BY_ID, &i, sizeof i);
		assert_err(snap_probe_next(&p, &r), CLUSTER_ENOTFOUND);
	}
	free(file);
}

/* 7 x 16 equal keys fill all buckets that a lookup looks at; one more cannot be laid out. */
static void test_equal_keys(void **state)
{
	const size_t most = SNAP_BUCKET_SLOTS * SNAP_PROBE_MAX;
	struct snap_writer *w = trust_writer();
	struct snap_probe p;
	uint32_t offset;
	uint8_t *file;
	struct diag d;
	struct rd r;
	struct snap s;
	size_t n;

	(void)state;
	for (size_t i = 0; i < most; i++) {
		assert_ok(snap_writer_record(w, SNAP_T_GRANTS, &i, sizeof i, &offset));
		assert_ok(snap_writer_key(w, SNAP_T_GRANT_BY_KEY, "same", 4, offset));
	}
	s = end(w, SNAP_TRUST, &file);
	assert_ok(snap_verify(&s));
	snap_probe_init(&p, &s, SNAP_T_GRANTS, SNAP_T_GRANT_BY_KEY, "same", 4);
	for (size_t i = 0; i < most; i++) {
		assert_ok(snap_probe_next(&p, &r));
		assert_memory_equal(r.p, &i, sizeof i);
	}
	assert_err(snap_probe_next(&p, &r), CLUSTER_ENOTFOUND);
	free(file);

	w = trust_writer();
	for (size_t i = 0; i <= most; i++) {
		assert_ok(snap_writer_record(w, SNAP_T_GRANTS, &i, sizeof i, &offset));
		assert_ok(snap_writer_key(w, SNAP_T_GRANT_BY_KEY, "same", 4, offset));
	}
	assert_err(snap_writer_end(w, &file, &n, &d), CLUSTER_ELIMIT);
	snap_writer_free(w);
}

/* ---- records that are sealed and wrong ---- */

/* One account, as a builder without any check would write it. */
static struct snap one_account(uint32_t uid, uint32_t gid, const char *name, const char *rest, size_t rest_n, uint8_t **ret_file)
{
	struct snap_writer *w = writer(SNAP_ACCOUNTS);
	uint8_t body[2048] = { 0 };
	size_t name_n = strlen(name), n = 16 + name_n + 1 + rest_n;
	const char *gecos = rest, *home = gecos + strlen(gecos) + 1;
	uint32_t offset, key;

	snap_put32(body, uid);
	snap_put32(body + 4, gid);
	body[8] = (uint8_t)name_n;
	body[9] = (uint8_t)strlen(gecos);
	body[10] = (uint8_t)strlen(home);
	body[11] = (uint8_t)(rest_n - strlen(gecos) - strlen(home) - 3);
	memcpy(body + 16, name, name_n + 1);
	memcpy(body + 16 + name_n + 1, rest, rest_n);
	assert_ok(snap_writer_record(w, SNAP_A_ACCOUNTS, body, n, &offset));
	assert_ok(snap_writer_key(w, SNAP_A_BY_NAME, name, name_n, offset));
	snap_put32((uint8_t *)&key, uid);
	assert_ok(snap_writer_key(w, SNAP_A_BY_UID, &key, 4, offset));
	return end(w, SNAP_ACCOUNTS, ret_file);
}

#define GOOD_REST "G\0/home/x\0/bin/sh"

static void check_account(uint32_t uid, uint32_t gid, const char *name, const char *rest, size_t rest_n, bool good)
{
	uint64_t cursor = 0;
	uint8_t *file;
	struct snap s = one_account(uid, gid, name, rest, rest_n, &file);
	struct snap_account a;

	assert_int_equal(snap_account_by_name(&s, name, &a) == CLUSTER_OK, good);
	assert_int_equal(snap_account_by_uid(&s, uid, &a) == CLUSTER_OK, good);
	assert_int_equal(snap_account_each(&s, &cursor, &a) == CLUSTER_OK, good);
	assert_int_equal(cursor > 0, good);
	assert_int_equal(snap_verify(&s) == CLUSTER_OK, good);
	free(file);
}

static void test_d1_ids_refused_on_read(void **state)
{
	static const uint32_t bad[] = { 0, 1, 4, 27, 100, 998, 999, 60001, 61184, 65519, 65534, 65535, UINT32_C(0x80000000), UINT32_MAX };
	static const uint32_t good[] = { 1000, 60000, 65536, 1880000000, INT32_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		check_account(bad[i], 5000, "mallory", GOOD_REST, sizeof GOOD_REST, false);
		check_account(5000, bad[i], "mallory", GOOD_REST, sizeof GOOD_REST, false);
	}
	for (size_t i = 0; i < COUNT(good); i++)
		check_account(good[i], good[i], "mallory", GOOD_REST, sizeof GOOD_REST, true);
}

static void test_d3_d6_names_refused_on_read(void **state)
{
	static const char *const bad[] = { "root", "sshd", "systemd-network", "www-data", "Mallory", "a b", "a:b", "a\nb", "-a", "", "0a",
		"abcdefghijklmnopqrstuvwxyz0123456", "../etc" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		check_account(5000, 5000, bad[i], GOOD_REST, sizeof GOOD_REST, false);
	check_account(5000, 5000, "abcdefghijklmnopqrstuvwxyz012345", GOOD_REST, sizeof GOOD_REST, true);
}

#define TEXT(good, s) { s, sizeof s, good }

static void test_d6_text_refused_on_read(void **state)
{
	static const struct {
		const char *rest;
		size_t n;
		bool good;
	} rows[] = {
		TEXT(true, "\0/home/x\0/bin/sh"),
		TEXT(true, "Zo\xc3\xab\0/home/x\0/bin/sh"),
		TEXT(true, "A. B.\0/home/a.b/.c,d\0/bin/sh"),
		TEXT(true, "\0/a\0/b"),
		TEXT(false, "a:b\0/home/x\0/bin/sh"),
		TEXT(false, "a,b\0/home/x\0/bin/sh"),
		TEXT(false, "a\nb\0/home/x\0/bin/sh"),
		TEXT(false, "\xff\0/home/x\0/bin/sh"),
		TEXT(false, "\xc2\x80\0/home/x\0/bin/sh"),
		TEXT(false, "G\0home/x\0/bin/sh"),
		TEXT(false, "G\0\0/bin/sh"),
		TEXT(false, "G\0/\0/bin/sh"),
		TEXT(false, "G\0/home/\0/bin/sh"),
		TEXT(false, "G\0/home/../root\0/bin/sh"),
		TEXT(false, "G\0/home/./x\0/bin/sh"),
		TEXT(false, "G\0/home//x\0/bin/sh"),
		TEXT(false, "G\0/home/x:y\0/bin/sh"),
		TEXT(false, "G\0/home/x\x7f\0/bin/sh"),
		TEXT(false, "G\0/home/x\0bin/sh"),
		TEXT(false, "G\0/home/x\0"),
		TEXT(false, "G\0/home/x\0/bin/\nsh"),
		TEXT(false, "G\0/home/x\0/bin/..\0:0"), /* a NUL inside the shell's length */
		TEXT(false, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"0123456789abcdef\0/home/x\0/bin/sh"), /* gecos of 128 bytes */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_account(5000, 5000, "mallory", rows[i].rest, rows[i].n, rows[i].good);
}

/* Lengths in the head that do not add up, the reserved word, and a body that is too short. */
static void test_account_heads(void **state)
{
	uint8_t *file;
	struct snap s = one_account(5000, 5000, "mallory", GOOD_REST, sizeof GOOD_REST, &file);
	uint8_t *record = snap_bytes_of(file, SNAP_A_ACCOUNTS), saved[64];
	struct snap_account a;
	uint32_t length = snap_be32(record);

	(void)state;
	memcpy(saved, record, sizeof saved);
	for (size_t i = 8; i < 16; i++) {
		for (unsigned int value = 0; value < 256; value++) {
			if (saved[8 + i] == value)
				continue;
			record[8 + i] = (uint8_t)value;
			snap_reseal_record(record, SNAP_A_ACCOUNTS);
			assert_err(snap_account_by_name(&s, "mallory", &a), CLUSTER_EFORMAT);
			assert_err(snap_account_by_uid(&s, 5000, &a), CLUSTER_EFORMAT);
		}
		memcpy(record, saved, sizeof saved);
	}
	for (uint32_t n = 0; n < length; n++) {
		snap_put32(record, n);
		snap_reseal_record(record, SNAP_A_ACCOUNTS);
		assert_err(snap_account_by_name(&s, "mallory", &a), CLUSTER_EFORMAT);
	}
	free(file);
}

/* Groups and member records of any content under good seals. */
struct list {
	const char *members;
	size_t size;
	const char *lengths; /* as many as there are before a NUL */
	uint32_t count;
};

static struct snap one_group(uint32_t gid, const char *name, const struct list *l, uint8_t **ret_file)
{
	struct snap_writer *w = writer(SNAP_ACCOUNTS);
	uint8_t body[512] = { 0 };
	size_t name_n = strlen(name), n = 16 + name_n + 1;
	uint32_t offset, key;

	snap_put32(body, gid);
	snap_put32(body + 4, l->count);
	snap_put32(body + 8, (uint32_t)l->size);
	body[12] = (uint8_t)name_n;
	memcpy(body + 16, name, name_n + 1);
	memcpy(body + n, l->members, l->size);
	memcpy(body + n + l->size, l->lengths, strlen(l->lengths));
	assert_ok(snap_writer_record(w, SNAP_A_GROUPS, body, n + l->size + strlen(l->lengths), &offset));
	assert_ok(snap_writer_key(w, SNAP_A_GROUP_BY_NAME, name, name_n, offset));
	snap_put32((uint8_t *)&key, gid);
	assert_ok(snap_writer_key(w, SNAP_A_GROUP_BY_GID, &key, 4, offset));
	return end(w, SNAP_ACCOUNTS, ret_file);
}

/* E1: whoever takes such a record for judged gets what lies in the room, which is tight, or nothing. */
static void check_group_in_room(const struct snap *s, const char *name, const struct list *l, bool good)
{
	struct snap_room room = { .n = (l->count + 1) * sizeof(char *) + strlen(name) + 1 + l->size };
	_Atomic uint8_t judged[64];
	struct snap_table t = snap_table(s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_NAME);
	struct snap_group_copy g;

	if (l->count > 100 || !*name)
		return;
	assert_true(snap_judged_size(s->size) <= sizeof judged);
	room.p = malloc(room.n);
	assert_non_null(room.p);
	assert_int_equal(snap_copy_group_by_name(&t, name, &room, &g) == CLUSTER_OK, good);
	memset((void *)judged, 0xff, sizeof judged);
	t.judged = judged;
	if (snap_quick_group_by_name(&t, name, &room, &g) == CLUSTER_OK) {
		assert_ptr_equal(g.end, room.p + room.n);
		assert_int_equal(g.end[-1], '\0');
		assert_ptr_equal(g.members[l->count], NULL);
		for (uint32_t i = 0; i < l->count; i++)
			assert_true(g.members[i] > g.name && g.members[i] < g.end);
	} else {
		assert_false(good && snap_be32(s->section[SNAP_A_GROUPS].p) >= SNAP_JUDGED_MIN);
	}
	free(room.p);
}

static void check_group(uint32_t gid, const char *name, const struct list *l, bool good)
{
	uint64_t cursor = 0;
	uint8_t *file;
	struct snap s = one_group(gid, name, l, &file);
	struct snap_group g;

	assert_int_equal(snap_group_by_name(&s, name, &g) == CLUSTER_OK, good);
	assert_int_equal(snap_group_by_gid(&s, gid, &g) == CLUSTER_OK, good);
	assert_int_equal(snap_group_each(&s, &cursor, &g) == CLUSTER_OK, good);
	/* nobody has a member record here: a group without members is whole, one with members is half */
	assert_int_equal(snap_verify(&s) == CLUSTER_OK, good && !l->count);
	check_group_in_room(&s, name, l, good);
	free(file);
}

static void test_d3_groups_refused_on_read(void **state)
{
	static const char *const bad[] = { "root", "sudo", "wheel", "admin", "adm", "docker", "lxd", "libvirt", "kvm", "disk", "shadow", "systemd-x", "", "A" };
	static const struct list empty = { "", 0, "", 0 };

	(void)state;
	check_group(5000, "devs", &empty, true);
	for (size_t i = 0; i < COUNT(bad); i++)
		check_group(5000, bad[i], &empty, false);
	check_group(0, "devs", &empty, false);
	check_group(27, "devs", &empty, false);
	check_group(65534, "devs", &empty, false);
}

static void test_d3_members_refused_on_read(void **state)
{
	static const char longest[] = "abcdefghijklmnopqrstuvwxyz012345\0b", longer[] = "abcdefghijklmnopqrstuvwxyz0123456\0b";
	static const struct list good[] = { { "a\0bc", 5, "\2\3", 2 }, { longest, 35, "\x21\2", 2 }, { "a\0b\0c\0d\0e\0f\0g", 14, "\2\2\2\2\2\2\2", 7 } },
	    bad[] = {
		{ "a\0bc", 5, "\2\3", 1 }, { "a\0bc", 5, "\2\3", 3 }, { "a\0bc", 4, "\2\3", 2 }, { "a\0bc", 5, "\2", 1 }, { "a\0bc", 5, "\5", 1 },
		{ "a\0bc", 5, "\3\2", 2 }, { "a\0bc", 5, "\2\4", 2 }, { "a\0bc", 5, "\2\2", 2 }, { "a\0bc", 5, "\2\2\1", 3 }, { "a\0bc", 5, "\2\xff", 2 },
		{ "a\0bc", 5, "\xff\3", 2 }, { "a\0bc", 5, "", 0 }, { "", 0, "\2", 1 }, { "a\0\0bc", 6, "\2\1\3", 3 }, { "a\0\0bc", 6, "\3\3", 2 },
		{ "abc", 4, "\2\2", 2 }, { "a\0B", 4, "\2\2", 2 }, { "a,b", 4, "\4", 1 }, { "a\0-b", 5, "\2\3", 2 }, { longer, 36, "\x22\2", 2 }, { "", 0, "", SNAP_GROUP_MEMBERS_MAX + 1 },
		{ "a\0b\0c\0d\0e\0f\0g", 14, "\2\2\2\4\2\2", 6 }, { "a\0b\0c\0d\0e\0f\0g", 14, "\2\2\2\2\2\1\3", 7 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check_group(5000, "devs", &good[i], true);
	for (size_t i = 0; i < COUNT(bad); i++)
		check_group(5000, "devs", &bad[i], false);
}

static enum cluster_err one_member(const char *name, const uint32_t *gids, uint32_t count, uint32_t claimed)
{
	struct snap_writer *w = writer(SNAP_ACCOUNTS);
	uint8_t body[512] = { 0 }, *file;
	size_t name_n = strlen(name);
	const uint8_t *got;
	enum cluster_err e;
	uint32_t offset, n;
	struct snap s;

	snap_put32(body, claimed);
	body[4] = (uint8_t)name_n;
	memcpy(body + 8, name, name_n + 1);
	for (size_t i = 0; i < count; i++)
		snap_put32(body + 8 + name_n + 1 + 4 * i, gids[i]);
	assert_ok(snap_writer_record(w, SNAP_A_MEMBER, body, 8 + name_n + 1 + 4 * count, &offset));
	assert_ok(snap_writer_key(w, SNAP_A_MEMBER_BY_NAME, name, name_n, offset));
	s = end(w, SNAP_ACCOUNTS, &file);
	e = snap_member_groups(&s, name, &got, &n);
	if (e == CLUSTER_OK)
		assert_int_equal(n, claimed);
	assert_int_not_equal(snap_verify(&s), CLUSTER_OK); /* the group is not there */
	free(file);
	return e;
}

static void test_d4_gids_refused_on_read(void **state)
{
	static const uint32_t powerful[] = { 0, 4, 27, 998, 65534 };

	(void)state;
	assert_ok(one_member("alice", (uint32_t[]){ 1000, 2000 }, 2, 2));
	for (size_t i = 0; i < COUNT(powerful); i++) {
		assert_err(one_member("alice", &powerful[i], 1, 1), CLUSTER_EFORMAT);
		assert_err(one_member("alice", (uint32_t[]){ powerful[i], 70000 }, 2, 2), CLUSTER_EFORMAT);
		assert_err(one_member("alice", (uint32_t[]){ 1000, powerful[i] }, 2, 2), CLUSTER_EFORMAT);
	}
	assert_err(one_member("alice", (uint32_t[]){ 2000, 1000 }, 2, 2), CLUSTER_EFORMAT);
	assert_err(one_member("alice", (uint32_t[]){ 2000, 2000 }, 2, 2), CLUSTER_EFORMAT);
	assert_err(one_member("alice", (uint32_t[]){ 2000, 3000 }, 2, 1), CLUSTER_EFORMAT);
	assert_err(one_member("alice", (uint32_t[]){ 2000, 3000 }, 2, 3), CLUSTER_EFORMAT);
	assert_err(one_member("alice", NULL, 0, 0), CLUSTER_EFORMAT);
	assert_err(one_member("root", (uint32_t[]){ 1000 }, 1, 1), CLUSTER_ENOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes_are_enforced),
		cmocka_unit_test(test_flat_sections),
		cmocka_unit_test(test_many_records),
		cmocka_unit_test(test_equal_keys),
		cmocka_unit_test(test_d1_ids_refused_on_read),
		cmocka_unit_test(test_d3_d6_names_refused_on_read),
		cmocka_unit_test(test_d6_text_refused_on_read),
		cmocka_unit_test(test_account_heads),
		cmocka_unit_test(test_d3_groups_refused_on_read),
		cmocka_unit_test(test_d3_members_refused_on_read),
		cmocka_unit_test(test_d4_gids_refused_on_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
