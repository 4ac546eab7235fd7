/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_DIRECTORY_RECORDS_H
#define TRUST_DIRECTORY_RECORDS_H

#include "cluster/directory.h"

struct json;

#define DIRECTORY_DEVICES_MAX 256
#define DIRECTORY_GRANT_ACCOUNTS_MAX 256
#define DIRECTORY_GRANT_NODES_MAX 256
#define DIRECTORY_MEMBERS_MAX 131072
#define DIRECTORY_TTL_MAX 86400

/*
 * One record each, judged by itself. *ret must be zeroed; it owns what it was given also after failure, to be released by directory_free with its directory.
 * CLUSTER_EFORMAT, CLUSTER_ELIMIT, CLUSTER_ENOMEM.
 */
enum cluster_err directory_account_read(const struct json *j, struct directory_account *ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err directory_group_read(const struct json *j, struct directory_group *ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err directory_person_read(const struct json *j, struct directory_person *ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err directory_node_read(const struct json *j, struct directory_node *ret, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err directory_grant_read(const struct json *j, struct directory_grant *ret, struct diag *d) CLUSTER_MUST_USE;

/* A JSON array of strings into `n` rows of `width` bytes each, all in the grammar `ok`, none twice. *ret is NULL for an empty array. */
enum cluster_err directory_rows_read(const struct json *array, size_t width, bool (*ok)(const char *), void **ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;
/* The same into separately allocated strings. *ret_n counts what is there also after failure. */
enum cluster_err directory_strings_read(const struct json *array, bool (*ok)(const char *), char ***ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;

#endif
