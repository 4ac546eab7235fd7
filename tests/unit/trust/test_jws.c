/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trustgen.h"

#include "cluster/b64.h"
#include "cluster/json.h"
#include "cluster/jwk.h"
#include "cluster/jws.h"

#define NOW INT64_C(1790000000)
#define PAYLOAD "{\"a\":1}"

static struct trustgen *g;
static struct crypto_key *ed, *ec;
static struct crypto_pub ed_pub, ec_pub;

static int set_up(void **state)
{
	(void)state;
	g = trustgen_new("prod", NOW);
	ed = trustgen_key(g);
	g->alg = CRYPTO_ES256;
	ec = trustgen_key(g);
	assert_ok(crypto_key_pub(ed, &ed_pub));
	assert_ok(crypto_key_pub(ec, &ec_pub));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	trustgen_free(g);
	return 0;
}

static const char *b64(const void *p, size_t n)
{
	char *text = trustgen_format(g, "%*s", (int)B64_LEN(n), "");

	assert_ok(b64_encode(p, n, text, B64_LEN(n) + 1));
	return text;
}

/* A token with any header and payload, properly signed by `key`. */
static const char *forge(const struct crypto_key *key, const char *header, const char *payload)
{
	const char *input = trustgen_format(g, "%s.%s", b64(header, strlen(header)), b64(payload, strlen(payload)));
	uint8_t sig[CRYPTO_SIG_SIZE];

	assert_ok(crypto_sign(key, input, strlen(input), sig));
	return trustgen_format(g, "%s.%s", input, b64(sig, sizeof sig));
}

static enum cluster_err parse(const char *token, enum jws_typ typ)
{
	struct jws j;
	struct diag d = { 0 };
	enum cluster_err e = jws_parse(token, strlen(token), typ, &j, &d);

	if (e == CLUSTER_OK)
		jws_done(&j);
	else
		assert_true(d.text[0] && d.code == e);
	return e;
}

static enum cluster_err verify(const char *token, enum jws_typ typ, const struct crypto_pub *pub)
{
	struct jws j;
	enum cluster_err e = jws_parse(token, strlen(token), typ, &j, NULL);

	if (e != CLUSTER_OK)
		return e;
	e = jws_verify(&j, pub);
	jws_done(&j);
	return e;
}

static void test_round_trip(void **state)
{
	char kid[NAME_KID_MAX + 1];
	struct jws j;
	const char *token = trustgen_sign_with(g, JWS_CREDENTIAL, ed, PAYLOAD);

	(void)state;
	assert_ok(jwk_kid(&ed_pub, kid));
	assert_ok(jws_parse(token, strlen(token), JWS_CREDENTIAL, &j, NULL));
	assert_string_equal(j.kid, kid);
	assert_int_equal(j.alg, CRYPTO_ED25519);
	assert_int_equal(j.payload_n, strlen(PAYLOAD));
	assert_string_equal(j.payload, PAYLOAD);
	assert_ptr_equal(j.signing_input, token);
	assert_ok(jws_verify(&j, &ed_pub));
	assert_err(jws_verify(&j, &ec_pub), CLUSTER_ESIGNATURE);
	jws_done(&j);
	jws_done(&j);
	assert_ok(verify(trustgen_sign_with(g, JWS_CREDENTIAL, ec, PAYLOAD), JWS_CREDENTIAL, &ec_pub));
	assert_err(verify(trustgen_sign_with(g, JWS_CREDENTIAL, ec, PAYLOAD), JWS_CREDENTIAL, &ed_pub), CLUSTER_ESIGNATURE);
	assert_err(verify(token, JWS_CREDENTIAL, &g->keyset.ring.key[0].pub), CLUSTER_ESIGNATURE);
}

/* The one that needs no terminator: what lies behind the n bytes is not looked at. */
static void test_length_counts(void **state)
{
	const char *token = trustgen_sign_with(g, JWS_HEAD, ed, PAYLOAD), *longer = trustgen_format(g, "%sAAAA.more", token);
	struct jws j;

	(void)state;
	assert_ok(jws_parse(longer, strlen(token), JWS_HEAD, &j, NULL));
	assert_ok(jws_verify(&j, &ed_pub));
	jws_done(&j);
	for (size_t n = 0; n < strlen(token); n++)
		assert_err(jws_parse(token, n, JWS_HEAD, &j, NULL), CLUSTER_EFORMAT);
}

#define KID "kPrK_qmxVWaYVA9wwBF6Ig"
#define HEADER(alg, more) "{\"alg\":" alg ",\"kid\":\"" KID "\",\"typ\":\"cluster-head+jwt\"" more "}"

/* B1: a closed set, before any key is looked for. */
static void test_alg(void **state)
{
	static const char *const bad[] = {
		"\"none\"", "\"None\"", "\"NONE\"", "\"nOnE\"", "\"\"", "\"HS256\"", "\"HS384\"", "\"HS512\"", "\"RS256\"", "\"PS256\"", "\"ES384\"", "\"ES512\"", "\"ES256K\"",
		"\"Ed448\"", "\"ed25519\"", "\"eddsa\"", "\"es256\"", "\"ES256 \"", "\"Ed25519\\u0020\"", "\"EdDSA,none\"", "1", "null", "true", "[\"ES256\"]", "{}",
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *header = trustgen_format(g, "{\"alg\":%s,\"kid\":\"" KID "\",\"typ\":\"cluster-head+jwt\"}", bad[i]);

		if (parse(forge(ed, header, PAYLOAD), JWS_HEAD) != CLUSTER_EFORMAT)
			fail_msg("accepted: alg %s", bad[i]);
	}
	assert_ok(verify(forge(ed, HEADER("\"Ed25519\"", ""), PAYLOAD), JWS_HEAD, &ed_pub));
	assert_ok(verify(forge(ed, HEADER("\"EdDSA\"", ""), PAYLOAD), JWS_HEAD, &ed_pub));
	assert_ok(verify(forge(ec, HEADER("\"ES256\"", ""), PAYLOAD), JWS_HEAD, &ec_pub));
}

/* B2: the key decides, the header is only compared. */
static void test_alg_is_the_keys(void **state)
{
	(void)state;
	assert_err(verify(forge(ed, HEADER("\"ES256\"", ""), PAYLOAD), JWS_HEAD, &ed_pub), CLUSTER_ESIGNATURE);
	assert_err(verify(forge(ec, HEADER("\"EdDSA\"", ""), PAYLOAD), JWS_HEAD, &ec_pub), CLUSTER_ESIGNATURE);
	assert_err(verify(forge(ec, HEADER("\"Ed25519\"", ""), PAYLOAD), JWS_HEAD, &ec_pub), CLUSTER_ESIGNATURE);
}

/* B3: one case a name. */
static void test_header_members(void **state)
{
	static const char *const names[] = {
		"crit", "b64", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "zip", "cty", "enc", "iss", "aud", "sub", "nonce", "url", "epk", "apu", "p2c", "Alg", "TYP", "",
	};
	static const char *const values[] = { "\"x\"", "[\"exp\"]", "false", "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
			const char *header = trustgen_format(g, "{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"cluster-head+jwt\",\"%s\":%s}", names[i], values[k]);

			if (parse(forge(ed, header, PAYLOAD), JWS_HEAD) != CLUSTER_EFORMAT)
				fail_msg("accepted: %s", header);
		}
	assert_err(parse(forge(ed, "{\"kid\":\"" KID "\",\"typ\":\"cluster-head+jwt\"}", PAYLOAD), JWS_HEAD), CLUSTER_EFORMAT);
	assert_err(parse(forge(ed, "{\"alg\":\"EdDSA\",\"typ\":\"cluster-head+jwt\"}", PAYLOAD), JWS_HEAD), CLUSTER_EFORMAT);
	assert_err(parse(forge(ed, "{\"alg\":\"EdDSA\",\"kid\":\"" KID "\"}", PAYLOAD), JWS_HEAD), CLUSTER_EFORMAT);
	assert_err(parse(forge(ed, "{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"cluster-head+jwt\"}", PAYLOAD), JWS_HEAD), CLUSTER_EFORMAT);
	assert_err(parse(forge(ed, "{\"alg\":\"none\",\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"cluster-head+jwt\"}", PAYLOAD), JWS_HEAD), CLUSTER_EFORMAT);
	assert_err(parse(forge(ed, "[]", PAYLOAD), JWS_HEAD), CLUSTER_EFORMAT);
	assert_err(parse(forge(ed, "EdDSA", PAYLOAD), JWS_HEAD), CLUSTER_EFORMAT);
	assert_err(parse(forge(ed, trustgen_format(g, "%s%600s", HEADER("\"EdDSA\"", ""), ""), PAYLOAD), JWS_HEAD), CLUSTER_EFORMAT);
}

/* B4 */
static void test_kid(void **state)
{
	static const char *const bad[] = {
		"", "../../etc/passwd", "/dev/null", "a b", "a.b", "a'; DROP TABLE keys; --", "%s%n", "a\\u0000", "a\\n", "\\u00e9", "0123456789012345678901234567890123",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *header = trustgen_format(g, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"cluster-head+jwt\"}", bad[i]);

		if (parse(forge(ed, header, PAYLOAD), JWS_HEAD) != CLUSTER_EFORMAT)
			fail_msg("accepted: kid %s", bad[i]);
	}
	assert_err(parse(forge(ed, "{\"alg\":\"EdDSA\",\"kid\":7,\"typ\":\"cluster-head+jwt\"}", PAYLOAD), JWS_HEAD), CLUSTER_EFORMAT);
	assert_ok(parse(forge(ed, "{\"alg\":\"EdDSA\",\"kid\":\"01234567890123456789012345678-_Z\",\"typ\":\"cluster-head+jwt\"}", PAYLOAD), JWS_HEAD));
}

/* B5: compact only, two dots, three parts. */
static void test_serialisation(void **state)
{
	const char *token = trustgen_sign_with(g, JWS_HEAD, ed, PAYLOAD);
	const char *a = trustgen_format(g, "%.*s", (int)(strchr(token, '.') - token), token), *rest = strchr(token, '.') + 1;
	const char *p = trustgen_format(g, "%.*s", (int)(strchr(rest, '.') - rest), rest), *s = strchr(rest, '.') + 1;
	const char *const bad[] = {
		trustgen_format(g, "{\"payload\":\"%s\",\"protected\":\"%s\",\"signature\":\"%s\"}", p, a, s),
		trustgen_format(g, "{\"payload\":\"%s\",\"signatures\":[{\"protected\":\"%s\",\"signature\":\"%s\"}]}", p, a, s),
		trustgen_format(g, "%s.%s", a, p), trustgen_format(g, "%s.%s.", a, p), trustgen_format(g, ".%s.%s", p, s), trustgen_format(g, "%s..%s", a, s),
		trustgen_format(g, "%s.%s.%s.", a, p, s), trustgen_format(g, ".%s", token), trustgen_format(g, "%s.%s", token, s), trustgen_format(g, "%s.%s.%s.%s.%s", a, p, s, p, s),
		"", ".", "..", "...", "a.b.c", trustgen_format(g, " %s", token), trustgen_format(g, "%s ", token), trustgen_format(g, "%s\n", token),
		trustgen_format(g, "%s~%s", token, s),
	};

	(void)state;
	assert_ok(parse(token, JWS_HEAD));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (parse(bad[i], JWS_HEAD) != CLUSTER_EFORMAT)
			fail_msg("accepted: %s", bad[i]);
}

/* B6: every change of one character gives another token, and none of them holds. */
static void test_malleability(void **state)
{
	static const char others[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n";
	const char *token = trustgen_sign_with(g, JWS_HEAD, ed, PAYLOAD);
	char *copy = trustgen_format(g, "%s", token);
	size_t n = strlen(token);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		/* At the end, where unused bits are, all of them; elsewhere a few are enough. */
		for (size_t k = 0; k < sizeof others - 1; k += i < n - 3 ? 11 : 1) {
			if (others[k] == token[i])
				continue;
			copy[i] = others[k];
			if (verify(copy, JWS_HEAD, &ed_pub) == CLUSTER_OK)
				fail_msg("holds with '%c' at %zu", others[k], i);
		}
		copy[i] = token[i];
	}
	for (size_t i = 0; i <= n; i++) {
		const char *inserted = trustgen_format(g, "%.*s=%s", (int)i, token, token + i);

		assert_int_not_equal(verify(inserted, JWS_HEAD, &ed_pub), CLUSTER_OK);
	}
}

/* B9: every type presented as every other. */
static void test_typ_matrix(void **state)
{
	(void)state;
	for (unsigned is = 0; is < JWS_TYP_N; is++) {
		const char *token = trustgen_sign_with(g, (enum jws_typ)is, ed, PAYLOAD);

		for (unsigned as = 0; as < JWS_TYP_N; as++)
			if (parse(token, (enum jws_typ)as) != (is == as ? CLUSTER_OK : CLUSTER_EFORMAT))
				fail_msg("%s read as %s", jws_typ_name((enum jws_typ)is), jws_typ_name((enum jws_typ)as));
	}
	assert_err(parse(forge(ed, "{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"JWT\"}", PAYLOAD), JWS_HEAD), CLUSTER_EFORMAT);
	assert_err(parse(forge(ed, "{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"CLUSTER-HEAD+JWT\"}", PAYLOAD), JWS_HEAD), CLUSTER_EFORMAT);
	assert_err(parse(forge(ed, "{\"alg\":\"EdDSA\",\"kid\":\"" KID "\",\"typ\":\"application/cluster-head+jwt\"}", PAYLOAD), JWS_HEAD), CLUSTER_EFORMAT);
	assert_err(parse("a.b.c", (enum jws_typ)JWS_TYP_N), CLUSTER_EFORMAT);
	assert_string_equal(jws_typ_name((enum jws_typ)JWS_TYP_N), "?");
	assert_int_equal(jws_typ_cap((enum jws_typ)JWS_TYP_N), 0);
}

static void test_caps(void **state)
{
	static const size_t cap[JWS_TYP_N] = { 65536, 65536, 8192, 1048576, 16777216, 1000, 511, 1280, 511, 4096, 4096, 4096 };
	char *text, *payload;

	(void)state;
	for (unsigned t = 0; t < JWS_TYP_N; t++)
		assert_int_equal(jws_typ_cap((enum jws_typ)t), cap[t]);
	text = trustgen_format(g, "%1001s", "");
	assert_err(parse(text, JWS_CREDENTIAL), CLUSTER_ELIMIT);
	text[1000] = '\0';
	assert_err(parse(text, JWS_CREDENTIAL), CLUSTER_EFORMAT);
	payload = trustgen_format(g, "{\"a\":\"%800s\"}", "");
	text = NULL;
	assert_err(jws_sign(ed, JWS_CREDENTIAL, payload, strlen(payload), &text), CLUSTER_ELIMIT);
	assert_err(jws_sign(ed, JWS_CREDENTIAL, payload, 0, &text), CLUSTER_EFORMAT);
	assert_err(jws_sign(ed, (enum jws_typ)JWS_TYP_N, payload, 10, &text), CLUSTER_EFORMAT);
	assert_null(text);
}

/* dpop+jwt carries its key: alg must be that key's, kid must not be there, and the key must be one. */
static void test_dpop(void **state)
{
	const char *token = trustgen_sign_with(g, JWS_DPOP, ec, PAYLOAD), *ed_jwk = trustgen_jwk(g, ed);
	struct jws j;

	(void)state;
	assert_ok(jws_parse(token, strlen(token), JWS_DPOP, &j, NULL));
	assert_true(crypto_pub_equal(&j.jwk, &ec_pub));
	assert_string_equal(j.kid, "");
	assert_ok(jws_verify(&j, &j.jwk));
	jws_done(&j);
	assert_ok(parse(forge(ed, trustgen_format(g, "{\"alg\":\"EdDSA\",\"jwk\":%s,\"typ\":\"dpop+jwt\"}", ed_jwk), PAYLOAD), JWS_DPOP));
	assert_err(parse(forge(ed, trustgen_format(g, "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dpop+jwt\"}", ed_jwk), PAYLOAD), JWS_DPOP), CLUSTER_EFORMAT);
	assert_err(parse(forge(ed, trustgen_format(g, "{\"alg\":\"EdDSA\",\"jwk\":%s,\"kid\":\"x\",\"typ\":\"dpop+jwt\"}", ed_jwk), PAYLOAD), JWS_DPOP), CLUSTER_EFORMAT);
	assert_err(parse(forge(ed, "{\"alg\":\"EdDSA\",\"kid\":\"x\",\"typ\":\"dpop+jwt\"}", PAYLOAD), JWS_DPOP), CLUSTER_EFORMAT);
	assert_err(parse(forge(ed, "{\"alg\":\"EdDSA\",\"jwk\":\"x\",\"typ\":\"dpop+jwt\"}", PAYLOAD), JWS_DPOP), CLUSTER_EFORMAT);
	/* B8: the identity key, under which everything holds */
	assert_err(parse(forge(ed, "{\"alg\":\"EdDSA\",\"jwk\":{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"},\"typ\":\"dpop+jwt\"}",
		PAYLOAD), JWS_DPOP), CLUSTER_EFORMAT);
}

static void test_sign_json(void **state)
{
	struct json *j = json_make("{s:s, s:I}", "b", "x", "a", 1LL);
	struct jws parsed;
	char *token = NULL;

	(void)state;
	assert_ok(jws_sign_json(ed, JWS_NODE, j, &token));
	assert_ok(jws_parse(token, strlen(token), JWS_NODE, &parsed, NULL));
	assert_string_equal(parsed.payload, "{\"a\":1,\"b\":\"x\"}");
	jws_done(&parsed);
	free(token);
	json_free(j);
	token = NULL;
	assert_err(jws_sign_json(ed, JWS_NODE, NULL, &token), CLUSTER_ENOMEM);
	assert_null(token);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_length_counts),
		cmocka_unit_test(test_alg),
		cmocka_unit_test(test_alg_is_the_keys),
		cmocka_unit_test(test_header_members),
		cmocka_unit_test(test_kid),
		cmocka_unit_test(test_serialisation),
		cmocka_unit_test(test_malleability),
		cmocka_unit_test(test_typ_matrix),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_dpop),
		cmocka_unit_test(test_sign_json),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
