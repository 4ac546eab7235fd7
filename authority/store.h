/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_STORE_H
#define AUTHORITY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/*
 * What the authority must never lose, behind an interface that more than one kind of store can keep: values by kind and key, counters that only rise, an audit trail that only
 * grows, and transactions. Every change stands inside begin and commit; commit returns when the change survives a power cut. One user at a time; not for threads.
 *
 * Errors of all: CLUSTER_ENOMEM, CLUSTER_ESYSTEM (with a sentence), CLUSTER_EUNAVAIL (another process holds the store too long). Once a call inside a
 * transaction failed, store_rollback is the only thing to do.
 */
struct store;

/* Numbers are part of the file: never reused. */
enum store_kind {
	/* records of the directory, as they are published: keys are names for accounts and groups, ids for the others */
	STORE_ACCOUNT = 1, STORE_GROUP = 2, STORE_PERSON = 3, STORE_NODE = 4, STORE_GRANT = 5,
	STORE_PERSON_NAME = 10, /* name -> id */
	STORE_NODE_NAME = 11,   /* name -> id */
	STORE_DEVICE = 12,      /* id -> what an enrolment left */
	STORE_GRANT_TO = 13,    /* "person:<id>:<grant>" or "role:<role>:<grant>" -> nothing */
	STORE_CLAIM = 14,       /* "uid:<n>", "gid:<n>", "hostkey:...", "address:..." -> whose it is; for a uid or gid for ever */
	STORE_TOKEN = 15,       /* SHA-256 of a join token -> what it grants */
	STORE_INVITE = 16,      /* SHA-256 of an invite code -> whose */
	STORE_REVOCATION = 17,  /* sequence number, 16 digits -> entry */
	STORE_CREDENTIAL = 18,  /* "<expiry, 12 digits>:<jti>" -> person, device, and what it is narrowed to (renewal.h) */
	STORE_DOCUMENT = 19,    /* name -> version, time and text */
	STORE_SHARD = 20,       /* "<kind>/<number, 5 digits>" -> hash, size, records */
	STORE_OBJECT = 21,      /* SHA-256 -> who may read it, and bytes */
	STORE_DROPPED = 22,     /* "<time, 12 digits>:<SHA-256>" -> nothing: objects that no document names any more */
	STORE_META = 23,        /* what was fixed when the cluster was made */
	STORE_CREDENTIAL_ID = 24, /* jti -> the key of STORE_CREDENTIAL */
	STORE_CERTIFICATE = 25,   /* "<expiry, 12 digits>:<serial, 20 digits>" -> jti */
	STORE_CERTIFICATE_SERIAL = 26, /* serial, 20 digits -> the key of STORE_CERTIFICATE */
	STORE_REVOKED_BY = 30,    /* key of STORE_REVOCATION -> who revoked */
	STORE_RENEWAL = 31        /* "<device>:<what it is narrowed to>" -> "<expiry, 12 digits>:<jti>:<token>", the newest */
};

/* Makes the file, mode 0600, which must not exist (CLUSTER_EDENIED), and opens it. */
enum cluster_err store_create(const char *path, struct store **ret, struct diag *d) CLUSTER_MUST_USE;
/* CLUSTER_ENOTFOUND: no such file. CLUSTER_EVERSION: made by a newer program. CLUSTER_EFORMAT: not such a store. */
enum cluster_err store_open(const char *path, struct store **ret, struct diag *d) CLUSTER_MUST_USE;
void store_close(struct store *s);

enum cluster_err store_begin(struct store *s, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err store_commit(struct store *s, struct diag *d) CLUSTER_MUST_USE;
/* Harmless outside a transaction. */
void store_rollback(struct store *s);

/* CLUSTER_ENOTFOUND. The caller frees *ret, which is NUL-terminated after *ret_n bytes; `ret` may be NULL to ask only whether it is there. */
enum cluster_err store_get(struct store *s, enum store_kind kind, const char *key, char **ret, size_t *ret_n) CLUSTER_MUST_USE;
/* Adds or replaces. */
enum cluster_err store_put(struct store *s, enum store_kind kind, const char *key, const void *value, size_t n) CLUSTER_MUST_USE;
/* As store_put, but CLUSTER_EVERSION if the key is there. The transaction can go on. */
enum cluster_err store_add(struct store *s, enum store_kind kind, const char *key, const void *value, size_t n) CLUSTER_MUST_USE;
/* CLUSTER_ENOTFOUND. The transaction can go on. */
enum cluster_err store_delete(struct store *s, enum store_kind kind, const char *key) CLUSTER_MUST_USE;

/* Another result than CLUSTER_OK ends the walk and is its result. The store must not be changed meanwhile. */
typedef enum cluster_err store_visit(void *ctx, const char *key, const char *value, size_t n);
/* All of a kind whose key begins with `prefix` (may be ""), in order of key. */
enum cluster_err store_each(struct store *s, enum store_kind kind, const char *prefix, store_visit *visit, void *ctx) CLUSTER_MUST_USE;

/* Every key lies in one of 65,536 buckets by the first 16 bits of its SHA-256. */
#define STORE_BUCKETS 65536
unsigned store_bucket(const char *key);
/* All of a kind in buckets [from, to), in order of key. */
enum cluster_err store_each_bucket(struct store *s, enum store_kind kind, const unsigned range[2], store_visit *visit, void *ctx) CLUSTER_MUST_USE;
enum cluster_err store_count(struct store *s, enum store_kind kind, const unsigned range[2], uint64_t *ret) CLUSTER_MUST_USE;

/* The next value of a counter: `first`, or one more than ever before. */
enum cluster_err store_next(struct store *s, const char *counter, int64_t first, int64_t *ret) CLUSTER_MUST_USE;

/* One decision. Strings are borrowed; the store numbers and chains the record: hash = SHA-256(hash before, then seq, time and each string with its length). */
struct store_audit {
	int64_t seq, time;
	const char *actor, *action, *object, *reason;
	uint8_t hash[32];
};
/* Sets nothing in `r`; *ret_seq (may be NULL) is its number. */
enum cluster_err store_audit_add(struct store *s, const struct store_audit *r, int64_t *ret_seq) CLUSTER_MUST_USE;
typedef enum cluster_err store_audit_visit(void *ctx, const struct store_audit *r);
/* Records after number `after`, at most `limit`, in order; the chain is checked over those read: CLUSTER_ESIGNATURE where it breaks. */
enum cluster_err store_audit_each(struct store *s, int64_t after, int64_t limit, store_audit_visit *visit, void *ctx) CLUSTER_MUST_USE;

/* Has another process committed since the last time this was asked? */
bool store_changed(struct store *s);

/* The sentence of the last failure. */
const char *store_error(const struct store *s);

#endif
