/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/policy.h"

#include <string.h>

static enum cluster_err judge(const struct trust *t, int64_t now, const struct sshcert *cert, struct policy_certificate *c, struct diag *d)
{
	const struct keyring_at at = { .cluster = &t->snap.cluster, .ring = &t->ring, .now = now, .skew = t->self.skew };
	enum cluster_err e;

	if ((e = crypto_start()) != CLUSTER_OK)
		return diag_set(d, e, "libcrypto");
	if ((e = sshcert_facts(cert, &c->facts)) != CLUSTER_OK)
		return diag_set(d, e, "the certificate's key id is not a short line of ASCII");
	c->has_facts = true;
	return sshcert_verify(cert, &at, &c->credential, d);
}

enum reason policy_certificate(const struct trust *t, int64_t now, const char *text, size_t n, struct policy_certificate *ret, struct diag *d)
{
	uint8_t room[SSHCERT_BLOB_MAX];
	struct sshcert cert;
	enum cluster_err e;

	memset(ret, 0, sizeof *ret);
	if ((e = sshcert_parse_text(text, n, room, &cert, d)) == CLUSTER_OK)
		e = judge(t, now, &cert, ret, d);
	return policy_certificate_reason(e);
}
