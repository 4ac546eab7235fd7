/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_GRANTS_H
#define AUTHORITY_GRANTS_H

#include <stddef.h>

#include "authority.h"
#include "cluster/attr.h"
#include "cluster/directory.h"

/* The grants that reach a person: those to him, and those to his unrevoked roles. Another result than CLUSTER_OK ends the walk and is its result. */
typedef enum cluster_err grants_visit(void *ctx, const struct directory_grant *g);
enum cluster_err grants_of(struct authority *a, const struct directory_person *p, int64_t now, grants_visit *visit, void *ctx) CLUSTER_MUST_USE;

/* The store's key in STORE_GRANT_TO: by whom it is found. */
#define GRANTS_KEY_MAX 128
void grants_key(const struct directory_grant *g, char dst[GRANTS_KEY_MAX]);

#endif
