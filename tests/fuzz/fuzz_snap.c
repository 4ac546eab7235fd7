/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The snapshot reader on arbitrary bytes. The first byte says how they get past the checksums: bit 0 seals header, records and buckets anew, so that
 * the checks behind them are reached; bit 1 reads them as trust.snap. What is found obeys the rules whatever the bytes were.
 */
#include "fuzz.h"

#include <string.h>

#include "cluster/name.h"
#include "cluster/snap.h"
#include "cluster/snap_quick.h"

static void put32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof v);
}

static void seal_records(uint8_t *p, size_t n, uint32_t type)
{
	for (size_t at = 0; at + 8 <= n; ) {
		uint32_t length = snap_be32(p + at);

		if (length > n - at - 8)
			return;
		put32(p + at + 4, snap_record_guard(p + at + 8, length, type));
		at += (8 + (size_t)length + 7) & ~(size_t)7;
	}
}

static void seal_index(uint8_t *p, size_t n, uint32_t type)
{
	for (size_t i = 0; i < n / 64; i++)
		put32(p + 64 * i, (uint32_t)snap_hash(p + 64 * i + 4, 60, snap_seed(type, (uint32_t)i)));
}

static void seal(uint8_t *p, size_t n, enum snap_kind kind)
{
	uint32_t count = n >= 64 ? snap_be32(p + 40) : 0, records;
	uint64_t sum;

	if (count < 1 || count > 32 || 64 + 32 * (size_t)count > n)
		return;
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *entry = p + 64 + 32 * (size_t)i;
		uint64_t offset = snap_be64(entry + 8), length = snap_be64(entry + 16);
		uint32_t type = snap_be32(entry);
		enum snap_shape shape = snap_section_shape(kind, type, &records);

		if (offset > n || length > n - offset)
			continue;
		if (shape == SNAP_SHAPE_RECORDS)
			seal_records(p + offset, length, type);
		else if (shape == SNAP_SHAPE_INDEX)
			seal_index(p + offset, length, type);
		sum = shape == SNAP_SHAPE_FLAT ? __builtin_bswap64(snap_hash(p + offset, length, snap_seed(type, 0))) : 0;
		memcpy(entry + 24, &sum, sizeof sum);
	}
	sum = __builtin_bswap64(snap_hash(p + 64, 32 * (size_t)count, snap_hash(p, 56, 0)));
	memcpy(p + 56, &sum, sizeof sum);
}

static void check_inside(const struct snap *s, const void *p, size_t n)
{
	FUZZ_CHECK((const uint8_t *)p >= s->base && (const uint8_t *)p + n <= s->base + s->size);
}

static void check_account(const struct snap *s, const struct snap_account *a)
{
	check_inside(s, a->name, a->name_n + a->gecos_n + a->home_n + a->shell_n + 4);
	FUZZ_CHECK(strlen(a->name) == a->name_n && name_account_ok(a->name) && !name_account_reserved(a->name));
	FUZZ_CHECK(name_id_ok(a->uid) && name_id_ok(a->gid));
	FUZZ_CHECK(name_gecos_ok(a->gecos) && name_path_ok(a->home) && name_path_ok(a->shell));
	FUZZ_CHECK(strlen(a->gecos) == a->gecos_n && strlen(a->home) == a->home_n && strlen(a->shell) == a->shell_n);
}

static void check_group(const struct snap *s, const struct snap_group *g)
{
	const char *p = g->members;

	check_inside(s, g->members, g->members_size);
	check_inside(s, g->lengths, g->n_members);
	FUZZ_CHECK(name_group_ok(g->name) && !name_group_reserved(g->name) && name_id_ok(g->gid));
	for (uint32_t i = 0; i < g->n_members; i++, p += strlen(p) + 1)
		FUZZ_CHECK(p < g->members + g->members_size && name_account_ok(p) && g->lengths[i] == strlen(p) + 1);
	FUZZ_CHECK(p == g->members + g->members_size);
}

static _Atomic uint8_t judged[(1 << 16) / SNAP_JUDGED_SPAN]; /* of the input */

static struct snap_table remembering(const struct snap *s, uint32_t records, uint32_t index)
{
	struct snap_table t = snap_table(s, records, index);

	t.judged = judged;
	return t;
}

/* The quick lookup says nothing, or what the thorough one says, whatever has been judged before. */
static void check_account_quick(const struct snap *s, const char *name, const struct snap_room *room, enum cluster_err e, const struct snap_account *want)
{
	const struct snap_table t = remembering(s, SNAP_A_ACCOUNTS, SNAP_A_BY_NAME), by_uid = remembering(s, SNAP_A_ACCOUNTS, SNAP_A_BY_UID);
	struct snap_account a;
	struct snap_key key;

	FUZZ_CHECK(snap_quick_key(name, &key));
	for (int i = 0; i < 2; i++) {
		enum cluster_err quick = snap_quick_account_by_name(&t, &key, room, &a);

		FUZZ_CHECK(quick == e || quick == CLUSTER_EUNAVAIL);
		if (quick == CLUSTER_OK) {
			FUZZ_CHECK(a.name == room->p && memcmp(want->name, a.name, room->n) == 0 && a.uid == want->uid && a.gid == want->gid);
			quick = snap_quick_account_by_uid(&by_uid, a.uid, room, &a);
			FUZZ_CHECK(quick == CLUSTER_EUNAVAIL || quick == snap_copy_account_by_uid(&by_uid, want->uid, room, &a));
		}
		FUZZ_CHECK(snap_copy_account_by_name(&t, name, room, &a) == e);
	}
}

static void check_group_quick(const struct snap *s, const char *name, const struct snap_room *room, const struct snap_group *want)
{
	const struct snap_table t = remembering(s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_NAME);
	struct snap_group_copy g;

	for (int i = 0; i < 3; i++) {
		enum cluster_err e = i % 2 ? snap_copy_group_by_name(&t, name, room, &g) : snap_quick_group_by_name(&t, name, room, &g);
		const char *p = want->members;

		FUZZ_CHECK(e == CLUSTER_OK || (e == CLUSTER_EUNAVAIL && i % 2 == 0));
		if (e != CLUSTER_OK)
			continue;
		FUZZ_CHECK(strcmp(g.name, want->name) == 0 && g.gid == want->gid && g.end == room->p + room->n && !g.members[want->n_members]);
		for (uint32_t k = 0; k < want->n_members; p += strlen(p) + 1, k++)
			FUZZ_CHECK(strcmp(g.members[k], p) == 0);
		memset(room->p, 1, room->n);
	}
}

/* The copying lookups say the same as those in place, with room enough; without, they touch nothing outside it. */
static void check_account_copy(const struct snap *s, const char *name, enum cluster_err e, const struct snap_account *want)
{
	const struct snap_table by_name = snap_table(s, SNAP_A_ACCOUNTS, SNAP_A_BY_NAME);
	const size_t n = e == CLUSTER_OK ? want->name_n + want->gecos_n + want->home_n + want->shell_n + 4 : 300;
	struct snap_room room = { .p = malloc(n), .n = n }, little = { .p = malloc(n), .n = n - 1 };
	struct snap_account a;

	FUZZ_CHECK(room.p && little.p);
	FUZZ_CHECK(snap_copy_account_by_name(&by_name, name, &room, &a) == e && (e != CLUSTER_OK || memcmp(want->name, a.name, n) == 0));
	memset(room.p, 1, n);
	check_account_quick(s, name, &room, e, want);
	if (e == CLUSTER_OK) /* now that it is remembered */
		check_account_quick(s, name, &little, CLUSTER_ELIMIT, want);
	free(room.p);
	free(little.p);
}

static void check_group_copy(const struct snap *s, const char *name, enum cluster_err e, const struct snap_group *want)
{
	const struct snap_table t = snap_table(s, SNAP_A_GROUPS, SNAP_A_GROUP_BY_NAME);
	const size_t n = e == CLUSTER_OK ? (want->n_members + 1) * sizeof(char *) + want->name_n + 1 + want->members_size : 300;
	struct snap_room room = { .p = malloc(n), .n = n }, little = { .p = malloc(n), .n = n - 1 };
	struct snap_group_copy g;
	const char *p;

	FUZZ_CHECK(room.p && little.p);
	FUZZ_CHECK(snap_copy_group_by_name(&t, name, &room, &g) == e || e != CLUSTER_OK);
	if (e == CLUSTER_OK) {
		FUZZ_CHECK(strcmp(g.name, want->name) == 0 && g.gid == want->gid && g.end == room.p + n && !g.members[want->n_members]);
		p = want->members;
		for (uint32_t i = 0; i < want->n_members; p += strlen(p) + 1, i++)
			FUZZ_CHECK(strcmp(g.members[i], p) == 0);
		FUZZ_CHECK(snap_copy_group_by_name(&t, name, &little, &g) == CLUSTER_ELIMIT);
		check_group_quick(s, name, &room, want);
	}
	free(room.p);
	free(little.p);
}

static void check_member_copy(const struct snap *s, const char *name)
{
	const struct snap_table t = remembering(s, SNAP_A_MEMBER, SNAP_A_MEMBER_BY_NAME);
	const uint8_t *quick = NULL, *found = NULL;
	uint32_t quick_n = 0, found_n = 0;
	struct snap_key key;

	FUZZ_CHECK(snap_quick_key(name, &key));
	for (int i = 0; i < 2; i++) {
		enum cluster_err e = snap_quick_member(&t, &key, &quick, &quick_n), thorough = snap_find_member(&t, name, &found, &found_n);

		FUZZ_CHECK(e == CLUSTER_EUNAVAIL || (e == thorough && (e != CLUSTER_OK || (quick == found && quick_n == found_n))));
	}
}

static void use_accounts(const struct snap *s)
{
	static const char *const names[] = { "alice", "bob", "emr-user", "zoe", "ecs-user", "hadoop", "analysts", "root", "sudo" };
	static const uint32_t ids[] = { 0, 27, 1500, 1880000001, 1880000100, 1880000101, 1880000102, 1880000200 };
	struct snap_account a;
	struct snap_group g;
	const uint8_t *gids;
	enum cluster_err e;
	uint64_t cursor;
	uint32_t n;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		e = snap_account_by_name(s, names[i], &a);
		if (e == CLUSTER_OK) {
			check_account(s, &a);
			FUZZ_CHECK(strcmp(a.name, names[i]) == 0);
		}
		check_account_copy(s, names[i], e, &a);
		e = snap_group_by_name(s, names[i], &g);
		if (e == CLUSTER_OK) {
			check_group(s, &g);
			FUZZ_CHECK(strcmp(g.name, names[i]) == 0);
		}
		check_group_copy(s, names[i], e, &g);
		check_member_copy(s, names[i]);
		if (snap_member_groups(s, names[i], &gids, &n) != CLUSTER_OK)
			continue;
		check_inside(s, gids, 4 * (size_t)n);
		while (n--)
			FUZZ_CHECK(name_id_ok(snap_be32(gids + 4 * (size_t)n)));
	}
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		if (snap_account_by_uid(s, ids[i], &a) == CLUSTER_OK) {
			check_account(s, &a);
			FUZZ_CHECK(a.uid == ids[i]);
		}
		if (snap_group_by_gid(s, ids[i], &g) == CLUSTER_OK) {
			check_group(s, &g);
			FUZZ_CHECK(g.gid == ids[i]);
		}
	}
	for (cursor = 0; snap_account_each(s, &cursor, &a) == CLUSTER_OK; )
		check_account(s, &a);
	for (cursor = 0; snap_group_each(s, &cursor, &g) == CLUSTER_OK; )
		check_group(s, &g);
}

static void check_host(const struct snap *s, const struct snap_host *h)
{
	check_inside(s, h->name, h->name_n + 1);
	check_inside(s, h->v4, 4 * (size_t)h->n_v4);
	check_inside(s, h->v6, 16 * (size_t)h->n_v6);
	FUZZ_CHECK(strlen(h->name) == h->name_n && name_host_ok(h->name) && (h->n_v4 || h->n_v6));
	for (uint32_t i = 0; i < h->n_v4; i++)
		FUZZ_CHECK(snap_address_ok(h->v4 + 4 * (size_t)i, 4));
	for (uint32_t i = 0; i < h->n_v6; i++)
		FUZZ_CHECK(snap_address_ok(h->v6 + 16 * (size_t)i, 16));
}

static void check_address(const struct snap *s, const struct snap_address *a)
{
	check_inside(s, a->bytes, a->n + a->name_n + 1);
	FUZZ_CHECK(strlen(a->name) == a->name_n && name_node_ok(a->name) && name_host_ok(a->name) && snap_address_ok(a->bytes, a->n));
}

static void use_hosts(const struct snap *s)
{
	static const char *const names[] = { "master-1", "master-2", "core-1", "master", "core", "leader", "localhost" };
	static const uint8_t addresses[][16] = { { 10, 0, 0, 11 }, { 10, 0, 0, 12 }, { 0xfd, [15] = 0x11 }, { 0xfd, [15] = 0x21 }, { 127, 0, 0, 1 } };
	struct snap_host_name key;
	struct snap_address a;
	uint64_t cursor = 0;
	struct snap_host h;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (!snap_host_name(names[i], &key) || snap_host_by_name(s, &key, &h) != CLUSTER_OK)
			continue;
		check_host(s, &h);
		FUZZ_CHECK(strcmp(h.name, names[i]) == 0);
	}
	for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
		size_t n = addresses[i][0] == 0xfd ? 16 : 4;

		if (snap_host_by_address(s, addresses[i], n, &a) != CLUSTER_OK)
			continue;
		check_address(s, &a);
		FUZZ_CHECK(a.n == n && memcmp(a.bytes, addresses[i], n) == 0);
	}
	while (snap_host_each(s, &cursor, &a) == CLUSTER_OK)
		check_address(s, &a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	enum snap_kind kind;
	struct snap s;
	uint8_t *copy;

	if (n < 1 || n > 1 << 16)
		return 0;
	copy = malloc(n);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, n - 1);
	kind = data[0] & 2 ? SNAP_TRUST : SNAP_ACCOUNTS;
	if (data[0] & 1)
		seal(copy, n - 1, kind);
	if (snap_parse(copy, n - 1, kind, &s) == CLUSTER_OK) {
		if (kind == SNAP_ACCOUNTS) {
			memset((void *)judged, 0, sizeof judged);
			use_accounts(&s);
			use_hosts(&s);
		}
		(void)!snap_verify(&s);
	}
	free(copy);
	return 0;
}
