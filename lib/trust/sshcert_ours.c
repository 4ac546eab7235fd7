/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cluster/jwk.h"
#include "cluster/sshcert.h"
#include "cluster/sshwire.h"
#include "cluster/wr.h"
#include "sshcert_make.h"

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
	if (!c->has_pub || c->n_principals != 1 || c->n_critical > 1 || (c->n_critical == 1 && !sshcert_bytes_are(&c->critical[0].name, SOURCE)))
		return CLUSTER_EDENIED;
	for (size_t i = 0; i < c->n_extensions; i++)
		if (sshcert_bytes_are(&c->extensions[i].name, SSHCERT_EXTENSION)) {
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
	if (source_of(cred, source) != CLUSTER_OK || !crypto_pub_equal(&c->pub, &cred->cnf) || !sshcert_bytes_are(&c->principals[0], principal))
		return CLUSTER_EDENIED;
	if (c->n_critical == 0 ? source[0] != '\0' : source[0] == '\0' || !sshcert_bytes_are(&c->critical[0].data, source))
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

enum cluster_err sshcert_build(const struct sshcert_spec *s, const struct crypto_key *ca, char **ret, struct diag *d)
{
	char principal[PRINCIPAL_MAX + 1], source[SOURCE_MAX];
	const struct sshcert_make m = {
		.key = &s->claims->cnf, .serial = s->serial, .key_id = s->key_id, .principal = principal, .after = s->claims->nbf - LEEWAY, .before = s->claims->exp, .source = source,
		.extension = SSHCERT_EXTENSION, .carried = s->credential,
	};
	enum cluster_err e = CLUSTER_EFORMAT;

	for (size_t i = 0; i < s->claims->n_src; i++)
		if (!credential_source_exact(s->claims->src[i]))
			return diag_set(d, e, "src: sshd does not read \"%s\": a network has no bits behind its mask", s->claims->src[i]);
	principal_of(s->claims, principal);
	if (s->claims->exp > s->claims->nbf && (e = source_of(s->claims, source)) == CLUSTER_OK)
		e = sshcert_make(&m, ca, ret);
	return e == CLUSTER_OK ? e : diag_set(d, e, "the certificate cannot be made: %s", err_name(e));
}

enum cluster_err sshcert_public_line(const struct crypto_pub *k, char **ret)
{
	uint8_t *text = NULL;
	enum cluster_err e;
	struct wr blob, w;
	size_t n = 0;

	wr_grow(&blob, SSHCERT_BLOB_MAX);
	wr_grow(&w, SSHCERT_TEXT_MAX);
	sshwire_put_blob(&blob, k);
	wr_text(&w, sshwire_type(k->alg));
	wr_u8(&w, ' ');
	sshwire_encode(&w, blob.p, blob.n);
	wr_terminate(&w);
	if ((e = wr_end(&blob)) == CLUSTER_OK && (e = wr_take(&w, &text, &n)) == CLUSTER_OK)
		*ret = (char *)text;
	wr_done(&w);
	wr_done(&blob);
	return e;
}
