/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/sshsig.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/crypto.h"
#include "cluster/rd.h"
#include "cluster/sshwire.h"
#include "cluster/wr.h"

#define MAGIC "SSHSIG"
#define MAGIC_SIZE 6
#define VERSION 1
#define BEGIN "-----BEGIN SSH SIGNATURE-----\n"
#define END "-----END SSH SIGNATURE-----"
#define SIG_BLOB_MAX 4096 /* an RSA key of 8192 bits and its signature are 2.1 KB */
#define NAMESPACE_MAX 64

enum key_kind { KEY_ED25519, KEY_P256, KEY_RSA };

static const char *const key_types[] = { [KEY_ED25519] = "ssh-ed25519", [KEY_P256] = "ecdsa-sha2-nistp256", [KEY_RSA] = "ssh-rsa" };

/* A parsed public key; an RSA key borrows from its blob. */
struct key {
	enum key_kind kind;
	struct crypto_pub pub; /* ed25519, nistp256 */
	struct crypto_rsa rsa;
};

/* An SSHSIG's fields, borrowed from its blob. */
struct envelope {
	struct rd key, namespace, reserved, hash, signature;
};

static enum cluster_err key_ed25519(struct rd *r, struct key *ret)
{
	return sshwire_key(r, CRYPTO_ED25519, &ret->pub);
}

static enum cluster_err key_p256(struct rd *r, struct key *ret)
{
	return sshwire_key(r, CRYPTO_ES256, &ret->pub);
}

static enum cluster_err key_rsa(struct rd *r, struct key *ret)
{
	struct rd exponent, modulus;
	enum cluster_err e;

	if ((e = sshwire_mpint(r, &exponent)) != CLUSTER_OK || (e = sshwire_mpint(r, &modulus)) != CLUSTER_OK)
		return e;
	if (modulus.n < CRYPTO_RSA_BITS_MIN / 8 || modulus.n > CRYPTO_RSA_BITS_MAX / 8 || (modulus.n == CRYPTO_RSA_BITS_MIN / 8 && !(modulus.p[0] & 0x80)))
		return CLUSTER_EDENIED;
	if (exponent.n > 4 || !(exponent.p[exponent.n - 1] & 1) || (exponent.n == 1 && exponent.p[0] < 3) || !(modulus.p[modulus.n - 1] & 1))
		return CLUSTER_EDENIED;
	ret->rsa = (struct crypto_rsa){ .e = exponent.p, .n = modulus.p, .e_size = exponent.n, .n_size = modulus.n };
	return CLUSTER_OK;
}

/* A public key blob, wholly read. CLUSTER_EDENIED for a type or size we do not take. */
static enum cluster_err key_read(const uint8_t *blob, size_t n, struct key *ret)
{
	static enum cluster_err (*const readers[])(struct rd *, struct key *) = { [KEY_ED25519] = key_ed25519, [KEY_P256] = key_p256, [KEY_RSA] = key_rsa };
	enum cluster_err e;
	struct rd r, type;

	memset(ret, 0, sizeof *ret);
	rd_init(&r, blob, n);
	if ((e = sshwire_string(&r, &type)) != CLUSTER_OK)
		return e;
	for (size_t i = 0; i < sizeof key_types / sizeof *key_types; i++) {
		if (!sshwire_is(&type, key_types[i]))
			continue;
		ret->kind = (enum key_kind)i;
		if ((e = readers[i](&r, ret)) != CLUSTER_OK)
			return e;
		return rd_end(&r);
	}
	return CLUSTER_EDENIED;
}

static enum cluster_err key_error(enum cluster_err e, struct diag *d)
{
	if (e == CLUSTER_EDENIED)
		return diag_set(d, e, "ssh key of a type or size that is not taken: ssh-ed25519, ecdsa-sha2-nistp256, or ssh-rsa of %d to %d bits", CRYPTO_RSA_BITS_MIN, CRYPTO_RSA_BITS_MAX);
	if (e == CLUSTER_ENOMEM || e == CLUSTER_ECRYPTO)
		return diag_set(d, e, "ssh key: %s", err_name(e));
	return diag_set(d, CLUSTER_EFORMAT, "not an OpenSSH public key line");
}

static enum cluster_err line_read(const char *line, uint8_t blob[SSHSIG_BLOB_MAX], size_t *ret_n, struct key *ret)
{
	size_t n = line ? strnlen(line, SSHSIG_LINE_MAX + 1) : 0, type, body;
	enum cluster_err e;

	if (n == 0 || n > SSHSIG_LINE_MAX)
		return CLUSTER_EFORMAT;
	type = strcspn(line, " ");
	if (type == n)
		return CLUSTER_EFORMAT;
	body = strcspn(line + type + 1, " ");
	if ((e = sshwire_decode(line + type + 1, body, blob, SSHSIG_BLOB_MAX, ret_n)) != CLUSTER_OK || (e = key_read(blob, *ret_n, ret)) != CLUSTER_OK)
		return e;
	/* the type in front must be the one inside */
	return strlen(key_types[ret->kind]) == type && memcmp(line, key_types[ret->kind], type) == 0 ? CLUSTER_OK : CLUSTER_EFORMAT;
}

enum cluster_err sshsig_key_parse(const char *line, uint8_t ret[SSHSIG_BLOB_MAX], size_t *ret_n, struct diag *d)
{
	uint8_t blob[SSHSIG_BLOB_MAX];
	enum cluster_err e;
	struct key key;
	size_t n = 0;

	if ((e = line_read(line, blob, &n, &key)) != CLUSTER_OK)
		return key_error(e, d);
	memcpy(ret, blob, n);
	*ret_n = n;
	return CLUSTER_OK;
}

enum cluster_err sshsig_fingerprint(const uint8_t *blob, size_t n, char ret[51])
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	enum cluster_err e;

	if ((e = crypto_sha256(blob, n, hash)) != CLUSTER_OK)
		return e;
	memcpy(ret, "SHA256:", 8);
	if ((e = b64_encode(hash, sizeof hash, ret + 7, 51 - 7)) != CLUSTER_OK)
		return e;
	for (char *p = ret + 7; *p; p++) /* ssh-keygen writes the standard alphabet */
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	return CLUSTER_OK;
}

/* The bytes between the armour's two lines. Lines may end with CR LF; nothing but line ends may follow the last one. */
static enum cluster_err armour_read(const char *text, size_t n, uint8_t *dst, size_t size, size_t *ret_n)
{
	enum cluster_err e = CLUSTER_EFORMAT;
	char *bare = NULL, *end;
	size_t k = 0;

	if (n > SSHSIG_TEXT_MAX)
		return CLUSTER_ELIMIT;
	if (!(bare = malloc(n + 1)))
		return CLUSTER_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\0')
			goto out;
		if (text[i] != '\r')
			bare[k++] = text[i];
	}
	bare[k] = '\0';
	if (strncmp(bare, BEGIN, strlen(BEGIN)) != 0 || !(end = strstr(bare, "\n" END)))
		goto out;
	for (const char *p = end + 1 + strlen(END); *p; p++) {
		if (*p != '\n')
			goto out;
	}
	*end = '\0';
	k = 0;
	for (const char *p = bare + strlen(BEGIN); *p; p++) {
		if (*p != '\n')
			bare[k++] = *p; /* never overtakes p */
	}
	e = sshwire_decode(bare, k, dst, size, ret_n);
out:
	free(bare);
	return e;
}

static enum cluster_err envelope_read(const uint8_t *blob, size_t n, struct envelope *ret)
{
	uint8_t magic[MAGIC_SIZE];
	enum cluster_err e;
	uint32_t version;
	struct rd r;

	rd_init(&r, blob, n);
	if ((e = rd_bytes(&r, magic, sizeof magic, MAGIC_SIZE)) != CLUSTER_OK || memcmp(magic, MAGIC, MAGIC_SIZE) != 0 || (e = rd_u32(&r, &version)) != CLUSTER_OK || version != VERSION)
		return CLUSTER_EFORMAT;
	if ((e = sshwire_string(&r, &ret->key)) != CLUSTER_OK || (e = sshwire_string(&r, &ret->namespace)) != CLUSTER_OK || (e = sshwire_string(&r, &ret->reserved)) != CLUSTER_OK ||
	    (e = sshwire_string(&r, &ret->hash)) != CLUSTER_OK || (e = sshwire_string(&r, &ret->signature)) != CLUSTER_OK)
		return e;
	return rd_end(&r);
}

/* What was signed: PROTOCOL.sshsig section 3. *ret_n bytes. */
static enum cluster_err transcript(const struct envelope *s, const void *message, size_t message_n, uint8_t *dst, size_t size, size_t *ret_n)
{
	uint8_t hash[CRYPTO_SHA512_SIZE];
	size_t hash_n = CRYPTO_SHA512_SIZE;
	enum cluster_err e;
	struct wr w;

	if (sshwire_is(&s->hash, "sha512")) {
		e = crypto_sha512(message, message_n, hash);
	} else if (sshwire_is(&s->hash, "sha256")) {
		hash_n = CRYPTO_SHA256_SIZE;
		e = crypto_sha256(message, message_n, hash);
	} else {
		e = CLUSTER_EFORMAT;
	}
	if (e != CLUSTER_OK)
		return e;
	wr_init(&w, dst, size);
	wr_bytes(&w, MAGIC, MAGIC_SIZE);
	sshwire_put(&w, s->namespace.p, s->namespace.n);
	sshwire_put(&w, s->reserved.p, s->reserved.n);
	sshwire_put(&w, s->hash.p, s->hash.n);
	sshwire_put(&w, hash, hash_n);
	*ret_n = w.n;
	return wr_end(&w);
}

static enum cluster_err signature_check(const struct key *key, struct rd signature, const uint8_t *data, size_t n)
{
	uint8_t sig[CRYPTO_SIG_SIZE];
	struct rd type, body;
	enum cluster_err e;

	if (key->kind != KEY_RSA) {
		if ((e = sshwire_signature(signature.p, signature.n, key->pub.alg, sig)) != CLUSTER_OK)
			return e;
		return crypto_verify(&key->pub, data, n, sig);
	}
	if ((e = sshwire_string(&signature, &type)) != CLUSTER_OK || (e = sshwire_string(&signature, &body)) != CLUSTER_OK || (e = rd_end(&signature)) != CLUSTER_OK)
		return e;
	if (!sshwire_is(&type, "rsa-sha2-512") && !sshwire_is(&type, "rsa-sha2-256"))
		return CLUSTER_ESIGNATURE;
	return crypto_rsa_verify(&key->rsa, sshwire_is(&type, "rsa-sha2-512"), data, n, body.p, body.n);
}

enum cluster_err sshsig_verify(const char *armoured, size_t n, const char *line, const char *namespace, const void *message, size_t message_n, struct diag *d)
{
	uint8_t blob[SIG_BLOB_MAX], key_blob[SSHSIG_BLOB_MAX], data[MAGIC_SIZE + 4 * 4 + 2 * NAMESPACE_MAX + 6 + CRYPTO_SHA512_SIZE];
	size_t blob_n = 0, key_n = 0, data_n = 0;
	struct envelope sig;
	enum cluster_err e;
	struct key key;

	if ((e = line_read(line, key_blob, &key_n, &key)) != CLUSTER_OK)
		return key_error(e, d);
	if ((e = armour_read(armoured, n, blob, sizeof blob, &blob_n)) != CLUSTER_OK || (e = envelope_read(blob, blob_n, &sig)) != CLUSTER_OK)
		return diag_set(d, e == CLUSTER_ENOMEM ? e : CLUSTER_EFORMAT, "not an armoured ssh signature");
	if (sig.key.n != key_n || memcmp(sig.key.p, key_blob, key_n) != 0)
		return diag_set(d, CLUSTER_ESIGNATURE, "the signature is by another ssh key");
	if (!sshwire_is(&sig.namespace, namespace))
		return diag_set(d, CLUSTER_ESIGNATURE, "the ssh signature is for another namespace than \"%s\"", namespace);
	if (sig.namespace.n > NAMESPACE_MAX || sig.reserved.n > NAMESPACE_MAX)
		return diag_set(d, CLUSTER_EFORMAT, "not an armoured ssh signature");
	if ((e = transcript(&sig, message, message_n, data, sizeof data, &data_n)) != CLUSTER_OK || (e = signature_check(&key, sig.signature, data, data_n)) != CLUSTER_OK)
		return diag_set(d, e == CLUSTER_ETRUNC ? CLUSTER_EFORMAT : e, "the ssh signature does not hold");
	return CLUSTER_OK;
}
