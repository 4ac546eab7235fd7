/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_sign.h"

#include "cluster/hop.h"
#include "cluster/moment.h"
#include "cluster/sshcert_hop.h"

/* The first byte: 'c' claims as a node could sign them, 't' a token as anybody could send it, 's' what is said to be the addresses of a source. */

static const struct cluster_id zero;

/* A certificate of the hop, built and read back. */
static void certify(const struct hop *h, const char *token, const struct hop_source *by, const char *source)
{
	const struct sshcert_hop_spec spec = { .hop = token, .claims = h, .person = "alice", .node = "master-1-1", .source = source };
	static uint8_t room[SSHCERT_BLOB_MAX];
	struct crypto_pub signer;
	struct sshcert c;
	char *line = NULL;
	struct hop got;

	if (sshcert_hop_build(&spec, fuzz_key(), &line, NULL) != CLUSTER_OK) {
		FUZZ_CHECK(source);
		return;
	}
	FUZZ_CHECK(sshcert_parse_text(line, strlen(line), room, &c, NULL) == CLUSTER_OK && sshcert_hop_signer(&c, &signer) == CLUSTER_OK && crypto_pub_equal(&signer, by->key));
	FUZZ_CHECK(sshcert_hop_verify(&c, by, &got, NULL) == CLUSTER_OK && id_equal(&got.jti, &h->jti) && c.n_critical == (source ? 1 : 0));
	free(line);
}

/* Signed, they are verified exactly if they parse, are in the node's own name, for its cluster, and by no other key than they should be. */
static void claims(const uint8_t *data, size_t n, const struct hop_source *by)
{
	char *token = fuzz_sign(JWS_HOP, data, n), *again = NULL;
	struct hop h, got;
	bool fine;

	if (hop_parse(data, n, &h, NULL) != CLUSTER_OK) {
		FUZZ_CHECK(!token || hop_verify(token, strlen(token), by, &got, NULL) != CLUSTER_OK);
		free(token);
		return;
	}
	FUZZ_CHECK(name_account_ok(h.account) && (h.machine || name_kid_ok(h.parent_issuer)) && h.iat >= MOMENT_MIN && h.exp > h.iat && h.exp - h.iat <= HOP_LIFE_MAX);
	FUZZ_CHECK(h.machine ? h.count == 0 && h.auth_time == 0 && h.end == 0 : h.count >= 1 && h.count <= HOP_COUNT_MAX && h.end >= MOMENT_MIN);
	FUZZ_CHECK(h.cnf.alg == CRYPTO_ED25519 && crypto_pub_check(&h.cnf) == CLUSTER_OK);
	fine = id_equal(&h.cluster, &zero) && id_equal(&h.source, &zero) && !crypto_pub_equal(&h.cnf, by->key);
	if (token)
		FUZZ_CHECK((hop_verify(token, strlen(token), by, &got, NULL) == CLUSTER_OK) == fine);
	free(token);
	FUZZ_CHECK(hop_build(&h, fuzz_key(), &again) == CLUSTER_OK && strlen(again) <= HOP_SIZE_MAX);
	FUZZ_CHECK((hop_verify(again, strlen(again), by, &got, NULL) == CLUSTER_OK) == fine);
	FUZZ_CHECK(!fine || (got.count == h.count && memcmp(got.way, h.way, sizeof got.way) == 0));
	if (fine)
		certify(&h, again, by, NULL);
	free(again);
}

static void addresses(const uint8_t *data, size_t n, const struct hop_source *by)
{
	struct hop h = { .iat = FUZZ_NOW, .exp = FUZZ_NOW + 60, .auth_time = FUZZ_NOW, .end = FUZZ_NOW, .count = 1, .account = "emr-user", .parent_issuer = "k" };
	struct crypto_key *key = NULL;
	char text[300], *token = NULL;

	if (n >= sizeof text)
		return;
	memcpy(text, data, n);
	text[n] = '\0';
	FUZZ_CHECK(crypto_key_new(CRYPTO_ED25519, &key) == CLUSTER_OK && crypto_key_pub(key, &h.cnf) == CLUSTER_OK && hop_build(&h, fuzz_key(), &token) == CLUSTER_OK);
	certify(&h, token, by, text);
	crypto_key_free(key);
	free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct crypto_pub key;
	const struct hop_source by = { .cluster = &zero, .node = &zero, .key = &key };
	char kid[NAME_KID_MAX + 1];
	struct hop h;

	FUZZ_CHECK(crypto_key_pub(fuzz_key(), &key) == CLUSTER_OK);
	if (n == 0)
		return 0;
	if (data[0] == 'c') {
		claims(data + 1, n - 1, &by);
	} else if (data[0] == 't') {
		if (hop_kid((const char *)data + 1, n - 1, kid, NULL) == CLUSTER_OK)
			FUZZ_CHECK(name_kid_ok(kid));
		(void)!hop_verify((const char *)data + 1, n - 1, &by, &h, NULL);
		FUZZ_CHECK(hop_verify((const char *)data + 1, n - 1, NULL, &h, NULL) != CLUSTER_OK);
	} else if (data[0] == 's') {
		addresses(data + 1, n - 1, &by);
	}
	return 0;
}
