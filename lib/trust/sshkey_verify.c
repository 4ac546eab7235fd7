/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cluster/sshkey.h"
#include "cluster/sshwire.h"

/* Signatures as OpenSSH has them: RFC 4253, 5656, 8332, 8709, and PROTOCOL.u2f for security keys. */

#define APPLICATION "ssh:"
#define SK_USER_PRESENT 0x01
#define SK_BODY_MAX 128

/* A signature blob's type and body; what a security key adds is left in *rest. */
static enum cluster_err split(const struct rd *signature, struct rd *type, struct rd *body, struct rd *rest)
{
	enum cluster_err e;

	*rest = *signature;
	if ((e = sshwire_string(rest, type)) != CLUSTER_OK)
		return e;
	return sshwire_string(rest, body);
}

static enum cluster_err verify_rsa(const struct sshkey *k, const struct rd *signature, const void *data, size_t n)
{
	struct rd type, body, rest;
	enum cluster_err e;
	bool sha512;

	if ((e = split(signature, &type, &body, &rest)) != CLUSTER_OK || (e = rd_end(&rest)) != CLUSTER_OK)
		return e;
	sha512 = sshwire_is(&type, "rsa-sha2-512");
	if (!sha512 && !sshwire_is(&type, "rsa-sha2-256"))
		return CLUSTER_ESIGNATURE;
	return crypto_rsa_verify(&k->rsa, sha512, data, n, body.p, body.n);
}

static enum cluster_err verify_point(const struct sshkey *k, const struct rd *signature, const void *data, size_t n)
{
	struct rd type, body, rest, r, s;
	struct crypto_scalars scalars;
	enum cluster_err e;

	if ((e = split(signature, &type, &body, &rest)) != CLUSTER_OK || (e = rd_end(&rest)) != CLUSTER_OK)
		return e;
	if (!sshwire_is(&type, sshkey_type(k->kind)))
		return CLUSTER_ESIGNATURE;
	if ((e = sshwire_mpint(&body, &r)) != CLUSTER_OK || (e = sshwire_mpint(&body, &s)) != CLUSTER_OK || (e = rd_end(&body)) != CLUSTER_OK)
		return e;
	scalars = (struct crypto_scalars){ .r = r.p, .s = s.p, .r_n = r.n, .s_n = s.n };
	return crypto_curve_verify(&k->point, data, n, &scalars);
}

static enum cluster_err verify_plain(const struct crypto_pub *pub, const struct rd *signature, const void *data, size_t n)
{
	uint8_t sig[CRYPTO_SIG_SIZE];
	enum cluster_err e = sshwire_signature(signature->p, signature->n, pub->alg, sig);

	return e != CLUSTER_OK ? e : crypto_verify(pub, data, n, sig);
}

/* What a security key signs: the hashes of application and data with its flags and counter between them. */
static enum cluster_err verify_sk(const struct sshkey *k, const struct rd *signature, const void *data, size_t n)
{
	uint8_t signed_[2 * CRYPTO_SHA256_SIZE + 5], plain[SK_BODY_MAX], *at = signed_ + CRYPTO_SHA256_SIZE;
	struct rd type, body, rest, inner;
	enum cluster_err e;
	struct wr w;

	if ((e = split(signature, &type, &body, &rest)) != CLUSTER_OK)
		return e;
	if (!sshwire_is(&type, sshkey_type(k->kind)))
		return CLUSTER_ESIGNATURE;
	if ((e = rd_bytes(&rest, at, 5, 5)) != CLUSTER_OK || (e = rd_end(&rest)) != CLUSTER_OK)
		return e;
	if (!(at[0] & SK_USER_PRESENT))
		return CLUSTER_ESIGNATURE;
	if ((e = crypto_sha256(APPLICATION, strlen(APPLICATION), signed_)) != CLUSTER_OK || (e = crypto_sha256(data, n, at + 5)) != CLUSTER_OK)
		return e;
	wr_init(&w, plain, sizeof plain); /* as the plain kind of key has it */
	sshwire_put_text(&w, sshwire_type(k->pub.alg));
	sshwire_put(&w, body.p, body.n);
	if (wr_end(&w) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	rd_init(&inner, w.p, w.n);
	return verify_plain(&k->pub, &inner, signed_, sizeof signed_);
}

enum cluster_err sshkey_verify(const struct sshkey *k, const struct rd *signature, const void *data, size_t n)
{
	switch (k->kind) {
	case SSHKEY_ED25519:
	case SSHKEY_P256:
		return verify_plain(&k->pub, signature, data, n);
	case SSHKEY_P384:
	case SSHKEY_P521:
		return verify_point(k, signature, data, n);
	case SSHKEY_RSA:
		return verify_rsa(k, signature, data, n);
	case SSHKEY_SK_ED25519:
	case SSHKEY_SK_P256:
		return verify_sk(k, signature, data, n);
	case SSHKEY_KIND_N:
		break;
	}
	return CLUSTER_EDENIED;
}
