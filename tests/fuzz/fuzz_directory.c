/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_sign.h"

#include "cluster/directory.h"
#include "cluster/json.h"

/* A directory of one shard of one kind, and what reading it says. *ret is to be freed in any case. */
static enum cluster_err read_shard(enum directory_kind kind, const char *text, size_t n, struct directory **ret)
{
	struct directory *dir = calloc(1, sizeof *dir);

	FUZZ_CHECK(dir && (dir->shards = calloc(1, sizeof *dir->shards)) != NULL);
	dir->n_shards = 1;
	dir->shards[0].kind = kind;
	dir->shards[0].size = n;
	FUZZ_CHECK(crypto_sha256(text, n, dir->shards[0].sha256) == CLUSTER_OK);
	*ret = dir;
	return directory_shard_add(dir, 0, text, n, NULL);
}

static struct json *records(const struct directory *dir)
{
	struct json *list = json_list();
	enum cluster_err e = CLUSTER_OK;

	for (size_t i = 0; e == CLUSTER_OK && i < dir->n_accounts; i++)
		e = json_append(list, directory_account_json(&dir->accounts[i]));
	for (size_t i = 0; e == CLUSTER_OK && i < dir->n_groups; i++)
		e = json_append(list, directory_group_json(&dir->groups[i]));
	for (size_t i = 0; e == CLUSTER_OK && i < dir->n_people; i++)
		e = json_append(list, directory_person_json(&dir->people[i]));
	for (size_t i = 0; e == CLUSTER_OK && i < dir->n_nodes; i++)
		e = json_append(list, directory_node_json(&dir->nodes[i]));
	for (size_t i = 0; e == CLUSTER_OK && i < dir->n_grants; i++)
		e = json_append(list, directory_grant_json(&dir->grants[i]));
	FUZZ_CHECK(e == CLUSTER_OK);
	return list;
}

/* What was accepted is built as text that is accepted, and built again is that text; the check across records says the same of both. */
static void shard(enum directory_kind kind, const char *text, size_t n)
{
	struct directory *dir = NULL, *again = NULL;
	struct json *one, *two;
	char *first = NULL, *second = NULL;
	size_t first_n = 0, second_n = 0;

	if (read_shard(kind, text, n, &dir) == CLUSTER_OK) {
		one = records(dir);
		FUZZ_CHECK(json_text(one, &first, &first_n) == CLUSTER_OK);
		FUZZ_CHECK(read_shard(kind, first, first_n, &again) == CLUSTER_OK);
		two = records(again);
		FUZZ_CHECK(json_text(two, &second, &second_n) == CLUSTER_OK && strcmp(first, second) == 0);
		FUZZ_CHECK(directory_check(dir, NULL) == directory_check(again, NULL));
		json_free(one);
		json_free(two);
	}
	free(first);
	free(second);
	directory_free(again);
	directory_free(dir);
}

static void signed_index(const uint8_t *payload, size_t n)
{
	static const struct cluster_id cluster;
	struct directory *dir = NULL;
	struct keyring ring;
	const struct keyring_at at = fuzz_at(&ring, KEYRING_DIRECTORY);
	char *text = fuzz_sign(JWS_DIRECTORY, payload, n), *built = NULL;

	if (text && directory_parse(text, strlen(text), &at, &dir, NULL) == CLUSTER_OK) {
		FUZZ_CHECK(dir->version >= 1 && dir->skew <= DIRECTORY_SKEW_MAX && dir->n_shards <= DIRECTORY_SHARDS_MAX && dir->max_stale >= 1);
		FUZZ_CHECK(directory_index_build(dir, &cluster, &built) == CLUSTER_OK);
	}
	free(built);
	free(text);
	directory_free(dir);
}

/* First byte: 0 to 4 a shard of that kind, else the payload of an index. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 2 || !fuzz_key())
		return 0;
	if (data[0] < DIRECTORY_KIND_N)
		shard((enum directory_kind)data[0], (const char *)data + 1, n - 1);
	else
		signed_index(data + 1, n - 1);
	return 0;
}
