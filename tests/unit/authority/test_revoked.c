/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/credential.h"
#include "cluster/moment.h"
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

	assert_ok(revoked_add(r, &e, "root"));
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
	add(REVOKE_ROLE, "ops", 0, NOW + 1);
	add(REVOKE_ROLE, "dev", 0, NOW + 2);
	add(REVOKE_ROLE, "web", 0, NOW + 9);
	assert_ok(revoked_copy(r, NOW + REVOKED_HOP + 62, 30, &copy));
	assert_int_equal(copy->n, 3); /* no node has proved it */
	revoked_free(copy);
	revoked_settle(r, 7, 6, NOW - 1000);
	assert_int_equal(r->item[0]->head, 7);
	assert_int_equal(r->item[0]->proved, 0);
	revoked_settle(r, 9, 7, NOW - 1000);
	assert_int_equal(r->item[0]->head, 7);
	assert_int_equal(r->item[0]->proved, NOW - 1000);
	assert_ok(revoked_copy(r, NOW + REVOKED_HOP + 62, 30, &copy));
	assert_int_equal(copy->n, 2); /* the first is over, with hops and skew */
	assert_ok(revoked_remove(copy, 2));
	assert_err(revoked_remove(copy, 2), CLUSTER_ENOTFOUND);
	assert_int_equal(copy->n, 1);
	revoked_free(copy);
	assert_int_equal(r->n, 3);
	assert_non_null(revoked_find(r, REVOKE_ROLE, "dev", NOW));
}

static void test_same_and_end(void **state)
{
	struct revoke_entry e = { .kind = REVOKE_PERSON, .until = MOMENT_MAX, .value = (char *)(uintptr_t)ID };
	struct revoked *copy = NULL;

	(void)state;
	assert_null(revoked_same(r, &e));
	add(REVOKE_PERSON, ID, 0, MOMENT_MAX);
	add(REVOKE_PERSON, ID, NOW, NOW + 10);
	assert_ptr_equal(revoked_same(r, &e), r->item[0]);
	e.before = NOW;
	e.until = NOW + 11;
	assert_null(revoked_same(r, &e)); /* it would have to stay longer */
	e.until = NOW + 10;
	assert_ptr_equal(revoked_same(r, &e), r->item[1]);
	assert_ok(revoked_copy(r, NOW, 30, &copy));
	assert_ok(revoked_end(copy, 0, NOW + 5));
	assert_int_equal(copy->item[0]->entry.until, NOW + 5);
	assert_non_null(strstr(copy->item[0]->text, "\"until\":1790000005"));
	assert_string_equal(copy->item[0]->by, "root");
	assert_int_equal(r->item[0]->entry.until, MOMENT_MAX);
	revoked_free(copy);
}

static uint64_t seed = 1;

static int64_t random_in(int64_t low, int64_t high)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return low + (int64_t)((seed >> 33) % (uint64_t)(high - low + 1));
}

static bool takes_before(enum revoke_kind k)
{
	return k == REVOKE_BEFORE || (k >= REVOKE_DEVICE && k <= REVOKE_ISSUER);
}

/* H: nothing leaves the list before the last thing that it covers has expired: credentials and certificates, hops from sessions, and sessions of nodes that have not heard of it. */
static void test_times(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) { /* proved: before or after its time, or not at all */
		struct revoke_entry e = { .kind = (enum revoke_kind)random_in(1, REVOKE_KIND_MAX), .iat = NOW };
		int64_t needed, skew = random_in(0, 300), life = random_in(1, CREDENTIAL_LIFE_MAX), exp = random_in(NOW - 10, NOW + CREDENTIAL_LIFE_MAX), proved, until, leaves, issued;
		bool known = random_in(0, 1);

		if (takes_before(e.kind) && (e.kind == REVOKE_BEFORE || random_in(0, 1)))
			e.before = random_in(0, 3) ? random_in(NOW - 100000, NOW + 60) : NOW - random_in(1, 400) * 86400;
		proved = random_in(0, 2) ? random_in(NOW, NOW + 40 * 86400) : 0;
		e.until = until = revoked_until(&e, known ? exp : 0, skew);
		needed = until > NOW ? until : NOW;
		leaves = revoked_leaves(&e, proved, skew);
		if (until == MOMENT_MAX) {
			assert_int_equal(leaves, MOMENT_MAX);
			continue;
		}
		/* the last credential or certificate: issued before the revocation, or before its time */
		issued = e.before ? e.before - 1 : NOW;
		if (e.kind == REVOKE_CREDENTIAL && known)
			assert_true(leaves >= exp + skew);
		else if (e.kind != REVOKE_SESSION)
			assert_true(leaves >= issued + life + skew);
		/* a hop that a node vouched for a moment before it knew */
		if (proved && proved < needed + REVOKED_HOLD)
			assert_true(leaves >= proved + REVOKED_HOP + skew);
		/* a session on a node that has not proved it */
		if (!proved)
			assert_true(leaves >= needed + REVOKED_HOLD);
		/* and the list gets small by itself */
		assert_true(leaves <= needed + REVOKED_HOLD + REVOKED_HOP + 2 * skew);
		if (proved && proved < needed)
			assert_int_equal(leaves, needed + REVOKED_HOP + 2 * skew);
	}
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
		TEST(test_find), TEST(test_all), TEST(test_copy), TEST(test_same_and_end), TEST(test_times), TEST(test_payload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
