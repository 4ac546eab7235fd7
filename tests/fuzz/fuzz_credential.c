/* SPDX-License-Identifier: Apache-2.0 */
/* Claims as whoever holds an issuer key could sign them, and tokens as anybody could send them. */
#include "fuzz.h"

#include <string.h>

#include "cluster/credential.h"
#include "cluster/moment.h"

static void check_claims(const struct credential *c)
{
	FUZZ_CHECK(c->n_amr >= 1 && c->n_amr <= CREDENTIAL_AMR_MAX && c->n_acc <= CREDENTIAL_ACC_MAX && c->n_nod <= CREDENTIAL_NOD_MAX && c->n_src <= CREDENTIAL_SRC_MAX);
	FUZZ_CHECK(c->iat >= MOMENT_MIN && c->iat <= MOMENT_MAX && c->exp >= MOMENT_MIN && c->exp <= MOMENT_MAX && c->nbf >= MOMENT_MIN && c->nbf <= MOMENT_MAX);
	for (size_t i = 0; i < c->n_acc; i++)
		FUZZ_CHECK(name_account_ok(c->acc[i]));
	for (size_t i = 0; i < c->n_src; i++)
		FUZZ_CHECK(credential_source_ok(c->src[i]));
	FUZZ_CHECK(crypto_pub_check(&c->cnf) == CLUSTER_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct keyring none;
	static const struct cluster_id cluster = { { 1 } };
	const struct keyring_at at = { .cluster = &cluster, .ring = &none, .now = MOMENT_MIN, .skew = 30 };
	struct credential c;
	struct diag d;
	char text[64];

	if (crypto_start() == CLUSTER_OK && credential_parse(data, n, &c, &d) == CLUSTER_OK)
		check_claims(&c);
	FUZZ_CHECK(credential_verify((const char *)data, n, &at, &c, &d) != CLUSTER_OK);
	if (n < sizeof text) {
		memcpy(text, data, n);
		text[n] = '\0';
		if (!credential_source_ok(text))
			FUZZ_CHECK(!credential_source_contains(text, "192.0.2.1"));
		if (credential_source_contains("192.0.2.0/24", text))
			FUZZ_CHECK(strstr(text, "192.0.2.") || strchr(text, ':'));
	}
	return 0;
}
