/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/b64.h"
#include "cluster/crypto.h"
#include "cluster/secret.h"

static size_t unhex(const char *hex, uint8_t *dst, size_t size)
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= size);
	for (size_t i = 0; i < n; i++) {
		unsigned byte = 0;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		dst[i] = (uint8_t)byte;
	}
	return n;
}

static struct crypto_pub pub_hex(enum crypto_alg alg, const char *hex)
{
	struct crypto_pub pub = { .alg = alg };

	assert_int_equal(unhex(hex, pub.bytes, sizeof pub.bytes), crypto_pub_size(alg));
	return pub;
}

static enum cluster_err verify_hex(const struct crypto_pub *pub, const char *message, const char *sig_hex)
{
	uint8_t sig[CRYPTO_SIG_SIZE];

	assert_int_equal(unhex(sig_hex, sig, sizeof sig), sizeof sig);
	return crypto_verify(pub, message, strlen(message), sig);
}

/* RFC 8032 7.1, tests 1 to 3. */
static void test_rfc8032(void **state)
{
	static const struct {
		const char *pub, *message, *sig;
	} v[] = {
		{ "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
		  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
		{ "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "\x72",
		  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
		{ "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "\xaf\x82",
		  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct crypto_pub pub = pub_hex(CRYPTO_ED25519, v[i].pub);

		assert_ok(crypto_pub_check(&pub));
		assert_ok(verify_hex(&pub, v[i].message, v[i].sig));
		assert_err(verify_hex(&pub, "other", v[i].sig), CLUSTER_ESIGNATURE);
	}
}

static void verify_jws(const struct crypto_pub *pub, const char *jws)
{
	const char *dot = strrchr(jws, '.');
	uint8_t sig[CRYPTO_SIG_SIZE];

	assert_ok(b64_decode_exact(dot + 1, strlen(dot + 1), sig, sizeof sig));
	assert_ok(crypto_verify(pub, jws, (size_t)(dot - jws), sig));
	assert_err(crypto_verify(pub, jws, (size_t)(dot - jws) - 1, sig), CLUSTER_ESIGNATURE);
}

/* RFC 8037 appendix A.4 and RFC 7515 appendix A.3. */
static void test_jose_vectors(void **state)
{
	struct crypto_pub ed = pub_hex(CRYPTO_ED25519, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), ec = { .alg = CRYPTO_ES256 };
	static const char x[] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y[] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

	(void)state;
	assert_ok(b64_decode_exact(x, 43, ec.bytes, 32));
	assert_ok(b64_decode_exact(y, 43, ec.bytes + 32, 32));
	assert_ok(crypto_pub_check(&ec));
	verify_jws(&ed, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
		"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
	verify_jws(&ec, "eyJhbGciOiJFUzI1NiJ9."
		"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
		"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
}

/* B8: the fourteen encodings of the eight points of small order. */
static void test_small_order(void **state)
{
	static const char *const encodings[] = {
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};

	(void)state;
	assert_int_equal(sizeof encodings / sizeof encodings[0], 14);
	for (size_t i = 0; i < 14; i++) {
		struct crypto_pub pub = pub_hex(CRYPTO_ED25519, encodings[i]);

		assert_err(crypto_pub_check(&pub), CLUSTER_ESIGNATURE);
	}
}

/* B8: every other y >= p, with both signs; the y just below the forbidden ones are not touched by that rule. */
static void test_non_canonical(void **state)
{
	struct crypto_pub pub = { .alg = CRYPTO_ED25519 };

	(void)state;
	for (unsigned low = 0xed; low <= 0xff; low++)
		for (unsigned top = 0x7f; top <= 0xff; top += 0x80) {
			memset(pub.bytes, 0xff, 32);
			pub.bytes[0] = (uint8_t)low;
			pub.bytes[31] = (uint8_t)top;
			assert_err(crypto_pub_check(&pub), CLUSTER_ESIGNATURE);
		}
	pub.bytes[31] = 0x7f;
	pub.bytes[0] = 0xeb; /* p - 2 */
	assert_ok(crypto_pub_check(&pub));
	pub.bytes[0] = 0xff;
	pub.bytes[15] = 0xfe; /* far below p */
	assert_ok(crypto_pub_check(&pub));
	memset(pub.bytes, 0, sizeof pub.bytes);
	pub.bytes[0] = 2;
	assert_ok(crypto_pub_check(&pub));
}

/* B8: why the list is needed. Under the identity key one signature holds for everything, and libcrypto says yes. */
static void test_identity_key(void **state)
{
	struct crypto_pub pub = { .alg = CRYPTO_ED25519, .bytes = { 1 } };
	static const uint8_t sig[CRYPTO_SIG_SIZE] = { 1 };

	(void)state;
	assert_ok(crypto_verify(&pub, "anything", 8, sig));
	assert_err(crypto_pub_check(&pub), CLUSTER_ESIGNATURE);
}

static void test_p256_points(void **state)
{
	struct crypto_pub pub = { .alg = CRYPTO_ES256 };
	static const uint8_t sig[CRYPTO_SIG_SIZE] = { [31] = 1, [63] = 1 };

	(void)state;
	assert_err(crypto_pub_check(&pub), CLUSTER_ESIGNATURE); /* 0, 0 */
	assert_err(crypto_verify(&pub, "x", 1, sig), CLUSTER_ESIGNATURE);
	pub = pub_hex(CRYPTO_ES256, "7fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad");
	assert_ok(crypto_pub_check(&pub));
	pub.bytes[63] ^= 1; /* off the curve */
	assert_err(crypto_pub_check(&pub), CLUSTER_ESIGNATURE);
	memset(pub.bytes, 0xff, 32); /* x >= p */
	assert_err(crypto_pub_check(&pub), CLUSTER_ESIGNATURE);
	pub.alg = (enum crypto_alg)3;
	assert_err(crypto_pub_check(&pub), CLUSTER_ESIGNATURE);
	assert_err(crypto_verify(&pub, "x", 1, sig), CLUSTER_ESIGNATURE);
	assert_int_equal(crypto_pub_size(pub.alg), 0);
	assert_false(crypto_pub_equal(&pub, &pub));
}

#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define FIVE "0000000000000000000000000000000000000000000000000000000000000005"
#define SEVEN "0000000000000000000000000000000000000000000000000000000000000007"

/* B7: a key made so that r = 5, s = 7 is its signature; r + n and s + n fit into 32 bytes and mean the same to who does not check the range. */
static void test_es256_range(void **state)
{
	struct crypto_pub pub = pub_hex(CRYPTO_ES256, "3c3c2adc6bc71787aa3e9e454d59f2e497806a37f524998d27daa862caa26bea54503a355a7029807582f3c8e6b8504f0c74941a0cd2039e82f3563100bfe454");
	static const char *const refused[] = {
		ZERO SEVEN, FIVE ZERO, ZERO ZERO, ORDER SEVEN, FIVE ORDER, ORDER ORDER,
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632556" SEVEN, /* r + n */
		FIVE "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632558", /* s + n */
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" SEVEN,
		SEVEN FIVE,
	};

	(void)state;
	assert_ok(crypto_pub_check(&pub));
	assert_ok(verify_hex(&pub, "small r", FIVE SEVEN));
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		assert_err(verify_hex(&pub, "small r", refused[i]), CLUSTER_ESIGNATURE);
}

/* B7: u1 G + u2 Q is the point at infinity. */
static void test_es256_infinity(void **state)
{
	struct crypto_pub pub = pub_hex(CRYPTO_ES256, "26efcebd0ee9e34a669187e18b3a9122b2f733945b649cc9f9f921e9f9dad81290238bde9cc7bb330d150c67704dd25ae7055205744b6f31bf4070745872d0e6");

	(void)state;
	assert_ok(crypto_pub_check(&pub));
	assert_err(verify_hex(&pub, "small r", "2dc23eb45b1913ae66b4299e7247546ad07619e647fbf807b4087ef920faa504" SEVEN), CLUSTER_ESIGNATURE);
}

static void round_trip(enum crypto_alg alg)
{
	struct crypto_key *key = NULL, *again = NULL;
	struct crypto_pub pub, pub_again;
	struct secret *pem = NULL;
	uint8_t sig[CRYPTO_SIG_SIZE];
	static const char message[] = "a message";

	assert_ok(crypto_key_new(alg, &key));
	assert_ok(crypto_key_pub(key, &pub));
	assert_ok(crypto_pub_check(&pub));
	assert_ok(crypto_key_build(key, &pem));
	assert_int_equal(strncmp((const char *)pem->bytes, "-----BEGIN PRIVATE KEY-----\n", 28), 0);
	assert_ok(crypto_key_parse(pem->bytes, pem->n, &again));
	assert_ok(crypto_key_pub(again, &pub_again));
	assert_true(crypto_pub_equal(&pub, &pub_again));
	assert_ok(crypto_sign(again, message, sizeof message, sig));
	assert_ok(crypto_verify(&pub, message, sizeof message, sig));
	for (size_t i = 0; i < sizeof sig; i++) {
		sig[i] ^= 0x10;
		assert_err(crypto_verify(&pub, message, sizeof message, sig), CLUSTER_ESIGNATURE);
		sig[i] ^= 0x10;
	}
	assert_err(crypto_verify(&pub, message, sizeof message - 1, sig), CLUSTER_ESIGNATURE);
	pub.bytes[1] ^= 1;
	assert_err(crypto_verify(&pub, message, sizeof message, sig), CLUSTER_ESIGNATURE);
	assert_false(crypto_pub_equal(&pub, &pub_again));
	assert_ok(crypto_sign(key, NULL, 0, sig));
	assert_ok(crypto_verify(&pub_again, NULL, 0, sig));
	secret_free(pem);
	crypto_key_free(key);
	crypto_key_free(again);
}

static void test_keys(void **state)
{
	struct crypto_key *key = NULL;

	(void)state;
	round_trip(CRYPTO_ED25519);
	round_trip(CRYPTO_ES256);
	assert_err(crypto_key_new((enum crypto_alg)0, &key), CLUSTER_EFORMAT);
	assert_null(key);
	crypto_key_free(NULL);
}

/* The secret half as others' formats have it. */
static void test_seed(void **state)
{
	static const char pem[] = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n";
	struct crypto_key *key = NULL, *p256 = NULL;
	struct secret *seed = NULL;

	(void)state;
	assert_ok(crypto_key_parse(pem, sizeof pem - 1, &key));
	assert_ok(crypto_key_seed(key, &seed));
	assert_int_equal(seed->n, 32);
	for (uint8_t i = 0; i < 32; i++)
		assert_int_equal(seed->bytes[i], i);
	secret_free(seed);
	seed = NULL;
	assert_ok(crypto_key_new(CRYPTO_ES256, &p256));
	assert_err(crypto_key_seed(p256, &seed), CLUSTER_EFORMAT);
	assert_null(seed);
	crypto_key_free(p256);
	crypto_key_free(key);
}

/* A key of an algorithm that we do not have; it guards nothing. */
static const char p384[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDD8utaH2d83XBVkYBXH\n"
	"vnkMU/VZWLW+gWCUWxlrPfS4zxg4b2IN/ZFcqvkCwaC5Of+hZANiAAT12IlClX7h\n"
	"vii3VpRE4z/bctMDEW3dbTA+3LDp7RoX4UMBwj7CJRDKp2+0PYCMA4Tewo6Y4tUS\n"
	"5ayBPFn+loCq1d90IAvSC6Rsj5MtFnDfjuxz95YMrM1MEH4O3M5r4TI=\n"
	"-----END PRIVATE KEY-----\n";

/* The key's text with another label: it is the label that is refused, and nobody is asked for a passphrase. */
static void refuse_label(const struct secret *pem, const char *label)
{
	struct crypto_key *key = NULL;
	char text[1024];
	const char *body = strchr((const char *)pem->bytes, '\n'), *end = strstr((const char *)pem->bytes, "-----END");
	int n = snprintf(text, sizeof text, "-----BEGIN %s-----%.*s-----END %s-----\n", label, (int)(end - body), body, label);

	assert_in_range(n, 1, sizeof text - 1);
	if (strcmp(label, "PRIVATE KEY") == 0)
		assert_ok(crypto_key_parse(text, (size_t)n, &key));
	else
		assert_err(crypto_key_parse(text, (size_t)n, &key), CLUSTER_EFORMAT);
	crypto_key_free(key);
}

static void test_key_parse_refuses(void **state)
{
	struct crypto_key *key = NULL;
	struct secret *pem = NULL;
	char large[20000];

	(void)state;
	assert_err(crypto_key_parse("", 0, &key), CLUSTER_EFORMAT);
	assert_err(crypto_key_parse("garbage", 7, &key), CLUSTER_EFORMAT);
	assert_err(crypto_key_parse(p384, sizeof p384 - 1, &key), CLUSTER_EFORMAT);
	memset(large, '\n', sizeof large);
	assert_err(crypto_key_parse(large, sizeof large, &key), CLUSTER_EFORMAT);
	assert_ok(crypto_key_new(CRYPTO_ES256, &key));
	assert_ok(crypto_key_build(key, &pem));
	refuse_label(pem, "PRIVATE KEY");
	refuse_label(pem, "EC PRIVATE KEY");
	refuse_label(pem, "ENCRYPTED PRIVATE KEY");
	refuse_label(pem, "PUBLIC KEY");
	crypto_key_free(key);
	for (size_t n = 0; n + 30 < pem->n; n += 7) {
		key = NULL;
		assert_err(crypto_key_parse(pem->bytes, n, &key), CLUSTER_EFORMAT);
		assert_null(key);
	}
	secret_free(pem);
}

static const char rsa_n[] =
	"b6348204294536c6aa0a855ec9ce6ab5e143eefd603754b897e437b602bc9ccf65ed715bcfcfecc4427501108b3a29d55d2ec75f9d6ae267105e6a68ac757adb"
	"252555c216d2ae209b52d32fd1ecd677052218237de2f053042011336124fb74eca723a41d7b564ca4fab00afab63575f22191251142f17c391c1225c1680c33"
	"d52e5bd0102173925004a0389126e3a263158a82d68b8ad03666c03914f5287b93999898dc474e82e9762097fb35f791adce97425c8370ede1d9d144ea6ef8e5"
	"42111cd1fe0332c1dd9f68546e9347e172c5b08e0f7663caf55f435f60514eb45904d1e8d60262735b804d34868e0bcbaad4f9caca7bc65221b2a1a30e8a2ab1";
static const char rsa_sig256[] =
	"3827e435ccbf88919cabf00d2f87e7d879f898ff163248d79ef966d64d7eac86feed7b00a7d9d6a5c633a40906001a5779e4de882568a48a3972c20064b3acbf"
	"6364bda969966e900eeb21897fd52d613cff7bafd422b7ede1b6ee633286ba4e65f32a419feafb4c3efcd1c6f362d93b19507a24e9b38dfda54318ab2cc8cfcb"
	"977f157ed0bde8de3eedf2b35a0b7dce11daf0d5c490293412e4cd7550645b306e8abb16d6db585853284d820baae1ebbd8db0f637367241b9f0479e37693618"
	"3b99d12fdfc2c442698da5651db89b62c06c29863b1b73759a70ca7bbd3bd9266e58ddfd30903f60ed35d728b7feebd95974d2eac306e623c57c00915d333932";
static const char rsa_sig512[] =
	"4f190215164118769abbb70541635434d970427214eed7595d91b641963dfd95523a9d0c2c1af06126702cfaa0ab6c8b2c48ed9d37618f46a65bad9776e04e44"
	"9eb0ec716d9b9753bde0986d7165710e750e8deec5ab56d5c57215e76e561a7f00f712da776d4f1364bb88491f3360dce44e637daf091b077ce78b1b255b6846"
	"a427e9311fd74ecd8884b1b37888590d586f3280ac70dfc5ba847cabcbc6d6a8300e5554d6b70cd549d5b9b0d3d144de44b4a1876f939668e5319753805af8b7"
	"6eb19c70bc8f8c148bc1a374ee154b4b7c7b098335bcf8a2a717da181848a5f499487b7da087f5dd6736a63a58b651a2ad0560c3ce4fac093567c9a5501850a6";

static void test_rsa(void **state)
{
	static const uint8_t e[] = { 1, 0, 1 }, even[] = { 2 }, one[] = { 1 }, wide[] = { 1, 0, 0, 0, 1 };
	uint8_t n[256], sig[256], large[1025];
	struct crypto_rsa key = { .e = e, .n = n, .e_size = sizeof e, .n_size = sizeof n };

	(void)state;
	assert_int_equal(unhex(rsa_n, n, sizeof n), sizeof n);
	assert_int_equal(unhex(rsa_sig256, sig, sizeof sig), sizeof sig);
	assert_ok(crypto_rsa_verify(&key, false, "rsa", 3, sig, sizeof sig));
	assert_err(crypto_rsa_verify(&key, true, "rsa", 3, sig, sizeof sig), CLUSTER_ESIGNATURE);
	assert_err(crypto_rsa_verify(&key, false, "rsb", 3, sig, sizeof sig), CLUSTER_ESIGNATURE);
	assert_err(crypto_rsa_verify(&key, false, "rsa", 3, sig, sizeof sig - 1), CLUSTER_ESIGNATURE);
	assert_err(crypto_rsa_verify(&key, false, "rsa", 3, sig, 0), CLUSTER_ESIGNATURE);
	assert_int_equal(unhex(rsa_sig512, sig, sizeof sig), sizeof sig);
	assert_ok(crypto_rsa_verify(&key, true, "rsa", 3, sig, sizeof sig));
	key.e = even, key.e_size = 1;
	assert_err(crypto_rsa_verify(&key, true, "rsa", 3, sig, sizeof sig), CLUSTER_EDENIED);
	key.e = one;
	assert_err(crypto_rsa_verify(&key, true, "rsa", 3, sig, sizeof sig), CLUSTER_EDENIED);
	key.e = wide, key.e_size = sizeof wide;
	assert_err(crypto_rsa_verify(&key, true, "rsa", 3, sig, sizeof sig), CLUSTER_EDENIED);
	key.e = e, key.e_size = sizeof e, key.n = n + 1, key.n_size = sizeof n - 1; /* odd, at most 2040 bits */
	assert_err(crypto_rsa_verify(&key, true, "rsa", 3, sig, sizeof sig), CLUSTER_EDENIED);
	memset(large, 0xff, sizeof large);
	key.n = large, key.n_size = sizeof large;
	assert_err(crypto_rsa_verify(&key, true, "rsa", 3, sig, sizeof sig), CLUSTER_EDENIED);
}

static void test_hashes(void **state)
{
	uint8_t hash[CRYPTO_SHA256_SIZE], want[CRYPTO_SHA256_SIZE], hash512[CRYPTO_SHA512_SIZE], want512[CRYPTO_SHA512_SIZE];
	struct crypto_hash *h = NULL;

	(void)state;
	unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", want, sizeof want);
	assert_ok(crypto_sha256("abc", 3, hash));
	assert_memory_equal(hash, want, sizeof want);
	assert_ok(crypto_hash_new(&h));
	assert_ok(crypto_hash_add(h, "a", 1));
	assert_ok(crypto_hash_add(h, NULL, 0));
	assert_ok(crypto_hash_add(h, "bc", 2));
	memset(hash, 0, sizeof hash);
	assert_ok(crypto_hash_end(h, hash));
	assert_memory_equal(hash, want, sizeof want);
	crypto_hash_free(h);
	crypto_hash_free(NULL);
	unhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", want, sizeof want);
	assert_ok(crypto_sha256(NULL, 0, hash));
	assert_memory_equal(hash, want, sizeof want);
	unhex("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
		want512, sizeof want512);
	assert_ok(crypto_sha512("abc", 3, hash512));
	assert_memory_equal(hash512, want512, sizeof want512);
}

static void test_random_and_equal(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	(void)state;
	assert_true(crypto_equal(a, b, sizeof a));
	assert_ok(crypto_random(a, sizeof a));
	assert_ok(crypto_random(b, sizeof b));
	assert_false(crypto_equal(a, b, sizeof a));
	memcpy(b, a, sizeof a);
	assert_true(crypto_equal(a, b, sizeof a));
	b[31] ^= 1;
	assert_false(crypto_equal(a, b, sizeof a));
	assert_true(crypto_equal(a, b, 31));
	assert_ok(crypto_random(b, 0));
}

/*
 * F1: a configuration that leaves libcrypto without algorithms stands in the environment of this whole program. The child that does not call crypto_start obeys it; we, who do, pass
 * every other test here.
 */
static int child_status;

static void test_configuration_ignored(void **state)
{
	(void)state;
	assert_true(WIFEXITED(child_status));
	assert_int_equal(WEXITSTATUS(child_status), CLUSTER_ECRYPTO);
}

static int set_configuration(char path[])
{
	static const char text[] = "openssl_conf = init\n[init]\nproviders = all\n[all]\nnull = only\n[only]\nactivate = 1\n";
	uint8_t hash[CRYPTO_SHA256_SIZE];
	int fd = mkstemp(path);
	pid_t pid;

	if (fd < 0 || write(fd, text, sizeof text - 1) != (ssize_t)sizeof text - 1 || close(fd) != 0 || setenv("OPENSSL_CONF", path, 1) != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		_exit((int)crypto_sha256("abc", 3, hash));
	return pid > 0 && waitpid(pid, &child_status, 0) == pid ? 0 : -1;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc8032),
		cmocka_unit_test(test_jose_vectors),
		cmocka_unit_test(test_small_order),
		cmocka_unit_test(test_non_canonical),
		cmocka_unit_test(test_identity_key),
		cmocka_unit_test(test_p256_points),
		cmocka_unit_test(test_es256_range),
		cmocka_unit_test(test_es256_infinity),
		cmocka_unit_test(test_keys), cmocka_unit_test(test_seed),
		cmocka_unit_test(test_key_parse_refuses),
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_random_and_equal),
		cmocka_unit_test(test_configuration_ignored),
	};
	char path[] = "/tmp/test_crypto_XXXXXX";
	int failed;

	if (set_configuration(path) != 0 || crypto_start() != CLUSTER_OK) {
		perror("set-up");
		return 1;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
