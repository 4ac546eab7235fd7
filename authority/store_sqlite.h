/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_STORE_SQLITE_H
#define AUTHORITY_STORE_SQLITE_H

#include <stdbool.h>

#include "store.h"

struct sqlite3;
struct sqlite3_stmt;

/* Between the files store_sqlite*.c only. */

enum store_statement {
	SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK, SQL_GET, SQL_PUT, SQL_ADD, SQL_DELETE, SQL_EACH, SQL_EACH_BUCKET, SQL_COUNT, SQL_NEXT, SQL_AUDIT_LAST, SQL_AUDIT_ADD,
	SQL_AUDIT_EACH, SQL_AUDIT_BEFORE, SQL_DATA_VERSION, SQL_N
};

struct store {
	struct sqlite3 *db;
	struct sqlite3_stmt *stmt[SQL_N];
	bool open; /* a transaction is */
	int64_t data_version;
};

enum cluster_err store_sqlite_error(int rc) CLUSTER_MUST_USE;
/* Runs a statement that gives no rows and makes it ready for the next time. */
int store_sqlite_run(struct store *s, enum store_statement which);
void store_sqlite_text(struct sqlite3_stmt *q, int i, const char *value);

#endif
