/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "cluster/keyring.h"

#define NOW INT64_C(1790000000)

static struct keyring ring;
static const struct keyring_key *found;

static int setup(void **state)
{
	(void)state;
	memset(&ring, 0, sizeof ring);
	found = NULL;
	return 0;
}

static struct keyring_key key(const char *kid, enum keyring_role role)
{
	struct keyring_key k = { .role = role, .pub = { .alg = CRYPTO_ED25519 }, .nbf = NOW, .exp = NOW + 100 };

	snprintf(k.kid, sizeof k.kid, "%s", kid);
	return k;
}

static enum cluster_err find(const char *kid, enum keyring_role role, int64_t now, int64_t skew)
{
	const struct keyring_at at = { .ring = &ring, .now = now, .skew = skew };

	return keyring_find(&at, kid, role, &found);
}

static void test_roles(void **state)
{
	enum keyring_role role;

	(void)state;
	for (enum keyring_role r = KEYRING_ISSUER; r <= KEYRING_ROLE_LAST; r++) {
		assert_ok(keyring_role_parse(keyring_role_name(r), &role));
		assert_int_equal(role, r);
	}
	assert_err(keyring_role_parse("root", &role), CLUSTER_EFORMAT);
	assert_err(keyring_role_parse("", &role), CLUSTER_EFORMAT);
	assert_string_equal(keyring_role_name(KEYRING_SSHCA), "sshca");
	assert_err(keyring_role_parse("Head", &role), CLUSTER_EFORMAT);
	assert_err(keyring_role_parse(NULL, &role), CLUSTER_EFORMAT);
	assert_string_equal(keyring_role_name((enum keyring_role)0), "?");
	assert_string_equal(keyring_role_name((enum keyring_role)(KEYRING_ROLE_LAST + 1)), "?");
}

/* B4: exact match, in memory; a kid is there once. */
static void test_find(void **state)
{
	struct keyring_key a = key("a", KEYRING_ISSUER), b = key("ab", KEYRING_HEAD);

	(void)state;
	assert_ok(keyring_add(&ring, &a));
	assert_ok(keyring_add(&ring, &b));
	assert_err(keyring_add(&ring, &a), CLUSTER_EFORMAT);
	a.role = KEYRING_HEAD;
	assert_err(keyring_add(&ring, &a), CLUSTER_EFORMAT);
	assert_int_equal(ring.n, 2);
	assert_ok(find("ab", KEYRING_HEAD, NOW, 0));
	assert_ptr_equal(found, &ring.key[1]);
	found = NULL;
	assert_err(find("ab", KEYRING_ISSUER, NOW, 0), CLUSTER_ENOTFOUND); /* another role */
	assert_err(find("A", KEYRING_ISSUER, NOW, 0), CLUSTER_ENOTFOUND);
	assert_err(find("", KEYRING_ISSUER, NOW, 0), CLUSTER_ENOTFOUND);
	assert_err(find("abc", KEYRING_HEAD, NOW, 0), CLUSTER_ENOTFOUND);
	assert_null(found);
}

static void test_window(void **state)
{
	struct keyring_key a = key("a", KEYRING_ISSUER);

	(void)state;
	assert_ok(keyring_add(&ring, &a));
	assert_err(find("a", KEYRING_ISSUER, NOW - 31, 30), CLUSTER_EEARLY);
	assert_ok(find("a", KEYRING_ISSUER, NOW - 30, 30));
	assert_err(find("a", KEYRING_ISSUER, NOW - 1, 0), CLUSTER_EEARLY);
	assert_ok(find("a", KEYRING_ISSUER, NOW + 99, 30));
	assert_err(find("a", KEYRING_ISSUER, NOW + 100, 30), CLUSTER_EEXPIRED); /* no leeway at the end */
}

static void test_full(void **state)
{
	struct keyring_key k;

	(void)state;
	for (int i = 0; i < KEYRING_MAX; i++) {
		char kid[16];

		snprintf(kid, sizeof kid, "k%d", i);
		k = key(kid, KEYRING_ISSUER);
		assert_ok(keyring_add(&ring, &k));
	}
	k = key("one-more", KEYRING_ISSUER);
	assert_err(keyring_add(&ring, &k), CLUSTER_ELIMIT);
	assert_int_equal(ring.n, KEYRING_MAX);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_roles, setup),
		cmocka_unit_test_setup(test_find, setup),
		cmocka_unit_test_setup(test_window, setup),
		cmocka_unit_test_setup(test_full, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
