/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/directory.h"

#include <stdlib.h>
#include <string.h>

#include "directory_records.h"
#include "document_lines.h"
#include "json_field.h"

#include "cluster/b64.h"
#include "cluster/document.h"
#include "cluster/json.h"
#include "cluster/jws.h"

#define HASH_TEXT 43
#define KIND_MAX 15
#define MAX_STALE_MAX 604800
#define SUDO_FRESH_MAX 86400
#define FIRST_ROOM 16

static const char *const kind_names[DIRECTORY_KIND_N] = {
	[DIRECTORY_ACCOUNTS] = "accounts",
	[DIRECTORY_GROUPS] = "groups",
	[DIRECTORY_PEOPLE] = "people",
	[DIRECTORY_NODES] = "nodes",
	[DIRECTORY_GRANTS] = "grants",
};

const char *directory_kind_name(enum directory_kind k)
{
	return (unsigned)k < DIRECTORY_KIND_N ? kind_names[k] : "?";
}

static enum cluster_err kind_parse(const char *word, enum directory_kind *ret)
{
	for (unsigned k = 0; k < DIRECTORY_KIND_N; k++)
		if (strcmp(kind_names[k], word) == 0) {
			*ret = (enum directory_kind)k;
			return CLUSTER_OK;
		}
	return CLUSTER_EFORMAT;
}

/* --- the index --- */

static enum cluster_err read_policy(const struct json *j, struct directory *dir, struct diag *d)
{
	int64_t max_stale = 0, skew = 0, sudo_fresh = 0;
	const struct json_field fields[] = {
		FIELD_INT("max_stale", max_stale, 1, MAX_STALE_MAX),
		FIELD_INT("skew", skew, 0, DIRECTORY_SKEW_MAX),
		FIELD_INT("sudo_fresh", sudo_fresh, 0, SUDO_FRESH_MAX),
	};
	enum cluster_err e = json_read(j, fields, FIELD_COUNT(fields), d);

	if (e != CLUSTER_OK)
		return e;
	dir->max_stale = (uint32_t)max_stale;
	dir->skew = (uint32_t)skew;
	dir->sudo_fresh = (uint32_t)sudo_fresh;
	return CLUSTER_OK;
}

static enum cluster_err read_shard(const struct json *j, struct directory_shard *ret, struct diag *d)
{
	char kind[KIND_MAX + 1], hash[HASH_TEXT + 1];
	int64_t size = 0;
	const struct json_field fields[] = {
		FIELD_STRING("kind", kind, NULL),
		FIELD_STRING("sha256", hash, NULL),
		FIELD_INT("size", size, 2, DIRECTORY_SHARD_MAX),
	};
	enum cluster_err e = json_read(j, fields, FIELD_COUNT(fields), d);

	if (e != CLUSTER_OK)
		return e;
	if (kind_parse(kind, &ret->kind) != CLUSTER_OK || b64_decode_exact(hash, strlen(hash), ret->sha256, sizeof ret->sha256) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "unknown kind, or sha256 is not base64url of 32 bytes");
	ret->size = (size_t)size;
	return CLUSTER_OK;
}

static enum cluster_err read_shards(const struct json *shards, struct directory *dir, struct diag *d)
{
	size_t n = json_count(shards);
	enum cluster_err e;

	if (n == 0)
		return CLUSTER_OK;
	if (!(dir->shards = calloc(n, sizeof *dir->shards)))
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if ((e = read_shard(json_at(shards, i), &dir->shards[i], d)) != CLUSTER_OK) {
			(void)diag_prefix(d, "shard %zu", i);
			return e;
		}
		dir->n_shards = i + 1;
	}
	return CLUSTER_OK;
}

static enum cluster_err read_index(const struct json *tree, const struct cluster_id *cluster, struct directory *dir, struct diag *d)
{
	const struct json *policy = NULL, *shards = NULL;
	char id[ID_TEXT + 1];
	const struct json_field fields[] = {
		FIELD_STRING("cluster", id, NULL),
		FIELD_TIME("iat", dir->iat),
		FIELD_OBJECT("policy", policy),
		FIELD_ARRAY("shards", shards, 0, DIRECTORY_SHARDS_MAX),
		FIELD_VERSION("version", dir->version),
	};
	enum cluster_err e;

	if ((e = json_read(tree, fields, FIELD_COUNT(fields), d)) != CLUSTER_OK)
		return e;
	if (!document_cluster_is(id, cluster))
		return diag_set(d, CLUSTER_EFORMAT, "it is another cluster's");
	if ((e = read_policy(policy, dir, d)) != CLUSTER_OK) {
		(void)diag_prefix(d, "policy");
		return e;
	}
	return read_shards(shards, dir, d);
}

enum cluster_err directory_parse(const char *text, size_t n, const struct keyring_at *at, struct directory **ret, struct diag *d)
{
	struct directory *dir = NULL;
	struct json *tree = NULL;
	uint8_t *payload = NULL;
	size_t payload_n = 0;
	enum cluster_err e;

	if ((e = document_payload(text, n, JWS_DIRECTORY, at, &payload, &payload_n, d)) != CLUSTER_OK)
		goto out;
	if (!(dir = calloc(1, sizeof *dir))) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	if ((e = json_parse((const char *)payload, payload_n, jws_typ_cap(JWS_DIRECTORY), &tree, d)) != CLUSTER_OK || (e = read_index(tree, at->cluster, dir, d)) != CLUSTER_OK)
		goto out;
	*ret = dir;
	dir = NULL;
	e = CLUSTER_OK;
out:
	json_free(tree);
	directory_free(dir);
	free(payload);
	if (e != CLUSTER_OK)
		(void)diag_prefix(d, "directory");
	return e;
}

/* --- shards --- */

/* The room that an array of n elements has: always grown in these steps, so that adding all shards is linear. */
static size_t room_of(size_t n)
{
	size_t room = n ? FIRST_ROOM : 0;

	while (room < n)
		room *= 2;
	return room;
}

/* The array with room for `more` zeroed elements behind its n, or NULL. */
static void *enlarge(void *array, size_t n, size_t more, size_t size)
{
	void *p = array;

	if (room_of(n + more) > room_of(n) && !(p = reallocarray(array, room_of(n + more), size)))
		return NULL;
	memset((char *)p + n * size, 0, more * size);
	return p;
}

/* Each of these adds records of one kind. The count rises before a record is read, so that directory_free knows of it. */
#define ADD_RECORDS(function, records, counter, read) \
	static enum cluster_err function(struct directory *dir, const struct json *array, size_t *ret_at, struct diag *d) \
	{ \
		size_t n = json_count(array); \
		void *p = enlarge(dir->records, dir->counter, n, sizeof *dir->records); \
		enum cluster_err e = p ? CLUSTER_OK : CLUSTER_ENOMEM; \
		if (p) \
			dir->records = p; \
		for (*ret_at = 0; e == CLUSTER_OK && *ret_at < n; *ret_at += e == CLUSTER_OK) \
			e = read(json_at(array, *ret_at), &dir->records[dir->counter++], d); \
		return e; \
	}

ADD_RECORDS(add_accounts, accounts, n_accounts, directory_account_read)
ADD_RECORDS(add_groups, groups, n_groups, directory_group_read)
ADD_RECORDS(add_people, people, n_people, directory_person_read)
ADD_RECORDS(add_nodes, nodes, n_nodes, directory_node_read)
ADD_RECORDS(add_grants, grants, n_grants, directory_grant_read)

static enum cluster_err add_records(struct directory *dir, enum directory_kind kind, const struct json *array, size_t *ret_at, struct diag *d)
{
	if (json_count(array) == 0)
		return CLUSTER_OK;
	switch (kind) {
	case DIRECTORY_ACCOUNTS:
		return add_accounts(dir, array, ret_at, d);
	case DIRECTORY_GROUPS:
		return add_groups(dir, array, ret_at, d);
	case DIRECTORY_PEOPLE:
		return add_people(dir, array, ret_at, d);
	case DIRECTORY_NODES:
		return add_nodes(dir, array, ret_at, d);
	case DIRECTORY_GRANTS:
		return add_grants(dir, array, ret_at, d);
	case DIRECTORY_KIND_N:
		break;
	}
	return diag_set(d, CLUSTER_EFORMAT, "no such kind");
}

enum cluster_err directory_shard_add(struct directory *dir, size_t i, const char *text, size_t n, struct diag *d)
{
	const struct directory_shard *shard = i < dir->n_shards ? &dir->shards[i] : NULL;
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct json *tree = NULL;
	size_t at = 0;
	enum cluster_err e;

	if (!shard)
		return diag_set(d, CLUSTER_EFORMAT, "directory: there is no shard %zu", i);
	if (n != shard->size)
		return diag_set(d, CLUSTER_ESIGNATURE, "directory: shard %zu has %zu bytes, the index says %zu", i, n, shard->size);
	if ((e = crypto_sha256(text, n, hash)) != CLUSTER_OK)
		return diag_set(d, e, "directory: cannot hash");
	if (!crypto_equal(hash, shard->sha256, sizeof hash))
		return diag_set(d, CLUSTER_ESIGNATURE, "directory: shard %zu is not the one that the index names", i);
	if (text[0] != '[')
		return diag_set(d, CLUSTER_EFORMAT, "directory: shard %zu is not an array", i);
	if ((e = json_parse(text, n, DIRECTORY_SHARD_MAX, &tree, d)) != CLUSTER_OK) {
		(void)diag_prefix(d, "directory: shard %zu", i);
		return e;
	}
	e = add_records(dir, shard->kind, tree, &at, d);
	json_free(tree);
	if (e == CLUSTER_OK)
		return CLUSTER_OK;
	if (e == CLUSTER_ENOMEM)
		return diag_set(d, e, "directory: out of memory");
	(void)diag_prefix(d, "directory: shard %zu: %s record %zu", i, kind_names[shard->kind], at);
	if (d)
		d->code = CLUSTER_EFORMAT;
	return CLUSTER_EFORMAT;
}

/* --- release --- */

static void free_strings(char **s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(s[i]);
	free(s);
}

static void free_node(struct directory_node *n)
{
	free(n->roles);
	free(n->addresses);
	free_strings(n->hostkeys, n->n_hostkeys);
	free(n->jump);
	free(n->instance);
}

void directory_free(struct directory *dir)
{
	if (!dir)
		return;
	for (size_t i = 0; i < dir->n_accounts; i++) {
		free(dir->accounts[i].gecos);
		free(dir->accounts[i].home);
		free(dir->accounts[i].shell);
	}
	for (size_t i = 0; i < dir->n_groups; i++)
		free_strings(dir->groups[i].members, dir->groups[i].n_members);
	for (size_t i = 0; i < dir->n_people; i++) {
		free(dir->people[i].roles);
		free(dir->people[i].devices);
	}
	for (size_t i = 0; i < dir->n_nodes; i++)
		free_node(&dir->nodes[i]);
	for (size_t i = 0; i < dir->n_grants; i++) {
		free(dir->grants[i].accounts);
		free_strings(dir->grants[i].nodes, dir->grants[i].n_nodes);
	}
	free(dir->accounts);
	free(dir->groups);
	free(dir->people);
	free(dir->nodes);
	free(dir->grants);
	free(dir->shards);
	free(dir);
}
