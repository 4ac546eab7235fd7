/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cluster/attr.h"

/* The only door to libsmartcols: tables on stdout. Failures stick until table_end. */
struct table;

/* `columns` is NULL-terminated and outlives the table; a heading that begins with '>' is aligned to the right. NULL when out of memory, which the others take. */
struct table *table_new(const char *const *columns);
/* The next cell; a row ends with its last column. */
void table_cell(struct table *t, const char *fmt, ...) CLUSTER_PRINTF(2, 3);
/* Prints, frees, and gives the exit status. */
int table_end(struct table *t);

#endif
