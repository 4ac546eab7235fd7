/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "cluster/json.h"
#include "cluster/moment.h"
#include "keys.h"
#include "nodes.h"
#include "place.h"
#include "publish.h"
#include "record.h"
#include "revoked.h"

/* What is published: judged with the reader that nodes use. */

static struct place p;
static struct diag d;
static const struct change_audit by_test = { "root", "test", "", "ok" };

static int set_up(void **state)
{
	(void)state;
	memset(&p, 0, sizeof p);
	return place_open(&p);
}

static int tear_down(void **state)
{
	(void)state;
	place_close(&p);
	return 0;
}

static struct json *account(const char *name, uint32_t uid, const char *gecos)
{
	struct directory_account a = { .uid = uid, .gid = uid, .gecos = (char *)(uintptr_t)gecos, .home = (char *)(uintptr_t)"/home/x", .shell = (char *)(uintptr_t)"/bin/sh" };

	strcpy(a.name, name);
	return directory_account_json(&a);
}

static void add_accounts(unsigned n)
{
	struct change ch;
	char name[20];

	assert_ok(change_begin(&ch, &p.a, authority_now(), &d));
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof name, "a%u", i);
		assert_ok(change_add(&ch, DIRECTORY_ACCOUNTS, name, account(name, 100000 + i, ""), &d));
	}
	assert_ok(change_commit(&ch, &by_test, NULL, &d));
	change_done(&ch);
}

static struct blob *object(const uint8_t sha256[CRYPTO_SHA256_SIZE])
{
	char hash[PUBLISH_HASH_TEXT + 1];
	struct blob *b = NULL;
	bool people;

	publish_hash_text(sha256, hash);
	assert_ok(publish_object(p.a.store, hash, &b, &people));
	return b;
}

/* The whole chain, from the pin to the last record. The caller frees it. */
static struct directory *verify(struct document_head *head)
{
	const struct published *now = p.a.published;
	struct document_root root;
	struct document_keyset keyset;
	const struct keyring_at at = { .cluster = &root.cluster, .ring = &keyset.ring, .now = authority_now(), .skew = 30 };
	struct directory *dir = NULL;
	struct revoke_list *revocations = NULL;
	struct blob *b;

	b = object(now->doc[PUBLISH_ROOT].sha256);
	assert_ok(document_root_verify(b->bytes, b->n, p.made.pin, &root, &d));
	blob_unref(b);
	b = object(now->doc[PUBLISH_KEYSET].sha256);
	assert_ok(document_keyset_verify(b->bytes, b->n, &root, &keyset, &d));
	blob_unref(b);
	assert_ok(document_head_verify(now->head->bytes, now->head->n, &at, head, &d));
	b = object(head->directory.sha256);
	assert_ok(document_ref_check(&head->directory, b->bytes, b->n, "directory", &d));
	assert_ok(directory_parse(b->bytes, b->n, &at, &dir, &d));
	blob_unref(b);
	b = object(head->revocations.sha256);
	assert_ok(revoke_parse(b->bytes, b->n, &at, &revocations, &d));
	blob_unref(b);
	revoke_free(revocations);
	for (size_t i = 0; i < dir->n_shards; i++) {
		b = object(dir->shards[i].sha256);
		assert_ok(directory_shard_add(dir, i, b->bytes, b->n, &d));
		blob_unref(b);
	}
	assert_ok(directory_check(dir, &d));
	return dir;
}

static void test_first(void **state)
{
	struct document_head head;
	struct directory *dir = verify(&head);

	(void)state;
	assert_int_equal(head.version, 1);
	assert_int_equal(dir->n_shards, 0);
	assert_int_equal(dir->max_stale, 900);
	directory_free(dir);
}

/* One changed account changes one shard, of one kind; the others keep their hash. */
static void test_shards_stable(void **state)
{
	struct publish_shard *before;
	struct document_head head, next;
	struct directory *dir;
	size_t n, changed = 0;
	struct change ch;

	(void)state;
	add_accounts(2500);
	dir = verify(&head);
	assert_int_equal(dir->n_accounts, 2500);
	directory_free(dir);
	n = p.a.published->shards[DIRECTORY_ACCOUNTS].n;
	assert_int_equal(n, 32); /* a shard is larger than the lines of all, or than 8 KiB, no more */
	before = malloc(n * sizeof *before);
	memcpy(before, p.a.published->shards[DIRECTORY_ACCOUNTS].at, n * sizeof *before);
	assert_ok(change_begin(&ch, &p.a, authority_now(), &d));
	assert_ok(change_put(&ch, DIRECTORY_ACCOUNTS, "a7", account("a7", 100007, "changed"), &d));
	assert_ok(change_commit(&ch, &by_test, NULL, &d));
	change_done(&ch);
	assert_int_equal(p.a.published->shards[DIRECTORY_ACCOUNTS].n, n);
	for (size_t i = 0; i < n; i++)
		changed += memcmp(&before[i], &p.a.published->shards[DIRECTORY_ACCOUNTS].at[i], sizeof before[i]) != 0;
	assert_int_equal(changed, 1);
	dir = verify(&next);
	assert_int_equal(dir->n_accounts, 2500);
	assert_ok(document_head_step(&head, &next, &d));
	assert_int_equal(next.directory.version, head.directory.version + 1);
	assert_memory_equal(&next.revocations, &head.revocations, sizeof head.revocations);
	directory_free(dir);
	free(before);
}

/* What was changed lately travels with the head. */
static void test_recent(void **state)
{
	struct published *now;

	(void)state;
	add_accounts(1);
	now = p.a.published;
	assert_true(now->n_recent >= 2); /* shard and index */
	assert_int_equal(now->recent[now->n_recent - 1].since, now->head_version);
	for (size_t i = 1; i < now->n_recent; i++)
		assert_true(now->recent[i - 1].since <= now->recent[i].since);
}

/* A record that a node would refuse does not get in, and nothing else of its change either. */
static void test_refused(void **state)
{
	int64_t version = p.a.published->head_version;
	struct document_head head;
	struct directory *dir;
	struct change ch;

	(void)state;
	assert_ok(change_begin(&ch, &p.a, authority_now(), &d));
	assert_ok(change_add(&ch, DIRECTORY_ACCOUNTS, "good", account("good", 100000, ""), &d));
	assert_err(change_add(&ch, DIRECTORY_ACCOUNTS, "root", account("root", 100001, ""), &d), CLUSTER_EFORMAT);
	assert_err(change_add(&ch, DIRECTORY_ACCOUNTS, "bad", account("bad", 0, ""), &d), CLUSTER_EFORMAT);
	assert_err(change_add(&ch, DIRECTORY_ACCOUNTS, "bad", account("bad", 65534, ""), &d), CLUSTER_EFORMAT);
	assert_err(change_add(&ch, DIRECTORY_ACCOUNTS, "bad", account("bad", 100002, "a:b"), &d), CLUSTER_EFORMAT);
	assert_err(change_add(&ch, DIRECTORY_ACCOUNTS, "good", account("good", 100000, ""), &d), CLUSTER_EVERSION);
	change_done(&ch);
	assert_int_equal(p.a.published->head_version, version);
	dir = verify(&head);
	assert_int_equal(dir->n_accounts, 0);
	directory_free(dir);
}

/* After a start everything is as it was, and versions go on rising. */
static void test_restart(void **state)
{
	int64_t version;
	struct document_head before, after;
	struct directory *dir;

	(void)state;
	add_accounts(3);
	version = p.a.published->head_version;
	directory_free(verify(&before));
	authority_close(&p.a);
	assert_ok(authority_open(&p.a, &d));
	assert_int_equal(p.a.published->head_version, version);
	dir = verify(&after);
	assert_int_equal(dir->n_accounts, 3);
	directory_free(dir);
	assert_memory_equal(&before, &after, sizeof before);
}

static void withdraw(enum revoke_kind kind, const char *value, int64_t until)
{
	struct revoke_entry e = { .kind = kind, .until = until, .value = (char *)(uintptr_t)value };
	struct change ch;

	assert_ok(change_begin(&ch, &p.a, authority_now(), &d));
	assert_ok(change_revoke(&ch, &e, &d));
	assert_ok(change_commit(&ch, &by_test, NULL, &d));
	change_done(&ch);
}

/* Revocations are in order and stay while a session may live that they hit (test_revoked says how long); nothing of the directory moves. */
static void test_revocations(void **state)
{
	int64_t now = authority_now();
	struct document_head before, after;

	(void)state;
	directory_free(verify(&before));
	withdraw(REVOKE_ROLE, "ops", MOMENT_MAX);
	withdraw(REVOKE_ACCOUNT, "emr-user", now - 100); /* over already: it stays all the same, until nodes have had the time to act on it */
	withdraw(REVOKE_ACCOUNT, "ecs-user", MOMENT_MAX);
	directory_free(verify(&after));
	assert_memory_equal(&before.directory, &after.directory, sizeof before.directory);
	assert_int_equal(after.revocations.version, before.revocations.version + 3);
	assert_int_equal(p.a.revoked->n, 3);
	assert_non_null(revoked_find(p.a.revoked, REVOKE_ROLE, "ops", now));
	assert_int_equal(p.a.revoked->item[1]->entry.seq, 2);
	assert_int_equal(p.a.revoked->item[2]->entry.seq, 3);
	authority_close(&p.a);
	assert_ok(authority_open(&p.a, &d));
	assert_int_equal(p.a.revoked->n, 3);
}

/* The sweep leaves what is named, and takes what is not, after ten minutes. */
static void test_sweep(void **state)
{
	uint8_t old[CRYPTO_SHA256_SIZE];
	char hash[PUBLISH_HASH_TEXT + 1];
	struct document_head head;
	struct blob *b = NULL;
	bool people;

	(void)state;
	memcpy(old, p.a.published->doc[PUBLISH_DIRECTORY].sha256, sizeof old);
	publish_hash_text(old, hash);
	add_accounts(1);
	for (int i = 0; i < 2; i++) {
		assert_ok(store_begin(p.a.store, &d));
		assert_ok(publish_sweep(p.a.store, p.a.published, authority_now() + (i ? 650 : 550)));
		assert_ok(store_commit(p.a.store, &d));
		assert_err(publish_object(p.a.store, hash, &b, &people), i ? CLUSTER_ENOTFOUND : CLUSTER_OK);
		blob_unref(b);
		b = NULL;
	}
	directory_free(verify(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_first), TEST(test_shards_stable), TEST(test_recent), TEST(test_refused), TEST(test_restart), TEST(test_revocations), TEST(test_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
