/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_sign.h"

#include <stdio.h>
#include <stdlib.h>

#include "cluster/sshcert.h"
#include "cluster/sshwire.h"

/* The first byte: 'b' a certificate's bytes, 't' its text, 'm' what one of ours is made of. */

/* The fuzzer's key is the CA; another one issues the credentials. */
static struct crypto_key *issuer;
static struct keyring ring;
static struct keyring_at at;

static void start(void)
{
	struct keyring_key k = { .role = KEYRING_ISSUER, .nbf = FUZZ_NOW - 1, .exp = FUZZ_NOW + 1 };

	FUZZ_CHECK(crypto_start() == CLUSTER_OK && crypto_key_new(CRYPTO_ED25519, &issuer) == CLUSTER_OK);
	at = fuzz_at(&ring, KEYRING_SSHCA);
	FUZZ_CHECK(crypto_key_pub(issuer, &k.pub) == CLUSTER_OK && jwk_kid(&k.pub, k.kid) == CLUSTER_OK && keyring_add(&ring, &k) == CLUSTER_OK);
}

static bool inside(const struct sshcert_bytes *b, const uint8_t *p, size_t n)
{
	return b->n == 0 || (b->p >= p && b->n <= n && (size_t)(b->p - p) <= n - b->n);
}

/* What was accepted is whole and lies within the bytes. */
static void check(const struct sshcert *c, const uint8_t *p, size_t n)
{
	char key[SSHCERT_FINGERPRINT + 1], ca[SSHCERT_FINGERPRINT + 1];
	struct sshcert_facts facts;

	FUZZ_CHECK(inside(&c->key_id, p, n) && inside(&c->ca, p, n) && inside(&c->signed_part, p, n) && inside(&c->signature, p, n) && inside(&c->key, p, n));
	FUZZ_CHECK(c->signed_part.n + 4 + c->signature.n == n && c->n_principals <= SSHCERT_PRINCIPALS_MAX);
	for (size_t i = 0; i < c->n_extensions; i++)
		FUZZ_CHECK(inside(&c->extensions[i].name, p, n) && inside(&c->extensions[i].data, p, n));
	FUZZ_CHECK(sshcert_key_fingerprint(c, key) == CLUSTER_OK && strlen(key) == SSHCERT_FINGERPRINT && sshcert_ca_fingerprint(c, ca) == CLUSTER_OK);
	if (sshcert_facts(c, &facts) == CLUSTER_OK)
		FUZZ_CHECK(facts.serial == c->serial && strlen(facts.key_id) == c->key_id.n && strcmp(facts.key, key) == 0 && strcmp(facts.ca, ca) == 0);
}

/* The same by our CA: then the signature holds, and whatever it carries is read. Nothing the fuzzer writes is signed by the issuer. */
static void sign_again(const struct sshcert *c)
{
	size_t head = (size_t)(c->ca.p - 4 - c->signed_part.p);
	uint8_t sig[CRYPTO_SIG_SIZE], blob[SSHCERT_BLOB_MAX + 256];
	struct credential cred;
	struct crypto_pub pub;
	struct sshcert again;
	struct wr w;
	size_t from;

	wr_init(&w, blob, sizeof blob);
	wr_bytes(&w, c->signed_part.p, head);
	FUZZ_CHECK(crypto_key_pub(fuzz_key(), &pub) == CLUSTER_OK);
	from = w.n;
	wr_u32(&w, 0);
	sshwire_put_blob(&w, &pub);
	wr_patch_u32(&w, from, (uint32_t)(w.n - from - 4));
	FUZZ_CHECK(crypto_sign(fuzz_key(), w.p, w.n, sig) == CLUSTER_OK);
	from = w.n;
	wr_u32(&w, 0);
	sshwire_put_signature(&w, CRYPTO_ED25519, sig);
	wr_patch_u32(&w, from, (uint32_t)(w.n - from - 4));
	FUZZ_CHECK(wr_end(&w) == CLUSTER_OK);
	if (w.n > SSHCERT_BLOB_MAX)
		return;
	FUZZ_CHECK(sshcert_parse(blob, w.n, &again, NULL) == CLUSTER_OK && again.serial == c->serial);
	check(&again, blob, w.n);
	FUZZ_CHECK(sshcert_verify(&again, &at, &cred, NULL) != CLUSTER_OK);
}

static void parse(const uint8_t *data, size_t n)
{
	struct sshcert c;
	struct credential cred;
	uint8_t *exact = malloc(n ? n : 1); /* so that the sanitizer sees one byte too far */

	FUZZ_CHECK(exact);
	memcpy(exact, data, n);
	if (sshcert_parse(exact, n, &c, NULL) == CLUSTER_OK) {
		check(&c, exact, n);
		FUZZ_CHECK(sshcert_verify(&c, &at, &cred, NULL) != CLUSTER_OK);
		sign_again(&c);
	}
	free(exact);
}

static void parse_text(const char *text, size_t n)
{
	static uint8_t room[SSHCERT_BLOB_MAX];
	struct sshcert c;

	if (sshcert_parse_text(text, n, room, &c, NULL) == CLUSTER_OK)
		check(&c, room, c.signed_part.n + 4 + c.signature.n);
}

/* Serial, number of networks, and the rest is the key id: what is built reads back and verifies; it is refused for its key id alone. */
static void make(struct rd r)
{
	static const char *const networks[] = { "192.0.2.0/24", "2001:db8::/32", "198.51.100.7" };
	struct credential cred = { .iat = FUZZ_NOW, .nbf = FUZZ_NOW, .exp = FUZZ_NOW + 600, .auth_time = FUZZ_NOW, .n_amr = 1, .amr = { "swk" } }, got;
	char key_id[SSHCERT_KEY_ID_MAX + 8] = "", *token = NULL, *line = NULL;
	struct sshcert_spec spec = { .claims = &cred, .key_id = key_id };
	static uint8_t room[SSHCERT_BLOB_MAX];
	struct sshcert_facts facts;
	struct sshcert c;
	uint8_t n_src;

	if (rd_u64(&r, &spec.serial) != CLUSTER_OK || rd_u8(&r, &n_src) != CLUSTER_OK || rd_left(&r) >= sizeof key_id)
		return;
	memcpy(key_id, r.p, rd_left(&r));
	cred.cluster = *at.cluster;
	cred.jti.b[0] = cred.person.b[0] = cred.device.b[0] = 1;
	cred.n_src = n_src % 4;
	for (size_t i = 0; i < cred.n_src; i++)
		snprintf(cred.src[i], sizeof cred.src[i], "%s", networks[i]);
	FUZZ_CHECK(crypto_key_pub(issuer, &cred.cnf) == CLUSTER_OK && credential_build(&cred, issuer, &token) == CLUSTER_OK);
	spec.credential = token;
	if (sshcert_build(&spec, fuzz_key(), &line, NULL) == CLUSTER_OK) {
		FUZZ_CHECK(sshcert_parse_text(line, strlen(line), room, &c, NULL) == CLUSTER_OK && sshcert_verify(&c, &at, &got, NULL) == CLUSTER_OK);
		FUZZ_CHECK(sshcert_facts(&c, &facts) == CLUSTER_OK && facts.serial == spec.serial && strcmp(facts.key_id, key_id) == 0 && id_equal(&got.jti, &cred.jti));
	}
	free(line);
	free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rd r;

	if (!issuer)
		start();
	if (n == 0)
		return 0;
	rd_init(&r, data + 1, n - 1);
	if (data[0] == 'b')
		parse(data + 1, n - 1);
	else if (data[0] == 't')
		parse_text((const char *)data + 1, n - 1);
	else if (data[0] == 'm')
		make(r);
	return 0;
}
