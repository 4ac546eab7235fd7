/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_sign.h"

#include <string.h>

#include "cluster/request.h"

/* First byte: which request; then its payload, signed here. What is accepted keeps the promises of request.h. */

static void check_common(const struct request_common *c)
{
	FUZZ_CHECK(c->htu[0] == '/' && strlen(c->htu) <= REQUEST_PATH_MAX && (strcmp(c->htm, "GET") == 0 || strcmp(c->htm, "POST") == 0) && c->iat > 0);
}

static void fuzz_node(const char *token)
{
	struct request_node r;
	struct jws jws;

	if (request_node_parse(token, strlen(token), &jws, &r, NULL) != CLUSTER_OK)
		return;
	check_common(&r.c);
	FUZZ_CHECK(r.applied >= 0 && r.ended >= 0);
	jws_done(&jws);
}

static void fuzz_join(const char *token)
{
	struct request_join r;

	if (request_join_parse(token, strlen(token), &r, NULL) != CLUSTER_OK)
		return;
	check_common(&r.c);
	FUZZ_CHECK(name_node_ok(r.name) && r.n_addresses >= 1 && r.n_addresses <= 16 && r.n_hostkeys >= 1 && r.n_hostkeys <= 8 && r.token[0]);
	FUZZ_CHECK(crypto_pub_check(&r.key) == CLUSTER_OK && crypto_pub_check(&r.hop) == CLUSTER_OK && !crypto_pub_equal(&r.key, &r.hop));
	for (size_t i = 0; i < r.n_hostkeys; i++)
		FUZZ_CHECK(r.hostkeys[i] && strchr(r.hostkeys[i], ' '));
	request_join_done(&r);
}

static void fuzz_enroll(const char *token)
{
	struct request_enroll r;

	if (request_enroll_parse(token, strlen(token), &r, NULL) != CLUSTER_OK)
		return;
	check_common(&r.c);
	FUZZ_CHECK(r.code[0] && name_gecos_ok(r.label) && crypto_pub_check(&r.key) == CLUSTER_OK);
}

static void fuzz_credential(const char *token)
{
	struct request_credential r;
	struct jws jws;

	if (request_credential_parse(token, strlen(token), &jws, &r, NULL) != CLUSTER_OK)
		return;
	check_common(&r.c);
	FUZZ_CHECK(crypto_pub_check(&r.cnf) == CLUSTER_OK && r.ttl >= 0 && r.ttl <= CREDENTIAL_LIFE_MAX && r.n_acc <= CREDENTIAL_ACC_MAX && r.n_nod <= CREDENTIAL_NOD_MAX && r.n_src <= CREDENTIAL_SRC_MAX);
	for (size_t i = 0; i < r.n_acc; i++)
		FUZZ_CHECK(name_account_ok(r.acc[i]));
	for (size_t i = 0; i < r.n_nod; i++)
		FUZZ_CHECK(strncmp(r.nod[i], "role:", 5) == 0 || strncmp(r.nod[i], "node:", 5) == 0);
	for (size_t i = 0; i < r.n_src; i++)
		FUZZ_CHECK(credential_source_ok(r.src[i]));
	jws_done(&jws);
}

static void fuzz_dpop(const char *token)
{
	struct request_common c;
	struct crypto_pub pub;

	FUZZ_CHECK(crypto_key_pub(fuzz_key(), &pub) == CLUSTER_OK);
	if (request_dpop_verify(token, strlen(token), "a.b.c", &pub, &c, NULL) == CLUSTER_OK)
		check_common(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct {
		enum jws_typ typ;
		void (*run)(const char *token);
	} kinds[] = { { JWS_NODE, fuzz_node }, { JWS_NODE, fuzz_join }, { JWS_REQUEST, fuzz_enroll }, { JWS_REQUEST, fuzz_credential }, { JWS_DPOP, fuzz_dpop } };
	size_t kind;
	char *token;

	FUZZ_CHECK(fuzz_key() != NULL);
	if (n == 0)
		return 0;
	kind = data[0] % (sizeof kinds / sizeof *kinds);
	if (!(token = fuzz_sign(kinds[kind].typ, data + 1, n - 1)))
		return 0;
	kinds[kind].run(token);
	free(token);
	return 0;
}
