/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ACCOUNTS_H
#define CLI_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "profile.h"

struct directory_node;
struct json;

/* The accounts that the last `get` was told of, each once, in the authority's order. */
struct accounts {
	struct json *from;  /* what the names borrow from */
	const char **names;
	size_t n;
};

/* CLUSTER_ENOTFOUND: none are known; CLUSTER_EFORMAT. The caller calls accounts_done, on zeroed storage too. */
enum cluster_err accounts_load(const struct profile *p, struct accounts *ret) CLUSTER_MUST_USE;
void accounts_done(struct accounts *a);

/* Those of them that may be used on this node: a list of texts that the caller frees with json_free; NULL when out of memory. */
struct json *accounts_on(const struct accounts *a, const struct directory_node *node);

/* The account of a row of the authority's list {"account","nodes",...}, which nobody has signed; NULL: not the name of an account, so neither shown nor used. */
const char *accounts_row_name(const struct json *row);
/* Does a row of the authority's list {"account","nodes",...} hold on this node? */
bool accounts_row_covers(const struct json *row, const struct directory_node *node);

#endif
