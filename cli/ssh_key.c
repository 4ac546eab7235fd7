/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_key.h"

#include <string.h>

#include "cluster/secret.h"
#include "cluster/sshwire.h"

#define MAGIC "openssh-key-v1" /* with its NUL */
#define BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define END "-----END OPENSSH PRIVATE KEY-----\n"
#define BLOCK 8
#define COLUMNS 70
#define FILE_MAX 4096

enum cluster_err ssh_key_put_private(struct wr *w, const struct crypto_key *key)
{
	struct secret *seed = NULL;
	struct crypto_pub pub;
	enum cluster_err e;

	if ((e = crypto_key_seed(key, &seed)) != CLUSTER_OK || (e = crypto_key_pub(key, &pub)) != CLUSTER_OK)
		goto out;
	sshwire_put(w, pub.bytes, crypto_pub_size(CRYPTO_ED25519));
	wr_u32(w, (uint32_t)(seed->n + crypto_pub_size(CRYPTO_ED25519)));
	wr_bytes(w, seed->bytes, seed->n);
	wr_bytes(w, pub.bytes, crypto_pub_size(CRYPTO_ED25519));
	e = wr_end(w);
out:
	secret_free(seed);
	return e;
}

/* The part that a passphrase would hide. */
static enum cluster_err put_hidden(struct wr *w, const struct crypto_key *key, const char *comment)
{
	uint8_t check[4];
	enum cluster_err e;

	if ((e = crypto_random(check, sizeof check)) != CLUSTER_OK)
		return e;
	wr_bytes(w, check, sizeof check);
	wr_bytes(w, check, sizeof check);
	sshwire_put_text(w, sshwire_type(CRYPTO_ED25519));
	if ((e = ssh_key_put_private(w, key)) != CLUSTER_OK)
		return e;
	sshwire_put_text(w, comment);
	for (uint8_t pad = 1; w->n % BLOCK != 0 && wr_end(w) == CLUSTER_OK; pad++)
		wr_u8(w, pad);
	return wr_end(w);
}

static enum cluster_err put_file(struct wr *w, const struct crypto_key *key, const struct wr *hidden)
{
	struct crypto_pub pub;
	enum cluster_err e;
	size_t at;

	if ((e = crypto_key_pub(key, &pub)) != CLUSTER_OK)
		return e;
	wr_bytes(w, MAGIC, sizeof MAGIC);
	sshwire_put_text(w, "none");
	sshwire_put_text(w, "none");
	sshwire_put_text(w, "");
	wr_u32(w, 1);
	at = w->n;
	wr_u32(w, 0);
	sshwire_put_blob(w, &pub);
	wr_patch_u32(w, at, (uint32_t)(w->n - at - 4));
	sshwire_put(w, hidden->p, hidden->n);
	return wr_end(w);
}

enum cluster_err ssh_key_build(const struct crypto_key *key, const char *comment, struct secret **ret)
{
	struct wr hidden, file, base64, text;
	enum cluster_err e;

	wr_grow(&hidden, FILE_MAX);
	wr_grow(&file, FILE_MAX);
	wr_grow(&base64, FILE_MAX);
	wr_grow(&text, FILE_MAX);
	if ((e = put_hidden(&hidden, key, comment)) != CLUSTER_OK || (e = put_file(&file, key, &hidden)) != CLUSTER_OK)
		goto out;
	sshwire_encode(&base64, file.p, file.n);
	if ((e = wr_end(&base64)) != CLUSTER_OK)
		goto out;
	wr_text(&text, BEGIN);
	for (size_t i = 0; i < base64.n; i += COLUMNS) {
		wr_bytes(&text, base64.p + i, base64.n - i < COLUMNS ? base64.n - i : COLUMNS);
		wr_u8(&text, '\n');
	}
	wr_text(&text, END);
	if ((e = wr_end(&text)) == CLUSTER_OK)
		e = secret_copy(text.p, text.n, ret);
out:
	wr_done(&text);
	wr_done(&base64);
	wr_done(&file);
	wr_done(&hidden);
	return e;
}
