/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "cluster/crypto.h"
#include "store_sqlite.h"

#define APPLICATION_ID 0x434c4155 /* "CLAU" in the file's header */
#define SCHEMA 1

static const char *const sql[SQL_N] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_GET] = "SELECT value FROM record WHERE kind = ?1 AND key = ?2",
	[SQL_PUT] = "INSERT INTO record(kind, key, bucket, value) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(kind, key) DO UPDATE SET value = excluded.value",
	[SQL_ADD] = "INSERT INTO record(kind, key, bucket, value) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(kind, key) DO NOTHING",
	[SQL_DELETE] = "DELETE FROM record WHERE kind = ?1 AND key = ?2",
	[SQL_EACH] = "SELECT key, value FROM record WHERE kind = ?1 AND key >= ?2 AND key < ?3 ORDER BY key",
	[SQL_EACH_BUCKET] = "SELECT key, value FROM record WHERE kind = ?1 AND bucket >= ?2 AND bucket < ?3 ORDER BY key",
	[SQL_COUNT] = "SELECT count(*) FROM record WHERE kind = ?1 AND bucket >= ?2 AND bucket < ?3",
	[SQL_NEXT] = "INSERT INTO counter(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = max(value + 1, excluded.value) RETURNING value",
	[SQL_AUDIT_LAST] = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1",
	[SQL_AUDIT_ADD] = "INSERT INTO audit(seq, time, actor, action, object, reason, hash) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_AUDIT_EACH] = "SELECT seq, time, actor, action, object, reason, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2",
	[SQL_AUDIT_BEFORE] = "SELECT seq, hash FROM audit WHERE seq = ?1",
	[SQL_DATA_VERSION] = "PRAGMA data_version",
};

static const char schema[] =
	"CREATE TABLE record(kind INTEGER NOT NULL, key TEXT NOT NULL, bucket INTEGER NOT NULL, value BLOB NOT NULL, UNIQUE(kind, key)) STRICT;"
	"CREATE INDEX record_bucket ON record(kind, bucket, key);"
	"CREATE TABLE counter(name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT;"
	"CREATE TABLE audit(seq INTEGER NOT NULL PRIMARY KEY, time INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL, reason TEXT NOT NULL,"
	" hash BLOB NOT NULL) STRICT;"
	"CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END;"
	"CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END;"
	"CREATE TRIGGER counter_rises BEFORE UPDATE ON counter WHEN new.value <= old.value BEGIN SELECT RAISE(ABORT, 'counters only rise'); END;";

const char *store_error(const struct store *s)
{
	return s && s->db ? sqlite3_errmsg(s->db) : "out of memory";
}

enum cluster_err store_sqlite_error(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return CLUSTER_ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return CLUSTER_EUNAVAIL;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return CLUSTER_EFORMAT;
	default:
		return CLUSTER_ESYSTEM;
	}
}

static enum cluster_err said(const struct store *s, int rc, struct diag *d)
{
	return diag_set(d, store_sqlite_error(rc), "store: %s", store_error(s));
}

int store_sqlite_run(struct store *s, enum store_statement which)
{
	int rc = sqlite3_step(s->stmt[which]), again = sqlite3_reset(s->stmt[which]);

	sqlite3_clear_bindings(s->stmt[which]);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : again ? again : rc;
}

void store_sqlite_text(sqlite3_stmt *q, int i, const char *value)
{
	sqlite3_bind_text(q, i, value, -1, SQLITE_STATIC);
}

static enum cluster_err bind_key(struct store *s, enum store_statement which, enum store_kind kind, const char *key)
{
	sqlite3_bind_int(s->stmt[which], 1, (int)kind);
	store_sqlite_text(s->stmt[which], 2, key);
	return CLUSTER_OK;
}

unsigned store_bucket(const char *key)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];

	if (crypto_sha256(key, strlen(key), hash) != CLUSTER_OK)
		return STORE_BUCKETS;
	return (unsigned)hash[0] << 8 | hash[1];
}

static int64_t pragma_number(struct store *s, const char *pragma)
{
	sqlite3_stmt *q = NULL;
	int64_t n = -1;

	if (sqlite3_prepare_v2(s->db, pragma, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
		n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return n;
}

static enum cluster_err prepare(struct store *s, struct diag *d)
{
	for (int i = 0; i < SQL_N; i++) {
		int rc = sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[i], NULL);

		if (rc != SQLITE_OK)
			return said(s, rc, d);
	}
	return CLUSTER_OK;
}

/* A connection with everything set that the promises of store.h need. */
static enum cluster_err connect_to(const char *path, struct store **ret, struct diag *d)
{
	struct store *s = calloc(1, sizeof *s);
	int rc;

	if (!s)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
		    "PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON; PRAGMA cache_size = -16384", NULL, NULL, NULL);
	if (rc == SQLITE_OK && pragma_number(s, "PRAGMA synchronous") != 2)
		rc = SQLITE_MISUSE;
	if (rc != SQLITE_OK) {
		enum cluster_err e = said(s, rc, d);

		store_close(s);
		return e;
	}
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	*ret = s;
	return CLUSTER_OK;
}

enum cluster_err store_create(const char *path, struct store **ret, struct diag *d)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct store *s = NULL;
	enum cluster_err e;
	char pragma[100];
	int rc;

	if (fd < 0)
		return errno == EEXIST ? diag_set(d, CLUSTER_EDENIED, "%s is there already", path) : diag_errno(d, "%s", path);
	close(fd);
	if ((e = connect_to(path, &s, d)) != CLUSTER_OK)
		return e;
	snprintf(pragma, sizeof pragma, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID, SCHEMA);
	if ((rc = sqlite3_exec(s->db, schema, NULL, NULL, NULL)) != SQLITE_OK || (rc = sqlite3_exec(s->db, pragma, NULL, NULL, NULL)) != SQLITE_OK)
		e = said(s, rc, d);
	else
		e = prepare(s, d);
	if (e != CLUSTER_OK) {
		store_close(s);
		return e;
	}
	store_changed(s);
	*ret = s;
	return CLUSTER_OK;
}

enum cluster_err store_open(const char *path, struct store **ret, struct diag *d)
{
	struct store *s = NULL;
	enum cluster_err e;
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? diag_set(d, CLUSTER_ENOTFOUND, "%s is not there", path) : diag_errno(d, "%s", path);
	if ((e = connect_to(path, &s, d)) != CLUSTER_OK)
		return e;
	if (pragma_number(s, "PRAGMA application_id") != APPLICATION_ID)
		e = diag_set(d, CLUSTER_EFORMAT, "%s is not an authority's store", path);
	else if (pragma_number(s, "PRAGMA user_version") != SCHEMA)
		e = diag_set(d, CLUSTER_EVERSION, "%s was made by another version of this program", path);
	else
		e = prepare(s, d);
	if (e != CLUSTER_OK) {
		store_close(s);
		return e;
	}
	store_changed(s);
	*ret = s;
	return CLUSTER_OK;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_rollback(s);
	for (int i = 0; i < SQL_N; i++)
		sqlite3_finalize(s->stmt[i]);
	sqlite3_close(s->db);
	free(s);
}

enum cluster_err store_begin(struct store *s, struct diag *d)
{
	int rc = store_sqlite_run(s, SQL_BEGIN);

	if (rc != SQLITE_OK)
		return said(s, rc, d);
	s->open = true;
	return CLUSTER_OK;
}

enum cluster_err store_commit(struct store *s, struct diag *d)
{
	int rc = store_sqlite_run(s, SQL_COMMIT);

	if (rc != SQLITE_OK) {
		enum cluster_err e = said(s, rc, d);

		store_rollback(s);
		return e;
	}
	s->open = false;
	return CLUSTER_OK;
}

void store_rollback(struct store *s)
{
	if (s->open)
		store_sqlite_run(s, SQL_ROLLBACK);
	s->open = false;
}

/* A column as memory of its own, NUL-terminated. */
static enum cluster_err copy_column(sqlite3_stmt *q, int column, char **ret, size_t *ret_n)
{
	const void *data = sqlite3_column_blob(q, column);
	size_t n = (size_t)sqlite3_column_bytes(q, column);
	char *copy = malloc(n + 1);

	if (!copy)
		return CLUSTER_ENOMEM;
	if (n)
		memcpy(copy, data, n);
	copy[n] = '\0';
	*ret = copy;
	if (ret_n)
		*ret_n = n;
	return CLUSTER_OK;
}

enum cluster_err store_get(struct store *s, enum store_kind kind, const char *key, char **ret, size_t *ret_n)
{
	sqlite3_stmt *q = s->stmt[SQL_GET];
	enum cluster_err e = bind_key(s, SQL_GET, kind, key);
	int rc = sqlite3_step(q);

	if (rc == SQLITE_ROW)
		e = ret ? copy_column(q, 0, ret, ret_n) : CLUSTER_OK;
	else
		e = rc == SQLITE_DONE ? CLUSTER_ENOTFOUND : store_sqlite_error(rc);
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return e;
}

static enum cluster_err put(struct store *s, enum store_statement which, enum store_kind kind, const char *key, const void *value, size_t n)
{
	unsigned bucket = store_bucket(key);
	int rc;

	if (!s->open || bucket >= STORE_BUCKETS)
		return CLUSTER_ESYSTEM;
	bind_key(s, which, kind, key);
	sqlite3_bind_int(s->stmt[which], 3, (int)bucket);
	sqlite3_bind_blob64(s->stmt[which], 4, n ? value : "", n, SQLITE_STATIC);
	rc = store_sqlite_run(s, which);
	return rc == SQLITE_OK ? CLUSTER_OK : store_sqlite_error(rc);
}

enum cluster_err store_put(struct store *s, enum store_kind kind, const char *key, const void *value, size_t n)
{
	return put(s, SQL_PUT, kind, key, value, n);
}

enum cluster_err store_add(struct store *s, enum store_kind kind, const char *key, const void *value, size_t n)
{
	enum cluster_err e = put(s, SQL_ADD, kind, key, value, n);

	return e != CLUSTER_OK ? e : sqlite3_changes(s->db) == 1 ? CLUSTER_OK : CLUSTER_EVERSION;
}

enum cluster_err store_delete(struct store *s, enum store_kind kind, const char *key)
{
	int rc;

	if (!s->open)
		return CLUSTER_ESYSTEM;
	bind_key(s, SQL_DELETE, kind, key);
	rc = store_sqlite_run(s, SQL_DELETE);
	return rc != SQLITE_OK ? store_sqlite_error(rc) : sqlite3_changes(s->db) == 1 ? CLUSTER_OK : CLUSTER_ENOTFOUND;
}

static enum cluster_err visit_all(sqlite3_stmt *q, store_visit *visit, void *ctx)
{
	enum cluster_err e = CLUSTER_OK;
	int rc = SQLITE_DONE;

	while (e == CLUSTER_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		const void *value = sqlite3_column_blob(q, 1);

		e = visit(ctx, (const char *)sqlite3_column_text(q, 0), value ? value : "", (size_t)sqlite3_column_bytes(q, 1));
	}
	if (e == CLUSTER_OK && rc != SQLITE_DONE)
		e = store_sqlite_error(rc);
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return e;
}

enum cluster_err store_each(struct store *s, enum store_kind kind, const char *prefix, store_visit *visit, void *ctx)
{
	sqlite3_stmt *q = s->stmt[SQL_EACH];
	char *end = malloc(strlen(prefix) + 2);
	enum cluster_err e;

	if (!end)
		return CLUSTER_ENOMEM;
	snprintf(end, strlen(prefix) + 2, "%s\x7f", prefix); /* keys are printable ASCII */
	bind_key(s, SQL_EACH, kind, prefix);
	store_sqlite_text(q, 3, end);
	e = visit_all(q, visit, ctx);
	free(end);
	return e;
}

static void bind_range(sqlite3_stmt *q, enum store_kind kind, const unsigned range[2])
{
	sqlite3_bind_int(q, 1, (int)kind);
	sqlite3_bind_int(q, 2, (int)range[0]);
	sqlite3_bind_int(q, 3, (int)range[1]);
}

enum cluster_err store_each_bucket(struct store *s, enum store_kind kind, const unsigned range[2], store_visit *visit, void *ctx)
{
	bind_range(s->stmt[SQL_EACH_BUCKET], kind, range);
	return visit_all(s->stmt[SQL_EACH_BUCKET], visit, ctx);
}

/* The one number that a statement answers. */
static enum cluster_err number(sqlite3_stmt *q, int64_t *ret)
{
	int rc = sqlite3_step(q);
	int64_t n = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
	bool row = rc == SQLITE_ROW;

	if (row)
		rc = sqlite3_step(q); /* a RETURNING statement takes effect when it has run to its end */
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	if (!row || rc != SQLITE_DONE)
		return store_sqlite_error(rc);
	*ret = n;
	return CLUSTER_OK;
}

enum cluster_err store_count(struct store *s, enum store_kind kind, const unsigned range[2], uint64_t *ret)
{
	enum cluster_err e;
	int64_t n;

	bind_range(s->stmt[SQL_COUNT], kind, range);
	if ((e = number(s->stmt[SQL_COUNT], &n)) == CLUSTER_OK)
		*ret = (uint64_t)n;
	return e;
}

enum cluster_err store_next(struct store *s, const char *counter, int64_t first, int64_t *ret)
{
	sqlite3_stmt *q = s->stmt[SQL_NEXT];

	if (!s->open)
		return CLUSTER_ESYSTEM;
	store_sqlite_text(q, 1, counter);
	sqlite3_bind_int64(q, 2, first);
	return number(q, ret);
}

bool store_changed(struct store *s)
{
	sqlite3_stmt *q = s->stmt[SQL_DATA_VERSION];
	int64_t now = sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : s->data_version;
	bool changed = now != s->data_version;

	sqlite3_reset(q);
	s->data_version = now;
	return changed;
}
