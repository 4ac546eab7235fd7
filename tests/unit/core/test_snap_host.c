/* SPDX-License-Identifier: Apache-2.0 */
/* Names and addresses of nodes in the golden file, and in well-sealed files whose records break a rule. Requirements D2, E11, and that nobody takes over localhost. */
#include "unit.h"

#include <string.h>

#include "cluster/snap.h"
#include "snap_vector.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static uint8_t good[SNAP_VECTOR_MAX], bytes[SNAP_VECTOR_MAX];
static size_t good_n;
static struct snap snap;

static int set_up(void **state)
{
	(void)state;
	good_n = snap_vector_read(SNAP_VECTOR_FILE, good, sizeof good);
	return snap_parse(good, good_n, SNAP_ACCOUNTS, &snap) == CLUSTER_OK ? 0 : -1;
}

static enum cluster_err by_name(const struct snap *s, const char *name, struct snap_host *ret)
{
	struct snap_host_name key;

	return snap_host_name(name, &key) ? snap_host_by_name(s, &key, ret) : CLUSTER_ENOTFOUND;
}

static const uint8_t master_1_v4[] = { 10, 0, 0, 11 }, master_2_v4[] = { 10, 0, 0, 12 };
static const uint8_t master_1_v6[16] = { 0xfd, [15] = 0x11 }, core_1_v6[16] = { 0xfd, [15] = 0x21 };

static void test_by_name(void **state)
{
	struct snap_host h, same;

	(void)state;
	assert_ok(by_name(&snap, "master-1", &h));
	assert_string_equal(h.name, "master-1");
	assert_false(h.role);
	assert_int_equal(h.n_v4, 1);
	assert_int_equal(h.n_v6, 1);
	assert_memory_equal(h.v4, master_1_v4, 4);
	assert_memory_equal(h.v6, master_1_v6, 16);
	assert_ok(by_name(&snap, "MASTER-1", &same));
	assert_ptr_equal(h.name, same.name);
	assert_ok(by_name(&snap, "core-1", &h)); /* its link-local address is not there */
	assert_int_equal(h.n_v4, 0);
	assert_int_equal(h.n_v6, 1);
	assert_memory_equal(h.v6, core_1_v6, 16);
	assert_ok(by_name(&snap, "master", &h));
	assert_true(h.role);
	assert_int_equal(h.n_v4, 2);
	assert_memory_equal(h.v4, master_1_v4, 4);
	assert_memory_equal(h.v4 + 4, master_2_v4, 4);
	assert_int_equal(h.n_v6, 1);
	assert_ok(by_name(&snap, "leader", &h));
	assert_int_equal(h.n_v4, 1);
	assert_memory_equal(h.v4, master_1_v4, 4);
	assert_err(by_name(&snap, "master-3", &h), CLUSTER_ENOTFOUND);
	assert_err(by_name(&snap, "maste", &h), CLUSTER_ENOTFOUND);
}

static void test_by_address(void **state)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 }, stranger[4] = { 10, 0, 0, 13 }, link[16] = { 0xfe, 0x80, [15] = 1 };
	struct snap_address a;

	(void)state;
	assert_ok(snap_host_by_address(&snap, master_2_v4, 4, &a));
	assert_string_equal(a.name, "master-2");
	assert_ok(snap_host_by_address(&snap, core_1_v6, 16, &a));
	assert_string_equal(a.name, "core-1");
	assert_int_equal(a.n, 16);
	assert_memory_equal(a.bytes, core_1_v6, 16);
	assert_err(snap_host_by_address(&snap, loopback, 4, &a), CLUSTER_ENOTFOUND);
	assert_err(snap_host_by_address(&snap, stranger, 4, &a), CLUSTER_ENOTFOUND);
	assert_err(snap_host_by_address(&snap, link, 16, &a), CLUSTER_ENOTFOUND);
	assert_err(snap_host_by_address(&snap, master_2_v4, 3, &a), CLUSTER_ENOTFOUND);
	assert_err(snap_host_by_address(&snap, master_2_v4, 0, &a), CLUSTER_ENOTFOUND);
}

static void test_each(void **state)
{
	static const char *const names[] = { "core-1", "master-1", "master-1", "master-2" };
	struct snap_address a;
	uint64_t cursor = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_ok(snap_host_each(&snap, &cursor, &a));
		assert_string_equal(a.name, names[i]);
	}
	assert_err(snap_host_each(&snap, &cursor, &a), CLUSTER_ENOTFOUND);
}

/* Written by who knows nothing of nodes: no answer is known, and accounts are as ever. */
static void test_without_nodes(void **state)
{
	static uint8_t bare[SNAP_VECTOR_MAX];
	size_t n = snap_without_nodes(good, bare);
	struct snap_account account;
	struct snap_address a;
	uint64_t cursor = 0;
	struct snap_host h;
	struct snap s;

	(void)state;
	assert_ok(snap_parse(bare, n, SNAP_ACCOUNTS, &s));
	assert_err(by_name(&s, "master-1", &h), CLUSTER_EUNAVAIL);
	assert_err(by_name(&s, "localhost", &h), CLUSTER_ENOTFOUND);
	assert_err(snap_host_by_address(&s, master_1_v4, 4, &a), CLUSTER_EUNAVAIL);
	assert_err(snap_host_each(&s, &cursor, &a), CLUSTER_EUNAVAIL);
	assert_ok(snap_account_by_name(&s, "alice", &account));
}

/* Any one of the four sections missing: nothing is read from the others. */
static void test_half_a_file(void **state)
{
	struct snap_address a;
	struct snap_host h;
	struct snap s;

	(void)state;
	for (uint32_t type = SNAP_A_HOSTS; type <= SNAP_A_ADDRESS_BY_BYTES; type++) {
		s = snap;
		s.section[type] = (struct snap_section){ NULL, 0 };
		assert_err(by_name(&s, "master-1", &h), CLUSTER_EUNAVAIL);
		assert_err(snap_host_by_address(&s, master_1_v4, 4, &a), CLUSTER_EUNAVAIL);
		assert_err(snap_verify(&s), CLUSTER_EFORMAT);
	}
}

/* ---- names ---- */

static void test_names(void **state)
{
	static const char *const good_names[] = { "a", "core-1", "9a", "leader", "Leader", "hdfs_nn", "_x", "x--y", "gpu-" };
	static const char *const bad_names[] = {
		"", ".", "a.", ".a", "core-1.example.org", "localhost", "LocalHost", "localhost.", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback",
		"ip6-anything", "broadcasthost", "loopback", "localdomain", "any", "all", "none", "_gateway", "_OUTBOUND", "wpad", "WPAD", "isatap", "metadata",
		"instance-data", "127", "-a", "9-", "a b", "a\n", "a/b", "a:b", "\xc3\xa4", "a@b", "::1", "1.2.3.4", "*",
	};
	struct snap_host_name n;

	(void)state;
	for (size_t i = 0; i < COUNT(good_names); i++) {
		assert_true(snap_host_name(good_names[i], &n));
		assert_int_equal(n.n, strlen(good_names[i]));
		assert_int_equal(strlen(n.text), n.n);
	}
	for (size_t i = 0; i < COUNT(bad_names); i++)
		if (snap_host_name(bad_names[i], &n))
			fail_msg("\"%s\" is taken for a name", bad_names[i]);
}

/* Requirement E11: no more than 64 bytes are looked at, nor one behind the first dot. */
static void test_e11_long_names(void **state)
{
	char *name = malloc(120001), *tight = malloc(64);
	struct snap_host_name n;

	(void)state;
	assert_non_null(name);
	assert_non_null(tight);
	memset(name, 'a', 120000);
	name[120000] = '\0';
	assert_false(snap_host_name(name, &n));
	name[64] = '\0';
	assert_false(snap_host_name(name, &n));
	name[63] = '\0';
	assert_true(snap_host_name(name, &n));
	memset(tight, 'a', 64);
	assert_false(snap_host_name(tight, &n));
	tight[63] = '.';
	assert_false(snap_host_name(tight, &n));
	memset(tight, 'a', 63);
	tight[62] = '.';
	assert_false(snap_host_name(tight, &n));
	free(name);
	free(tight);
}

static void test_addresses(void **state)
{
	static const struct { uint8_t b[16]; size_t n; bool ok; } table[] = {
		{ { 0, 0, 0, 0 }, 4, false }, { { 0, 1, 2, 3 }, 4, false }, { { 1, 0, 0, 1 }, 4, true }, { { 126, 255, 255, 255 }, 4, true },
		{ { 127, 0, 0, 1 }, 4, false }, { { 127, 255, 255, 255 }, 4, false }, { { 128, 0, 0, 0 }, 4, true }, { { 169, 253, 0, 1 }, 4, true },
		{ { 169, 254, 169, 254 }, 4, false }, { { 169, 255, 0, 1 }, 4, true }, { { 223, 255, 255, 255 }, 4, true }, { { 224, 0, 0, 1 }, 4, false },
		{ { 239, 1, 1, 1 }, 4, false }, { { 240, 0, 0, 1 }, 4, false }, { { 255, 255, 255, 255 }, 4, false }, { { 10, 0, 0, 1 }, 3, false },
		{ { 0 }, 16, false }, { { [15] = 1 }, 16, false }, { { [10] = 0xff, 0xff, 127, 0, 0, 1 }, 16, false }, { { [10] = 0xff, 0xff, 10, 0, 0, 1 }, 16, false },
		{ { 0, 0x64, 0xff, 0x9b }, 16, false }, { { 0x20, 1, 0xd, 0xb8 }, 16, true }, { { 0xfd }, 16, true }, { { 0xfe, 0x7f }, 16, true },
		{ { 0xfe, 0x80, [15] = 1 }, 16, false }, { { 0xfe, 0xbf, [15] = 1 }, 16, false }, { { 0xfe, 0xc0 }, 16, true }, { { 0xff, 2, [15] = 1 }, 16, false },
		{ { 0x20, 1 }, 15, false }, { { 0x20, 1 }, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		if (snap_address_ok(table[i].b, table[i].n) != table[i].ok)
			fail_msg("address %zu", i);
}

/* ---- records that are sealed and wrong ---- */

/* The record of section `type` that holds `name`; its body begins 8 bytes further on. */
static uint8_t *record_of(uint32_t type, const char *name)
{
	uint8_t *p = snap_bytes_of(bytes, type), *end = p + snap_be64(snap_entry(bytes, type) + 16);

	for (; p < end; p += (8 + (size_t)snap_be32(p) + 7) & ~(size_t)7) {
		size_t at = type == SNAP_A_HOSTS ? SNAP_HOST_HEAD : SNAP_ADDRESS_HEAD + (size_t)p[8];

		if (strcmp((char *)p + 8 + at, name) == 0)
			return p;
	}
	abort();
}

/* Sets one byte of a record, seals it, and expects that the name is not answered. */
static void spoil_host(const char *name, size_t at, uint8_t value)
{
	struct snap_host h;
	struct snap s;
	uint8_t *record;

	memcpy(bytes, good, good_n);
	record = record_of(SNAP_A_HOSTS, name);
	assert_int_not_equal(record[8 + at], value);
	record[8 + at] = value;
	snap_reseal_record(record, SNAP_A_HOSTS);
	assert_ok(snap_parse(bytes, good_n, SNAP_ACCOUNTS, &s));
	assert_err(by_name(&s, name, &h), CLUSTER_EFORMAT);
	assert_int_not_equal(snap_verify(&s), CLUSTER_OK);
}

static void spoil_address(const uint8_t *address, const char *name, size_t at, uint8_t value)
{
	struct snap_address a;
	struct snap s;
	uint8_t *record;

	memcpy(bytes, good, good_n);
	record = record_of(SNAP_A_ADDRESSES, name);
	assert_int_not_equal(record[8 + at], value);
	record[8 + at] = value;
	snap_reseal_record(record, SNAP_A_ADDRESSES);
	assert_ok(snap_parse(bytes, good_n, SNAP_ACCOUNTS, &s));
	assert_err(snap_host_by_address(&s, address, 4, &a), CLUSTER_EFORMAT);
	assert_int_not_equal(snap_verify(&s), CLUSTER_OK);
}

static void test_sealed_and_wrong(void **state)
{
	const size_t v4 = SNAP_HOST_HEAD + sizeof "master-1", v6 = v4 + 4, name = SNAP_ADDRESS_HEAD + 4;

	(void)state;
	for (size_t i = 0; i < 9; i++)
		spoil_host("master-1", i, 9); /* counts and lengths */
	spoil_host("master-1", 0, 0xff);
	spoil_host("master-1", 3, 0); /* bytes left over */
	spoil_host("master-1", 7, 0);
	spoil_host("master-1", 9, 2);
	spoil_host("master-1", 10, 1);
	spoil_host("master-1", 11, 1);
	spoil_host("master-1", SNAP_HOST_HEAD + 3, 0);
	spoil_host("master-1", SNAP_HOST_HEAD + 3, '.');
	spoil_host("master-1", SNAP_HOST_HEAD + 3, 'S');
	spoil_host("master-1", v4 - 1, 'x');
	spoil_host("master-1", v4, 127);
	spoil_host("master-1", v4, 0);
	spoil_host("master-1", v4, 224);
	spoil_host("master-1", v6, 0xff);
	spoil_host("master-1", v6, 0);
	for (size_t i = 0; i < 4; i++)
		spoil_address(master_2_v4, "master-2", i, 9);
	spoil_address(master_2_v4, "master-2", 0, 16);
	spoil_address(master_2_v4, "master-2", 0, 0);
	spoil_address(master_2_v4, "master-2", SNAP_ADDRESS_HEAD, 127);
	spoil_address(master_2_v4, "master-2", name, '-');
	spoil_address(master_2_v4, "master-2", name + 2, 0);
	spoil_address(master_2_v4, "master-2", name + 2, '_'); /* a role's name, not a node's */
	spoil_address(master_2_v4, "master-2", name + 8, 'x');
}

/* What is sound record by record and not as a whole: only snap_verify sees it. */
static void test_verify_sees_the_whole(void **state)
{
	uint8_t *record;
	struct snap s;

	(void)state;
	memcpy(bytes, good, good_n); /* a node with the address of another */
	record = record_of(SNAP_A_HOSTS, "master-1");
	memcpy(record + 8 + SNAP_HOST_HEAD + sizeof "master-1", master_2_v4, 4);
	snap_reseal_record(record, SNAP_A_HOSTS);
	assert_ok(snap_parse(bytes, good_n, SNAP_ACCOUNTS, &s));
	assert_err(snap_verify(&s), CLUSTER_EFORMAT);

	memcpy(bytes, good, good_n); /* a role out of order */
	record = record_of(SNAP_A_HOSTS, "master");
	memcpy(record + 8 + SNAP_HOST_HEAD + sizeof "master", master_2_v4, 4);
	memcpy(record + 8 + SNAP_HOST_HEAD + sizeof "master" + 4, master_1_v4, 4);
	snap_reseal_record(record, SNAP_A_HOSTS);
	assert_ok(snap_parse(bytes, good_n, SNAP_ACCOUNTS, &s));
	assert_err(snap_verify(&s), CLUSTER_EFORMAT);

	memcpy(bytes, good, good_n); /* a node that calls itself a role: its address is counted by nobody */
	record = record_of(SNAP_A_HOSTS, "core-1");
	record[8 + 9] = SNAP_HOST_ROLE;
	snap_reseal_record(record, SNAP_A_HOSTS);
	assert_ok(snap_parse(bytes, good_n, SNAP_ACCOUNTS, &s));
	assert_err(snap_verify(&s), CLUSTER_EFORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_by_address),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_without_nodes),
		cmocka_unit_test(test_half_a_file),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_e11_long_names),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_sealed_and_wrong),
		cmocka_unit_test(test_verify_sees_the_whole),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
