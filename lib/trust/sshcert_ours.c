/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cluster/jwk.h"
#include "cluster/rd.h"
#include "cluster/sshcert.h"
#include "cluster/sshwire.h"
#include "cluster/wr.h"

#define NONCE_SIZE 32
#define LEEWAY 30 /* of a node's clock that is a little behind: PROTOCOL.md 4.6 */
#define SOURCE "source-address"
#define SOURCE_MAX 256
#define PRINCIPAL_MAX (2 * ID_TEXT + 1)

static void principal_of(const struct credential *c, char dst[PRINCIPAL_MAX + 1])
{
	id_text(&c->jti, dst);
	dst[ID_TEXT] = '@';
	id_text(&c->cluster, dst + ID_TEXT + 1);
}

/* `src` as sshd reads it: networks separated by commas; empty for none. */
static enum cluster_err source_of(const struct credential *c, char dst[SOURCE_MAX])
{
	struct wr w;

	wr_init(&w, dst, SOURCE_MAX);
	for (size_t i = 0; i < c->n_src; i++) {
		wr_text(&w, i ? "," : "");
		wr_text(&w, c->src[i]);
	}
	wr_terminate(&w);
	return wr_end(&w);
}

static bool bytes_are(const struct sshcert_bytes *b, const char *text)
{
	return b->n == strlen(text) && memcmp(b->p, text, b->n) == 0;
}

static enum cluster_err check_ca(const struct sshcert *c, const struct keyring_at *at, struct crypto_pub *ret)
{
	const struct keyring_key *key = NULL;
	char kid[NAME_KID_MAX + 1];
	enum cluster_err e;

	if (sshwire_blob(c->ca.p, c->ca.n, ret) != CLUSTER_OK || jwk_kid(ret, kid) != CLUSTER_OK)
		return CLUSTER_ENOTFOUND;
	if ((e = keyring_find(at, kid, KEYRING_SSHCA, &key)) != CLUSTER_OK)
		return e;
	return crypto_pub_equal(ret, &key->pub) ? CLUSTER_OK : CLUSTER_ENOTFOUND;
}

/* The form of what we issue, before anything inside it is read. */
static enum cluster_err check_form(const struct sshcert *c, const struct sshcert_option **ret)
{
	if (!c->has_pub || c->n_principals != 1 || c->n_critical > 1 || (c->n_critical == 1 && !bytes_are(&c->critical[0].name, SOURCE)))
		return CLUSTER_EDENIED;
	for (size_t i = 0; i < c->n_extensions; i++)
		if (bytes_are(&c->extensions[i].name, SSHCERT_EXTENSION)) {
			*ret = &c->extensions[i];
			return CLUSTER_OK;
		}
	return CLUSTER_EDENIED;
}

/* That certificate and credential say the same. */
static enum cluster_err check_binding(const struct sshcert *c, const struct credential *cred)
{
	char principal[PRINCIPAL_MAX + 1], source[SOURCE_MAX];

	principal_of(cred, principal);
	if (source_of(cred, source) != CLUSTER_OK || !crypto_pub_equal(&c->pub, &cred->cnf) || !bytes_are(&c->principals[0], principal))
		return CLUSTER_EDENIED;
	if (c->n_critical == 0 ? source[0] != '\0' : source[0] == '\0' || !bytes_are(&c->critical[0].data, source))
		return CLUSTER_EDENIED;
	if (cred->nbf < LEEWAY || cred->exp <= cred->nbf || c->after < (uint64_t)cred->nbf - LEEWAY || c->before > (uint64_t)cred->exp || c->after >= c->before)
		return CLUSTER_EDENIED;
	return CLUSTER_OK;
}

enum cluster_err sshcert_verify(const struct sshcert *c, const struct keyring_at *at, struct credential *ret, struct diag *d)
{
	const struct sshcert_option *carried = NULL;
	uint8_t sig[CRYPTO_SIG_SIZE];
	struct credential cred;
	struct crypto_pub ca;
	enum cluster_err e;

	if (c->type != SSHCERT_USER)
		return diag_set(d, CLUSTER_EDENIED, "the certificate is a host's");
	if ((e = check_ca(c, at, &ca)) != CLUSTER_OK)
		return diag_set(d, e, "the certificate's CA key is none of this cluster's in force: %s", err_name(e));
	if ((e = sshwire_signature(c->signature.p, c->signature.n, ca.alg, sig)) != CLUSTER_OK || (e = crypto_verify(&ca, c->signed_part.p, c->signed_part.n, sig)) != CLUSTER_OK)
		return diag_set(d, e == CLUSTER_ENOMEM || e == CLUSTER_ECRYPTO ? e : CLUSTER_ESIGNATURE, "the certificate's signature does not hold");
	if ((e = check_form(c, &carried)) != CLUSTER_OK)
		return diag_set(d, e, "the certificate is by our CA key, and not of the form that is issued");
	if ((e = credential_verify((const char *)carried->data.p, carried->data.n, at, &cred, d)) != CLUSTER_OK)
		return e;
	if ((e = check_binding(c, &cred)) != CLUSTER_OK)
		return diag_set(d, e, "the certificate and the credential that it carries do not belong together");
	*ret = cred;
	return CLUSTER_OK;
}

/* One option: its name, and its value as a string within a string. */
static void put_option(struct wr *w, const char *name, const char *value)
{
	size_t n = value ? strlen(value) : 0;

	sshwire_put_text(w, name);
	wr_u32(w, value ? (uint32_t)(n + 4) : 0);
	if (value)
		sshwire_put(w, value, n);
}

static void put_body(struct wr *w, const struct sshcert_spec *s, const char *source)
{
	const struct credential *cred = s->claims;
	char principal[PRINCIPAL_MAX + 1];
	size_t at;

	principal_of(cred, principal);
	wr_u64(w, s->serial);
	wr_u32(w, SSHCERT_USER);
	sshwire_put_text(w, s->key_id);
	wr_u32(w, PRINCIPAL_MAX + 4);
	sshwire_put_text(w, principal);
	wr_u64(w, (uint64_t)cred->nbf - LEEWAY);
	wr_u64(w, (uint64_t)cred->exp);
	at = w->n;
	wr_u32(w, 0);
	if (source[0])
		put_option(w, SOURCE, source);
	wr_patch_u32(w, at, (uint32_t)(w->n - at - 4));
	at = w->n;
	wr_u32(w, 0);
	put_option(w, SSHCERT_EXTENSION, s->credential);
	put_option(w, "permit-port-forwarding", NULL);
	put_option(w, "permit-pty", NULL);
	wr_patch_u32(w, at, (uint32_t)(w->n - at - 4));
	wr_u32(w, 0); /* reserved */
}

static bool key_id_ok(const char *s)
{
	size_t n = s ? strnlen(s, SSHCERT_KEY_ID_MAX + 1) : 0;

	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return n > 0 && n <= SSHCERT_KEY_ID_MAX;
}

/* The certificate's bytes into `w`. */
static enum cluster_err put_certificate(struct wr *w, const struct sshcert_spec *s, const struct crypto_key *ca)
{
	uint8_t nonce[NONCE_SIZE], sig[CRYPTO_SIG_SIZE];
	char type[64], source[SOURCE_MAX];
	struct crypto_pub pub;
	enum cluster_err e;
	struct wr t;
	size_t at;

	wr_init(&t, type, sizeof type);
	wr_text(&t, sshwire_type(s->claims->cnf.alg));
	wr_text(&t, "-cert-v01@openssh.com");
	wr_terminate(&t);
	if ((e = wr_end(&t)) != CLUSTER_OK || (e = source_of(s->claims, source)) != CLUSTER_OK || (e = crypto_random(nonce, sizeof nonce)) != CLUSTER_OK || (e = crypto_key_pub(ca, &pub)) != CLUSTER_OK)
		return e;
	sshwire_put_text(w, type);
	sshwire_put(w, nonce, sizeof nonce);
	sshwire_put_key(w, &s->claims->cnf);
	put_body(w, s, source);
	at = w->n;
	wr_u32(w, 0);
	sshwire_put_blob(w, &pub);
	wr_patch_u32(w, at, (uint32_t)(w->n - at - 4));
	if ((e = wr_end(w)) != CLUSTER_OK || (e = crypto_sign(ca, w->p, w->n, sig)) != CLUSTER_OK)
		return e;
	at = w->n;
	wr_u32(w, 0);
	sshwire_put_signature(w, pub.alg, sig);
	wr_patch_u32(w, at, (uint32_t)(w->n - at - 4));
	return wr_end(w);
}

/* "type base64" of a blob that begins with its type. */
static enum cluster_err line_of(const struct wr *blob, char **ret)
{
	struct rd r, type;
	enum cluster_err e;
	uint8_t *text = NULL;
	size_t n = 0;
	struct wr w;

	rd_init(&r, blob->p, blob->n);
	if ((e = sshwire_string(&r, &type)) != CLUSTER_OK)
		return e;
	wr_grow(&w, SSHCERT_TEXT_MAX);
	wr_bytes(&w, type.p, type.n);
	wr_u8(&w, ' ');
	sshwire_encode(&w, blob->p, blob->n);
	wr_terminate(&w);
	if ((e = wr_take(&w, &text, &n)) == CLUSTER_OK)
		*ret = (char *)text;
	wr_done(&w);
	return e;
}

enum cluster_err sshcert_build(const struct sshcert_spec *s, const struct crypto_key *ca, char **ret, struct diag *d)
{
	enum cluster_err e = CLUSTER_EFORMAT;
	struct wr w;

	for (size_t i = 0; i < s->claims->n_src; i++)
		if (!credential_source_exact(s->claims->src[i]))
			return diag_set(d, e, "src: sshd does not read \"%s\": a network has no bits behind its mask", s->claims->src[i]);
	wr_grow(&w, SSHCERT_BLOB_MAX);
	if (!key_id_ok(s->key_id) || s->claims->nbf < LEEWAY || s->claims->exp <= s->claims->nbf)
		goto out;
	if ((e = put_certificate(&w, s, ca)) == CLUSTER_OK)
		e = line_of(&w, ret);
out:
	wr_done(&w);
	return e == CLUSTER_OK ? e : diag_set(d, e, "the certificate cannot be made: %s", err_name(e));
}

enum cluster_err sshcert_public_line(const struct crypto_pub *k, char **ret)
{
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, SSHCERT_BLOB_MAX);
	sshwire_put_blob(&w, k);
	e = wr_end(&w) == CLUSTER_OK ? line_of(&w, ret) : wr_end(&w);
	wr_done(&w);
	return e;
}
