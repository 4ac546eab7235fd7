/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <sqlite3.h>

#include "audit.h"
#include "cluster/crypto.h"
#include "store_sqlite.h"

/* Number and hash of the record that `which` finds; zeros if there is none. */
static enum cluster_err audit_one(struct store *s, enum store_statement which, int64_t *ret_seq, uint8_t ret_hash[32])
{
	sqlite3_stmt *q = s->stmt[which];
	int rc = sqlite3_step(q);

	*ret_seq = 0;
	memset(ret_hash, 0, 32);
	if (rc == SQLITE_ROW && sqlite3_column_bytes(q, 1) == 32) {
		*ret_seq = sqlite3_column_int64(q, 0);
		memcpy(ret_hash, sqlite3_column_blob(q, 1), 32);
	}
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? CLUSTER_OK : store_sqlite_error(rc);
}

enum cluster_err store_audit_add(struct store *s, const struct store_audit *r, int64_t *ret_seq)
{
	sqlite3_stmt *q = s->stmt[SQL_AUDIT_ADD];
	struct store_audit numbered = *r;
	uint8_t before[32], hash[32];
	enum cluster_err e;
	int rc;

	if (!s->open)
		return CLUSTER_ESYSTEM;
	if ((e = audit_one(s, SQL_AUDIT_LAST, &numbered.seq, before)) != CLUSTER_OK)
		return e;
	numbered.seq++;
	if ((e = audit_hash(before, &numbered, hash)) != CLUSTER_OK)
		return e;
	sqlite3_bind_int64(q, 1, numbered.seq);
	sqlite3_bind_int64(q, 2, r->time);
	store_sqlite_text(q, 3, r->actor);
	store_sqlite_text(q, 4, r->action);
	store_sqlite_text(q, 5, r->object);
	store_sqlite_text(q, 6, r->reason);
	sqlite3_bind_blob(q, 7, hash, sizeof hash, SQLITE_STATIC);
	if ((rc = store_sqlite_run(s, SQL_AUDIT_ADD)) != SQLITE_OK)
		return store_sqlite_error(rc);
	if (ret_seq)
		*ret_seq = numbered.seq;
	return CLUSTER_OK;
}

static enum cluster_err audit_row(sqlite3_stmt *q, uint8_t before[32], store_audit_visit *visit, void *ctx)
{
	struct store_audit r = {
		.seq = sqlite3_column_int64(q, 0),
		.time = sqlite3_column_int64(q, 1),
		.actor = (const char *)sqlite3_column_text(q, 2),
		.action = (const char *)sqlite3_column_text(q, 3),
		.object = (const char *)sqlite3_column_text(q, 4),
		.reason = (const char *)sqlite3_column_text(q, 5),
	};
	enum cluster_err e;

	if (!r.actor || !r.action || !r.object || !r.reason)
		return CLUSTER_ENOMEM;
	if ((e = audit_hash(before, &r, r.hash)) != CLUSTER_OK)
		return e;
	if (sqlite3_column_bytes(q, 6) != 32 || !crypto_equal(sqlite3_column_blob(q, 6), r.hash, 32))
		return CLUSTER_ESIGNATURE;
	memcpy(before, r.hash, 32);
	return visit(ctx, &r);
}

enum cluster_err store_audit_each(struct store *s, int64_t after, int64_t limit, store_audit_visit *visit, void *ctx)
{
	sqlite3_stmt *q = s->stmt[SQL_AUDIT_EACH];
	uint8_t before[32];
	enum cluster_err e;
	int rc = SQLITE_DONE;
	int64_t seq;

	sqlite3_bind_int64(s->stmt[SQL_AUDIT_BEFORE], 1, after);
	if ((e = audit_one(s, SQL_AUDIT_BEFORE, &seq, before)) != CLUSTER_OK)
		return e;
	sqlite3_bind_int64(q, 1, after);
	sqlite3_bind_int64(q, 2, limit);
	while (e == CLUSTER_OK && (rc = sqlite3_step(q)) == SQLITE_ROW)
		e = audit_row(q, before, visit, ctx);
	if (e == CLUSTER_OK && rc != SQLITE_DONE)
		e = store_sqlite_error(rc);
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return e;
}
