/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "cluster/json.h"
#include "cluster/jwk.h"

/* What is accepted is a key that may verify, and is built again as a key that is equal. */
static void check(const struct json *j, enum jwk_form form)
{
	struct crypto_pub pub, again;
	struct json *built;
	char kid[NAME_KID_MAX + 1];

	if (jwk_parse(j, form, &pub, NULL) != CLUSTER_OK)
		return;
	FUZZ_CHECK(crypto_pub_check(&pub) == CLUSTER_OK);
	FUZZ_CHECK(jwk_kid(&pub, kid) == CLUSTER_OK && strlen(kid) == JWK_KID);
	if (form == JWK_NAMED)
		FUZZ_CHECK(strcmp(json_member_text(j, "kid"), kid) == 0);
	FUZZ_CHECK((built = jwk_build(&pub, form)) != NULL);
	FUZZ_CHECK(jwk_parse(built, form, &again, NULL) == CLUSTER_OK && crypto_pub_equal(&pub, &again));
	json_free(built);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct json *j = NULL;

	if (crypto_start() != CLUSTER_OK || json_parse((const char *)data, n, 4096, &j, NULL) != CLUSTER_OK)
		return 0;
	check(j, JWK_BARE);
	check(j, JWK_NAMED);
	json_free(j);
	return 0;
}
