/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_CHANGE_H
#define AUTHORITY_CHANGE_H

#include "authority.h"
#include "cluster/revoke.h"
#include "store.h"

struct json;

/*
 * One change: one transaction that writes records, signs what they alter, numbers and signs a new head, and adds one audit record. Nothing is visible before it is
 * durable; then every waiting node is answered. change_begin, changes, change_commit, and in any case change_done.
 */
struct change_touch {
	enum directory_kind kind;
	char key[NAME_PERSON_MAX + 1];
};
struct change {
	struct authority *a;
	struct store *store;
	int64_t now;
	bool open;
	struct publish_stage stage;
	struct revoked *revoked; /* the list that is going to be; NULL: as it was */
	const char *by;          /* who revokes, for the record; NULL: nobody in particular. Borrowed */
	bool keyset;             /* reload keys and keyset afterwards */
	size_t n_touch, room;
	struct change_touch *touch;
};

/* Who did what to what. */
struct change_audit {
	const char *actor, *action, *object, *reason;
};

enum cluster_err change_begin(struct change *c, struct authority *a, int64_t now, struct diag *d) CLUSTER_MUST_USE;
/* Rolls back unless committed; releases. */
void change_done(struct change *c);

/* Writes a directory record (takes `record`, NULL is CLUSTER_ENOMEM), judged as a node would. change_add: CLUSTER_EVERSION if the key is there. */
enum cluster_err change_put(struct change *c, enum directory_kind kind, const char *key, struct json *record, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err change_add(struct change *c, enum directory_kind kind, const char *key, struct json *record, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err change_remove(struct change *c, enum directory_kind kind, const char *key, struct diag *d) CLUSTER_MUST_USE;

/* Reserves what only one may have ("address:...", "hostkey:...", "uid:..."), for `owner`; `what` for the sentence. CLUSTER_EVERSION. */
enum cluster_err change_claim(struct change *c, const char *claim, const char *owner, const char *what, struct diag *d) CLUSTER_MUST_USE;

/* Adds a revocation; seq and iat are set in *e. */
enum cluster_err change_revoke(struct change *c, struct revoke_entry *e, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err change_unrevoke(struct change *c, int64_t seq, struct diag *d) CLUSTER_MUST_USE;
/* What had this id is gone for ever: its revocations without end are needed only as long as credentials that it has live. */
enum cluster_err change_buried(struct change *c, enum revoke_kind kind, const char *id, struct diag *d) CLUSTER_MUST_USE;

/* Durable, visible, announced. *ret_version (may be NULL) is the head that carries it. */
enum cluster_err change_commit(struct change *c, const struct change_audit *audit, int64_t *ret_version, struct diag *d) CLUSTER_MUST_USE;
/* Only the audit record and what was put into the store: the published documents stay as they are. */
enum cluster_err change_commit_quietly(struct change *c, const struct change_audit *audit, struct diag *d) CLUSTER_MUST_USE;

/* The sentence for a failed call of the store. */
enum cluster_err change_store_error(struct change *c, enum cluster_err e, struct diag *d);

#endif
