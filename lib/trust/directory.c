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

/*
 * For each kind: room for `more` zeroed elements (from the start as much as `first`); adding the records of a shard, the count rising before a record is read; copying a run of
 * another directory's records.
 */
#define RECORDS(kind, records, counter, read) \
	static bool room_for_##records(struct directory *dir, size_t more, size_t first) \
	{ \
		size_t n = dir->counter, room = dir->room[kind] ? dir->room[kind] : first > FIRST_ROOM ? first : FIRST_ROOM; \
		void *p = dir->records; \
		while (room < n + more) \
			room *= 2; \
		if (room > dir->room[kind] && !(p = reallocarray(p, room, sizeof *dir->records))) \
			return false; \
		dir->records = p; \
		dir->room[kind] = room; \
		return true; \
	} \
	static enum cluster_err add_##records(struct directory *dir, struct directory_shard *shard, const struct json *array, struct diag *d) \
	{ \
		size_t n = json_count(array); \
		enum cluster_err e = room_for_##records(dir, n, 0) ? CLUSTER_OK : CLUSTER_ENOMEM; \
		if (e == CLUSTER_OK) \
			memset(dir->records + dir->counter, 0, n * sizeof *dir->records); \
		for (; e == CLUSTER_OK && shard->n < n; shard->n += e == CLUSTER_OK) \
			e = read(json_at(array, shard->n), shard->arena, &dir->records[dir->counter++], d); \
		return e; \
	} \
	static bool copy_##records(struct directory *dir, const struct directory *from, const struct directory_shard *shard) \
	{ \
		if (!room_for_##records(dir, shard->n, from->counter)) \
			return false; \
		if (shard->n > 0) \
			memcpy(dir->records + dir->counter, from->records + shard->first, shard->n * sizeof *dir->records); \
		dir->counter += shard->n; \
		return true; \
	}

RECORDS(DIRECTORY_ACCOUNTS, accounts, n_accounts, directory_account_read)
RECORDS(DIRECTORY_GROUPS, groups, n_groups, directory_group_read)
RECORDS(DIRECTORY_PEOPLE, people, n_people, directory_person_read)
RECORDS(DIRECTORY_NODES, nodes, n_nodes, directory_node_read)
RECORDS(DIRECTORY_GRANTS, grants, n_grants, directory_grant_read)

size_t directory_count(const struct directory *dir, enum directory_kind kind)
{
	const size_t counts[DIRECTORY_KIND_N] = { dir->n_accounts, dir->n_groups, dir->n_people, dir->n_nodes, dir->n_grants };

	return (unsigned)kind < DIRECTORY_KIND_N ? counts[kind] : 0;
}

static enum cluster_err add_records(struct directory *dir, struct directory_shard *shard, const struct json *array, struct diag *d)
{
	if (json_count(array) == 0)
		return CLUSTER_OK;
	switch (shard->kind) {
	case DIRECTORY_ACCOUNTS:
		return add_accounts(dir, shard, array, d);
	case DIRECTORY_GROUPS:
		return add_groups(dir, shard, array, d);
	case DIRECTORY_PEOPLE:
		return add_people(dir, shard, array, d);
	case DIRECTORY_NODES:
		return add_nodes(dir, shard, array, d);
	case DIRECTORY_GRANTS:
		return add_grants(dir, shard, array, d);
	case DIRECTORY_KIND_N:
		break;
	}
	return diag_set(d, CLUSTER_EFORMAT, "no such kind");
}

/* Is it the text that the index names, and an array? */
static enum cluster_err judge_text(const struct directory_shard *shard, size_t i, const char *text, size_t n, struct diag *d)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	enum cluster_err e;

	if (n != shard->size)
		return diag_set(d, CLUSTER_ESIGNATURE, "directory: shard %zu has %zu bytes, the index says %zu", i, n, shard->size);
	if ((e = crypto_sha256(text, n, hash)) != CLUSTER_OK)
		return diag_set(d, e, "directory: cannot hash");
	if (!crypto_equal(hash, shard->sha256, sizeof hash))
		return diag_set(d, CLUSTER_ESIGNATURE, "directory: shard %zu is not the one that the index names", i);
	if (text[0] != '[')
		return diag_set(d, CLUSTER_EFORMAT, "directory: shard %zu is not an array", i);
	return CLUSTER_OK;
}

enum cluster_err directory_shard_add(struct directory *dir, size_t i, const char *text, size_t n, struct diag *d)
{
	struct directory_shard *shard = i < dir->n_shards ? &dir->shards[i] : NULL;
	struct json *tree = NULL;
	enum cluster_err e;

	if (!shard)
		return diag_set(d, CLUSTER_EFORMAT, "directory: there is no shard %zu", i);
	if (shard->arena)
		return diag_set(d, CLUSTER_EFORMAT, "directory: shard %zu is there already", i);
	if ((e = judge_text(shard, i, text, n, d)) != CLUSTER_OK)
		return e;
	if (!(shard->arena = directory_arena_new()))
		return diag_set(d, CLUSTER_ENOMEM, "directory: out of memory");
	if ((e = json_parse(text, n, DIRECTORY_SHARD_MAX, &tree, d)) != CLUSTER_OK) {
		(void)diag_prefix(d, "directory: shard %zu", i);
		return e;
	}
	shard->first = directory_count(dir, shard->kind);
	e = add_records(dir, shard, tree, d);
	json_free(tree);
	if (e == CLUSTER_OK)
		return CLUSTER_OK;
	if (e == CLUSTER_ENOMEM)
		return diag_set(d, e, "directory: out of memory");
	(void)diag_prefix(d, "directory: shard %zu: %s record %zu", i, kind_names[shard->kind], shard->n);
	if (d)
		d->code = CLUSTER_EFORMAT;
	return CLUSTER_EFORMAT;
}

static bool copy_records(struct directory *dir, const struct directory *from, const struct directory_shard *shard)
{
	switch (shard->kind) {
	case DIRECTORY_ACCOUNTS:
		return copy_accounts(dir, from, shard);
	case DIRECTORY_GROUPS:
		return copy_groups(dir, from, shard);
	case DIRECTORY_PEOPLE:
		return copy_people(dir, from, shard);
	case DIRECTORY_NODES:
		return copy_nodes(dir, from, shard);
	case DIRECTORY_GRANTS:
		return copy_grants(dir, from, shard);
	case DIRECTORY_KIND_N:
		break;
	}
	return false;
}

/* The shard of `from` with this text: where it stood, or, after a change of the number of shards, elsewhere. */
static const struct directory_shard *find_shard(const struct directory *from, const struct directory_shard *shard, size_t i)
{
	for (size_t k = 0; k < from->n_shards; k++, i++) {
		const struct directory_shard *s = &from->shards[i % from->n_shards];

		if (s->arena && s->kind == shard->kind && s->size == shard->size && crypto_equal(s->sha256, shard->sha256, sizeof s->sha256))
			return s;
	}
	return NULL;
}

bool directory_shard_has(const struct directory *from, const struct directory_shard *shard, size_t i)
{
	return find_shard(from, shard, i) != NULL;
}

enum cluster_err directory_shard_reuse(struct directory *dir, size_t i, const struct directory *from)
{
	struct directory_shard *shard = i < dir->n_shards ? &dir->shards[i] : NULL;
	const struct directory_shard *old = shard && !shard->arena ? find_shard(from, shard, i) : NULL;
	size_t first = shard ? directory_count(dir, shard->kind) : 0;

	if (!old)
		return CLUSTER_ENOTFOUND;
	if (!copy_records(dir, from, old))
		return CLUSTER_ENOMEM;
	shard->arena = directory_arena_ref(old->arena);
	shard->first = first;
	shard->n = old->n;
	shard->was = old->first;
	shard->reused = true;
	return CLUSTER_OK;
}

/* --- release --- */

void directory_free(struct directory *dir)
{
	if (!dir)
		return;
	for (size_t i = 0; i < dir->n_shards; i++)
		directory_arena_unref(dir->shards[i].arena);
	for (unsigned o = 0; o < DIRECTORY_ORDER_N; o++)
		free(dir->order[o].at);
	free(dir->accounts);
	free(dir->groups);
	free(dir->people);
	free(dir->nodes);
	free(dir->grants);
	free(dir->shards);
	free(dir);
}
