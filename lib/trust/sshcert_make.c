/* SPDX-License-Identifier: Apache-2.0 */
#include "sshcert_make.h"

#include <string.h>

#include "cluster/sshwire.h"
#include "cluster/wr.h"

#define NONCE_SIZE 32
#define CERT_SUFFIX "-cert-v01@openssh.com"

bool sshcert_bytes_are(const struct sshcert_bytes *b, const char *text)
{
	const struct rd r = { .p = b->p, .n = b->n };

	return sshwire_is(&r, text);
}

/* The length of what is written after `at`, into the place that was left for it there. */
static void close_string(struct wr *w, size_t at)
{
	wr_patch_u32(w, at, (uint32_t)(w->n - at - 4));
}

static size_t open_string(struct wr *w)
{
	size_t at = w->n;

	wr_u32(w, 0);
	return at;
}

/* One option: its name, and its value as a string within a string. */
static void put_option(struct wr *w, const char *name, const char *value)
{
	size_t at;

	sshwire_put_text(w, name);
	at = open_string(w);
	if (value)
		sshwire_put_text(w, value);
	close_string(w, at);
}

static void put_body(struct wr *w, const struct sshcert_make *m)
{
	size_t at;

	wr_u64(w, m->serial);
	wr_u32(w, SSHCERT_USER);
	sshwire_put_text(w, m->key_id);
	at = open_string(w);
	sshwire_put_text(w, m->principal);
	close_string(w, at);
	wr_u64(w, (uint64_t)m->after);
	wr_u64(w, (uint64_t)m->before);
	at = open_string(w);
	if (m->source && m->source[0])
		put_option(w, "source-address", m->source);
	close_string(w, at);
	at = open_string(w);
	put_option(w, m->extension, m->carried);
	put_option(w, "permit-port-forwarding", NULL);
	put_option(w, "permit-pty", NULL);
	close_string(w, at);
	wr_u32(w, 0); /* reserved */
}

static bool key_id_ok(const char *s)
{
	size_t n = strnlen(s, SSHCERT_KEY_ID_MAX + 1);

	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return n > 0 && n <= SSHCERT_KEY_ID_MAX;
}

static enum cluster_err put_certificate(struct wr *w, const struct sshcert_make *m, const struct crypto_key *ca)
{
	uint8_t nonce[NONCE_SIZE], sig[CRYPTO_SIG_SIZE];
	struct crypto_pub pub;
	enum cluster_err e;
	size_t at;

	if ((e = crypto_random(nonce, sizeof nonce)) != CLUSTER_OK || (e = crypto_key_pub(ca, &pub)) != CLUSTER_OK)
		return e;
	at = open_string(w);
	wr_text(w, sshwire_type(m->key->alg));
	wr_text(w, CERT_SUFFIX);
	close_string(w, at);
	sshwire_put(w, nonce, sizeof nonce);
	sshwire_put_key(w, m->key);
	put_body(w, m);
	at = open_string(w);
	sshwire_put_blob(w, &pub);
	close_string(w, at);
	if ((e = wr_end(w)) != CLUSTER_OK || (e = crypto_sign(ca, w->p, w->n, sig)) != CLUSTER_OK)
		return e;
	at = open_string(w);
	sshwire_put_signature(w, pub.alg, sig);
	close_string(w, at);
	return wr_end(w);
}

enum cluster_err sshcert_make(const struct sshcert_make *m, const struct crypto_key *ca, char **ret)
{
	enum cluster_err e = CLUSTER_EFORMAT;
	uint8_t *text = NULL;
	struct wr blob, w;
	size_t n = 0;

	wr_grow(&blob, SSHCERT_BLOB_MAX);
	wr_grow(&w, SSHCERT_TEXT_MAX);
	if (!key_id_ok(m->key_id) || m->after < 0 || m->after >= m->before)
		goto out;
	if ((e = put_certificate(&blob, m, ca)) != CLUSTER_OK)
		goto out;
	wr_text(&w, sshwire_type(m->key->alg));
	wr_text(&w, CERT_SUFFIX " ");
	sshwire_encode(&w, blob.p, blob.n);
	wr_terminate(&w);
	if ((e = wr_take(&w, &text, &n)) == CLUSTER_OK)
		*ret = (char *)text;
out:
	wr_done(&w);
	wr_done(&blob);
	return e;
}
