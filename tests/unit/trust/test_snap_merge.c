/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cluster/snap_write.h"
#include "snap_diff.h"

/* THREATS.md D, H2: a changed snapshot is byte for byte what would have been built from nothing, and a change that breaks it is refused. */

#define NAMES 300
#define MEMBERS 12

static const struct cluster_id cluster = { .b = "merge's cluster" };
static const struct snap_base base = { .version = { 1, 2, 3 } };
static uint32_t seed;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* A little world that changes at random. */
struct world {
	char account[NAMES][20], group[NAMES][20], gecos[NAMES][60], node[20][20], address[20][SNAP_ADDRESS_TEXT];
	bool has_account[NAMES], has_group[NAMES], has_node[20];
	uint32_t uid[NAMES], gid[NAMES];
	const char *members[NAMES][MEMBERS];
	size_t n_members[NAMES];
};

static void world_init(struct world *w)
{
	memset(w, 0, sizeof *w);
	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(w->account[i], sizeof w->account[i], "u%u", i * 7919 % 1000);
		snprintf(w->group[i], sizeof w->group[i], "g%u", i * 7907 % 1000);
		w->uid[i] = 100000 + i;
		w->gid[i] = 200000 + i;
		w->has_account[i] = i % 2;
		w->has_group[i] = i % 3 == 0;
	}
	for (unsigned i = 0; i < 20; i++) {
		snprintf(w->node[i], sizeof w->node[i], "n%u", i);
		snprintf(w->address[i], sizeof w->address[i], "10.0.0.%u", i + 1);
	}
}

static void change_group(struct world *w, unsigned i)
{
	w->n_members[i] = 0;
	for (unsigned k = 0, n = random_below(MEMBERS); k < n; k++)
		w->members[i][w->n_members[i]++] = w->account[(random_below(20) * MEMBERS + k) % NAMES]; /* may repeat: each counts once */
}

static void change_something(struct world *w)
{
	unsigned i = random_below(NAMES), k = random_below(NAMES);
	uint32_t swap = w->uid[i];

	switch (random_below(8)) {
	case 0:
		w->has_account[i] = !w->has_account[i];
		break;
	case 1:
		w->has_group[i] = !w->has_group[i];
		break;
	case 2:
		w->uid[i] = w->uid[k];
		w->uid[k] = swap;
		break;
	case 3:
		swap = w->gid[i];
		w->gid[i] = w->gid[k];
		w->gid[k] = swap;
		break;
	case 4:
		w->has_node[i % 20] = !w->has_node[i % 20];
		break;
	case 5:
	case 6:
		change_group(w, i);
		break;
	default:
		snprintf(w->gecos[i], sizeof w->gecos[i], "%.*s", (int)random_below(50), "a text of some length that is cut off somewhere at random");
	}
}

static void world_build(struct world *w, uint8_t **ret, struct snap *snap)
{
	static struct snap_account_in accounts[NAMES];
	static struct snap_group_in groups[NAMES];
	static struct snap_node_in nodes[20];
	static char address[20][1][SNAP_ADDRESS_TEXT];
	struct snap_names names = { .accounts = accounts, .groups = groups, .nodes = nodes };
	struct diag d = { .code = CLUSTER_OK };
	size_t n = 0;

	for (unsigned i = 0; i < NAMES; i++) {
		if (w->has_account[i])
			accounts[names.n_accounts++] = (struct snap_account_in){ w->account[i], w->gecos[i], "/home/x", "/bin/sh", w->uid[i], w->uid[i] };
		if (w->has_group[i])
			groups[names.n_groups++] = (struct snap_group_in){ w->group[i], w->gid[i], w->members[i], w->n_members[i] };
	}
	for (unsigned i = 0; i < 20; i++) {
		memcpy(address[i][0], w->address[i], sizeof address[i][0]);
		if (w->has_node[i])
			nodes[names.n_nodes++] = (struct snap_node_in){ .name = w->node[i], .addresses = address[i], .n_addresses = 1 };
	}
	assert_int_equal(snap_accounts_build(&cluster, &names, ret, &n, &d), CLUSTER_OK);
	assert_int_equal(snap_parse(*ret, n, SNAP_ACCOUNTS, snap), CLUSTER_OK);
}

/* Random steps of one to many changes: always the same bytes as from nothing, and what is found on the way holds. */
static void test_equal_to_scratch(void **state)
{
	uint8_t *was = NULL, *is = NULL, *change = NULL, *made = NULL;
	struct snap from, to;
	struct world *w = malloc(sizeof *w);

	(void)state;
	assert_non_null(w);
	for (seed = 1; seed < 6; seed++) {
		uint32_t kept = seed;

		world_init(w);
		world_build(w, &was, &from);
		for (unsigned round = 0; round < 60; round++) {
			enum cluster_err checked = CLUSTER_EDENIED;
			size_t change_n = 0, made_n = 0;

			for (uint32_t k = random_below(4) ? 1 : random_below(60); k > 0; k--)
				change_something(w);
			world_build(w, &is, &to);
			assert_int_equal(snap_diff(&from, &to, &base, &change, &change_n), CLUSTER_OK);
			assert_int_equal(snap_diff_apply(&from, change, change_n, &checked, &made, &made_n), CLUSTER_OK);
			assert_int_equal(checked, CLUSTER_OK);
			assert_int_equal(made_n, to.size);
			assert_memory_equal(made, is, made_n);
			free(change);
			free(made);
			free(was);
			was = is;
			from = to;
		}
		free(was);
		seed = kept;
	}
	free(w);
}

/* Equal snapshots: no change, and it is known to be none. */
static void test_nothing_to_do(void **state)
{
	uint8_t *was = NULL, *change = NULL;
	struct snap_merge *m = NULL;
	struct snap from;
	struct world *w = malloc(sizeof *w);
	size_t n = 0;

	(void)state;
	assert_non_null(w);
	world_init(w);
	world_build(w, &was, &from);
	assert_int_equal(snap_diff(&from, &from, &base, &change, &n), CLUSTER_OK);
	assert_int_equal(snap_merge_new(&from, change, n, &m, NULL), CLUSTER_OK);
	assert_false(snap_merge_changes(m));
	assert_memory_equal(snap_merge_base(m), &base, sizeof base);
	snap_merge_free(m);
	free(change);
	free(was);
	free(w);
}

/* ---- changes that break something ---- */

struct fixture {
	struct world w;
	uint8_t *bytes;
	struct snap snap;
	struct snap_change *c;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	world_init(&f->w);
	for (seed = 9; seed < 10; seed++)
		for (unsigned i = 0; i < NAMES; i += 3)
			change_group(&f->w, i);
	f->w.has_node[1] = true;
	world_build(&f->w, &f->bytes, &f->snap);
	assert_int_equal(snap_change_new(SNAP_ACCOUNTS, &cluster, &base, &f->c), CLUSTER_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	snap_change_free(f->c);
	free(f->bytes);
	free(f);
	return 0;
}

/* What becomes of the change: refused while merging, or by the check; and whether snap_verify would have found it. */
static enum cluster_err outcome(struct fixture *f)
{
	enum cluster_err checked = CLUSTER_EDENIED, e;
	uint8_t *change = NULL, *made = NULL;
	size_t n = 0, made_n = 0;
	struct snap now;

	assert_int_equal(snap_change_end(f->c, &change, &n), CLUSTER_OK);
	e = snap_diff_apply(&f->snap, change, n, &checked, &made, &made_n);
	if (e == CLUSTER_OK) {
		assert_int_equal(snap_parse(made, made_n, SNAP_ACCOUNTS, &now), CLUSTER_OK);
		assert_int_equal(checked == CLUSTER_OK, snap_verify(&now) == CLUSTER_OK);
		e = checked;
	}
	free(made);
	free(change);
	return e;
}

static void put_account(struct fixture *f, const char *name, uint32_t uid, const char *shell)
{
	uint8_t body[200] = { 0 };
	uint32_t offset;
	size_t n = 16;

	uid = __builtin_bswap32(uid);
	memcpy(body, &uid, 4);
	memcpy(body + 4, &uid, 4);
	body[8] = (uint8_t)strlen(name);
	body[10] = 2;
	body[11] = (uint8_t)strlen(shell);
	n += (size_t)snprintf((char *)body + n, 100, "%s", name) + 2;
	n += (size_t)snprintf((char *)body + n, 10, "/h") + 1;
	n += (size_t)snprintf((char *)body + n, 50, "%s", shell) + 1;
	assert_int_equal(snap_writer_record(snap_change_writer(f->c), SNAP_A_ACCOUNTS, body, n, &offset), CLUSTER_OK);
}

static void put_member(struct fixture *f, const char *name, uint32_t gid)
{
	uint8_t body[100] = { 0, 0, 0, 1, (uint8_t)strlen(name) };
	uint32_t offset;
	size_t n = 8 + strlen(name) + 1;

	gid = __builtin_bswap32(gid);
	memcpy(body + 8, name, strlen(name));
	memcpy(body + n, &gid, 4);
	assert_int_equal(snap_writer_record(snap_change_writer(f->c), SNAP_A_MEMBER, body, n + 4, &offset), CLUSTER_OK);
}

/* Number i of the accounts, and of the groups with members. */
static void a_good_account(void **state)
{
	put_account(*state, "newcomer", 300000, "/bin/sh");
	assert_int_equal(outcome(*state), CLUSTER_OK);
}

static void a_uid_twice(void **state)
{
	put_account(*state, "newcomer", 100001, "/bin/sh");
	assert_int_equal(outcome(*state), CLUSTER_EFORMAT);
}

static void a_uid_twice_among_new(void **state)
{
	put_account(*state, "newcomer", 300000, "/bin/sh");
	put_account(*state, "newcomes", 300000, "/bin/sh");
	assert_int_equal(outcome(*state), CLUSTER_EFORMAT);
}

static void a_reserved_name(void **state)
{
	put_account(*state, "root", 300000, "/bin/sh");
	assert_int_equal(outcome(*state), CLUSTER_EFORMAT);
}

static void a_uid_of_the_system(void **state)
{
	put_account(*state, "newcomer", 0, "/bin/sh");
	assert_int_equal(outcome(*state), CLUSTER_EFORMAT);
}

static void a_relative_shell(void **state)
{
	put_account(*state, "newcomer", 300000, "bin/sh");
	assert_int_equal(outcome(*state), CLUSTER_EFORMAT);
}

static void an_account_twice(void **state)
{
	put_account(*state, "newcomer", 300000, "/bin/sh");
	put_account(*state, "newcomer", 300001, "/bin/sh");
	assert_int_equal(outcome(*state), CLUSTER_EFORMAT);
}

static void a_drop_of_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(snap_change_drop(f->c, SNAP_A_ACCOUNTS, "nobodyknows", 11), CLUSTER_OK);
	assert_int_equal(outcome(f), CLUSTER_EVERSION);
}

/* H6: no more is kept of a change than there can be in it. The pages that are not written cost nothing. */
static void a_change_without_end(void **state)
{
	struct fixture *f = *state;
	size_t n = ((size_t)1 << 30) + 1;
	struct snap_merge *m = NULL;
	uint8_t *change = NULL, *huge;
	size_t change_n = 0;

	huge = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(huge != MAP_FAILED);
	assert_int_equal(snap_change_end(f->c, &change, &change_n), CLUSTER_OK);
	memcpy(huge, change, change_n);
	assert_int_equal(snap_merge_new(&f->snap, huge, n, &m, NULL), CLUSTER_ELIMIT);
	munmap(huge, n);
	free(change);
}

static void a_membership_without_group(void **state)
{
	put_member(*state, "newcomer", 200001);
	assert_int_equal(outcome(*state), CLUSTER_EFORMAT);
}

static void a_membership_exchanged(void **state)
{
	struct fixture *f = *state;
	const uint8_t *gids;
	struct snap_group g;
	uint64_t cursor = 0;
	uint32_t n;

	/* as many as before, but of another group: the sum alone does not tell */
	while (snap_group_each(&f->snap, &cursor, &g) == CLUSTER_OK) {
		if (g.n_members && snap_member_groups(&f->snap, g.members, &gids, &n) == CLUSTER_OK && n == 1)
			break;
	}
	assert_true(g.n_members > 0 && n == 1);
	put_member(f, g.members, g.gid == 200000 ? 200003 : 200000);
	assert_int_equal(outcome(f), CLUSTER_EFORMAT);
}

static void a_group_goes_but_not_its_members(void **state)
{
	struct fixture *f = *state;
	struct snap_group g = { .n_members = 0 };
	uint64_t cursor = 0;

	while (g.n_members == 0)
		assert_int_equal(snap_group_each(&f->snap, &cursor, &g), CLUSTER_OK);
	assert_int_equal(snap_change_drop(f->c, SNAP_A_GROUPS, g.name, g.name_n), CLUSTER_OK);
	assert_int_equal(outcome(f), CLUSTER_EFORMAT);
}

static void an_account_section_from_nothing(void **state)
{
	struct fixture *f = *state;
	enum cluster_err checked = CLUSTER_OK;
	uint8_t *change = NULL, *made = NULL;
	size_t n = 0, made_n = 0;

	/* may be sound, but nobody needs it, and nobody would have looked at it all */
	assert_int_equal(snap_change_clear(f->c, SNAP_A_ACCOUNTS), CLUSTER_OK);
	assert_int_equal(snap_change_end(f->c, &change, &n), CLUSTER_OK);
	assert_int_equal(snap_diff_apply(&f->snap, change, n, &checked, &made, &made_n), CLUSTER_OK);
	assert_int_equal(checked, CLUSTER_EFORMAT);
	free(made);
	free(change);
}

static void addresses_without_names(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(snap_change_clear(f->c, SNAP_A_ADDRESSES), CLUSTER_OK);
	assert_int_equal(outcome(f), CLUSTER_EFORMAT);
}

static void another_cluster(void **state)
{
	struct fixture *f = *state;
	const struct cluster_id other = { .b = "another cluster" };

	snap_change_free(f->c);
	assert_int_equal(snap_change_new(SNAP_ACCOUNTS, &other, &base, &f->c), CLUSTER_OK);
	assert_int_equal(outcome(f), CLUSTER_EUNTRUSTED);
	snap_change_free(f->c);
	assert_int_equal(snap_change_new(SNAP_TRUST, &cluster, &base, &f->c), CLUSTER_OK);
	assert_int_equal(outcome(f), CLUSTER_EFORMAT);
}

/* Every byte of the old file that the merge has to read: what is damaged is not carried over. */
static void a_damaged_base(void **state)
{
	struct fixture *f = *state;
	const struct snap_section *x = &f->snap.section[SNAP_A_ACCOUNTS], *index = &f->snap.section[SNAP_A_BY_NAME];
	uint8_t *change = NULL;
	size_t n = 0;

	put_account(f, "newcomer", 300000, "/bin/sh");
	assert_int_equal(snap_change_end(f->c, &change, &n), CLUSTER_OK);
	for (size_t i = 0; i < x->n; i += 5) {
		struct snap_merge *m = NULL;
		uint8_t *byte = f->bytes + (x->p - f->bytes) + i, was = *byte;
		uint32_t length = (uint32_t)(snap_be32(x->p) + 8);

		*byte ^= 0x10;
		if (i < length) /* not padding */
			assert_int_equal(snap_merge_new(&f->snap, change, n, &m, NULL), CLUSTER_EUNAVAIL);
		snap_merge_free(m);
		*byte = was;
	}
	free(change);
	/* an index whose slots only move */
	snap_change_free(f->c);
	assert_int_equal(snap_change_new(SNAP_ACCOUNTS, &cluster, &base, &f->c), CLUSTER_OK);
	put_account(f, "u919", 100001, "/bin/sh");
	assert_int_equal(outcome(f), CLUSTER_OK);
	f->bytes[index->p - f->bytes + 20] ^= 1;
	assert_int_equal(outcome(f), CLUSTER_EUNAVAIL);
}

/* Every cut and many flips of a change: refused, or what snap_verify finds no fault with. */
static void hostile_bytes(void **state)
{
	struct fixture *f = *state;
	uint8_t *change = NULL, *made = NULL;
	enum cluster_err checked, e;
	size_t n = 0, made_n = 0;
	struct snap now;

	put_account(f, "newcomer", 300000, "/bin/sh");
	put_member(f, "newcomer", 200001);
	assert_int_equal(snap_change_drop(f->c, SNAP_A_ACCOUNTS, "u919", 4), CLUSTER_OK);
	assert_int_equal(snap_change_end(f->c, &change, &n), CLUSTER_OK);
	for (size_t i = 0; i < n * 9; i++) {
		uint8_t *copy = malloc(n + 1);
		size_t length = i < n ? i : n;

		assert_non_null(copy);
		memcpy(copy, change, length);
		if (i >= n)
			copy[(i - n) / 8] ^= (uint8_t)(1u << (i - n) % 8);
		made = NULL;
		e = snap_diff_apply(&f->snap, copy, length, &checked, &made, &made_n);
		if (e == CLUSTER_OK && checked == CLUSTER_OK) {
			assert_int_equal(snap_parse(made, made_n, SNAP_ACCOUNTS, &now), CLUSTER_OK);
			assert_int_equal(snap_verify(&now), CLUSTER_OK);
		}
		free(made);
		free(copy);
	}
	free(change);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_to_scratch),
		cmocka_unit_test(test_nothing_to_do),
		cmocka_unit_test_setup_teardown(a_good_account, setup, teardown),
		cmocka_unit_test_setup_teardown(a_uid_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(a_uid_twice_among_new, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reserved_name, setup, teardown),
		cmocka_unit_test_setup_teardown(a_uid_of_the_system, setup, teardown),
		cmocka_unit_test_setup_teardown(a_relative_shell, setup, teardown),
		cmocka_unit_test_setup_teardown(an_account_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(a_drop_of_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_change_without_end, setup, teardown),
		cmocka_unit_test_setup_teardown(a_membership_without_group, setup, teardown),
		cmocka_unit_test_setup_teardown(a_membership_exchanged, setup, teardown),
		cmocka_unit_test_setup_teardown(a_group_goes_but_not_its_members, setup, teardown),
		cmocka_unit_test_setup_teardown(an_account_section_from_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses_without_names, setup, teardown),
		cmocka_unit_test_setup_teardown(another_cluster, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_base, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_bytes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
