/* SPDX-License-Identifier: Apache-2.0 */
#include "user_ca.h"

#include <stdlib.h>

#include "cluster/sshcert.h"
#include "cluster/wr.h"
#include "text_file.h"

#define USER_CA_MAX ((size_t)4 << 20) /* the hop keys of twenty thousand nodes */

static enum cluster_err put_key(struct wr *w, const struct crypto_pub *pub)
{
	char *line = NULL;
	enum cluster_err e = sshcert_public_line(pub, &line);

	if (e != CLUSTER_OK)
		return e;
	wr_text(w, line);
	wr_text(w, "\n");
	free(line);
	return CLUSTER_OK;
}

bool user_ca_takes(const struct trust *t, const struct keyring_key *k, int64_t now)
{
	return k->role == KEYRING_SSHCA && now >= k->nbf - (int64_t)t->self.skew && now < k->exp;
}

static enum cluster_err put_sshca_keys(struct wr *w, const struct trust *t, int64_t now)
{
	enum cluster_err e = CLUSTER_OK;

	for (size_t i = 0; i < t->ring.n && e == CLUSTER_OK; i++)
		if (user_ca_takes(t, &t->ring.key[i], now))
			e = put_key(w, &t->ring.key[i].pub);
	return e;
}

/* In order of the nodes' ids. */
static enum cluster_err put_hop_keys(struct wr *w, const struct trust *t, int64_t now)
{
	struct trust_revocation revoked;
	struct trust_node node;
	uint64_t cursor = 0;
	enum cluster_err e;

	if ((e = trust_hop_here(t)) != CLUSTER_OK)
		return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
	while ((e = trust_node_each(t, &cursor, &node)) == CLUSTER_OK) {
		e = trust_revoked(t, REVOKE_NODE, node.id.b, ID_SIZE, now, &revoked);
		if (e == CLUSTER_ENOTFOUND)
			e = put_key(w, &node.hop);
		if (e != CLUSTER_OK)
			return e;
	}
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

enum cluster_err user_ca_put(const char *state_dir, uid_t owner, const struct trust *t, int64_t now, struct diag *d)
{
	const struct text_file file = { .state_dir = state_dir, .name = USER_CA_FILE, .owner = owner, .max = USER_CA_MAX };
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, USER_CA_MAX);
	if ((e = put_sshca_keys(&w, t, now)) != CLUSTER_OK || (e = put_hop_keys(&w, t, now)) != CLUSTER_OK)
		diag_set(d, e, "%s/" USER_CA_FILE ": %s", state_dir, err_name(e));
	else
		e = text_file_put(&file, &w, d);
	wr_done(&w);
	return e;
}
