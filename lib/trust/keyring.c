/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/keyring.h"

#include <string.h>

static const char *const role_names[] = {
	[KEYRING_ISSUER] = "issuer",
	[KEYRING_DIRECTORY] = "directory",
	[KEYRING_REVOCATION] = "revocation",
	[KEYRING_HEAD] = "head",
	[KEYRING_SSHCA] = "sshca",
};
#define ROLE_END (sizeof role_names / sizeof role_names[0])

const char *keyring_role_name(enum keyring_role r)
{
	return r >= KEYRING_ISSUER && (size_t)r < ROLE_END ? role_names[r] : "?";
}

enum cluster_err keyring_role_parse(const char *word, enum keyring_role *ret)
{
	for (size_t r = KEYRING_ISSUER; word && r < ROLE_END; r++)
		if (strcmp(role_names[r], word) == 0) {
			*ret = (enum keyring_role)r;
			return CLUSTER_OK;
		}
	return CLUSTER_EFORMAT;
}

static const struct keyring_key *by_kid(const struct keyring *k, const char *kid)
{
	for (size_t i = 0; i < k->n && i < KEYRING_MAX; i++)
		if (strcmp(k->key[i].kid, kid) == 0)
			return &k->key[i];
	return NULL;
}

enum cluster_err keyring_add(struct keyring *k, const struct keyring_key *key)
{
	if (by_kid(k, key->kid))
		return CLUSTER_EFORMAT;
	if (k->n >= KEYRING_MAX)
		return CLUSTER_ELIMIT;
	k->key[k->n++] = *key;
	return CLUSTER_OK;
}

enum cluster_err keyring_find(const struct keyring_at *at, const char *kid, enum keyring_role role, const struct keyring_key **ret)
{
	const struct keyring_key *key = by_kid(at->ring, kid);

	if (!key || key->role != role)
		return CLUSTER_ENOTFOUND;
	if (at->now < key->nbf - at->skew)
		return CLUSTER_EEARLY;
	if (at->now >= key->exp)
		return CLUSTER_EEXPIRED;
	*ret = key;
	return CLUSTER_OK;
}
