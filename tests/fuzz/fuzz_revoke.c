/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_sign.h"

#include "cluster/revoke.h"

static const struct cluster_id cluster;

static enum cluster_err read_payload(const uint8_t *payload, size_t n, struct revoke_list **ret)
{
	struct keyring ring;
	const struct keyring_at at = fuzz_at(&ring, KEYRING_REVOCATION);
	char *text = fuzz_sign(JWS_REVOCATIONS, payload, n);
	enum cluster_err e = CLUSTER_EFORMAT;

	if (text)
		e = revoke_parse(text, strlen(text), &at, ret, NULL);
	free(text);
	return e;
}

/* The payload of a list of revocations. What is accepted is built again as a list of the same entries, and each has a key of the index. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct revoke_list *l = NULL, *again = NULL;
	uint8_t key[REVOKE_KEY_MAX];
	char *text = NULL;
	size_t key_n;

	if (!fuzz_key() || read_payload(data, n, &l) != CLUSTER_OK)
		return 0;
	for (size_t i = 0; i < l->n; i++) {
		FUZZ_CHECK(i == 0 || l->entry[i].seq > l->entry[i - 1].seq);
		FUZZ_CHECK(revoke_value_check(l->entry[i].kind, l->entry[i].value, NULL) == CLUSTER_OK);
		FUZZ_CHECK(l->entry[i].kind == REVOKE_LOCKDOWN || (revoke_key(l->entry[i].kind, l->entry[i].value, key, &key_n) == CLUSTER_OK && key_n >= 1 && key_n <= sizeof key));
	}
	FUZZ_CHECK(revoke_build(l, &cluster, &text) == CLUSTER_OK);
	FUZZ_CHECK(read_payload((const uint8_t *)text, strlen(text), &again) == CLUSTER_OK && again->n == l->n && again->version == l->version);
	for (size_t i = 0; i < l->n; i++)
		FUZZ_CHECK(l->entry[i].seq == again->entry[i].seq && strcmp(l->entry[i].value, again->entry[i].value) == 0);
	free(text);
	revoke_free(again);
	revoke_free(l);
	return 0;
}
