/* SPDX-License-Identifier: Apache-2.0 */
#include "assemble.h"

#include "assemble_set.h"

enum cluster_err assemble_credential(const struct assemble *a, const char *text, size_t n, int64_t now, struct credential *ret, struct diag *d)
{
	const struct assemble_set *s = &a->installed;
	const struct keyring_at at = { .cluster = &a->conf.cluster, .ring = &s->keyset.ring, .now = now, .skew = s->dir ? s->dir->skew : 0 };

	if (!s->used)
		return diag_set(d, CLUSTER_EUNAVAIL, "nothing is installed to verify it by");
	return credential_verify(text, n, &at, ret, d);
}
