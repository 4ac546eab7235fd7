/* SPDX-License-Identifier: Apache-2.0 */
/* ssh's data types, against RFC 4251 section 5 and RFC 4648 section 10. */
#include "unit.h"

#include <string.h>

#include "cluster/sshwire.h"

#define SAID(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static enum cluster_err mpint(const uint8_t *p, size_t n, struct rd *ret)
{
	struct rd r;

	rd_init(&r, p, n);
	return sshwire_mpint(&r, ret);
}

static void test_strings(void **state)
{
	const uint8_t bytes[] = { 0, 0, 0, 2, 'o', 'k', 0, 0, 0, 3, 'n', 'o' };
	struct rd r, s = { .n = 99 };

	(void)state;
	rd_init(&r, bytes, sizeof bytes);
	assert_ok(sshwire_string(&r, &s));
	assert_true(sshwire_is(&s, "ok"));
	assert_false(sshwire_is(&s, "o") || sshwire_is(&s, "okay") || sshwire_is(&s, "no"));
	assert_err(sshwire_string(&r, &s), CLUSTER_ETRUNC);
	assert_true(sshwire_is(&s, "ok")); /* as it was, and nothing taken */
	assert_int_equal(rd_left(&r), 6);
}

static void test_mpints(void **state)
{
	uint8_t out[16];
	struct rd m;
	struct wr w;

	(void)state;
	assert_ok(mpint(SAID(0, 0, 0, 2, 0, 0x80), &m));
	assert_true(m.n == 1 && m.p[0] == 0x80);
	assert_ok(mpint(SAID(0, 0, 0, 1, 0x7f), &m));
	assert_err(mpint(SAID(0, 0, 0, 0), &m), CLUSTER_EFORMAT);          /* zero is no key */
	assert_err(mpint(SAID(0, 0, 0, 1, 0x80), &m), CLUSTER_EFORMAT);    /* negative */
	assert_err(mpint(SAID(0, 0, 0, 2, 0, 0x7f), &m), CLUSTER_EFORMAT); /* not the shortest */
	assert_err(mpint(SAID(0, 0, 0, 1, 0), &m), CLUSTER_EFORMAT);
	assert_err(mpint(SAID(0, 0, 0, 9, 1), &m), CLUSTER_ETRUNC);
	wr_init(&w, out, sizeof out);
	sshwire_put_mpint(&w, SAID(0, 0, 0x80, 1));
	sshwire_put_mpint(&w, SAID(0x7f));
	assert_int_equal(w.n, 7 + 5);
	assert_memory_equal(out, ((const uint8_t[]){ 0, 0, 0, 3, 0, 0x80, 1, 0, 0, 0, 1, 0x7f }), 12);
}

static void test_base64(void **state)
{
	static const char *const plain[] = { "f", "fo", "foo", "foob", "fooba", "foobar" }, *const coded[] = { "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	static const char *const wrong[] = { "", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=Zg=", "Z=g=", "Zm9v\n", "Zm 9", "Zm9vYg==Zm9v", "-_-_", "====" };
	static char text[4097];
	static uint8_t out[3072];
	uint8_t small[16];
	size_t n = 0;
	struct wr w;

	(void)state;
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		wr_init(&w, text, sizeof text);
		sshwire_encode(&w, plain[i], strlen(plain[i]));
		assert_int_equal(w.n, strlen(coded[i]));
		assert_memory_equal(text, coded[i], w.n);
		assert_ok(sshwire_decode(coded[i], strlen(coded[i]), small, sizeof small, &n));
		assert_true(n == strlen(plain[i]) && memcmp(small, plain[i], n) == 0);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (sshwire_decode(wrong[i], strlen(wrong[i]), small, sizeof small, &n) != CLUSTER_EFORMAT)
			fail_msg("\"%s\" is no base64", wrong[i]);
	assert_err(sshwire_decode("Zm9vYmFy", 8, small, 5, &n), CLUSTER_ELIMIT);
	/* longer than the pieces in which it is read: each length around them, up to the last byte of room */
	memset(text, '/', sizeof text);
	for (size_t k = 1020; k <= 1032; k += 4) {
		assert_ok(sshwire_decode(text, k, out, k / 4 * 3, &n));
		assert_int_equal(n, k / 4 * 3);
		assert_err(sshwire_decode(text, k, out, k / 4 * 3 - 1, &n), CLUSTER_ELIMIT);
	}
	assert_ok(sshwire_decode(text, 4096, out, sizeof out, &n));
	assert_int_equal(n, 3072);
	assert_true(out[0] == 0xff && out[3071] == 0xff);
}

/* Keys and signatures of both kinds go out and come back; one kind is not taken for the other. */
static void test_keys(void **state)
{
	(void)state;
	assert_ok(crypto_start());
	for (enum crypto_alg alg = CRYPTO_ED25519; alg <= CRYPTO_ES256; alg++) {
		enum crypto_alg other = alg == CRYPTO_ED25519 ? CRYPTO_ES256 : CRYPTO_ED25519;
		uint8_t blob[256], sig[CRYPTO_SIG_SIZE], back[CRYPTO_SIG_SIZE];
		struct crypto_key *key = NULL;
		struct crypto_pub pub, got;
		struct wr w;

		assert_ok(crypto_key_new(alg, &key));
		assert_ok(crypto_key_pub(key, &pub));
		wr_init(&w, blob, sizeof blob);
		sshwire_put_blob(&w, &pub);
		assert_ok(wr_end(&w));
		assert_ok(sshwire_blob(blob, w.n, &got));
		assert_true(crypto_pub_equal(&pub, &got));
		for (size_t i = 0; i < w.n; i++)
			assert_int_not_equal(sshwire_blob(blob, i, &got), CLUSTER_OK);
		assert_err(sshwire_blob(blob, w.n + 1, &got), CLUSTER_EFORMAT);
		for (int i = 0; i < 50; i++) { /* r and s of every length */
			assert_ok(crypto_sign(key, &i, sizeof i, sig));
			wr_init(&w, blob, sizeof blob);
			sshwire_put_signature(&w, alg, sig);
			assert_ok(wr_end(&w));
			assert_ok(sshwire_signature(blob, w.n, alg, back));
			assert_memory_equal(sig, back, sizeof sig);
		}
		assert_err(sshwire_signature(blob, w.n, other, back), CLUSTER_ESIGNATURE);
		assert_err(sshwire_signature(blob, w.n - 1, alg, back), CLUSTER_ETRUNC);
		assert_err(sshwire_signature(blob, w.n + 1, alg, back), CLUSTER_EFORMAT);
		crypto_key_free(key);
	}
}

/* B8: a point that verifies anything is no key here either. */
static void test_weak_key(void **state)
{
	uint8_t blob[64];
	struct crypto_pub got, identity = { .alg = CRYPTO_ED25519, .bytes = { 1 } };
	struct wr w;

	(void)state;
	wr_init(&w, blob, sizeof blob);
	sshwire_put_blob(&w, &identity);
	assert_err(sshwire_blob(blob, w.n, &got), CLUSTER_ESIGNATURE);
	wr_init(&w, blob, sizeof blob);
	sshwire_put_text(&w, "ssh-dss");
	assert_err(sshwire_blob(blob, w.n, &got), CLUSTER_ENOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings), cmocka_unit_test(test_mpints), cmocka_unit_test(test_base64), cmocka_unit_test(test_keys), cmocka_unit_test(test_weak_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
