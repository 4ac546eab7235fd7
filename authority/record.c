/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <stdlib.h>
#include <string.h>

static const char *const one[DIRECTORY_KIND_N] = {
	[DIRECTORY_ACCOUNTS] = "account", [DIRECTORY_GROUPS] = "group", [DIRECTORY_PEOPLE] = "person", [DIRECTORY_NODES] = "node", [DIRECTORY_GRANTS] = "grant",
};

enum store_kind record_kind(enum directory_kind kind)
{
	switch (kind) {
	case DIRECTORY_GROUPS:
		return STORE_GROUP;
	case DIRECTORY_PEOPLE:
		return STORE_PERSON;
	case DIRECTORY_NODES:
		return STORE_NODE;
	case DIRECTORY_GRANTS:
		return STORE_GRANT;
	case DIRECTORY_ACCOUNTS:
	case DIRECTORY_KIND_N:
		break;
	}
	return STORE_ACCOUNT;
}

enum cluster_err record_parse(enum directory_kind kind, const char *text, size_t n, struct directory **ret, struct diag *d)
{
	struct directory *dir = calloc(1, sizeof *dir);
	char *shard = malloc(n + 3);
	enum cluster_err e = CLUSTER_ENOMEM;

	if (!dir || !shard || !(dir->shards = calloc(1, sizeof *dir->shards)))
		goto out;
	shard[0] = '[';
	memcpy(shard + 1, text, n);
	shard[n + 1] = ']';
	shard[n + 2] = '\0';
	dir->n_shards = 1;
	dir->shards[0].kind = kind;
	dir->shards[0].size = n + 2;
	if ((e = crypto_sha256(shard, n + 2, dir->shards[0].sha256)) != CLUSTER_OK || (e = directory_shard_add(dir, 0, shard, n + 2, d)) != CLUSTER_OK)
		goto out;
	*ret = dir;
	dir = NULL;
	e = CLUSTER_OK;
out:
	free(shard);
	directory_free(dir);
	return e;
}

enum cluster_err record_get(struct store *s, enum directory_kind kind, const char *key, struct directory **ret, struct diag *d)
{
	enum cluster_err e;
	char *text = NULL;
	size_t n = 0;

	if ((e = store_get(s, record_kind(kind), key, &text, &n)) == CLUSTER_ENOTFOUND)
		return diag_set(d, e, "there is no %s \"%s\"", one[kind], key);
	if (e != CLUSTER_OK)
		return diag_set(d, e, "store: %s", store_error(s));
	e = record_parse(kind, text, n, ret, d);
	free(text);
	return e;
}

enum cluster_err record_find(struct store *s, enum directory_kind kind, const char *id_or_name, char ret[ID_TEXT + 1], struct diag *d)
{
	enum store_kind names = kind == DIRECTORY_NODES ? STORE_NODE_NAME : STORE_PERSON_NAME;
	struct cluster_id id;
	enum cluster_err e;
	char *found = NULL;
	size_t n = 0;

	if (id_parse(id_or_name, &id) == CLUSTER_OK && store_get(s, record_kind(kind), id_or_name, NULL, NULL) == CLUSTER_OK) {
		memcpy(ret, id_or_name, ID_TEXT + 1);
		return CLUSTER_OK;
	}
	if ((e = store_get(s, names, id_or_name, &found, &n)) == CLUSTER_ENOTFOUND)
		return diag_set(d, e, "there is no %s \"%s\"", one[kind], id_or_name);
	if (e != CLUSTER_OK)
		return diag_set(d, e, "store: %s", store_error(s));
	if (n == ID_TEXT)
		memcpy(ret, found, ID_TEXT + 1);
	free(found);
	return n == ID_TEXT ? CLUSTER_OK : diag_set(d, CLUSTER_EFORMAT, "store: a name leads to no id");
}
