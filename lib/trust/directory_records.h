/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_DIRECTORY_RECORDS_H
#define TRUST_DIRECTORY_RECORDS_H

#include "cluster/directory.h"

struct json;

#define DIRECTORY_DEVICES_MAX 256
#define DIRECTORY_GRANT_ACCOUNTS_MAX 256
#define DIRECTORY_GRANT_NODES_MAX 256
#define DIRECTORY_GRANT_FROM_MAX 16 /* selectors, and accounts of a grant that has them: each node that they name gets a record for each account */
#define DIRECTORY_MEMBERS_MAX 131072
#define DIRECTORY_TTL_MAX 86400

/* Where the strings and lists of one shard's records live: shared by every directory that has this shard, released with the last. */
struct directory_arena;
struct directory_arena *directory_arena_new(void);
struct directory_arena *directory_arena_ref(struct directory_arena *a);
void directory_arena_unref(struct directory_arena *a);
/* Both NULL when out of memory. */
void *directory_arena_zeroed(struct directory_arena *a, size_t n, size_t size);
char *directory_arena_text(struct directory_arena *a, const char *s);

/* One record each, judged by itself. *ret must be zeroed; its strings and lists are taken from `a`. CLUSTER_EFORMAT, CLUSTER_ELIMIT, CLUSTER_ENOMEM. */
enum cluster_err directory_account_read(const struct json *j, struct directory_arena *a, struct directory_account *ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err directory_group_read(const struct json *j, struct directory_arena *a, struct directory_group *ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err directory_person_read(const struct json *j, struct directory_arena *a, struct directory_person *ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err directory_node_read(const struct json *j, struct directory_arena *a, struct directory_node *ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err directory_grant_read(const struct json *j, struct directory_arena *a, struct directory_grant *ret, struct diag *d) CLUSTER_MUST_USE;

/* A JSON array of strings into `n` rows of `width` bytes each, all in the grammar `ok`, none twice. *ret is NULL for an empty array. */
struct directory_list {
	const struct json *array;
	bool (*ok)(const char *);
	struct directory_arena *a;
};
enum cluster_err directory_rows_read(const struct directory_list *l, size_t width, void **ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;
/* The same into separate strings. */
enum cluster_err directory_strings_read(const struct directory_list *l, char ***ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;

#endif
