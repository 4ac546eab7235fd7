/* SPDX-License-Identifier: Apache-2.0 */
/* Hop credentials. THREATS.md B3, B9, B10, C4. */
#include "hop_world.h"

#include <stdio.h>
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
	assert_true(got.iat == HOP_NOW && got.exp == HOP_NOW + HOP_LIFE_MAX && got.auth_time == HOP_NOW - 3000 && got.end == HOP_NOW + 600 && got.count == 1 && crypto_pub_equal(&got.cnf, &given.cnf));
	assert_string_equal(got.account, "emr-user");
	assert_string_equal(got.parent_issuer, given.parent_issuer);
	assert_string_equal(got.parent_source, "192.0.2.7");
	assert_string_equal(got.signer, kid);
	given.parent_source[0] = '\0';
	for (given.count = 1; given.count <= HOP_COUNT_MAX; given.count++) {
		assert_ok(verify_free(make(&given, x.key)));
		assert_true(got.parent_source[0] == '\0' && got.count == given.count);
		assert_memory_equal(got.way, given.way, sizeof got.way);
		if (given.count <= HOP_WAY_MAX)
			given.way[given.count - 1] = (struct hop_place){ .node = world_id('n', (uint8_t)given.count), .session = world_id('s', (uint8_t)given.count) };
	}
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
	given.count = HOP_COUNT_MAX;
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

/* No person stands behind it, and none can be put there. */
static void test_machine(void **state)
{
	static const struct cluster_id zero;

	(void)state;
	given.machine = true;
	memset(&got, 0xff, sizeof got);
	assert_ok(verify_free(make(&given, x.key)));
	assert_true(got.machine && id_equal(&got.source, &given.source) && id_equal(&got.target, &given.target) && id_equal(&got.jti, &given.jti) && id_equal(&got.cluster, &given.cluster));
	assert_true(id_equal(&got.person, &zero) && id_equal(&got.device, &zero) && id_equal(&got.parent, &zero) && id_equal(&got.session, &zero));
	assert_true(got.auth_time == 0 && got.end == 0 && got.count == 0 && got.parent_issuer[0] == '\0' && got.parent_source[0] == '\0' && got.exp == HOP_NOW + HOP_LIFE_MAX);
	given.machine = false;
	assert_ok(verify_free(make(&given, x.key)));
	assert_true(!got.machine && id_equal(&got.person, &given.person));
}

/* What another program made of the claims and the first key of RFC 8032 (tests/vectors): the very bytes. */
static void test_vectors(void **state)
{
	static const char *const paths[] = { "tests/vectors/hop-person.jws", "tests/vectors/hop-machine.jws" };
	static const char pem[] = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
	struct crypto_key *key = NULL;
	char text[HOP_SIZE_MAX + 2], *again;
	struct cluster_id ids[11];

	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		memset(ids[i].b, (int)i, sizeof ids[i].b);
	assert_ok(crypto_key_parse(pem, strlen(pem), &key));
	assert_ok(crypto_key_pub(key, &x.pub));
	x.by = (struct hop_source){ .cluster = &ids[1], .node = &ids[2], .key = &x.pub };
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		FILE *f = fopen(paths[i], "re");

		assert_non_null(f);
		assert_non_null(fgets(text, sizeof text, f));
		fclose(f);
		text[strcspn(text, "\n")] = '\0';
		assert_ok(hop_verify(text, strlen(text), &x.by, &got, &d));
		assert_true(id_equal(&got.target, &ids[3]) && id_equal(&got.jti, &ids[4]) && got.iat == HOP_NOW && got.exp == HOP_NOW + 120 && got.machine == (i == 1));
		assert_true(i == 1 || (id_equal(&got.device, &ids[5]) && id_equal(&got.parent, &ids[6]) && id_equal(&got.session, &ids[7]) && id_equal(&got.person, &ids[8]) && got.count == 2 &&
			got.end == HOP_NOW + 3600 && id_equal(&got.way[0].node, &ids[9]) && id_equal(&got.way[0].session, &ids[10])));
		again = make(&got, key);
		assert_string_equal(again, text);
		free(again);
	}
	crypto_key_free(key);
}

static enum cluster_err parse(const char *text)
{
	return hop_parse(text, strlen(text), &got, &d);
}

#define ID "AAECAwQFBgcICQoLDA0ODw"
#define KEY "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg\"}"
#define TIMES "\"auth_time\":1790000000,\"end\":1800003600,\"exp\":1800000100,\"iat\":1800000000,"
#define HEAD "{\"aud\":\"cluster:" ID "\"," TIMES "\"dev\":\"" ID "\",\"isk\":\"k\",\"iss\":\"" ID "\",\"jti\":\"" ID "\",\"par\":\"" ID "\",\"sid\":\"" ID "\",\"sub\":\"" ID "\""
#define REST ",\"acc\":\"core\",\"cnf\":{\"jwk\":" KEY "},\"nod\":\"" ID "\",\"way\":[]"

#define PLACE "\"" ID "." ID "\""
#define WAY(array) HEAD ",\"acc\":\"core\",\"cnf\":{\"jwk\":" KEY "},\"nod\":\"" ID "\",\"way\":" array "}"

#define MACHINE "{\"acc\":\"core\",\"aud\":\"cluster:" ID "\",\"cnf\":{\"jwk\":" KEY "},\"exp\":1800000100,\"iat\":1800000000,\"iss\":\"" ID "\",\"jti\":\"" ID "\",\"nod\":\"" ID "\""

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
		HEAD REST ",\"n\":1}", /* as before there was a way */
		HEAD ",\"acc\":\"core\",\"cnf\":{\"jwk\":" KEY "},\"n\":1,\"nod\":\"" ID "\"}",
		WAY("1"), WAY("\"\""), WAY("{}"), WAY("[1]"), WAY("[\"\"]"), WAY("[\"" ID "\"]"), WAY("[\"" ID "." ID ".\"]"), WAY("[\"" ID "-" ID "\"]"),
		WAY("[\"" ID ".AAECAwQFBgcICQoLDA0OD\"]"), WAY("[\"AAECAwQFBgcICQoLDA0OD." ID "A\"]"), WAY("[" PLACE "," PLACE "," PLACE "," PLACE "]"),
		HEAD ",\"acc\":\"Core\",\"cnf\":{\"jwk\":" KEY "},\"nod\":\"" ID "\",\"way\":[]}",
		HEAD ",\"acc\":\"core\",\"cnf\":{\"jwk\":" KEY "},\"nod\":\"node:a\",\"way\":[]}",
		HEAD ",\"acc\":\"core\",\"cnf\":{\"jwk\":" KEY ",\"kid\":\"k\"},\"nod\":\"" ID "\",\"way\":[]}",
		HEAD ",\"acc\":\"core\",\"cnf\":{},\"nod\":\"" ID "\",\"way\":[]}",
		HEAD ",\"acc\":\"core\",\"cnf\":" KEY ",\"nod\":\"" ID "\",\"way\":[]}",
		"", "[]", "null",
		MACHINE ",\"psr\":\"192.0.2.7\"}",
	};
	static const char *const of_person[] = { "\"auth_time\":1790000000", "\"dev\":\"" ID "\"", "\"end\":1800003600", "\"isk\":\"k\"", "\"way\":[]", "\"par\":\"" ID "\"", "\"sid\":\"" ID "\"", "\"sub\":\"" ID "\"" };
	char text[2048];

	(void)state;
	assert_ok(parse(HEAD REST "}"));
	assert_ok(parse(HEAD REST ",\"psr\":\"2001:db8::7\"}"));
	assert_ok(parse(WAY("[" PLACE "," PLACE "," PLACE "]")));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (parse(bad[i]) == CLUSTER_OK)
			fail_msg("accepted: %s", bad[i]);
	assert_ok(parse(MACHINE "}"));
	assert_true(got.machine);
	for (unsigned mask = 1; mask < 1u << 8; mask++) { /* all that a person's has, or none */
		strcpy(text, MACHINE);
		for (unsigned i = 0; i < 8; i++)
			if (mask & 1u << i)
				strcat(strcat(text, ","), of_person[i]);
		strcat(text, "}");
		assert_int_equal(parse(text) == CLUSTER_OK, mask == (1u << 8) - 1);
	}
	assert_false(got.machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown), cmocka_unit_test_setup_teardown(test_longest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown), cmocka_unit_test_setup_teardown(test_kid, setup, teardown),
		cmocka_unit_test_setup_teardown(test_machine, setup, teardown), cmocka_unit_test_setup_teardown(test_vectors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_claims, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
