/* SPDX-License-Identifier: Apache-2.0 */
#include "hop_offer.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/sshcert_hop.h"
#include "cluster/sshwire.h"
#include "cluster/wr.h"

#define SOURCE_ROOM (DIRECTORY_ADDRESSES_MAX * (HOP_ADDRESS_MAX + 1) + 1)

/* The node's name, and its addresses with commas; empty: none are known. */
static enum cluster_err find_self(const struct trust *t, struct trust_node *ret, char source[SOURCE_ROOM])
{
	char address[HOP_ADDRESS_MAX + 1];
	struct trust_node self;
	enum cluster_err e;
	struct rd list;
	struct wr w;

	if ((e = trust_node_by_id(t, &t->self.node, &self)) != CLUSTER_OK)
		return e;
	wr_init(&w, source, SOURCE_ROOM - 1);
	list = self.addresses;
	for (size_t i = 0; i < self.n_addresses; i++) {
		if ((e = rd_str8(&list, address, sizeof address)) != CLUSTER_OK)
			return e;
		wr_text(&w, i ? "," : "");
		wr_text(&w, address);
	}
	if ((e = wr_end(&w)) != CLUSTER_OK)
		return e;
	source[w.n] = '\0';
	*ret = self;
	return CLUSTER_OK;
}

/* "type base64" to the blob. */
static enum cluster_err decode(const char *text, uint8_t **ret, size_t *ret_n)
{
	const char *base64 = strchr(text, ' ');
	uint8_t *blob = malloc(SSHCERT_BLOB_MAX);
	enum cluster_err e;
	size_t n;

	if (!blob || !base64) {
		free(blob);
		return blob ? CLUSTER_EFORMAT : CLUSTER_ENOMEM;
	}
	base64++;
	if ((e = sshwire_decode(base64, strlen(base64), blob, SSHCERT_BLOB_MAX, &n)) != CLUSTER_OK) {
		free(blob);
		return e;
	}
	*ret = blob;
	*ret_n = n;
	return CLUSTER_OK;
}

enum cluster_err hop_offer_make(const struct trust *t, const struct hop_verdict *v, size_t i, const struct crypto_pub *cnf, const struct crypto_key *key, struct hop_offer *ret)
{
	char source[SOURCE_ROOM], *token = NULL, *text = NULL;
	struct hop_offer out = { .blob = NULL };
	struct hop h = v->claims;
	struct trust_node self;
	struct sshcert_hop_spec spec;
	enum cluster_err e;
	struct diag d;

	diag_clear(&d);
	memcpy(h.account, v->account[i], sizeof h.account);
	memcpy(out.account, v->account[i], sizeof out.account);
	h.cnf = *cnf;
	if ((e = find_self(t, &self, source)) != CLUSTER_OK || (e = crypto_random(h.jti.b, ID_SIZE)) != CLUSTER_OK || (e = hop_build(&h, key, &token)) != CLUSTER_OK)
		goto out;
	out.jti = h.jti;
	spec = (struct sshcert_hop_spec){ .hop = token, .claims = &h, .person = v->person, .node = self.name, .source = source[0] ? source : NULL };
	if ((e = sshcert_hop_build(&spec, key, &text, &d)) != CLUSTER_OK || (e = decode(text, &out.blob, &out.n)) != CLUSTER_OK)
		goto out;
	*ret = out;
out:
	free(text);
	free(token);
	return e;
}

void hop_offer_done(struct hop_offer *o)
{
	free(o->blob);
	memset(o, 0, sizeof *o);
}
