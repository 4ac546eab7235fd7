/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trustgen.h"

#define NOW INT64_C(1790000000)
#define ID "kPrK_qmxVWaYVA9wwBF6Ig"
#define FINGERPRINT "SHA256:uUiTnGSj6GzcHPFnNuZE4ZMRh3OoMnZ6FYhQMLKBYS8"

static struct trustgen *g;

static int set_up(void **state)
{
	(void)state;
	g = trustgen_new("prod", NOW);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	trustgen_free(g);
	return 0;
}

static const char *entry(const char *kind, const char *value, int seq, const char *more)
{
	return trustgen_format(g, "{\"iat\":1790000000,\"kind\":\"%s\",\"seq\":%d,\"until\":1790003600,\"value\":\"%s\"%s}", kind, seq, value, more);
}

static enum cluster_err parse(const char *text, struct revoke_list **ret)
{
	struct diag d = { 0 };
	const struct keyring_at at = trustgen_at(g);
	enum cluster_err e = revoke_parse(text, strlen(text), &at, ret, &d);

	assert_true(e == CLUSTER_OK || d.text[0]);
	return e;
}

static enum cluster_err read_entries(const char *entries)
{
	struct revoke_list *l = NULL;
	enum cluster_err e = parse(trustgen_revocations(g, 1, entries), &l);

	assert_true((e == CLUSTER_OK) == (l != NULL));
	revoke_free(l);
	return e;
}

static void test_kinds(void **state)
{
	enum revoke_kind kind;

	(void)state;
	for (unsigned k = REVOKE_CREDENTIAL; k <= REVOKE_KIND_MAX; k++) {
		assert_ok(revoke_kind_parse(revoke_kind_name((enum revoke_kind)k), &kind));
		assert_int_equal(kind, k);
	}
	assert_err(revoke_kind_parse("", &kind), CLUSTER_EFORMAT);
	assert_err(revoke_kind_parse("Person", &kind), CLUSTER_EFORMAT);
	assert_err(revoke_kind_parse(NULL, &kind), CLUSTER_EFORMAT);
	assert_string_equal(revoke_kind_name((enum revoke_kind)0), "?");
	assert_string_equal(revoke_kind_name((enum revoke_kind)15), "?");
}

static void test_values(void **state)
{
	static const struct {
		enum revoke_kind kind;
		const char *good[3], *bad[8];
	} v[] = {
		{ REVOKE_CREDENTIAL, { ID }, { "", "x", ID "A", "kPrK_qmxVWaYVA9wwBF6Ih", "kPrK+qmxVWaYVA9wwBF6Ig", " " ID } },
		{ REVOKE_DEVICE, { ID }, { "", "laptop" } },
		{ REVOKE_PERSON, { ID }, { "", "alice" } },
		{ REVOKE_ACCOUNT, { "emr-user", "root" }, { "", "A", "a b", ID } },
		{ REVOKE_NODE, { ID }, { "", "core-1-1" } },
		{ REVOKE_ROLE, { "ops" }, { "", "Ops", "role:ops" } },
		{ REVOKE_ISSUER, { ID, "k" }, { "", "a.b", "../x" } },
		{ REVOKE_CERT_SERIAL, { "0", "18446744073709551615" }, { "", "-1", "01", "0x1", "18446744073709551616", "1 " } },
		{ REVOKE_CERT_ID, { "alice@laptop", "a b" }, { "", "a\nb", "\x7f" } },
		{ REVOKE_CERT_KEY, { FINGERPRINT }, { "", "MD5:x", "SHA256:", FINGERPRINT "=", "sha256:uUiTnGSj6GzcHPFnNuZE4ZMRh3OoMnZ6FYhQMLKBYS8",
			"SHA256:uUiTnGSj6GzcHPFnNuZE4ZMRh3OoMnZ6FYhQMLKBYS9", "SHA256:uUiT-GSj6GzcHPFnNuZE4ZMRh3OoMnZ6FYhQMLKBYS8" } },
		{ REVOKE_CERT_CA, { FINGERPRINT, "SHA256:+/iTnGSj6GzcHPFnNuZE4ZMRh3OoMnZ6FYhQMLKBYS8" }, { "", ID } },
		{ REVOKE_BEFORE, { "" }, { "x", "1790000000" } },
		{ REVOKE_LOCKDOWN, { "", ID, ID " " ID }, { " ", ID " ", " " ID, ID "  " ID, ID "," ID, "alice", ID "\n" ID } },
		{ REVOKE_SESSION, { ID }, { "", "x", ID "A", " " ID } },
	};

	(void)state;
	assert_int_equal(sizeof v / sizeof v[0], REVOKE_KIND_MAX);
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		for (size_t k = 0; k < 3 && v[i].good[k]; k++)
			assert_ok(revoke_value_check(v[i].kind, v[i].good[k], NULL));
		for (size_t k = 0; k < 8 && v[i].bad[k]; k++)
			if (revoke_value_check(v[i].kind, v[i].bad[k], NULL) != CLUSTER_EFORMAT)
				fail_msg("%s: accepted: \"%s\"", revoke_kind_name(v[i].kind), v[i].bad[k]);
		assert_err(revoke_value_check(v[i].kind, NULL, NULL), CLUSTER_EFORMAT);
	}
	assert_err(revoke_value_check((enum revoke_kind)0, "", NULL), CLUSTER_EFORMAT);
	assert_ok(revoke_value_check(REVOKE_CERT_ID, trustgen_format(g, "%255s", "x"), NULL));
	assert_err(revoke_value_check(REVOKE_CERT_ID, trustgen_format(g, "%256s", "x"), NULL), CLUSTER_EFORMAT);
}

static void test_parse(void **state)
{
	struct revoke_list *l = NULL;
	const char *entries = trustgen_format(g, "[%s,%s]", entry("person", ID, 3, ",\"before\":1789999999,\"reason\":\"left\""), entry("lockdown", "", 9, ""));

	(void)state;
	assert_ok(read_entries("[]"));
	assert_ok(parse(trustgen_revocations(g, 5, entries), &l));
	assert_int_equal(l->version, 5);
	assert_int_equal(l->n, 2);
	assert_int_equal(l->entry[0].kind, REVOKE_PERSON);
	assert_int_equal(l->entry[0].before, NOW - 1);
	assert_string_equal(l->entry[0].reason, "left");
	assert_string_equal(l->entry[0].value, ID);
	assert_int_equal(l->entry[1].seq, 9);
	assert_int_equal(l->entry[1].until, NOW + 3600);
	assert_null(l->entry[1].reason);
	assert_int_equal(l->entry[1].before, 0);
	revoke_free(l);
	revoke_free(NULL);
}

static void test_refuses(void **state)
{
	(void)state;
	assert_err(read_entries(trustgen_format(g, "[%s,%s]", entry("person", ID, 2, ""), entry("person", ID, 2, ""))), CLUSTER_EFORMAT); /* total order */
	assert_err(read_entries(trustgen_format(g, "[%s,%s]", entry("person", ID, 2, ""), entry("person", ID, 1, ""))), CLUSTER_EFORMAT);
	assert_ok(read_entries(trustgen_format(g, "[%s,%s]", entry("person", ID, 1, ""), entry("person", ID, 2, ""))));
	assert_err(read_entries(trustgen_format(g, "[%s]", entry("person", "alice", 1, ""))), CLUSTER_EFORMAT);
	assert_err(read_entries(trustgen_format(g, "[%s]", entry("everything", "", 1, ""))), CLUSTER_EFORMAT);
	assert_err(read_entries(trustgen_format(g, "[%s]", entry("before", "", 1, ""))), CLUSTER_EFORMAT); /* without the time */
	assert_ok(read_entries(trustgen_format(g, "[%s]", entry("before", "", 1, ",\"before\":1790000000"))));
	assert_err(read_entries(trustgen_format(g, "[%s]", entry("before", "", 1, ",\"before\":0"))), CLUSTER_ELIMIT);
	assert_err(read_entries(trustgen_format(g, "[%s]", entry("person", ID, 0, ""))), CLUSTER_ELIMIT);
	assert_err(read_entries(trustgen_format(g, "[%s]", entry("person", ID, 1, ",\"more\":1"))), CLUSTER_EFORMAT);
	assert_err(read_entries(trustgen_format(g, "[%s]", entry("person", ID, 1, ",\"reason\":\"a\\nb\""))), CLUSTER_EFORMAT);
	assert_err(read_entries(trustgen_format(g, "[%s]", entry("person", ID, 1, trustgen_format(g, ",\"reason\":\"%201s\"", "x")))), CLUSTER_ELIMIT);
	assert_err(read_entries(trustgen_format(g, "[%s]", entry("person", ID, 1, ",\"seq\":1"))), CLUSTER_EFORMAT);
	assert_err(read_entries("[1]"), CLUSTER_EFORMAT);
	assert_err(read_entries("[{}]"), CLUSTER_EFORMAT);
	assert_err(read_entries("{}"), CLUSTER_EFORMAT);
}

/* H9: an absent, empty, cut or foreign list is no empty list. */
static void test_envelope(void **state)
{
	const char *text = trustgen_revocations(g, 1, "[]");
	struct trustgen *other = trustgen_new("prod", NOW);
	const struct keyring_at at = trustgen_at(g);
	struct revoke_list *l = NULL;

	(void)state;
	assert_err(parse("", &l), CLUSTER_EFORMAT);
	assert_err(parse("\n", &l), CLUSTER_EFORMAT);
	assert_err(parse("{}", &l), CLUSTER_EFORMAT);
	for (size_t n = 0; n + 1 < strlen(text); n += 7)
		assert_int_not_equal(revoke_parse(text, n, &at, &l, NULL), CLUSTER_OK);
	assert_err(parse(trustgen_revocations(other, 1, "[]"), &l), CLUSTER_ESIGNATURE);
	other->role_key[KEYRING_REVOCATION] = g->role_key[KEYRING_REVOCATION];
	assert_err(parse(trustgen_revocations(other, 1, "[]"), &l), CLUSTER_EFORMAT); /* our key, their cluster */
	assert_err(parse(trustgen_sign(g, JWS_REVOCATIONS, KEYRING_ISSUER, "{}"), &l), CLUSTER_ESIGNATURE);
	assert_err(parse(trustgen_sign(g, JWS_REVOCATIONS, KEYRING_REVOCATION, "{}"), &l), CLUSTER_EFORMAT);
	assert_null(l);
	trustgen_free(other);
}

static void test_build(void **state)
{
	struct revoke_list *l = NULL, *again = NULL;
	const char *entries = trustgen_format(g, "[%s,%s,%s]", entry("person", ID, 3, ",\"before\":1789999999,\"reason\":\"l\xc3\xa9\""), entry("before", "", 4, ",\"before\":1789999999"),
		entry("cert_id", "a\\\\b", 5, ""));
	char *one = NULL, *two = NULL;

	(void)state;
	assert_ok(parse(trustgen_revocations(g, 5, entries), &l));
	assert_ok(revoke_build(l, &g->root.cluster, &one));
	assert_ok(parse(trustgen_sign(g, JWS_REVOCATIONS, KEYRING_REVOCATION, one), &again));
	assert_ok(revoke_build(again, &g->root.cluster, &two));
	assert_string_equal(one, two);
	assert_non_null(strstr(one, "\"before\":1789999999,\"iat\":1790000000,\"kind\":\"person\",\"reason\":\"l\xc3\xa9\",\"seq\":3,\"until\":1790003600,\"value\":\"" ID "\""));
	free(one);
	free(two);
	revoke_free(l);
	revoke_free(again);
}

static void test_keys(void **state)
{
	uint8_t key[REVOKE_KEY_MAX];
	struct cluster_id id;
	size_t n = 0;

	(void)state;
	assert_ok(id_parse(ID, &id));
	assert_ok(revoke_key(REVOKE_PERSON, ID, key, &n));
	assert_int_equal(n, 17);
	assert_int_equal(key[0], 3);
	assert_memory_equal(key + 1, id.b, 16);
	assert_ok(revoke_key(REVOKE_ISSUER, ID, key, &n));
	assert_int_equal(n, 1 + 22);
	assert_memory_equal(key, "\x07" ID, n);
	assert_ok(revoke_key(REVOKE_CERT_ID, trustgen_format(g, "%255s", "x"), key, &n));
	assert_int_equal(n, REVOKE_KEY_MAX);
	assert_err(revoke_key(REVOKE_PERSON, "alice", key, &n), CLUSTER_EFORMAT);
	assert_err(revoke_key((enum revoke_kind)99, "", key, &n), CLUSTER_EFORMAT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_kinds), TEST(test_values), TEST(test_parse), TEST(test_refuses), TEST(test_envelope), TEST(test_build), TEST(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
