/* SPDX-License-Identifier: Apache-2.0 */
/* Claims, signature, sources. THREATS.md B3, B8, B9, B10, C4. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "world.h"

#include "cluster/jws.h"

#define NOW INT64_C(1800000000)

static struct world w;
static struct credential cred, got;
static struct diag d;

static int setup(void **state)
{
	(void)state;
	world_init(&w, NOW);
	cred = world_credential(&w, WORLD_ALICE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_done(&w);
	return 0;
}

static enum cluster_err verify(const char *token)
{
	const struct keyring_at at = world_at(&w);

	return credential_verify(token, strlen(token), &at, &got, &d);
}

static enum cluster_err verify_free(char *token)
{
	enum cluster_err e = verify(token);

	free(token);
	return e;
}

static void test_round_trip(void **state)
{
	struct credential full = cred;

	(void)state;
	full.n_acc = 1;
	strcpy(full.acc[0], "emr-user");
	full.n_nod = 2;
	strcpy(full.nod[0], "node:master-1-1");
	strcpy(full.nod[1], "role:core");
	full.n_src = 1;
	strcpy(full.src[0], "192.0.2.0/24");
	full.n_amr = 2;
	strcpy(full.amr[1], "pin");
	full.auth_time = NOW - 10;
	assert_ok(verify_free(world_token(&w, &full, NULL)));
	assert_true(id_equal(&got.person, &full.person) && id_equal(&got.device, &full.device) && id_equal(&got.jti, &full.jti) && id_equal(&got.cluster, &full.cluster));
	assert_true(got.iat == full.iat && got.nbf == full.nbf && got.exp == full.exp && got.auth_time == full.auth_time);
	assert_string_equal(got.acc[0], "emr-user");
	assert_string_equal(got.nod[1], "role:core");
	assert_string_equal(got.src[0], "192.0.2.0/24");
	assert_string_equal(got.amr[1], "pin");
	assert_string_equal(got.issuer, full.issuer);
	assert_true(crypto_pub_equal(&got.cnf, &full.cnf));
}

static void test_sizes(void **state)
{
	struct credential big = cred;
	char *token = world_token(&w, &cred, NULL);

	(void)state;
	assert_true(strlen(token) < 700);
	free(token);
	big.n_acc = CREDENTIAL_ACC_MAX;
	big.n_nod = CREDENTIAL_NOD_MAX;
	for (size_t i = 0; i < CREDENTIAL_ACC_MAX; i++)
		snprintf(big.acc[i], sizeof big.acc[i], "a23456789012345678901234567890%02zu", i);
	for (size_t i = 0; i < CREDENTIAL_NOD_MAX; i++)
		snprintf(big.nod[i], sizeof big.nod[i], "node:n2345678901234567890123456789012345678901234567890123456789012%zu", i);
	token = NULL;
	assert_err(credential_build(&big, w.issuer, &token), CLUSTER_ELIMIT);
	assert_null(token);
}

static void test_signature_and_key(void **state)
{
	char *token = world_token(&w, &cred, NULL), *end = strrchr(token, '.');
	struct crypto_key *stranger = NULL;
	struct cluster_id other = world_id('c', 2);
	struct credential another = cred;
	struct keyring_at at = world_at(&w);

	(void)state;
	assert_ok(verify(token));
	end[10] = end[10] == 'A' ? 'B' : 'A';
	assert_err(verify(token), CLUSTER_ESIGNATURE);
	free(token);
	assert_ok(crypto_key_new(CRYPTO_ED25519, &stranger));
	assert_err(verify_free(world_token(&w, &cred, stranger)), CLUSTER_ENOTFOUND);
	crypto_key_free(stranger);
	assert_err(verify_free(world_token(&w, &cred, w.other)), CLUSTER_ENOTFOUND); /* B9: a directory key signs no credentials */
	/* C4 */
	another.cluster = other;
	assert_err(verify_free(world_token(&w, &another, NULL)), CLUSTER_EDENIED);
	/* the key's own window */
	token = world_token(&w, &cred, NULL);
	at.now = NOW + 86400;
	assert_err(credential_verify(token, strlen(token), &at, &got, &d), CLUSTER_EEXPIRED);
	at.now = NOW - 86400 - WORLD_SKEW - 1;
	assert_err(credential_verify(token, strlen(token), &at, &got, &d), CLUSTER_EEARLY);
	at.now = NOW;
	assert_err(credential_verify(token, 0, &at, &got, &d), CLUSTER_EFORMAT);
	free(token);
}

/* B9: a document of another type, signed by the very issuer key. */
static void test_other_types(void **state)
{
	(void)state;
	for (int t = 0; t < JWS_TYP_N; t++) {
		char *token = NULL;

		if (t == JWS_CREDENTIAL || jws_sign(w.issuer, (enum jws_typ)t, "{}", 2, &token) != CLUSTER_OK)
			continue;
		assert_err(verify_free(token), CLUSTER_EFORMAT);
	}
}

#define JWK "{\"jwk\":{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}}"
#define ID "AAAAAAAAAAAAAAAAAAAAAQ"
#define AUD "\"cluster:" ID "\""
#define TIMES "\"iat\":1800000000,\"nbf\":1800000000,\"exp\":1800003600,\"auth_time\":1800000000"
#define REST "\"iss\":" AUD ",\"sub\":\"" ID "\",\"dev\":\"" ID "\",\"jti\":\"" ID "\""

static enum cluster_err parse(const char *payload)
{
	return credential_parse(payload, strlen(payload), &got, &d);
}

static void test_claims(void **state)
{
	static const char *const bad[] = {
		"", "{}", "[]", "null",
		"{" REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK "}",                                                      /* no aud */
		"{\"aud\":[" AUD "]," REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK "}",                                    /* aud a list */
		"{\"aud\":\"cluster:AAAAAAAAAAAAAAAAAAAAAg\"," REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK "}",           /* aud is not iss */
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[],\"cnf\":" JWK "}",
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\",\"a\",\"b\",\"c\",\"d\"],\"cnf\":" JWK "}",
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"123456789\"],\"cnf\":" JWK "}",
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[1],\"cnf\":" JWK "}",
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":\"hwk\",\"cnf\":" JWK "}",
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":{}}",
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":{\"kid\":\"x\"}}",
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK ",\"acc\":[]}",
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK ",\"acc\":[\"Root\"]}",
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK ",\"nod\":[\"any\"]}",
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK ",\"nod\":[\"node:a.b\"]}",
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK ",\"src\":[\"10.0.0.0/33\"]}",
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK ",\"uid\":0}",                            /* unknown claim */
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK ",\"aud\":" AUD "}",                      /* B10: twice */
		"{\"aud\":" AUD "," REST ",\"iat\":1.8e9,\"nbf\":1800000000,\"exp\":1800003600,\"auth_time\":1800000000,\"amr\":[\"hwk\"],\"cnf\":" JWK "}",
		"{\"aud\":" AUD "," REST ",\"iat\":-1,\"nbf\":1800000000,\"exp\":1800003600,\"auth_time\":1800000000,\"amr\":[\"hwk\"],\"cnf\":" JWK "}",
		"{\"aud\":" AUD "," REST ",\"iat\":1800000000,\"nbf\":1800000000,\"exp\":4102444801,\"auth_time\":1800000000,\"amr\":[\"hwk\"],\"cnf\":" JWK "}",
		"{\"aud\":" AUD "," REST ",\"iat\":1800000000,\"nbf\":1577836799,\"exp\":1800003600,\"auth_time\":1800000000,\"amr\":[\"hwk\"],\"cnf\":" JWK "}",
		"{\"aud\":" AUD "," REST ",\"iat\":\"1800000000\",\"nbf\":1800000000,\"exp\":1800003600,\"auth_time\":1800000000,\"amr\":[\"hwk\"],\"cnf\":" JWK "}",
		"{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK "}x",
		"{\"aud\":" AUD ",\"iss\":" AUD ",\"sub\":\"" ID "A\",\"dev\":\"" ID "\",\"jti\":\"" ID "\"," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK "}",
		"{\"aud\":" AUD ",\"iss\":" AUD ",\"sub\":\"AAAAAAAAAAAAAAAAAAAAAB\",\"dev\":\"" ID "\",\"jti\":\"" ID "\"," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK "}",
	};

	(void)state;
	assert_ok(parse("{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\"],\"cnf\":" JWK "}"));
	assert_int_equal(got.cluster.b[15], 1);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (parse(bad[i]) == CLUSTER_OK)
			fail_msg("row %zu was accepted: %s", i, bad[i]);
}

/* B8: a cnf key of small order proves nothing, so it is no key. */
static void test_bad_cnf(void **state)
{
	(void)state;
	assert_err(parse("{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\"],"
		"\"cnf\":{\"jwk\":{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}}"), CLUSTER_ESIGNATURE);
	assert_true(parse("{\"aud\":" AUD "," REST "," TIMES ",\"amr\":[\"hwk\"],"
		"\"cnf\":{\"jwk\":{\"crv\":\"Ed25519\",\"d\":\"AAAA\",\"kty\":\"OKP\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}}}") != CLUSTER_OK);
}

static void test_sources(void **state)
{
	static const struct {
		const char *cidr, *address;
		bool want;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.255", true }, { "192.0.2.0/24", "192.0.3.0", false }, { "192.0.2.7", "192.0.2.7", true }, { "192.0.2.7", "192.0.2.8", false },
		{ "0.0.0.0/0", "203.0.113.1", true }, { "0.0.0.0/0", "2001:db8::1", false }, { "::/0", "203.0.113.1", false }, { "::/0", "2001:db8::1", true },
		{ "2001:db8::/33", "2001:db8:7fff::1", true }, { "2001:db8::/33", "2001:db8:8000::1", false }, { "10.0.0.0/9", "10.127.1.1", true }, { "10.0.0.0/9", "10.128.1.1", false },
		{ "192.0.2.0/24", "::ffff:192.0.2.1", true }, { "fe80::/10", "fe80::1%eth0", true }, { "10.0.0.0/32", "10.0.0.0", true }, { "10.0.0.0/8", "", false },
		{ "10.0.0.0/8", "host.example", false }, { "10.0.0.0/8", "10.0.0.1 ", false }, { "10/8", "10.0.0.1", false }, { "10.0.0.0/", "10.0.0.1", false },
		{ "10.0.0.0/08", "10.0.0.1", false }, { "10.0.0.0/-1", "10.0.0.1", false }, { "", "10.0.0.1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (credential_source_contains(rows[i].cidr, rows[i].address) != rows[i].want)
			fail_msg("%s and %s", rows[i].cidr, rows[i].address);
	assert_true(credential_source_ok("192.0.2.1") && credential_source_ok("2001:db8::/32") && credential_source_ok("0.0.0.0/0"));
	assert_true(credential_source_exact("192.0.2.1") && credential_source_exact("192.0.2.0/24") && credential_source_exact("192.0.2.128/25") && credential_source_exact("0.0.0.0/0"));
	assert_true(credential_source_exact("2001:db8::/32") && credential_source_exact("::/0"));
	assert_false(credential_source_exact("192.0.2.1/24") || credential_source_exact("192.0.2.64/25") || credential_source_exact("2001:db8::1/64") || credential_source_exact("x"));
	assert_false(credential_source_exact("::ffff:192.0.2.1") || credential_source_exact("::ffff:192.0.2.0/120"));
	assert_false(credential_source_ok("2001:db8::/129") || credential_source_ok("1.2.3.4/33") || credential_source_ok("1.2.3") || credential_source_ok("x"));
}

/* G1: a path that has nothing to verify costs as much, and says nothing. */
static void test_nothing(void **state)
{
	(void)state;
	assert_ok(credential_warm());
	credential_verify_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_signature_and_key),
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_bad_cnf),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests_name("credential", tests, setup, teardown);
}
