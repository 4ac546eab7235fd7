/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/sshkey.h"

#include <string.h>

#include "cluster/b64.h"
#include "cluster/sshwire.h"

#define APPLICATION "ssh:"
#define POINT_MAX 133

static enum cluster_err read_ed25519(struct rd *r, enum sshkey_use use, struct sshkey *k)
{
	(void)use;
	return sshwire_key(r, CRYPTO_ED25519, &k->pub);
}

static enum cluster_err read_p256(struct rd *r, enum sshkey_use use, struct sshkey *k)
{
	(void)use;
	return sshwire_key(r, CRYPTO_ES256, &k->pub);
}

static enum cluster_err read_point(struct rd *r, const char *name, enum crypto_curve curve, struct sshkey *k)
{
	struct rd said, point;
	enum cluster_err e;

	if ((e = sshwire_string(r, &said)) != CLUSTER_OK || (e = sshwire_string(r, &point)) != CLUSTER_OK)
		return e;
	if (!sshwire_is(&said, name) || point.n == 0 || point.n > POINT_MAX)
		return CLUSTER_EFORMAT;
	k->point = (struct crypto_point){ .curve = curve, .p = point.p, .n = point.n };
	return crypto_curve_check(&k->point);
}

static enum cluster_err read_p384(struct rd *r, enum sshkey_use use, struct sshkey *k)
{
	return use == SSHKEY_DEVICE ? read_point(r, "nistp384", CRYPTO_P384, k) : CLUSTER_EDENIED;
}

static enum cluster_err read_p521(struct rd *r, enum sshkey_use use, struct sshkey *k)
{
	return use == SSHKEY_DEVICE ? read_point(r, "nistp521", CRYPTO_P521, k) : CLUSTER_EDENIED;
}

static size_t bits(const struct crypto_rsa *k)
{
	size_t n = k->n_size * 8;

	for (uint8_t top = k->n[0]; !(top & 0x80) && n > 0; top = (uint8_t)(top << 1))
		n--;
	return n;
}

static enum cluster_err read_rsa(struct rd *r, enum sshkey_use use, struct sshkey *k)
{
	struct rd exponent, modulus;
	enum cluster_err e;

	if ((e = sshwire_mpint(r, &exponent)) != CLUSTER_OK || (e = sshwire_mpint(r, &modulus)) != CLUSTER_OK)
		return e;
	k->rsa = (struct crypto_rsa){ .e = exponent.p, .n = modulus.p, .e_size = exponent.n, .n_size = modulus.n };
	if (bits(&k->rsa) < (use == SSHKEY_DEVICE ? SSHKEY_RSA_DEVICE_BITS_MIN : CRYPTO_RSA_BITS_MIN) || bits(&k->rsa) > CRYPTO_RSA_BITS_MAX)
		return CLUSTER_EDENIED;
	if (exponent.n > 4 || !(exponent.p[exponent.n - 1] & 1) || (exponent.n == 1 && exponent.p[0] < 3) || !(modulus.p[modulus.n - 1] & 1))
		return CLUSTER_EDENIED;
	return CLUSTER_OK;
}

static enum cluster_err read_sk(struct rd *r, enum crypto_alg alg, enum sshkey_use use, struct sshkey *k)
{
	struct rd application;
	enum cluster_err e;

	if (use != SSHKEY_DEVICE)
		return CLUSTER_EDENIED;
	if ((e = sshwire_key(r, alg, &k->pub)) != CLUSTER_OK || (e = sshwire_string(r, &application)) != CLUSTER_OK)
		return e;
	return sshwire_is(&application, APPLICATION) ? CLUSTER_OK : CLUSTER_EDENIED;
}

static enum cluster_err read_sk_ed25519(struct rd *r, enum sshkey_use use, struct sshkey *k)
{
	return read_sk(r, CRYPTO_ED25519, use, k);
}

static enum cluster_err read_sk_p256(struct rd *r, enum sshkey_use use, struct sshkey *k)
{
	return read_sk(r, CRYPTO_ES256, use, k);
}

static const struct {
	const char *type;
	enum cluster_err (*read)(struct rd *r, enum sshkey_use use, struct sshkey *k);
} kinds[SSHKEY_KIND_N] = {
	[SSHKEY_ED25519] = { "ssh-ed25519", read_ed25519 },
	[SSHKEY_P256] = { "ecdsa-sha2-nistp256", read_p256 },
	[SSHKEY_P384] = { "ecdsa-sha2-nistp384", read_p384 },
	[SSHKEY_P521] = { "ecdsa-sha2-nistp521", read_p521 },
	[SSHKEY_RSA] = { "ssh-rsa", read_rsa },
	[SSHKEY_SK_ED25519] = { "sk-ssh-ed25519@openssh.com", read_sk_ed25519 },
	[SSHKEY_SK_P256] = { "sk-ecdsa-sha2-nistp256@openssh.com", read_sk_p256 },
};

const char *sshkey_type(enum sshkey_kind kind)
{
	return kinds[kind].type;
}

/* The sentence for what is read but not taken. */
static enum cluster_err refused(const struct rd *type, enum sshkey_use use, const struct sshkey *k, struct diag *d)
{
	if (use == SSHKEY_HOST)
		return diag_set(d, CLUSTER_EDENIED, "ssh key of a type or size that is not taken: ssh-ed25519, ecdsa-sha2-nistp256, or ssh-rsa of %d to %d bits", CRYPTO_RSA_BITS_MIN,
		    CRYPTO_RSA_BITS_MAX);
	if (sshwire_is(type, "ssh-dss"))
		return diag_set(d, CLUSTER_EDENIED, "DSA keys are too weak to be a device's key: take an Ed25519, ECDSA or security key, or RSA of %d bits or more", SSHKEY_RSA_DEVICE_BITS_MIN);
	if (k->rsa.n)
		return diag_set(d, CLUSTER_EDENIED, "this RSA key of %zu bits cannot be a device's key: RSA keys have %d to %d bits", bits(&k->rsa), SSHKEY_RSA_DEVICE_BITS_MIN, CRYPTO_RSA_BITS_MAX);
	return diag_set(d, CLUSTER_EDENIED, "an ssh key of this type cannot be a device's key: take an Ed25519, ECDSA or security key (\"ssh:\"), or RSA of %d bits or more", SSHKEY_RSA_DEVICE_BITS_MIN);
}

enum cluster_err sshkey_parse(const uint8_t *blob, size_t n, enum sshkey_use use, struct sshkey *ret, struct diag *d)
{
	struct sshkey k = { .blob = { .n = 0 } };
	enum cluster_err e = CLUSTER_EDENIED;
	struct rd r, type;

	rd_init(&k.blob, blob, n);
	r = k.blob;
	if (n > SSHKEY_BLOB_MAX || sshwire_string(&r, &type) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "not an OpenSSH public key");
	for (size_t i = 0; i < SSHKEY_KIND_N; i++) {
		if (!sshwire_is(&type, kinds[i].type))
			continue;
		k.kind = (enum sshkey_kind)i;
		if ((e = kinds[i].read(&r, use, &k)) == CLUSTER_OK)
			e = rd_end(&r);
	}
	if (e == CLUSTER_EDENIED)
		return refused(&type, use, &k, d);
	if (e == CLUSTER_ENOMEM || e == CLUSTER_ECRYPTO)
		return diag_set(d, e, "ssh key: %s", err_name(e));
	if (e != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "not an OpenSSH public key");
	*ret = k;
	return CLUSTER_OK;
}

enum cluster_err sshkey_line_parse(const char *line, enum sshkey_use use, uint8_t blob[SSHKEY_BLOB_MAX], struct sshkey *ret, struct diag *d)
{
	size_t n = line ? strnlen(line, SSHKEY_LINE_MAX + 1) : 0, type, body, blob_n = 0;
	struct sshkey k;
	enum cluster_err e;
	struct rd r, said;

	if (n == 0 || n > SSHKEY_LINE_MAX || (type = strcspn(line, " ")) == n)
		return diag_set(d, CLUSTER_EFORMAT, "not an OpenSSH public key line");
	body = strcspn(line + type + 1, " ");
	if (sshwire_decode(line + type + 1, body, blob, SSHKEY_BLOB_MAX, &blob_n) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "not an OpenSSH public key line");
	rd_init(&r, blob, blob_n);
	/* the type in front must be the one inside */
	if (sshwire_string(&r, &said) != CLUSTER_OK || said.n != type || memcmp(line, said.p, type) != 0)
		return diag_set(d, CLUSTER_EFORMAT, "not an OpenSSH public key line");
	if ((e = sshkey_parse(blob, blob_n, use, &k, d)) != CLUSTER_OK)
		return e;
	*ret = k;
	return CLUSTER_OK;
}

enum cluster_err sshkey_line_build(const struct sshkey *k, char *dst, size_t size)
{
	struct wr w;

	wr_init(&w, dst, size);
	wr_text(&w, kinds[k->kind].type);
	wr_text(&w, " ");
	sshwire_encode(&w, k->blob.p, k->blob.n);
	wr_terminate(&w);
	return wr_end(&w);
}

const struct crypto_pub *sshkey_pub(const struct sshkey *k)
{
	return k->kind == SSHKEY_ED25519 || k->kind == SSHKEY_P256 ? &k->pub : NULL;
}

enum cluster_err sshkey_thumbprint(const struct sshkey *k, char ret[JWK_THUMBPRINT + 1])
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	enum cluster_err e;

	if (sshkey_pub(k))
		return jwk_thumbprint(sshkey_pub(k), ret);
	if ((e = crypto_sha256(k->blob.p, k->blob.n, hash)) != CLUSTER_OK)
		return e;
	return b64_encode(hash, sizeof hash, ret, JWK_THUMBPRINT + 1);
}
