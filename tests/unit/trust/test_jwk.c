/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/json.h"
#include "cluster/jwk.h"

#define ED_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" /* RFC 8037 appendix A.1 */
#define ED_THUMB "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" /* A.3 */
#define ED_KID "kPrK_qmxVWaYVA9wwBF6Ig" /* its first 16 bytes */
#define EC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU" /* RFC 7515 appendix A.3 */
#define EC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC_THUMB "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U" /* SHA-256 of the RFC 7638 form, computed elsewhere */
#define EC_KID "oKIywvGUpTVTyxMQ3bwIIQ"

#define ED "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}"
#define EC "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}"
#define ED_NAMED "{\"alg\":\"Ed25519\",\"crv\":\"Ed25519\",\"kid\":\"" ED_KID "\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}"
#define EC_NAMED "{\"alg\":\"ES256\",\"crv\":\"P-256\",\"kid\":\"" EC_KID "\",\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}"

static enum cluster_err parse(const char *text, enum jwk_form form, struct crypto_pub *ret)
{
	struct json *j = NULL;
	struct diag d = { 0 };
	enum cluster_err e;

	assert_ok(json_parse(text, strlen(text), 4096, &j, &d));
	e = jwk_parse(j, form, ret, &d);
	json_free(j);
	assert_true(e == CLUSTER_OK || d.text[0]);
	return e;
}

/* RFC 7638, RFC 8037 appendix A.3. */
static void test_thumbprints(void **state)
{
	struct crypto_pub pub;
	char thumb[JWK_THUMBPRINT + 1], kid[NAME_KID_MAX + 1];

	(void)state;
	assert_ok(parse(ED, JWK_BARE, &pub));
	assert_int_equal(pub.alg, CRYPTO_ED25519);
	assert_ok(jwk_thumbprint(&pub, thumb));
	assert_string_equal(thumb, ED_THUMB);
	assert_ok(jwk_kid(&pub, kid));
	assert_string_equal(kid, ED_KID);
	assert_int_equal(strlen(kid), JWK_KID);
	assert_ok(parse(EC, JWK_BARE, &pub));
	assert_int_equal(pub.alg, CRYPTO_ES256);
	assert_ok(jwk_thumbprint(&pub, thumb));
	assert_string_equal(thumb, EC_THUMB);
	assert_ok(jwk_kid(&pub, kid));
	assert_string_equal(kid, EC_KID);
	pub.alg = (enum crypto_alg)9;
	assert_err(jwk_kid(&pub, kid), CLUSTER_EFORMAT);
	assert_null(jwk_build(&pub, JWK_BARE));
}

static void same_text(const char *text, enum jwk_form form)
{
	struct crypto_pub pub;
	struct json *j;
	char *again = NULL;

	assert_ok(parse(text, form, &pub));
	j = jwk_build(&pub, form);
	assert_ok(json_text(j, &again, NULL));
	assert_string_equal(again, text);
	free(again);
	json_free(j);
}

static void test_build(void **state)
{
	(void)state;
	same_text(ED, JWK_BARE);
	same_text(EC, JWK_BARE);
	same_text(ED_NAMED, JWK_NAMED);
	same_text(EC_NAMED, JWK_NAMED);
}

/* B2: alg, kty and crv are one table. */
static void test_refuses(void **state)
{
	static const char *const bare[] = {
		"{}", "[]", ED_NAMED, EC_NAMED,
		"{\"crv\":\"Ed25519\",\"kty\":\"EC\",\"x\":\"" ED_X "\"}",
		"{\"crv\":\"P-256\",\"kty\":\"OKP\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
		"{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"" ED_X "\",\"y\":\"" EC_Y "\"}",
		"{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" EC_X "\"}",
		"{\"crv\":\"ed25519\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
		"{\"crv\":\"X25519\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
		"{\"crv\":\"Ed448\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
		"{\"crv\":\"P-384\",\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
		"{\"crv\":\"secp256k1\",\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
		"{\"crv\":1,\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
		"{\"kty\":\"oct\",\"k\":\"AAAA\"}",
		"{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
		"tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh"
		"6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\"}", /* RFC 7638 section 3.1 */
		"{\"crv\":\"Ed25519\",\"d\":\"" ED_X "\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}", /* a private key */
		"{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"use\":\"sig\",\"x\":\"" ED_X "\"}",
		"{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"\"}",
		"{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR\"}",
		"{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"" ED_X "A\"}",
		"{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp\"}", /* an unused bit */
		"{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
	};
	struct crypto_pub pub;

	(void)state;
	for (size_t i = 0; i < sizeof bare / sizeof bare[0]; i++)
		if (parse(bare[i], JWK_BARE, &pub) != CLUSTER_EFORMAT)
			fail_msg("accepted: %s", bare[i]);
}

/* B2, B4: in a keyset alg must be the key's and kid its own. */
static void test_refuses_named(void **state)
{
	static const char *const named[] = {
		ED, EC,
		"{\"alg\":\"EdDSA\",\"crv\":\"Ed25519\",\"kid\":\"" ED_KID "\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
		"{\"alg\":\"ES256\",\"crv\":\"Ed25519\",\"kid\":\"" ED_KID "\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
		"{\"alg\":\"HS256\",\"crv\":\"Ed25519\",\"kid\":\"" ED_KID "\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
		"{\"alg\":\"none\",\"crv\":\"Ed25519\",\"kid\":\"" ED_KID "\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
		"{\"alg\":\"Ed25519\",\"crv\":\"Ed25519\",\"kid\":\"" EC_KID "\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
		"{\"alg\":\"Ed25519\",\"crv\":\"Ed25519\",\"kid\":\"" ED_THUMB "\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
		"{\"alg\":\"Ed25519\",\"crv\":\"Ed25519\",\"kid\":\"../../etc/passwd\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
		"{\"alg\":\"Ed25519\",\"crv\":\"Ed25519\",\"kid\":\"\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
		"{\"alg\":\"Ed25519\",\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
		"{\"crv\":\"Ed25519\",\"kid\":\"" ED_KID "\",\"kty\":\"OKP\",\"x\":\"" ED_X "\"}",
	};
	struct crypto_pub pub;

	(void)state;
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
		if (parse(named[i], JWK_NAMED, &pub) != CLUSTER_EFORMAT)
			fail_msg("accepted: %s", named[i]);
}

/* B8: a point that must never be a key is refused by the reader itself. */
static void test_bad_points(void **state)
{
	static const char *const bad[] = {
		"{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"7f_______________________________________38\"}",
		"{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_X "\"}",
		"{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
	};
	struct crypto_pub pub;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_err(parse(bad[i], JWK_BARE, &pub), CLUSTER_ESIGNATURE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thumbprints),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_refuses_named),
		cmocka_unit_test(test_bad_points),
	};

	if (crypto_start() != CLUSTER_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
