/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "revoked.h"

#define NOW INT64_C(1790000000)
#define ID "AAAAAAAAAAAAAAAAAAAAAQ"

static struct revoked *r;

static int set_up(void **state)
{
	(void)state;
	r = calloc(1, sizeof *r);
	return r ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	revoked_free(r);
	return 0;
}

static void add(enum revoke_kind kind, const char *value, int64_t before, int64_t until)
{
	struct revoke_entry e = { .kind = kind, .seq = (int64_t)r->n + 1, .iat = NOW, .until = until, .before = before, .value = (char *)(uintptr_t)value };

	assert_ok(revoked_add(r, &e));
}

static void test_find(void **state)
{
	(void)state;
	add(REVOKE_PERSON, ID, 0, NOW + 10);
	add(REVOKE_DEVICE, ID, NOW - 5, NOW + 10);
	assert_non_null(revoked_find(r, REVOKE_PERSON, ID, NOW));
	assert_null(revoked_find(r, REVOKE_NODE, ID, NOW));
	assert_null(revoked_find(r, REVOKE_PERSON, "AAAAAAAAAAAAAAAAAAAAAg", NOW));
	assert_non_null(revoked_find(r, REVOKE_DEVICE, ID, NOW - 6));
	assert_null(revoked_find(r, REVOKE_DEVICE, ID, NOW - 5));
}

static void test_all(void **state)
{
	struct cluster_id one, two;

	(void)state;
	assert_ok(id_parse(ID, &one));
	assert_ok(id_parse("AAAAAAAAAAAAAAAAAAAAAg", &two));
	assert_null(revoked_all(r, &one, NOW));
	add(REVOKE_BEFORE, "", NOW, NOW + 10);
	assert_non_null(revoked_all(r, &one, NOW - 1));
	assert_null(revoked_all(r, &one, NOW));
	add(REVOKE_LOCKDOWN, ID, 0, NOW + 10);
	assert_null(revoked_all(r, &one, NOW));
	assert_int_equal(revoked_all(r, &two, NOW)->kind, REVOKE_LOCKDOWN);
}

/* A copy is a list of its own; what it drops the first still has. */
static void test_copy(void **state)
{
	struct revoked *copy = NULL;

	(void)state;
	add(REVOKE_ROLE, "ops", 0, NOW - 31);
	add(REVOKE_ROLE, "dev", 0, NOW - 30);
	add(REVOKE_ROLE, "web", 0, NOW + 1);
	assert_ok(revoked_copy(r, NOW, 30, &copy));
	assert_int_equal(copy->n, 2); /* the first is over, with skew */
	assert_ok(revoked_remove(copy, 2));
	assert_err(revoked_remove(copy, 2), CLUSTER_ENOTFOUND);
	assert_int_equal(copy->n, 1);
	revoked_free(copy);
	assert_int_equal(r->n, 3);
	assert_non_null(revoked_find(r, REVOKE_ROLE, "dev", NOW));
}

/* The payload that is joined from texts is byte for byte the one that the library builds. */
static void test_payload(void **state)
{
	struct revoke_entry entries[3];
	struct revoke_list list = { .version = 5, .iat = NOW, .n = 3, .entry = entries };
	struct cluster_id cluster = { { 9 } };
	char *ours = NULL, *theirs = NULL;
	size_t n = 0;

	(void)state;
	add(REVOKE_PERSON, ID, NOW - 1, NOW + 10);
	add(REVOKE_CERT_ID, "quote \" back \\ slash", 0, NOW + 10);
	add(REVOKE_LOCKDOWN, "", 0, NOW + 10);
	for (size_t i = 0; i < 3; i++)
		entries[i] = r->item[i]->entry;
	assert_ok(revoked_payload(r, &cluster, NOW, 5, &ours, &n));
	assert_ok(revoke_build(&list, &cluster, &theirs));
	assert_int_equal(strlen(ours), n);
	assert_string_equal(ours, theirs);
	free(theirs);
	free(ours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_find), TEST(test_all), TEST(test_copy), TEST(test_payload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
