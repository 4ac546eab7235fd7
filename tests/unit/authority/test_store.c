/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "place.h"
#include "store.h"

/* The contract of store.h: whatever keeps the values has to pass this. */

static char dir[64], path[100];
static struct store *s;

static int set_up(void **state)
{
	struct diag d = { 0 };

	(void)state;
	assert_ok(crypto_start());
	strcpy(dir, "/tmp/test_store.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/store.db", dir);
	assert_ok(store_create(path, &s, &d));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_close(s);
	s = NULL;
	place_remove(dir);
	return 0;
}

static void reopen(void)
{
	struct diag d = { 0 };

	store_close(s);
	assert_ok(store_open(path, &s, &d));
}

static void put(enum store_kind kind, const char *key, const char *value)
{
	assert_ok(store_put(s, kind, key, value, strlen(value)));
}

static void expect(enum store_kind kind, const char *key, const char *value)
{
	char *got = NULL;
	size_t n = 0;

	if (!value) {
		assert_err(store_get(s, kind, key, &got, &n), CLUSTER_ENOTFOUND);
		return;
	}
	assert_ok(store_get(s, kind, key, &got, &n));
	assert_int_equal(n, strlen(value));
	assert_string_equal(got, value);
	free(got);
}

static void test_values(void **state)
{
	static const char binary[] = "a\0b";
	char *got = NULL;
	size_t n = 0;

	(void)state;
	assert_ok(store_begin(s, NULL));
	put(STORE_ACCOUNT, "a", "1");
	put(STORE_GROUP, "a", "2"); /* kinds do not meet */
	assert_err(store_add(s, STORE_ACCOUNT, "a", "3", 1), CLUSTER_EVERSION);
	expect(STORE_ACCOUNT, "a", "1");
	put(STORE_ACCOUNT, "a", "4");
	assert_ok(store_add(s, STORE_ACCOUNT, "empty", NULL, 0));
	assert_ok(store_put(s, STORE_ACCOUNT, "binary", binary, sizeof binary));
	assert_err(store_delete(s, STORE_ACCOUNT, "none"), CLUSTER_ENOTFOUND);
	assert_ok(store_commit(s, NULL));
	reopen();
	expect(STORE_ACCOUNT, "a", "4");
	expect(STORE_GROUP, "a", "2");
	expect(STORE_ACCOUNT, "empty", "");
	expect(STORE_ACCOUNT, "A", NULL);
	assert_ok(store_get(s, STORE_ACCOUNT, "binary", &got, &n));
	assert_int_equal(n, sizeof binary);
	assert_memory_equal(got, binary, n);
	free(got);
	assert_ok(store_get(s, STORE_ACCOUNT, "a", NULL, NULL));
	assert_ok(store_begin(s, NULL));
	assert_ok(store_delete(s, STORE_ACCOUNT, "a"));
	expect(STORE_ACCOUNT, "a", NULL);
	assert_ok(store_commit(s, NULL));
}

/* Nothing of a change that was not committed is there; nothing can be written outside one. */
static void test_transactions(void **state)
{
	struct store_audit r = { .time = 5, .actor = "a", .action = "b", .object = "c", .reason = "ok" };
	int64_t n = 0;

	(void)state;
	assert_err(store_put(s, STORE_ACCOUNT, "a", "1", 1), CLUSTER_ESYSTEM);
	assert_err(store_delete(s, STORE_ACCOUNT, "a"), CLUSTER_ESYSTEM);
	assert_err(store_next(s, "n", 1, &n), CLUSTER_ESYSTEM);
	assert_err(store_audit_add(s, &r, NULL), CLUSTER_ESYSTEM);
	assert_ok(store_begin(s, NULL));
	put(STORE_ACCOUNT, "a", "1");
	assert_ok(store_next(s, "n", 7, &n));
	assert_ok(store_audit_add(s, &r, NULL));
	store_rollback(s);
	expect(STORE_ACCOUNT, "a", NULL);
	store_rollback(s);
	assert_ok(store_begin(s, NULL));
	put(STORE_ACCOUNT, "b", "1");
	reopen(); /* closed in the middle */
	expect(STORE_ACCOUNT, "b", NULL);
}

/* D9: counters never go back. */
static void test_counters(void **state)
{
	int64_t n = 0;

	(void)state;
	assert_ok(store_begin(s, NULL));
	assert_ok(store_next(s, "uid", 100, &n));
	assert_int_equal(n, 100);
	assert_ok(store_next(s, "uid", 100, &n));
	assert_int_equal(n, 101);
	assert_ok(store_next(s, "uid", 500, &n)); /* a higher beginning is taken over */
	assert_int_equal(n, 500);
	assert_ok(store_commit(s, NULL));
	reopen();
	assert_ok(store_begin(s, NULL));
	assert_ok(store_next(s, "uid", 100, &n));
	assert_int_equal(n, 501);
	assert_ok(store_next(s, "other", 1, &n));
	assert_int_equal(n, 1);
	assert_ok(store_commit(s, NULL));
}

struct seen {
	size_t n;
	char keys[1000];
};

static enum cluster_err note(void *ctx, const char *key, const char *value, size_t n)
{
	struct seen *seen = ctx;

	assert_int_equal(strlen(value), n);
	seen->n++;
	if (strlen(seen->keys) + strlen(key) + 2 < sizeof seen->keys)
		strcat(strcat(seen->keys, key), " ");
	return strcmp(key, "stop") == 0 ? CLUSTER_ELIMIT : CLUSTER_OK;
}

static void test_walks(void **state)
{
	unsigned all[2] = { 0, STORE_BUCKETS }, low[2] = { 0, STORE_BUCKETS / 2 }, high[2] = { STORE_BUCKETS / 2, STORE_BUCKETS };
	struct seen seen = { 0 }, below = { 0 }, above = { 0 };
	uint64_t count = 0;
	char key[20];

	(void)state;
	assert_ok(store_begin(s, NULL));
	put(STORE_GRANT_TO, "role:b:2", "x");
	put(STORE_GRANT_TO, "role:b:1", "x");
	put(STORE_GRANT_TO, "role:bb:1", "x");
	put(STORE_GRANT_TO, "role:a:1", "x");
	put(STORE_GRANT, "role:b:9", "x");
	for (int i = 0; i < 200; i++) {
		snprintf(key, sizeof key, "account%d", i);
		put(STORE_ACCOUNT, key, "x");
	}
	assert_ok(store_commit(s, NULL));
	assert_ok(store_each(s, STORE_GRANT_TO, "role:b:", note, &seen));
	assert_string_equal(seen.keys, "role:b:1 role:b:2 ");
	memset(&seen, 0, sizeof seen);
	assert_ok(store_each(s, STORE_GRANT_TO, "", note, &seen));
	assert_int_equal(seen.n, 4);
	assert_ok(store_count(s, STORE_ACCOUNT, all, &count));
	assert_int_equal(count, 200);
	assert_ok(store_each_bucket(s, STORE_ACCOUNT, low, note, &below));
	assert_ok(store_each_bucket(s, STORE_ACCOUNT, high, note, &above));
	assert_int_equal(below.n + above.n, 200);
	assert_true(below.n > 50 && above.n > 50);
	assert_ok(store_begin(s, NULL));
	put(STORE_NODE_NAME, "a", "x");
	put(STORE_NODE_NAME, "stop", "x");
	put(STORE_NODE_NAME, "z", "x");
	assert_ok(store_commit(s, NULL));
	memset(&seen, 0, sizeof seen);
	assert_err(store_each(s, STORE_NODE_NAME, "", note, &seen), CLUSTER_ELIMIT);
	assert_int_equal(seen.n, 2);
}

static enum cluster_err count_record(void *ctx, const struct store_audit *r)
{
	int64_t *next = ctx;

	assert_int_equal(r->seq, (*next)++);
	return CLUSTER_OK;
}

static void add_records(int n)
{
	struct store_audit r = { .time = 5, .actor = "root", .action = "person/add", .object = "alice", .reason = "ok" };

	assert_ok(store_begin(s, NULL));
	for (int i = 0; i < n; i++)
		assert_ok(store_audit_add(s, &r, NULL));
	assert_ok(store_commit(s, NULL));
}

static void test_audit(void **state)
{
	int64_t next = 1;

	(void)state;
	add_records(5);
	reopen();
	add_records(5);
	assert_ok(store_audit_each(s, 0, 100, count_record, &next));
	assert_int_equal(next, 11);
	next = 4;
	assert_ok(store_audit_each(s, 3, 2, count_record, &next));
	assert_int_equal(next, 6);
}

/* Somebody with the file in his hands: the trail does not let itself be changed by SQL, and a change of bytes shows. */
static void test_audit_tampered(void **state)
{
	FILE *f;
	long at;
	char *bytes;
	size_t n;
	int64_t next = 1;

	(void)state;
	add_records(3);
	store_close(s);
	s = NULL;
	f = fopen(path, "r+e");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	n = (size_t)ftell(f);
	bytes = malloc(n);
	rewind(f);
	assert_int_equal(fread(bytes, 1, n, f), n);
	at = (char *)memmem(bytes, n, "person/addalice", 15) - bytes;
	assert_true(at > 0);
	fseek(f, at + 10, SEEK_SET);
	assert_int_equal(fwrite("mallo", 1, 5, f), 5);
	fclose(f);
	free(bytes);
	assert_ok(store_open(path, &s, NULL));
	assert_err(store_audit_each(s, 0, 100, count_record, &next), CLUSTER_ESIGNATURE);
}

static void test_files(void **state)
{
	struct diag d = { 0 };
	struct store *other = NULL;
	char foreign[120];
	struct stat st;
	FILE *f;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_err(store_create(path, &other, &d), CLUSTER_EDENIED);
	snprintf(foreign, sizeof foreign, "%s/none", dir);
	assert_err(store_open(foreign, &other, &d), CLUSTER_ENOTFOUND);
	f = fopen(foreign, "we");
	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		fputs("not a database\n", f);
	fclose(f);
	assert_err(store_open(foreign, &other, &d), CLUSTER_EFORMAT);
	assert_non_null(strstr(d.text, "store"));
	assert_null(other);
}

/* Two processes: the other's change is seen, ours is none. */
static void test_changed(void **state)
{
	struct store *other = NULL, *keep = s;

	(void)state;
	assert_ok(store_open(path, &other, NULL));
	assert_false(store_changed(s));
	assert_ok(store_begin(s, NULL));
	put(STORE_ACCOUNT, "a", "1");
	assert_ok(store_commit(s, NULL));
	assert_false(store_changed(s));
	assert_true(store_changed(other));
	assert_false(store_changed(other));
	s = other;
	expect(STORE_ACCOUNT, "a", "1");
	s = keep;
	store_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_values), TEST(test_transactions), TEST(test_counters), TEST(test_walks), TEST(test_audit), TEST(test_audit_tampered), TEST(test_files), TEST(test_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
