/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/sshsig.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/crypto.h"
#include "cluster/rd.h"
#include "cluster/sshkey.h"
#include "cluster/sshwire.h"
#include "cluster/wr.h"

#define MAGIC "SSHSIG"
#define MAGIC_SIZE 6
#define VERSION 1
#define BEGIN "-----BEGIN SSH SIGNATURE-----\n"
#define END "-----END SSH SIGNATURE-----"
#define SIG_BLOB_MAX 4096 /* an RSA key of 8192 bits and its signature are 2.1 KB */
#define COLUMNS 70
#define HASH "sha512"

/* An SSHSIG's fields, borrowed from its blob. */
struct envelope {
	struct rd key, namespace, reserved, hash, signature;
};

enum cluster_err sshsig_key_parse(const char *line, uint8_t ret[SSHSIG_BLOB_MAX], size_t *ret_n, struct diag *d)
{
	uint8_t blob[SSHSIG_BLOB_MAX];
	struct sshkey key;
	enum cluster_err e;

	if ((e = sshkey_line_parse(line, SSHKEY_HOST, blob, &key, d)) != CLUSTER_OK)
		return e;
	memcpy(ret, blob, key.blob.n);
	*ret_n = key.blob.n;
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

enum cluster_err sshsig_verify_key(const struct rd *armoured, const struct sshkey *key, const char *namespace, const void *message, size_t message_n, struct diag *d)
{
	uint8_t blob[SIG_BLOB_MAX], data[SSHSIG_TO_SIGN_MAX];
	size_t blob_n = 0, data_n = 0;
	struct envelope sig;
	enum cluster_err e;

	if ((e = armour_read((const char *)armoured->p, armoured->n, blob, sizeof blob, &blob_n)) != CLUSTER_OK || (e = envelope_read(blob, blob_n, &sig)) != CLUSTER_OK)
		return diag_set(d, e == CLUSTER_ENOMEM ? e : CLUSTER_EFORMAT, "not an armoured ssh signature");
	if (sig.key.n != key->blob.n || memcmp(sig.key.p, key->blob.p, sig.key.n) != 0)
		return diag_set(d, CLUSTER_ESIGNATURE, "the signature is by another ssh key");
	if (!sshwire_is(&sig.namespace, namespace))
		return diag_set(d, CLUSTER_ESIGNATURE, "the ssh signature is for another namespace than \"%s\"", namespace);
	if (sig.namespace.n > SSHSIG_NAMESPACE_MAX || sig.reserved.n > SSHSIG_NAMESPACE_MAX)
		return diag_set(d, CLUSTER_EFORMAT, "not an armoured ssh signature");
	if ((e = transcript(&sig, message, message_n, data, sizeof data, &data_n)) != CLUSTER_OK || (e = sshkey_verify(key, &sig.signature, data, data_n)) != CLUSTER_OK)
		return diag_set(d, e == CLUSTER_ETRUNC ? CLUSTER_EFORMAT : e, "the ssh signature does not hold");
	return CLUSTER_OK;
}

enum cluster_err sshsig_verify(const char *armoured, size_t n, const char *line, const char *namespace, const void *message, size_t message_n, struct diag *d)
{
	uint8_t blob[SSHSIG_BLOB_MAX];
	struct sshkey key;
	enum cluster_err e;
	struct rd text;

	if ((e = sshkey_line_parse(line, SSHKEY_HOST, blob, &key, d)) != CLUSTER_OK)
		return e;
	rd_init(&text, armoured, n);
	return sshsig_verify_key(&text, &key, namespace, message, message_n, d);
}

enum cluster_err sshsig_blob_verify(const struct rd *key, const struct rd *signature, const void *data, size_t n)
{
	struct sshkey k;
	enum cluster_err e;

	if ((e = sshkey_parse(key->p, key->n, SSHKEY_HOST, &k, NULL)) != CLUSTER_OK)
		return e;
	return (e = sshkey_verify(&k, signature, data, n)) == CLUSTER_ETRUNC ? CLUSTER_EFORMAT : e;
}

/* ---- making one ---- */

static void text_rd(const char *text, struct rd *ret)
{
	rd_init(ret, text, strlen(text));
}

enum cluster_err sshsig_to_sign(const char *namespace, const void *message, size_t n, uint8_t ret[SSHSIG_TO_SIGN_MAX], size_t *ret_n)
{
	struct envelope sig = { .key = { .n = 0 } };

	if (strlen(namespace) > SSHSIG_NAMESPACE_MAX)
		return CLUSTER_ELIMIT;
	text_rd(namespace, &sig.namespace);
	text_rd("", &sig.reserved);
	text_rd(HASH, &sig.hash);
	return transcript(&sig, message, n, ret, SSHSIG_TO_SIGN_MAX, ret_n);
}

/* Base64 in lines, between the armour's two. */
static enum cluster_err armour_build(const struct wr *blob, char **ret)
{
	struct wr base64, text;
	enum cluster_err e;
	uint8_t *p = NULL;
	size_t n;

	wr_grow(&base64, SSHSIG_TEXT_MAX);
	wr_grow(&text, SSHSIG_TEXT_MAX);
	sshwire_encode(&base64, blob->p, blob->n);
	if ((e = wr_end(&base64)) != CLUSTER_OK)
		goto out;
	wr_text(&text, BEGIN);
	for (size_t i = 0; i < base64.n; i += COLUMNS) {
		wr_bytes(&text, base64.p + i, base64.n - i < COLUMNS ? base64.n - i : COLUMNS);
		wr_text(&text, "\n");
	}
	wr_text(&text, END "\n");
	wr_terminate(&text);
	if ((e = wr_take(&text, &p, &n)) == CLUSTER_OK)
		*ret = (char *)p;
out:
	wr_done(&text);
	wr_done(&base64);
	return e;
}

enum cluster_err sshsig_build(const struct rd *key, const char *namespace, const struct rd *signature, char **ret)
{
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, SIG_BLOB_MAX);
	wr_bytes(&w, MAGIC, MAGIC_SIZE);
	wr_u32(&w, VERSION);
	sshwire_put(&w, key->p, key->n);
	sshwire_put_text(&w, namespace);
	sshwire_put_text(&w, "");
	sshwire_put_text(&w, HASH);
	sshwire_put(&w, signature->p, signature->n);
	if ((e = wr_end(&w)) == CLUSTER_OK)
		e = armour_build(&w, ret);
	wr_done(&w);
	return e;
}
