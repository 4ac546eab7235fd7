/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/sshwire.h"

#include <string.h>

#include "cluster/b64.h"

#define P256_CURVE "nistp256"
#define P256_POINT 65
#define P256_HALF 32
#define CHUNK 1024 /* characters of base64 at a time, a multiple of 4 */

enum cluster_err sshwire_string(struct rd *r, struct rd *ret)
{
	struct rd at = *r;
	enum cluster_err e;
	uint32_t n;

	if ((e = rd_u32(&at, &n)) != CLUSTER_OK || (e = rd_sub(&at, n, ret)) != CLUSTER_OK)
		return e;
	*r = at;
	return CLUSTER_OK;
}

bool sshwire_is(const struct rd *s, const char *text)
{
	return s->n == strlen(text) && memcmp(s->p, text, s->n) == 0;
}

enum cluster_err sshwire_mpint(struct rd *r, struct rd *ret)
{
	struct rd at = *r, number;
	enum cluster_err e = sshwire_string(&at, &number);

	if (e != CLUSTER_OK)
		return e;
	if (number.n == 0 || (number.p[0] & 0x80))
		return CLUSTER_EFORMAT;
	if (number.p[0] == 0) {
		if (number.n == 1 || !(number.p[1] & 0x80))
			return CLUSTER_EFORMAT;
		number.p++;
		number.n--;
	}
	*r = at;
	*ret = number;
	return CLUSTER_OK;
}

void sshwire_put(struct wr *w, const void *data, size_t n)
{
	if (n > UINT32_MAX) {
		w->err = w->err == CLUSTER_OK ? CLUSTER_ELIMIT : w->err;
		return;
	}
	wr_u32(w, (uint32_t)n);
	wr_bytes(w, data, n);
}

void sshwire_put_text(struct wr *w, const char *text)
{
	sshwire_put(w, text, strlen(text));
}

void sshwire_put_mpint(struct wr *w, const uint8_t *p, size_t n)
{
	size_t sign;

	while (n > 0 && *p == 0) {
		p++;
		n--;
	}
	sign = n > 0 && (*p & 0x80) ? 1 : 0;
	wr_u32(w, (uint32_t)(n + sign));
	wr_zero(w, sign);
	wr_bytes(w, p, n);
}

enum cluster_err sshwire_decode(const char *text, size_t n, uint8_t *dst, size_t size, size_t *ret_n)
{
	size_t bare = n, total = 0, got;
	char url[CHUNK];
	enum cluster_err e;

	if (n == 0 || n % 4)
		return CLUSTER_EFORMAT;
	while (bare > n - 2 && text[bare - 1] == '=')
		bare--;
	for (size_t at = 0; at < bare; at += CHUNK) {
		size_t part = bare - at < CHUNK ? bare - at : CHUNK;

		for (size_t i = 0; i < part; i++) {
			char c = text[at + i];

			if (c == '-' || c == '_')
				return CLUSTER_EFORMAT;
			url[i] = c == '+' ? '-' : c == '/' ? '_' : c;
		}
		if ((e = b64_decode(url, part, dst + total, size - total, &got)) != CLUSTER_OK)
			return e;
		total += got;
	}
	*ret_n = total;
	return CLUSTER_OK;
}

void sshwire_encode(struct wr *w, const void *data, size_t n)
{
	const uint8_t *p = data;
	char text[5];

	for (size_t at = 0; at < n; at += 3) {
		size_t part = n - at < 3 ? n - at : 3;

		if (b64_encode(p + at, part, text, sizeof text) != CLUSTER_OK)
			return; /* 4 characters and NUL always fit */
		for (char *c = text; *c; c++)
			*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
		wr_text(w, text);
		wr_bytes(w, "==", 3 - part);
	}
}

const char *sshwire_type(enum crypto_alg alg)
{
	return alg == CRYPTO_ED25519 ? "ssh-ed25519" : "ecdsa-sha2-nistp256";
}

enum cluster_err sshwire_key(struct rd *r, enum crypto_alg alg, struct crypto_pub *ret)
{
	struct rd at = *r, curve, point;
	struct crypto_pub k = { .alg = alg };
	enum cluster_err e;

	if (alg == CRYPTO_ES256) {
		if ((e = sshwire_string(&at, &curve)) != CLUSTER_OK || (e = sshwire_string(&at, &point)) != CLUSTER_OK)
			return e;
		if (!sshwire_is(&curve, P256_CURVE) || point.n != P256_POINT || point.p[0] != 4)
			return CLUSTER_EFORMAT;
		memcpy(k.bytes, point.p + 1, point.n - 1);
	} else {
		if ((e = sshwire_string(&at, &point)) != CLUSTER_OK)
			return e;
		if (point.n != crypto_pub_size(CRYPTO_ED25519))
			return CLUSTER_EFORMAT;
		memcpy(k.bytes, point.p, point.n);
	}
	if ((e = crypto_pub_check(&k)) != CLUSTER_OK)
		return e;
	*r = at;
	*ret = k;
	return CLUSTER_OK;
}

void sshwire_put_key(struct wr *w, const struct crypto_pub *k)
{
	size_t n = crypto_pub_size(k->alg);

	if (k->alg == CRYPTO_ES256) {
		sshwire_put_text(w, P256_CURVE);
		wr_u32(w, P256_POINT);
		wr_u8(w, 4);
		wr_bytes(w, k->bytes, n);
	} else {
		sshwire_put(w, k->bytes, n);
	}
}

enum cluster_err sshwire_blob(const uint8_t *blob, size_t n, struct crypto_pub *ret)
{
	struct crypto_pub k;
	struct rd r, type;
	enum cluster_err e;

	rd_init(&r, blob, n);
	if ((e = sshwire_string(&r, &type)) != CLUSTER_OK)
		return e;
	for (enum crypto_alg alg = CRYPTO_ED25519; alg <= CRYPTO_ES256; alg++) {
		if (!sshwire_is(&type, sshwire_type(alg)))
			continue;
		if ((e = sshwire_key(&r, alg, &k)) != CLUSTER_OK || (e = rd_end(&r)) != CLUSTER_OK)
			return e;
		*ret = k;
		return CLUSTER_OK;
	}
	return CLUSTER_ENOTFOUND;
}

void sshwire_put_blob(struct wr *w, const struct crypto_pub *k)
{
	sshwire_put_text(w, sshwire_type(k->alg));
	sshwire_put_key(w, k);
}

/* r and s of an ECDSA signature. */
static enum cluster_err p256_signature(struct rd body, uint8_t ret[CRYPTO_SIG_SIZE])
{
	struct rd half[2];
	enum cluster_err e;

	if ((e = sshwire_mpint(&body, &half[0])) != CLUSTER_OK || (e = sshwire_mpint(&body, &half[1])) != CLUSTER_OK || (e = rd_end(&body)) != CLUSTER_OK)
		return e;
	if (half[0].n > P256_HALF || half[1].n > P256_HALF)
		return CLUSTER_EFORMAT;
	memset(ret, 0, CRYPTO_SIG_SIZE);
	for (size_t i = 0; i < 2; i++)
		memcpy(ret + (i + 1) * P256_HALF - half[i].n, half[i].p, half[i].n);
	return CLUSTER_OK;
}

enum cluster_err sshwire_signature(const uint8_t *p, size_t n, enum crypto_alg alg, uint8_t ret[CRYPTO_SIG_SIZE])
{
	struct rd r, type, body;
	enum cluster_err e;

	rd_init(&r, p, n);
	if ((e = sshwire_string(&r, &type)) != CLUSTER_OK || (e = sshwire_string(&r, &body)) != CLUSTER_OK || (e = rd_end(&r)) != CLUSTER_OK)
		return e;
	if (!sshwire_is(&type, sshwire_type(alg)))
		return CLUSTER_ESIGNATURE;
	if (alg == CRYPTO_ES256)
		return p256_signature(body, ret);
	return body.n == CRYPTO_SIG_SIZE ? rd_bytes(&body, ret, CRYPTO_SIG_SIZE, CRYPTO_SIG_SIZE) : CLUSTER_EFORMAT;
}

void sshwire_put_signature(struct wr *w, enum crypto_alg alg, const uint8_t sig[CRYPTO_SIG_SIZE])
{
	uint8_t body[2 * (4 + 1 + P256_HALF)];
	struct wr mpints;

	sshwire_put_text(w, sshwire_type(alg));
	if (alg == CRYPTO_ED25519) {
		sshwire_put(w, sig, CRYPTO_SIG_SIZE);
		return;
	}
	wr_init(&mpints, body, sizeof body);
	sshwire_put_mpint(&mpints, sig, P256_HALF);
	sshwire_put_mpint(&mpints, sig + P256_HALF, P256_HALF);
	sshwire_put(w, body, mpints.n);
}
