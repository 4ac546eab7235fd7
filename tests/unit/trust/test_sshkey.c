/* SPDX-License-Identifier: Apache-2.0 */
/* ssh keys of devices: what security keys sign, made here by software keys; SSHSIGs made and read; requests of the second form (PROTOCOL.md 6.3, THREATS.md B2, B8). */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/request.h"
#include "cluster/sshsig.h"
#include "cluster/sshwire.h"

#define NOW INT64_C(1790000000)

static struct diag d;
static struct crypto_key *key[3]; /* by enum crypto_alg */
static struct crypto_pub pub[3];

static int set_up(void **state)
{
	(void)state;
	assert_ok(crypto_start());
	for (enum crypto_alg alg = CRYPTO_ED25519; alg <= CRYPTO_ES256; alg++) {
		assert_ok(crypto_key_new(alg, &key[alg]));
		assert_ok(crypto_key_pub(key[alg], &pub[alg]));
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	crypto_key_free(key[CRYPTO_ED25519]);
	crypto_key_free(key[CRYPTO_ES256]);
	return 0;
}

static const char *sk_type(enum crypto_alg alg)
{
	return sshkey_type(alg == CRYPTO_ED25519 ? SSHKEY_SK_ED25519 : SSHKEY_SK_P256);
}

static void sk_blob(struct wr *w, enum crypto_alg alg, const char *application)
{
	sshwire_put_text(w, sk_type(alg));
	sshwire_put_key(w, &pub[alg]);
	sshwire_put_text(w, application);
}

/* A signature as the token makes it (PROTOCOL.u2f). */
static void sk_sign(struct wr *w, enum crypto_alg alg, const char *application, uint8_t flags, const char *message)
{
	uint8_t data[69] = { 0 }, sig[CRYPTO_SIG_SIZE], room[256];
	struct rd r, type, body;
	struct wr plain;

	assert_ok(crypto_sha256(application, strlen(application), data));
	data[32] = flags;
	data[36] = 7; /* counter */
	assert_ok(crypto_sha256(message, strlen(message), data + 37));
	assert_ok(crypto_sign(key[alg], data, sizeof data, sig));
	wr_init(&plain, room, sizeof room);
	sshwire_put_signature(&plain, alg, sig);
	rd_init(&r, plain.p, plain.n);
	assert_ok(sshwire_string(&r, &type));
	assert_ok(sshwire_string(&r, &body));
	sshwire_put_text(w, sk_type(alg));
	sshwire_put(w, body.p, body.n);
	wr_bytes(w, data + 32, 5);
}

static enum cluster_err sk_try(enum crypto_alg alg, const char *application, uint8_t flags, size_t cut, const char *message)
{
	uint8_t blob[256], sig[256];
	struct wr b, s;
	struct sshkey k;
	struct rd r;

	wr_init(&b, blob, sizeof blob);
	wr_init(&s, sig, sizeof sig);
	sk_blob(&b, alg, "ssh:");
	sk_sign(&s, alg, application, flags, "message");
	assert_ok(sshkey_parse(b.p, b.n, SSHKEY_DEVICE, &k, &d));
	assert_null(sshkey_pub(&k));
	rd_init(&r, s.p, s.n - cut);
	return sshkey_verify(&k, &r, message, strlen(message));
}

static void test_security_key(void **state)
{
	(void)state;
	for (enum crypto_alg alg = CRYPTO_ED25519; alg <= CRYPTO_ES256; alg++) {
		assert_ok(sk_try(alg, "ssh:", 1, 0, "message"));
		assert_ok(sk_try(alg, "ssh:", 5, 0, "message")); /* verified as well */
		assert_err(sk_try(alg, "ssh:", 0, 0, "message"), CLUSTER_ESIGNATURE); /* nobody touched it */
		assert_err(sk_try(alg, "ssh:", 4, 0, "message"), CLUSTER_ESIGNATURE);
		assert_err(sk_try(alg, "https://example", 1, 0, "message"), CLUSTER_ESIGNATURE);
		assert_err(sk_try(alg, "ssh:", 1, 0, "another"), CLUSTER_ESIGNATURE);
		for (size_t cut = 1; cut < 60; cut++)
			assert_int_not_equal(sk_try(alg, "ssh:", 1, cut, "message"), CLUSTER_OK);
	}
}

static void test_security_key_parse(void **state)
{
	uint8_t blob[256];
	struct sshkey k;
	struct wr w;

	(void)state;
	wr_init(&w, blob, sizeof blob);
	sk_blob(&w, CRYPTO_ED25519, "ssh:");
	assert_err(sshkey_parse(w.p, w.n, SSHKEY_HOST, &k, &d), CLUSTER_EDENIED);
	assert_err(sshkey_parse(w.p, w.n - 1, SSHKEY_DEVICE, &k, &d), CLUSTER_EFORMAT);
	wr_u8(&w, 0);
	assert_err(sshkey_parse(w.p, w.n, SSHKEY_DEVICE, &k, &d), CLUSTER_EFORMAT);
	wr_init(&w, blob, sizeof blob);
	sk_blob(&w, CRYPTO_ES256, "https://example");
	assert_err(sshkey_parse(w.p, w.n, SSHKEY_DEVICE, &k, &d), CLUSTER_EDENIED);
}

static enum cluster_err rsa(size_t bits, enum sshkey_use use)
{
	static const uint8_t e[] = { 1, 0, 1 };
	uint8_t n[1100], blob[1400];
	struct sshkey k;
	struct wr w;

	memset(n, 0xff, sizeof n);
	if (bits % 8)
		n[0] = (uint8_t)(0xff >> (8 - bits % 8));
	wr_init(&w, blob, sizeof blob);
	sshwire_put_text(&w, "ssh-rsa");
	sshwire_put_mpint(&w, e, sizeof e);
	sshwire_put_mpint(&w, n, (bits + 7) / 8);
	return sshkey_parse(w.p, w.n, use, &k, &d);
}

static void test_rsa_sizes(void **state)
{
	static const uint8_t dsa[] = { 0, 0, 0, 7, 's', 's', 'h', '-', 'd', 's', 's', 0, 0, 0, 0 };
	struct sshkey k;

	(void)state;
	assert_err(rsa(1024, SSHKEY_DEVICE), CLUSTER_EDENIED);
	assert_err(rsa(2048, SSHKEY_DEVICE), CLUSTER_EDENIED);
	assert_err(rsa(3071, SSHKEY_DEVICE), CLUSTER_EDENIED);
	assert_non_null(strstr(d.text, "3071 bits"));
	assert_ok(rsa(3072, SSHKEY_DEVICE));
	assert_ok(rsa(8192, SSHKEY_DEVICE));
	assert_err(rsa(8193, SSHKEY_DEVICE), CLUSTER_EDENIED);
	assert_err(rsa(2047, SSHKEY_HOST), CLUSTER_EDENIED);
	assert_ok(rsa(2048, SSHKEY_HOST));
	assert_err(sshkey_parse(dsa, sizeof dsa, SSHKEY_DEVICE, &k, &d), CLUSTER_EDENIED);
	assert_non_null(strstr(d.text, "DSA"));
}

/* An SSHSIG over `text` by a key of ours. */
static char *sshsig(enum crypto_alg alg, const char *namespace, const char *text)
{
	uint8_t data[SSHSIG_TO_SIGN_MAX], sig[CRYPTO_SIG_SIZE], room[256], blob[256];
	struct rd k, s;
	char *out = NULL;
	struct wr w, b;
	size_t n = 0;

	assert_ok(sshsig_to_sign(namespace, text, strlen(text), data, &n));
	assert_ok(crypto_sign(key[alg], data, n, sig));
	wr_init(&w, room, sizeof room);
	sshwire_put_signature(&w, alg, sig);
	wr_init(&b, blob, sizeof blob);
	sshwire_put_blob(&b, &pub[alg]);
	rd_init(&k, b.p, b.n);
	rd_init(&s, w.p, w.n);
	assert_ok(sshsig_build(&k, namespace, &s, &out));
	return out;
}

static enum cluster_err enroll_try(const char *text, const char *sig, struct request_enroll *ret)
{
	struct rd t, s;

	rd_init(&t, text, strlen(text));
	rd_init(&s, sig, strlen(sig));
	return request_enroll_ssh(&t, &s, ret, &d);
}

static void test_enroll(void **state)
{
	struct request_enroll r = { .c = { .htm = "POST", .htu = "/v1/enroll" }, .code = "abcd", .label = "laptop" }, back;
	uint8_t blob[256];
	char *text = NULL, *sig, jkt[JWK_THUMBPRINT + 1], own[JWK_THUMBPRINT + 1];
	struct sshkey k;
	struct wr w;
	size_t n;

	(void)state;
	for (enum crypto_alg alg = CRYPTO_ED25519; alg <= CRYPTO_ES256; alg++) {
		wr_init(&w, blob, sizeof blob);
		sshwire_put_blob(&w, &pub[alg]);
		assert_ok(sshkey_parse(w.p, w.n, SSHKEY_DEVICE, &k, &d));
		/* one key, one thumbprint, whichever the form */
		assert_ok(sshkey_thumbprint(&k, jkt));
		assert_ok(jwk_thumbprint(&pub[alg], own));
		assert_string_equal(jkt, own);
		assert_ok(sshkey_line_build(&k, r.sshkey, sizeof r.sshkey));
		assert_ok(request_enroll_text(&r, NOW, &text, &n));
		sig = sshsig(alg, REQUEST_SSH_NAMESPACE, text);
		assert_ok(enroll_try(text, sig, &back));
		assert_string_equal(back.sshkey, r.sshkey);
		assert_string_equal(back.label, "laptop");
		assert_true(crypto_pub_equal(&back.key, &pub[alg]));
		strstr(text, "laptop")[0] = 'L';
		assert_err(enroll_try(text, sig, &back), CLUSTER_ESIGNATURE);
		free(sig);
		sig = sshsig(alg, "cluster-login-join", text); /* made for something else */
		assert_err(enroll_try(text, sig, &back), CLUSTER_ESIGNATURE);
		free(sig);
		sig = sshsig(alg == CRYPTO_ED25519 ? CRYPTO_ES256 : CRYPTO_ED25519, REQUEST_SSH_NAMESPACE, text); /* by another key than the one inside */
		assert_err(enroll_try(text, sig, &back), CLUSTER_ESIGNATURE);
		free(sig);
		free(text);
		strcat(r.sshkey, " comment");
		assert_ok(request_enroll_text(&r, NOW, &text, &n));
		sig = sshsig(alg, REQUEST_SSH_NAMESPACE, text);
		assert_err(enroll_try(text, sig, &back), CLUSTER_EFORMAT);
		free(sig);
		free(text);
	}
	/* a payload of the other form is none of this one */
	r.sshkey[0] = '\0';
	r.key = pub[CRYPTO_ED25519];
	assert_ok(request_enroll_text(&r, NOW, &text, &n));
	sig = sshsig(CRYPTO_ED25519, REQUEST_SSH_NAMESPACE, text);
	assert_err(enroll_try(text, sig, &back), CLUSTER_EFORMAT);
	free(sig);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_security_key), cmocka_unit_test(test_security_key_parse), cmocka_unit_test(test_rsa_sizes), cmocka_unit_test(test_enroll) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
