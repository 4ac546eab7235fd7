/* SPDX-License-Identifier: Apache-2.0 */
/* Claims of one-time credentials as whoever holds an issuer key could sign them, answers to challenges, and tokens as anybody could send them. */
#include "fuzz.h"

#include <string.h>

#include "cluster/answer.h"
#include "cluster/moment.h"
#include "cluster/onetime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct keyring none;
	static const struct cluster_id cluster = { { 1 } };
	static const struct challenge challenge;
	const struct keyring_at at = { .cluster = &cluster, .ring = &none, .now = MOMENT_MIN, .skew = 30 };
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct crypto_pub key;
	struct onetime o;
	struct answer a;
	struct diag d;

	if (crypto_start() != CLUSTER_OK)
		return 0;
	if (onetime_parse(data, n, &o, &d) == CLUSTER_OK)
		FUZZ_CHECK(name_account_ok(o.account) && o.exp > o.iat && o.exp - o.iat <= ONETIME_LIFE_MAX);
	if (answer_parse(data, n, &a, &key, hash, &d) == CLUSTER_OK)
		FUZZ_CHECK(crypto_pub_check(&key) == CLUSTER_OK && a.iat >= MOMENT_MIN);
	FUZZ_CHECK(onetime_verify((const char *)data, n, &at, &o, &d) != CLUSTER_OK);
	(void)!answer_verify((const char *)data, n, &challenge, &a, &d);
	return 0;
}
