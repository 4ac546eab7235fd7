/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_DIRECTORY_H
#define CLUSTER_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/jwk.h"
#include "cluster/keyring.h"
#include "cluster/name.h"

/* The signed directory (PROTOCOL.md 3.4). Records own their strings; a record is released with the directory. */

#define DIRECTORY_SHARDS_MAX 65536
#define DIRECTORY_SHARD_MAX (64u << 20)
#define DIRECTORY_ROLES_MAX 16
#define DIRECTORY_ADDRESSES_MAX 16
#define DIRECTORY_HOSTKEYS_MAX 8
#define DIRECTORY_HOSTKEY_MAX 2048 /* bytes of a blob */
#define DIRECTORY_INSTANCE_MAX 127
#define DIRECTORY_SKEW_MAX 300

enum directory_kind { DIRECTORY_ACCOUNTS, DIRECTORY_GROUPS, DIRECTORY_PEOPLE, DIRECTORY_NODES, DIRECTORY_GRANTS, DIRECTORY_KIND_N };
const char *directory_kind_name(enum directory_kind k);

struct directory_account {
	char name[NAME_ACCOUNT_MAX + 1];
	uint32_t uid, gid;
	char *gecos, *home, *shell;
	bool personal;
	struct cluster_id person; /* if personal */
};

struct directory_group {
	char name[NAME_ACCOUNT_MAX + 1];
	uint32_t gid;
	size_t n_members;
	char **members; /* in order of name */
};

struct directory_device {
	struct cluster_id id;
	char jkt[JWK_THUMBPRINT + 1];
};

struct directory_person {
	struct cluster_id id;
	char name[NAME_PERSON_MAX + 1];
	bool disabled, admin;
	size_t n_roles, n_devices;
	char (*roles)[NAME_ROLE_MAX + 1];
	struct directory_device *devices;
};

struct directory_node {
	struct cluster_id id;
	char name[NAME_NODE_MAX + 1];
	struct crypto_pub key, hop;
	size_t n_roles, n_addresses, n_hostkeys;
	char (*roles)[NAME_ROLE_MAX + 1];
	char (*addresses)[46]; /* INET6_ADDRSTRLEN */
	char **hostkeys;       /* "type base64" */
	uint8_t hostkey_hash[CRYPTO_SHA256_SIZE];
	char *jump, *instance; /* NULL if absent */
	uint16_t port;         /* 22 unless given */
	bool leader;
};

enum directory_on_revoke { DIRECTORY_END = 0, DIRECTORY_WARN = 1, DIRECTORY_KEEP = 2 };

/* To a person, to a role of people, or (`from` has selectors) to nodes: then it lets the accounts on those nodes hop to themselves here, with no person behind them. */
struct directory_grant {
	struct cluster_id id;
	bool to_role;                 /* to a role; else, with n_from == 0, to a person */
	struct cluster_id person;
	char role[NAME_ROLE_MAX + 1];
	size_t n_accounts, n_nodes, n_from;
	char (*accounts)[NAME_ACCOUNT_MAX + 1];
	char **nodes;                 /* selectors: "any", "role:x", "node:y" */
	char **from;                  /* selectors, but for "any" */
	bool sudo, onetime, hop;
	enum directory_on_revoke on_revoke;
	bool end_at_expiry;           /* sessions end when their credential expires */
	uint32_t ttl;                 /* 0: the authority's default */
};

struct directory_arena;

struct directory_shard {
	enum directory_kind kind;
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	size_t size;
	/* Once its records are there: n of its kind from the first on, and what they point to. `reused`: from `was` on in the directory that they were taken from. */
	size_t first, n, was;
	bool reused;
	struct directory_arena *arena;
};

/* A sorted view: record number, and for memberships the number within the record. */
enum directory_order {
	DIRECTORY_BY_ACCOUNT, /* accounts by name */
	DIRECTORY_BY_GROUP,   /* groups by name */
	DIRECTORY_BY_PERSON,  /* people by id */
	DIRECTORY_BY_MEMBER,  /* memberships by member, then gid */
	DIRECTORY_ORDER_N
};
struct directory_place {
	uint32_t record, item;
};
struct directory_sorted {
	size_t n;
	struct directory_place *at; /* NULL: not sorted */
};

struct directory {
	int64_t version, iat;
	uint32_t max_stale, skew, sudo_fresh;
	size_t n_shards;
	struct directory_shard *shards;
	size_t n_accounts, n_groups, n_people, n_nodes, n_grants;
	struct directory_account *accounts;
	struct directory_group *groups;
	struct directory_person *people;
	struct directory_node *nodes;
	struct directory_grant *grants;
	size_t room[DIRECTORY_KIND_N];
	struct directory_sorted order[DIRECTORY_ORDER_N];
};

/* Verifies the index (signature by a directory key, cluster; errors as document_head_verify) and reads it; no records yet. The caller frees *ret with directory_free. */
enum cluster_err directory_parse(const char *text, size_t n, const struct keyring_at *at, struct directory **ret, struct diag *d) CLUSTER_MUST_USE;
void directory_free(struct directory *dir);

/*
 * Checks the bytes of shard number i of the index against its hash and adds its records. Every record is judged by itself (grammar, ids, paths, keys):
 * CLUSTER_EFORMAT names kind and index. On failure the directory must be freed.
 */
enum cluster_err directory_shard_add(struct directory *dir, size_t i, const char *text, size_t n, struct diag *d) CLUSTER_MUST_USE;
/*
 * The same without the text, if `from`, another directory that passed directory_check, has the shard of this hash: its records are copied, what they point to is shared. All
 * reused shards of a directory come from one other. CLUSTER_ENOTFOUND: the text is needed. CLUSTER_ENOMEM.
 */
enum cluster_err directory_shard_reuse(struct directory *dir, size_t i, const struct directory *from) CLUSTER_MUST_USE;
/* Would it be found? `shard` is number i of its own index. */
bool directory_shard_has(const struct directory *from, const struct directory_shard *shard, size_t i);
size_t directory_count(const struct directory *dir, enum directory_kind kind);
/*
 * Across records, once all wanted shards are in: names, ids, uids, gids, node names, host keys and addresses unique. CLUSTER_EFORMAT. Reused records, which are known to differ from
 * each other, are only compared with the others.
 */
enum cluster_err directory_check(const struct directory *dir, struct diag *d) CLUSTER_MUST_USE;
/* Fills dir->order, from that of the directory whose shards were reused (may be NULL) where there is one: for who builds snapshots. CLUSTER_ENOMEM; then the order is unknown. */
enum cluster_err directory_sort(struct directory *dir, const struct directory *from) CLUSTER_MUST_USE;

/* Numbers of the records of a kind that stand in shards which only `from`, or only `to`, has; `to` took its reused shards from `from`. */
struct directory_changes {
	uint32_t *was, *is;
	size_t n_was, n_is;
};
/* CLUSTER_ENOMEM. The caller calls directory_changes_done. */
enum cluster_err directory_changes(const struct directory *from, const struct directory *to, enum directory_kind kind, struct directory_changes *ret) CLUSTER_MUST_USE;
void directory_changes_done(struct directory_changes *c);

/* Searches; NULL if there is none. Linear: for the client's small views and tests. */
const struct directory_node *directory_node_by_id(const struct directory *dir, const struct cluster_id *id);
/* By name, else by address in text form; by no instance id, which a node chooses itself. */
const struct directory_node *directory_node_by_host(const struct directory *dir, const char *host);

/* Does a node selector ("any", "role:x", "node:y") name this node? */
bool directory_selector_ok(const char *selector);
bool directory_selects(const char *selector, const struct directory_node *node);
/* Does one of n selectors? */
bool directory_select(char *const *selectors, size_t n, const struct directory_node *node);

/* The blob of one host key. CLUSTER_EFORMAT as below. */
enum cluster_err directory_hostkey_blob(const char *line, uint8_t ret[DIRECTORY_HOSTKEY_MAX], size_t *ret_n) CLUSTER_MUST_USE;
/* SHA-256 over the node's host key blobs (PROTOCOL.md 3.4). CLUSTER_EFORMAT for a line that is not "type base64". */
enum cluster_err directory_hostkey_hash(char *const *lines, size_t n, uint8_t ret[CRYPTO_SHA256_SIZE]) CLUSTER_MUST_USE;

struct json;
/* One record as JSON, for the authority; NULL when out of memory. */
struct json *directory_account_json(const struct directory_account *a);
struct json *directory_group_json(const struct directory_group *g);
struct json *directory_person_json(const struct directory_person *p);
struct json *directory_node_json(const struct directory_node *n);
struct json *directory_grant_json(const struct directory_grant *g);
/* The index payload (canonical text, freed by the caller with free()). */
enum cluster_err directory_index_build(const struct directory *dir, const struct cluster_id *cluster, char **ret) CLUSTER_MUST_USE;

#endif
