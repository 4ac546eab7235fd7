/* SPDX-License-Identifier: Apache-2.0 */
/* Hop credentials. THREATS.md B3, B9, B10, C4. */
#include "hop_world.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/moment.h"

static struct hop_world x;
static struct hop given, got;
static struct diag d;

static int setup(void **state)
{
	(void)state;
	hop_world_init(&x);
	given = x.hop;
	strcpy(given.parent_source, "192.0.2.7");
	memset(&got, 0, sizeof got);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hop_world_done(&x);
	return 0;
}

static char *make(const struct hop *h, const struct crypto_key *key)
{
	char *token = NULL;

	assert_ok(hop_build(h, key, &token));
	return token;
}

static enum cluster_err verify_free(char *token)
{
	enum cluster_err e = hop_verify(token, strlen(token), &x.by, &got, &d);

	free(token);
	return e;
}

static void test_round_trip(void **state)
{
	char kid[NAME_KID_MAX + 1], said[NAME_KID_MAX + 1], *token = make(&given, x.key);

	(void)state;
	assert_ok(jwk_kid(&x.pub, kid));
	assert_ok(hop_kid(token, strlen(token), said, &d));
	assert_string_equal(said, kid);
	assert_ok(verify_free(token));
	assert_true(id_equal(&got.cluster, &given.cluster) && id_equal(&got.source, &given.source) && id_equal(&got.target, &given.target) && id_equal(&got.person, &given.person));
	assert_true(id_equal(&got.device, &given.device) && id_equal(&got.parent, &given.parent) && id_equal(&got.session, &given.session) && id_equal(&got.jti, &given.jti));
	assert_true(got.iat == HOP_NOW && got.exp == HOP_NOW + HOP_LIFE_MAX && got.auth_time == HOP_NOW - 3000 && got.count == 1 && crypto_pub_equal(&got.cnf, &given.cnf));
	assert_string_equal(got.account, "emr-user");
	assert_string_equal(got.parent_issuer, given.parent_issuer);
	assert_string_equal(got.parent_source, "192.0.2.7");
	assert_string_equal(got.signer, kid);
	given.parent_source[0] = '\0';
	given.count = HOP_COUNT_MAX;
	assert_ok(verify_free(make(&given, x.key)));
	assert_true(got.parent_source[0] == '\0' && got.count == HOP_COUNT_MAX);
}

/* All claims at their longest fit, by either kind of hop key. */
static void test_longest(void **state)
{
	struct crypto_key *p256 = NULL;
	char *token;

	(void)state;
	strcpy(given.account, "a2345678901234567890123456789012");
	strcpy(given.parent_issuer, "12345678901234567890123456789012");
	strcpy(given.parent_source, "1234:5678:9abc:def0:1234:5678:123.123.123.123");
	assert_int_equal(strlen(given.parent_source), HOP_ADDRESS_MAX);
	token = make(&given, x.key);
	assert_true(strlen(token) <= HOP_SIZE_MAX);
	assert_ok(verify_free(token));
	assert_string_equal(got.parent_source, given.parent_source);
	assert_ok(crypto_key_new(CRYPTO_ES256, &p256));
	assert_ok(crypto_key_pub(p256, &x.pub));
	assert_ok(verify_free(make(&given, p256)));
	crypto_key_free(p256);
}

static void test_refused(void **state)
{
	struct credential full = world_credential(&x.w, WORLD_ALICE);
	struct cluster_id other = world_id('n', 7);
	struct crypto_key *p256 = NULL;
	char *token = make(&given, x.key);
	struct hop h = given;
	size_t n = strlen(token);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		token[i] ^= 1;
		assert_int_not_equal(hop_verify(token, n, &x.by, &got, &d), CLUSTER_OK);
		token[i] ^= 1;
		assert_int_not_equal(hop_verify(token, i, &x.by, &got, &d), CLUSTER_OK);
	}
	assert_err(hop_verify(token, n, NULL, &got, &d), CLUSTER_ENOTFOUND);
	assert_ok(verify_free(token));
	assert_err(verify_free(make(&given, x.w.issuer)), CLUSTER_ENOTFOUND); /* B9: another key */
	assert_int_not_equal(verify_free(world_token(&x.w, &full, x.key)), CLUSTER_OK); /* B9: a credential is no hop */
	x.by.node = &other; /* in another node's name */
	assert_err(verify_free(make(&given, x.key)), CLUSTER_EDENIED);
	x.by.node = &x.w.node.id;
	h.cluster = other; /* C4 */
	assert_err(verify_free(make(&h, x.key)), CLUSTER_EDENIED);
	h = given, h.cnf = x.pub;
	assert_err(verify_free(make(&h, x.key)), CLUSTER_EDENIED);
	assert_ok(crypto_key_new(CRYPTO_ES256, &p256));
	assert_ok(crypto_key_pub(p256, &h.cnf));
	assert_err(verify_free(make(&h, x.key)), CLUSTER_EFORMAT);
	crypto_key_free(p256);
	h = given, h.exp++;
	assert_err(verify_free(make(&h, x.key)), CLUSTER_EFORMAT);
	h.exp = h.iat;
	assert_err(verify_free(make(&h, x.key)), CLUSTER_EFORMAT);
}

/* The header says the right kid, and another key has signed. */
static void test_kid(void **state)
{
	char *token = make(&given, x.key), *other = make(&given, x.w.other);
	size_t n = strlen(token);

	(void)state;
	assert_int_equal(strlen(other), n);
	memcpy(token + n - 86, other + n - 86, 86);
	assert_err(hop_verify(token, n, &x.by, &got, &d), CLUSTER_ESIGNATURE);
	free(token);
	free(other);
}

static enum cluster_err parse(const char *text)
{
	return hop_parse(text, strlen(text), &got, &d);
}

#define ID "AAECAwQFBgcICQoLDA0ODw"
#define KEY "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg\"}"
#define TIMES "\"auth_time\":1790000000,\"exp\":1800000100,\"iat\":1800000000,"
#define HEAD "{\"aud\":\"cluster:" ID "\"," TIMES "\"dev\":\"" ID "\",\"isk\":\"k\",\"iss\":\"" ID "\",\"jti\":\"" ID "\",\"par\":\"" ID "\",\"sid\":\"" ID "\",\"sub\":\"" ID "\""
#define REST ",\"acc\":\"core\",\"cnf\":{\"jwk\":" KEY "},\"n\":1,\"nod\":\"" ID "\""

static void test_claims(void **state)
{
	static const char *const bad[] = {
		HEAD "}",
		HEAD REST ",\"more\":1}",
		HEAD REST ",\"psr\":\"192.0.2.0/24\"}",
		HEAD REST ",\"psr\":\"\"}",
		HEAD REST ",\"psr\":\"host\"}",
		HEAD REST ",\"psr\":null}",
		HEAD REST ",\"kid\":\"k\"}",
		HEAD REST ",\"acc\":\"core\"}", /* B10 */
		HEAD ",\"acc\":\"Core\",\"cnf\":{\"jwk\":" KEY "},\"n\":1,\"nod\":\"" ID "\"}",
		HEAD ",\"acc\":\"core\",\"cnf\":{\"jwk\":" KEY "},\"n\":0,\"nod\":\"" ID "\"}",
		HEAD ",\"acc\":\"core\",\"cnf\":{\"jwk\":" KEY "},\"n\":5,\"nod\":\"" ID "\"}",
		HEAD ",\"acc\":\"core\",\"cnf\":{\"jwk\":" KEY "},\"n\":\"1\",\"nod\":\"" ID "\"}",
		HEAD ",\"acc\":\"core\",\"cnf\":{\"jwk\":" KEY "},\"n\":1,\"nod\":\"node:a\"}",
		HEAD ",\"acc\":\"core\",\"cnf\":{\"jwk\":" KEY ",\"kid\":\"k\"},\"n\":1,\"nod\":\"" ID "\"}",
		HEAD ",\"acc\":\"core\",\"cnf\":{},\"n\":1,\"nod\":\"" ID "\"}",
		HEAD ",\"acc\":\"core\",\"cnf\":" KEY ",\"n\":1,\"nod\":\"" ID "\"}",
		"", "[]", "null",
	};

	(void)state;
	assert_ok(parse(HEAD REST "}"));
	assert_ok(parse(HEAD REST ",\"psr\":\"2001:db8::7\"}"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (parse(bad[i]) == CLUSTER_OK)
			fail_msg("accepted: %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown), cmocka_unit_test_setup_teardown(test_longest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown), cmocka_unit_test_setup_teardown(test_kid, setup, teardown),
		cmocka_unit_test_setup_teardown(test_claims, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
