/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/sshcert_hop.h"

#include <string.h>

#include "cluster/sshwire.h"
#include "cluster/wr.h"
#include "sshcert_make.h"

#define VIA " via "
#define NOBODY "-" /* in the place of a person's name, which cannot be that */

void sshcert_hop_principal(const struct hop *h, char dst[SSHCERT_HOP_PRINCIPAL + 1])
{
	char *p = dst + strnlen(h->account, NAME_ACCOUNT_MAX);

	memcpy(dst, h->account, (size_t)(p - dst));
	*p++ = '@';
	id_text(&h->target, p);
	p += ID_TEXT;
	*p++ = '.';
	id_text(&h->cluster, p);
}

/* Networks or addresses with commas between them, each as sshd reads it. */
static bool source_ok(const char *s, size_t n)
{
	char one[64];

	for (size_t at = 0, k; at <= n; at += k + 1) {
		const char *comma = at < n ? memchr(s + at, ',', n - at) : NULL;

		k = comma ? (size_t)(comma - s) - at : n - at;
		if (k == 0 || k >= sizeof one)
			return false;
		memcpy(one, s + at, k);
		one[k] = '\0';
		if (strlen(one) != k || !credential_source_exact(one))
			return false;
	}
	return true;
}

static const char *person_of(const struct sshcert_hop_spec *s)
{
	return s->claims->machine ? NOBODY : s->person;
}

/* "<person> via <node> <jti>", the node's name cut so that it fits. */
static void key_id_of(const struct sshcert_hop_spec *s, char dst[SSHCERT_KEY_ID_MAX + 1])
{
	size_t person = strlen(person_of(s)), node = strlen(s->node), room = SSHCERT_KEY_ID_MAX - person - (sizeof VIA - 1) - 1 - ID_TEXT;
	struct wr w;

	wr_init(&w, dst, SSHCERT_KEY_ID_MAX + 1);
	wr_bytes(&w, person_of(s), person);
	wr_text(&w, VIA);
	wr_bytes(&w, s->node, node < room ? node : room);
	wr_u8(&w, ' ');
	id_text(&s->claims->jti, dst + w.n);
}

enum cluster_err sshcert_hop_build(const struct sshcert_hop_spec *s, const struct crypto_key *key, char **ret, struct diag *d)
{
	char principal[SSHCERT_HOP_PRINCIPAL + 1], key_id[SSHCERT_KEY_ID_MAX + 1];
	const struct sshcert_make m = {
		.key = &s->claims->cnf, .key_id = key_id, .principal = principal, .after = s->claims->iat - SSHCERT_HOP_LEEWAY, .before = s->claims->exp,
		.source = s->source, .extension = SSHCERT_HOP_EXTENSION, .carried = s->hop,
	};
	enum cluster_err e;

	if ((!s->claims->machine && !name_person_ok(s->person)) || !name_node_ok(s->node) || s->claims->exp <= s->claims->iat)
		return diag_set(d, CLUSTER_EFORMAT, "hop certificate: not a name of a person or a node, or no life");
	if (s->source && !source_ok(s->source, strlen(s->source)))
		return diag_set(d, CLUSTER_EFORMAT, "hop certificate: sshd does not read the source \"%s\"", s->source);
	sshcert_hop_principal(s->claims, principal);
	key_id_of(s, key_id);
	e = sshcert_make(&m, key, ret);
	return e == CLUSTER_OK ? e : diag_set(d, e, "the hop certificate cannot be made: %s", err_name(e));
}

static const struct sshcert_option *carried_by(const struct sshcert *c)
{
	for (size_t i = 0; i < c->n_extensions; i++)
		if (sshcert_bytes_are(&c->extensions[i].name, SSHCERT_HOP_EXTENSION))
			return &c->extensions[i];
	return NULL;
}

enum cluster_err sshcert_hop_signer(const struct sshcert *c, struct crypto_pub *ret)
{
	struct crypto_pub pub;

	if (c->type != SSHCERT_USER || !carried_by(c) || sshwire_blob(c->ca.p, c->ca.n, &pub) != CLUSTER_OK)
		return CLUSTER_ENOTFOUND;
	*ret = pub;
	return CLUSTER_OK;
}

/* The form of what a node issues, before anything inside it is read. */
static bool form_ok(const struct sshcert *c)
{
	static const char *const names[] = { SSHCERT_HOP_EXTENSION, "permit-port-forwarding", "permit-pty" };
	const struct sshcert_option *critical = &c->critical[0];

	if (!c->has_pub || c->pub.alg != CRYPTO_ED25519 || c->serial != 0 || c->n_principals != 1 || c->n_critical > 1 || c->n_extensions != sizeof names / sizeof *names)
		return false;
	if (c->n_critical == 1 && (!sshcert_bytes_are(&critical->name, "source-address") || !source_ok((const char *)critical->data.p, critical->data.n)))
		return false;
	for (size_t i = 0; i < c->n_extensions; i++)
		if (!sshcert_bytes_are(&c->extensions[i].name, names[i]) || (i > 0 && c->extensions[i].data.n > 0))
			return false;
	return true;
}

/* It ends with the jti, and names a person exactly if there is one. */
static bool key_id_ok(const struct sshcert *c, const struct hop *h)
{
	char end[1 + ID_TEXT + 1] = " ";
	struct sshcert_bytes tail;

	id_text(&h->jti, end + 1);
	if (c->key_id.n > SSHCERT_KEY_ID_MAX || c->key_id.n <= sizeof NOBODY VIA - 1 + 1 + ID_TEXT)
		return false;
	if ((memcmp(c->key_id.p, NOBODY VIA, sizeof NOBODY VIA - 1) == 0) != h->machine)
		return false;
	tail = (struct sshcert_bytes){ .p = c->key_id.p + c->key_id.n - 1 - ID_TEXT, .n = 1 + ID_TEXT };
	return sshcert_bytes_are(&tail, end);
}

/* That certificate and hop say the same. */
static bool binding_ok(const struct sshcert *c, const struct hop *h)
{
	char principal[SSHCERT_HOP_PRINCIPAL + 1];

	sshcert_hop_principal(h, principal);
	if (!crypto_pub_equal(&c->pub, &h->cnf) || !sshcert_bytes_are(&c->principals[0], principal) || !key_id_ok(c, h))
		return false;
	return c->after >= (uint64_t)h->iat - SSHCERT_HOP_LEEWAY && c->before <= (uint64_t)h->exp && c->after < c->before;
}

enum cluster_err sshcert_hop_verify(const struct sshcert *c, const struct hop_source *by, struct hop *ret, struct diag *d)
{
	const struct sshcert_option *carried = carried_by(c);
	uint8_t sig[CRYPTO_SIG_SIZE];
	struct crypto_pub ca;
	enum cluster_err e;
	struct hop h;

	if (c->type != SSHCERT_USER)
		return diag_set(d, CLUSTER_EDENIED, "the certificate is a host's");
	if (sshwire_blob(c->ca.p, c->ca.n, &ca) != CLUSTER_OK || !crypto_pub_equal(&ca, by->key))
		return diag_set(d, CLUSTER_ENOTFOUND, "the certificate's CA key is not the node's hop key");
	if ((e = sshwire_signature(c->signature.p, c->signature.n, ca.alg, sig)) != CLUSTER_OK || (e = crypto_verify(&ca, c->signed_part.p, c->signed_part.n, sig)) != CLUSTER_OK)
		return diag_set(d, e == CLUSTER_ENOMEM || e == CLUSTER_ECRYPTO ? e : CLUSTER_ESIGNATURE, "the hop certificate's signature does not hold");
	if (!carried || !form_ok(c))
		return diag_set(d, CLUSTER_EDENIED, "the certificate is by the node's hop key, and not of the form that is issued");
	if ((e = hop_verify((const char *)carried->data.p, carried->data.n, by, &h, d)) != CLUSTER_OK)
		return e;
	if (!binding_ok(c, &h))
		return diag_set(d, CLUSTER_EDENIED, "the certificate and the hop that it carries do not belong together");
	*ret = h;
	return CLUSTER_OK;
}
