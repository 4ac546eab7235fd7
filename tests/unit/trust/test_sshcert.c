/* SPDX-License-Identifier: Apache-2.0 */
/* User certificates of ours: what is issued verifies, and nothing else does. THREATS.md B9, C4. */
#include "unit.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/jwk.h"
#include "cluster/sshcert.h"
#include "cluster/sshwire.h"

#define NOW INT64_C(1800000000)
#define KEY_ID "alice"

static struct world w;
static struct credential cred, got;
static struct diag d;
static char *token;
static uint8_t room[SSHCERT_BLOB_MAX];
static struct sshcert cert;

static int setup(void **state)
{
	(void)state;
	world_init(&w, NOW);
	cred = world_credential(&w, WORLD_ALICE);
	token = world_token(&w, &cred, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(token);
	world_done(&w);
	return 0;
}

/* A certificate for `claims` that carries `carried`, by `ca`; parsed into `cert`, in `room`. */
static void make(const struct credential *claims, const char *carried, const struct crypto_key *ca)
{
	const struct sshcert_spec spec = { .credential = carried, .claims = claims, .serial = 77, .key_id = KEY_ID };
	char *line = NULL;

	assert_ok(sshcert_build(&spec, ca, &line, &d));
	assert_ok(sshcert_parse_text(line, strlen(line), room, &cert, &d));
	free(line);
}

static enum cluster_err verify(void)
{
	const struct keyring_at at = world_at(&w);

	return sshcert_verify(&cert, &at, &got, &d);
}

/* Signs `room` anew after something in it was changed. */
static void sign_again(void)
{
	size_t n = cert.signed_part.n, total = n + 4 + cert.signature.n;
	uint8_t sig[CRYPTO_SIG_SIZE];

	assert_ok(crypto_sign(w.sshca, room, n, sig));
	memcpy(room + total - sizeof sig, sig, sizeof sig);
	assert_ok(sshcert_parse(room, total, &cert, &d));
}

/* Puts a byte into a view of `room`. */
static void poke(const uint8_t *p, uint8_t value)
{
	room[p - room] = value;
}

static void test_round_trip(void **state)
{
	struct sshcert_facts facts;

	(void)state;
	make(&cred, token, w.sshca);
	assert_ok(verify());
	assert_true(id_equal(&got.jti, &cred.jti) && id_equal(&got.person, &cred.person));
	assert_int_equal(cert.serial, 77);
	assert_int_equal(cert.type, SSHCERT_USER);
	assert_int_equal(cert.n_principals, 1);
	assert_int_equal(cert.principals[0].n, 2 * ID_TEXT + 1);
	assert_int_equal(cert.after, cred.nbf - 30);
	assert_int_equal(cert.before, cred.exp);
	assert_int_equal(cert.n_critical, 0);
	assert_int_equal(cert.n_extensions, 3);
	assert_int_equal(cert.extensions[0].data.n, strlen(token));
	assert_true(cert.has_pub && crypto_pub_equal(&cert.pub, &cred.cnf));
	assert_ok(sshcert_facts(&cert, &facts));
	assert_string_equal(facts.key_id, KEY_ID);
	assert_int_equal(strlen(facts.key), SSHCERT_FINGERPRINT);
	assert_int_equal(strlen(facts.ca), SSHCERT_FINGERPRINT);
	assert_string_not_equal(facts.key, facts.ca);
}

/* P-256 as the certified key, and networks. */
static void test_other_forms(void **state)
{
	struct crypto_key *key = NULL;

	(void)state;
	free(token);
	assert_ok(crypto_key_new(CRYPTO_ES256, &key));
	assert_ok(crypto_key_pub(key, &cred.cnf));
	cred.n_src = 2;
	strcpy(cred.src[0], "192.0.2.0/24");
	strcpy(cred.src[1], "2001:db8::/32");
	token = world_token(&w, &cred, NULL);
	make(&cred, token, w.sshca);
	assert_ok(verify());
	assert_int_equal(cert.n_critical, 1);
	assert_int_equal(cert.critical[0].data.n, strlen("192.0.2.0/24,2001:db8::/32"));
	assert_memory_equal(cert.critical[0].data.p, "192.0.2.0/24,2001:db8::/32", cert.critical[0].data.n);
	crypto_key_free(key);
}

/* An ES256 CA signs as well: the ring decides. */
static void test_p256_ca(void **state)
{
	struct keyring_key *slot = NULL;
	struct crypto_key *key = NULL;
	char *line = NULL;

	(void)state;
	for (size_t i = 0; i < w.keyset.ring.n; i++)
		if (w.keyset.ring.key[i].role == KEYRING_SSHCA)
			slot = &w.keyset.ring.key[i];
	assert_non_null(slot);
	assert_ok(crypto_key_new(CRYPTO_ES256, &key));
	assert_ok(crypto_key_pub(key, &slot->pub));
	make(&cred, token, key);
	assert_err(verify(), CLUSTER_ENOTFOUND); /* the ring's kid is still the old one's */
	w.keyset.ring.n--;
	assert_true(slot == &w.keyset.ring.key[w.keyset.ring.n]);
	{
		struct keyring_key k = *slot;

		assert_ok(jwk_kid(&k.pub, k.kid));
		assert_ok(keyring_add(&w.keyset.ring, &k));
	}
	for (int i = 0; i < 40; i++) { /* r and s of every length */
		make(&cred, token, key);
		assert_ok(verify());
	}
	assert_ok(sshcert_public_line(&slot->pub, &line));
	assert_memory_equal(line, "ecdsa-sha2-nistp256 AAAA", 24);
	free(line);
	crypto_key_free(key);
}

/* B9: a key of another role, or of nobody, is no CA; and the CA key signs no credential. */
static void test_roles(void **state)
{
	struct crypto_key *stranger = NULL;
	const struct crypto_key *others[] = { w.issuer, w.other, w.cnf, NULL };
	char *forged = world_token(&w, &cred, w.sshca);

	(void)state;
	assert_ok(crypto_key_new(CRYPTO_ED25519, &stranger));
	others[3] = stranger;
	for (size_t i = 0; i < 4; i++) {
		make(&cred, token, others[i]);
		assert_err(verify(), CLUSTER_ENOTFOUND);
	}
	make(&cred, forged, w.sshca);
	assert_err(verify(), CLUSTER_ENOTFOUND);
	free(forged);
	crypto_key_free(stranger);
}

static void test_ca_window(void **state)
{
	(void)state;
	make(&cred, token, w.sshca);
	for (size_t i = 0; i < w.keyset.ring.n; i++)
		if (w.keyset.ring.key[i].role == KEYRING_SSHCA)
			w.keyset.ring.key[i].exp = NOW;
	assert_err(verify(), CLUSTER_EEXPIRED);
	for (size_t i = 0; i < w.keyset.ring.n; i++)
		if (w.keyset.ring.key[i].role == KEYRING_SSHCA)
			w.keyset.ring.key[i].nbf = w.keyset.ring.key[i].exp = NOW + 1000;
	assert_err(verify(), CLUSTER_EEARLY);
}

/* The certificate says something else than the credential in it. */
static void test_binding(void **state)
{
	struct credential c;
	struct crypto_pub other;

	(void)state;
	assert_ok(crypto_key_pub(w.other, &other));
	c = cred, c.jti.b[0] ^= 1;
	make(&c, token, w.sshca);
	assert_err(verify(), CLUSTER_EDENIED);
	c = cred, c.cluster.b[0] ^= 1;
	make(&c, token, w.sshca);
	assert_err(verify(), CLUSTER_EDENIED);
	c = cred, c.cnf = other;
	make(&c, token, w.sshca);
	assert_err(verify(), CLUSTER_EDENIED);
	c = cred, c.exp++;
	make(&c, token, w.sshca);
	assert_err(verify(), CLUSTER_EDENIED);
	c = cred, c.exp--;
	make(&c, token, w.sshca);
	assert_ok(verify());
	c = cred, c.nbf--;
	make(&c, token, w.sshca);
	assert_err(verify(), CLUSTER_EDENIED);
	c = cred, c.n_src = 1, strcpy(c.src[0], "192.0.2.0/24");
	make(&c, token, w.sshca);
	assert_err(verify(), CLUSTER_EDENIED);
	/* and the other way round: the credential is narrowed, the certificate is not */
	free(token);
	token = world_token(&w, &c, NULL);
	make(&cred, token, w.sshca);
	assert_err(verify(), CLUSTER_EDENIED);
	make(&c, token, w.sshca);
	assert_ok(verify());
	strcpy(c.src[0], "192.0.3.0/24");
	make(&c, token, w.sshca);
	assert_err(verify(), CLUSTER_EDENIED);
}

/* Signed by the CA, and not of the form that is issued. */
static void test_form(void **state)
{
	(void)state;
	make(&cred, token, w.sshca);
	poke(cert.key_id.p - 5, SSHCERT_HOST); /* the type stands before the key id's length */
	sign_again();
	assert_int_equal(cert.type, SSHCERT_HOST);
	assert_err(verify(), CLUSTER_EDENIED);
	make(&cred, token, w.sshca);
	poke(cert.extensions[0].name.p, 'b');
	sign_again();
	assert_err(verify(), CLUSTER_EDENIED);
	make(&cred, token, w.sshca);
	poke(cert.principals[0].p, 'b' + (cert.principals[0].p[0] == 'b'));
	sign_again();
	assert_err(verify(), CLUSTER_EDENIED);
	make(&cred, token, w.sshca); /* the length of the principal: 22 characters, and a second one */
	poke(cert.principals[0].p - 1, 18);
	poke(cert.principals[0].p + 18, 0);
	poke(cert.principals[0].p + 19, 0);
	poke(cert.principals[0].p + 20, 0);
	poke(cert.principals[0].p + 21, 45 - 22);
	sign_again();
	assert_int_equal(cert.n_principals, 2);
	assert_err(verify(), CLUSTER_EDENIED);
	make(&cred, "not a credential", w.sshca);
	assert_err(verify(), CLUSTER_EFORMAT);
	make(&cred, "", w.sshca);
	assert_int_not_equal(verify(), CLUSTER_OK);
}

/* The right principal and another one beside it: an account's name, say. */
static void test_second_principal(void **state)
{
	static const uint8_t more[] = { 0, 0, 0, 4, 'r', 'o', 'o', 't' };
	uint8_t out[SSHCERT_BLOB_MAX], sig[CRYPTO_SIG_SIZE];
	size_t begin, end, n;
	struct wr bytes;

	(void)state;
	make(&cred, token, w.sshca);
	begin = (size_t)(cert.principals[0].p - room) - 8;
	end = (size_t)(cert.principals[0].p - room) + cert.principals[0].n;
	n = cert.signed_part.n;
	wr_init(&bytes, out, sizeof out);
	wr_bytes(&bytes, room, begin);
	wr_u32(&bytes, (uint32_t)(end - begin - 4 + sizeof more));
	wr_bytes(&bytes, room + begin + 4, end - begin - 4);
	wr_bytes(&bytes, more, sizeof more);
	wr_bytes(&bytes, room + end, n - end);
	assert_ok(crypto_sign(w.sshca, bytes.p, bytes.n, sig));
	wr_u32(&bytes, (uint32_t)cert.signature.n);
	wr_bytes(&bytes, cert.signature.p, cert.signature.n - sizeof sig);
	wr_bytes(&bytes, sig, sizeof sig);
	assert_ok(wr_end(&bytes));
	assert_ok(sshcert_parse(out, bytes.n, &cert, &d));
	assert_int_equal(cert.n_principals, 2);
	assert_err(verify(), CLUSTER_EDENIED);
}

static void test_critical(void **state)
{
	struct credential c = cred;

	(void)state;
	c.n_src = 1;
	strcpy(c.src[0], "192.0.2.1");
	free(token);
	token = world_token(&w, &c, NULL);
	make(&c, token, w.sshca);
	assert_ok(verify());
	poke(cert.critical[0].name.p, 'S');
	sign_again();
	assert_err(verify(), CLUSTER_EDENIED);
}

/* Every bit counts. */
static void test_damage(void **state)
{
	size_t n;

	(void)state;
	make(&cred, token, w.sshca);
	n = cert.signed_part.n + 4 + cert.signature.n;
	for (size_t i = 0; i < n; i++) {
		room[i] ^= (uint8_t)(1 << i % 8);
		if (sshcert_parse(room, n, &cert, &d) == CLUSTER_OK)
			assert_int_not_equal(verify(), CLUSTER_OK);
		room[i] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t i = 0; i < n; i++)
		assert_int_not_equal(sshcert_parse(room, i, &cert, &d), CLUSTER_OK);
	assert_int_not_equal(sshcert_parse(room, n + 1, &cert, &d), CLUSTER_OK);
	assert_ok(sshcert_parse(room, n, &cert, &d));
	assert_ok(verify());
}

static void test_text(void **state)
{
	const struct sshcert_spec spec = { .credential = token, .claims = &cred, .serial = 1, .key_id = KEY_ID };
	char *line = NULL, *base64, more[SSHCERT_TEXT_MAX + 100];

	(void)state;
	assert_ok(sshcert_build(&spec, w.sshca, &line, &d));
	base64 = strchr(line, ' ') + 1;
	assert_ok(sshcert_parse_text(base64, strlen(base64), room, &cert, &d));
	snprintf(more, sizeof more, "%s a comment of words\n", line);
	assert_ok(sshcert_parse_text(more, strlen(more), room, &cert, &d));
	snprintf(more, sizeof more, "%s\n\n", line);
	assert_err(sshcert_parse_text(more, strlen(more), room, &cert, &d), CLUSTER_EFORMAT);
	snprintf(more, sizeof more, "ssh-rsa-cert-v01@openssh.com %s", base64);
	assert_err(sshcert_parse_text(more, strlen(more), room, &cert, &d), CLUSTER_EFORMAT);
	snprintf(more, sizeof more, " %s", base64);
	assert_err(sshcert_parse_text(more, strlen(more), room, &cert, &d), CLUSTER_EFORMAT);
	snprintf(more, sizeof more, "%s=", base64);
	assert_err(sshcert_parse_text(more, strlen(more), room, &cert, &d), CLUSTER_EFORMAT);
	assert_err(sshcert_parse_text("", 0, room, &cert, &d), CLUSTER_EFORMAT);
	assert_err(sshcert_parse_text("\n", 1, room, &cert, &d), CLUSTER_EFORMAT);
	memset(more, 'A', sizeof more);
	assert_err(sshcert_parse_text(more, SSHCERT_TEXT_MAX + 1, room, &cert, &d), CLUSTER_ELIMIT);
	assert_err(sshcert_parse_text(more, (SSHCERT_BLOB_MAX / 3 + 1) * 4, room, &cert, &d), CLUSTER_ELIMIT);
	free(line);
}

static void test_build_refuses(void **state)
{
	struct sshcert_spec spec = { .credential = token, .claims = &cred, .serial = 1, .key_id = "" };
	char *line = NULL, big[SSHCERT_BLOB_MAX];

	(void)state;
	assert_err(sshcert_build(&spec, w.sshca, &line, &d), CLUSTER_EFORMAT);
	spec.key_id = "a\nb";
	assert_err(sshcert_build(&spec, w.sshca, &line, &d), CLUSTER_EFORMAT);
	memset(big, 'a', sizeof big);
	big[sizeof big - 1] = '\0';
	spec.key_id = big;
	assert_err(sshcert_build(&spec, w.sshca, &line, &d), CLUSTER_EFORMAT);
	spec.key_id = KEY_ID;
	spec.credential = big;
	assert_err(sshcert_build(&spec, w.sshca, &line, &d), CLUSTER_ELIMIT);
	spec.credential = token;
	cred.n_src = 1;
	strcpy(cred.src[0], "192.0.2.1/24");
	assert_err(sshcert_build(&spec, w.sshca, &line, &d), CLUSTER_EFORMAT);
	strcpy(cred.src[0], "::ffff:192.0.2.1");
	assert_err(sshcert_build(&spec, w.sshca, &line, &d), CLUSTER_EFORMAT);
	cred.n_src = 0;
	cred.exp = cred.nbf;
	assert_err(sshcert_build(&spec, w.sshca, &line, &d), CLUSTER_EFORMAT);
	assert_null(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_p256_ca, setup, teardown),
		cmocka_unit_test_setup_teardown(test_roles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ca_window, setup, teardown),
		cmocka_unit_test_setup_teardown(test_binding, setup, teardown),
		cmocka_unit_test_setup_teardown(test_form, setup, teardown),
		cmocka_unit_test_setup_teardown(test_second_principal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_critical, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_build_refuses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
