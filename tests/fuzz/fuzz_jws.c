/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_sign.h"

#include "cluster/b64.h"
#include "cluster/name.h"

/* First byte: the type; then a token. What is accepted has one spelling only (THREATS.md B6). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct jws j;
	struct crypto_pub pub;
	const char *token = (const char *)data + 1, *dot;
	enum jws_typ typ;
	char *text, sig[B64_LEN(CRYPTO_SIG_SIZE) + 1];

	FUZZ_CHECK(crypto_key_pub(fuzz_key(), &pub) == CLUSTER_OK);
	if (n == 0)
		return 0;
	typ = (enum jws_typ)(data[0] % (JWS_TYP_N + 1));
	if (jws_parse(token, n - 1, typ, &j, NULL) != CLUSTER_OK)
		return 0;
	FUZZ_CHECK(n - 1 <= jws_typ_cap(typ) && j.typ == typ && j.payload_n > 0 && j.payload[j.payload_n] == '\0');
	FUZZ_CHECK(typ == JWS_DPOP ? j.kid[0] == '\0' && crypto_pub_check(&j.jwk) == CLUSTER_OK : name_kid_ok(j.kid));
	FUZZ_CHECK(j.signing_input == token && token[j.signing_n] == '.');
	dot = memchr(token, '.', n - 1);
	FUZZ_CHECK((text = malloc(B64_LEN(j.payload_n) + 1)) != NULL);
	FUZZ_CHECK(b64_encode(j.payload, j.payload_n, text, B64_LEN(j.payload_n) + 1) == CLUSTER_OK);
	FUZZ_CHECK(j.signing_n == (size_t)(dot - token) + 1 + strlen(text) && memcmp(dot + 1, text, strlen(text)) == 0);
	FUZZ_CHECK(b64_encode(j.sig, sizeof j.sig, sig, sizeof sig) == CLUSTER_OK);
	FUZZ_CHECK(n - 1 == j.signing_n + 1 + strlen(sig) && memcmp(token + j.signing_n + 1, sig, strlen(sig)) == 0);
	if (jws_verify(&j, &pub) == CLUSTER_OK)
		FUZZ_CHECK(j.alg == pub.alg);
	free(text);
	jws_done(&j);
	return 0;
}
