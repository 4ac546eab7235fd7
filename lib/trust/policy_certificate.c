/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/policy.h"

#include <string.h>

#include "cluster/sshcert_hop.h"

/* By a node's hop key: `source` is the node that the directory has for it. */
static enum reason judge_hop(const struct trust *t, const struct sshcert *cert, const struct crypto_pub *ca, struct policy_certificate *c, struct diag *d)
{
	struct trust_node source;
	enum cluster_err e = trust_node_by_hop_key(t, ca, &source);

	if (e != CLUSTER_OK) {
		diag_set(d, e, "the hop certificate's CA key: %s", e == CLUSTER_ENOTFOUND ? "no node of the directory has it" : err_name(e));
		return e == CLUSTER_ENOTFOUND ? REASON_CERTIFICATE_CA : REASON_SNAPSHOT_DAMAGED;
	}
	c->is_hop = true;
	memcpy(c->source, source.name, sizeof c->source);
	return policy_certificate_reason(sshcert_hop_verify(cert, &(struct hop_source){ .cluster = &t->snap.cluster, .node = &source.id, .key = &source.hop }, &c->hop, d));
}

static enum reason judge(const struct trust *t, int64_t now, const struct sshcert *cert, struct policy_certificate *c, struct diag *d)
{
	const struct keyring_at at = { .cluster = &t->snap.cluster, .ring = &t->ring, .now = now, .skew = t->self.skew };
	struct crypto_pub ca;
	enum cluster_err e;

	if ((e = crypto_start()) != CLUSTER_OK)
		return policy_certificate_reason(diag_set(d, e, "libcrypto"));
	if ((e = sshcert_facts(cert, &c->facts)) != CLUSTER_OK)
		return policy_certificate_reason(diag_set(d, e, "the certificate's key id is not a short line of ASCII"));
	c->has_facts = true;
	if (sshcert_hop_signer(cert, &ca) == CLUSTER_OK)
		return judge_hop(t, cert, &ca, c, d);
	return policy_certificate_reason(sshcert_verify(cert, &at, &c->credential, d));
}

enum reason policy_certificate(const struct trust *t, int64_t now, const char *text, size_t n, struct policy_certificate *ret, struct diag *d)
{
	uint8_t room[SSHCERT_BLOB_MAX];
	struct sshcert cert;
	enum cluster_err e;

	memset(ret, 0, sizeof *ret);
	if ((e = sshcert_parse_text(text, n, room, &cert, d)) != CLUSTER_OK)
		return policy_certificate_reason(e);
	return judge(t, now, &cert, ret, d);
}
