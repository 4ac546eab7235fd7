/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trustgen.h"

/* What did not change is neither read nor compared again, and the result is that of reading everything. */

#define SHARDS 4

static struct trustgen *g;
static struct diag d;

static int set_up(void **state)
{
	(void)state;
	g = trustgen_new("prod", INT64_C(1790000000));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	trustgen_free(g);
	return 0;
}

static const char *account(const char *name, unsigned uid)
{
	return trustgen_format(g, "{\"gecos\":\"\",\"gid\":%u,\"home\":\"/home/%s\",\"name\":\"%s\",\"shell\":\"/bin/sh\",\"uid\":%u}", uid, name, name, uid);
}

/* An index of three shards of accounts and one of groups. */
static struct directory *parse(const char *const texts[SHARDS])
{
	const struct keyring_at at = trustgen_at(g);
	struct directory_shard shards[SHARDS];
	struct directory dir = { .version = 1, .iat = g->now, .max_stale = 900, .skew = 30, .sudo_fresh = 900, .n_shards = SHARDS, .shards = shards }, *ret = NULL;
	const char *text;
	char *payload;

	for (size_t i = 0; i < SHARDS; i++) {
		shards[i] = (struct directory_shard){ .kind = i < SHARDS - 1 ? DIRECTORY_ACCOUNTS : DIRECTORY_GROUPS, .size = strlen(texts[i]) };
		assert_ok(crypto_sha256(texts[i], shards[i].size, shards[i].sha256));
	}
	assert_ok(directory_index_build(&dir, &g->root.cluster, &payload));
	text = trustgen_format(g, "%s\n", trustgen_sign(g, JWS_DIRECTORY, KEYRING_DIRECTORY, payload));
	free(payload);
	assert_ok(directory_parse(text, strlen(text), &at, &ret, &d));
	return ret;
}

/* Reused where it can be; *ret_read: how many had to be read. */
static enum cluster_err fill(struct directory *dir, const struct directory *from, const char *const texts[SHARDS], size_t *ret_read)
{
	enum cluster_err e;

	*ret_read = 0;
	for (size_t i = 0; i < SHARDS; i++) {
		e = from ? directory_shard_reuse(dir, i, from) : CLUSTER_ENOTFOUND;
		assert_int_equal(from && directory_shard_has(from, &dir->shards[i], i), e == CLUSTER_OK);
		if (e == CLUSTER_ENOTFOUND) {
			assert_ok(directory_shard_add(dir, i, texts[i], strlen(texts[i]), &d));
			++*ret_read;
		}
	}
	if ((e = directory_check(dir, &d)) == CLUSTER_OK)
		assert_ok(directory_sort(dir, from));
	return e;
}

static const char *name_at(const struct directory *dir, size_t i)
{
	return dir->accounts[dir->order[DIRECTORY_BY_ACCOUNT].at[i].record].name;
}

static void check_order(const struct directory *dir)
{
	const struct directory_sorted *m = &dir->order[DIRECTORY_BY_MEMBER];

	assert_int_equal(dir->order[DIRECTORY_BY_ACCOUNT].n, dir->n_accounts);
	for (size_t i = 1; i < dir->n_accounts; i++)
		assert_true(strcmp(name_at(dir, i - 1), name_at(dir, i)) < 0);
	for (size_t i = 1; i < m->n; i++) {
		const struct directory_group *x = &dir->groups[m->at[i - 1].record], *y = &dir->groups[m->at[i].record];
		int c = strcmp(x->members[m->at[i - 1].item], y->members[m->at[i].item]);

		assert_true(c < 0 || (c == 0 && x->gid < y->gid));
	}
}

static const char *texts[SHARDS];

static struct directory *first(void)
{
	struct directory *dir;
	size_t n;

	texts[0] = trustgen_format(g, "[%s,%s]", account("ann", 5001), account("zoe", 5002));
	texts[1] = trustgen_format(g, "[%s,%s]", account("bob", 5003), account("mia", 5004));
	texts[2] = trustgen_format(g, "[%s]", account("leo", 5005));
	texts[3] = "[{\"gid\":6002,\"members\":[\"zoe\",\"ann\"],\"name\":\"ops\"},{\"gid\":6001,\"members\":[\"bob\",\"ann\"],\"name\":\"dev\"}]";
	dir = parse(texts);
	assert_ok(fill(dir, NULL, texts, &n));
	assert_int_equal(n, SHARDS);
	check_order(dir);
	return dir;
}

static void test_only_the_changed_shard(void **state)
{
	struct directory *old = first(), *dir;
	size_t n;

	(void)state;
	texts[1] = trustgen_format(g, "[%s,%s,%s]", account("abe", 5006), account("mia", 5004), account("zzz", 5007));
	dir = parse(texts);
	assert_ok(fill(dir, old, texts, &n));
	assert_int_equal(n, 1);
	directory_free(old); /* what is shared stays */
	assert_int_equal(dir->n_accounts, 6);
	assert_string_equal(dir->accounts[2].name, "abe");
	assert_string_equal(dir->accounts[1].home, "/home/zoe");
	assert_string_equal(name_at(dir, 0), "abe");
	assert_string_equal(name_at(dir, 5), "zzz");
	assert_int_equal(dir->order[DIRECTORY_BY_MEMBER].n, 4);
	check_order(dir);
	directory_free(dir);
}

/* A key of the changed shard that an unchanged one has, by name and by uid; and one twice in the changed shard. */
static void test_duplicates_are_found(void **state)
{
	const char *const bad[] = { trustgen_format(g, "[%s]", account("zoe", 5100)), trustgen_format(g, "[%s]", account("new", 5005)),
		trustgen_format(g, "[%s,%s]", account("new", 5100), account("new", 5101)) };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct directory *old = first(), *dir;
		size_t n;

		texts[1] = bad[i];
		dir = parse(texts);
		assert_int_equal(fill(dir, old, texts, &n), CLUSTER_EFORMAT);
		assert_int_equal(n, 1);
		directory_free(dir);
		directory_free(old);
	}
}

/* What moves from one shard to another is not there twice. */
static void test_other_number_of_shards(void **state)
{
	struct directory *old = first(), *dir;
	const char *swap;
	size_t n;

	(void)state;
	swap = texts[0];
	texts[0] = texts[2];
	texts[2] = swap;
	dir = parse(texts);
	assert_ok(fill(dir, old, texts, &n));
	assert_int_equal(n, 0);
	assert_int_equal(dir->n_accounts, 5);
	check_order(dir);
	directory_free(old);
	directory_free(dir);
}

static void test_a_shard_is_there_once(void **state)
{
	struct directory *old = first();

	(void)state;
	assert_int_equal(directory_shard_add(old, 0, texts[0], strlen(texts[0]), &d), CLUSTER_EFORMAT);
	assert_int_equal(directory_shard_reuse(old, 0, old), CLUSTER_ENOTFOUND);
	directory_free(old);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_only_the_changed_shard),
		TEST(test_duplicates_are_found),
		TEST(test_other_number_of_shards),
		TEST(test_a_shard_is_there_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
