/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/challenge.h"
#include "cluster/credential.h"
#include "cluster/crypto.h"
#include "cluster/directory.h"
#include "cluster/document.h"
#include "cluster/revoke.h"
#include "cluster/snap.h"

/*
 * A small cluster to decide about, as plain values that a test may change before it builds a snapshot. Everything here ends the program with a message when it fails.
 *
 * Node master-1-1 (role master). Accounts: emr-user; alice (personal, of person alice); ecs-user (in the directory, not in accounts.snap: for adoption); lonely (no grants).
 * People: alice (one device, may be emr-user, alice and ecs-user), bob (device, no grants), carol (device, role ops), dave (disabled).
 * Grants: alice to emr-user and alice anywhere; alice to ecs-user on role:master; role ops to emr-user.
 */
#define WORLD_ROOM 8
#define WORLD_UID_EMR 1880000001u
#define WORLD_UID_ALICE 1880000002u
#define WORLD_UID_LONELY 1880000003u
#define WORLD_UID_ECS 1000u
#define WORLD_MAX_STALE 900
#define WORLD_SKEW 30

enum world_person { WORLD_ALICE, WORLD_BOB, WORLD_CAROL, WORLD_DAVE, WORLD_PEOPLE };
enum world_grant { WORLD_GRANT_ALICE, WORLD_GRANT_ALICE_ECS, WORLD_GRANT_OPS, WORLD_GRANTS };
enum world_account { WORLD_EMR, WORLD_ALICE_ACCOUNT, WORLD_ECS, WORLD_LONELY, WORLD_ACCOUNTS };

struct world {
	int64_t now;
	struct document_root root;
	struct document_keyset keyset;
	struct directory dir;
	struct directory_account accounts[WORLD_ROOM];
	struct directory_person people[WORLD_ROOM];
	struct directory_device devices[WORLD_PEOPLE];
	struct directory_node node;
	struct directory_grant grants[WORLD_ROOM];
	struct revoke_list revocations;
	struct revoke_entry entries[WORLD_ROOM];
	struct snap_fresh fresh;
	struct crypto_key *issuer, *other, *sshca; /* `other` is the directory's key */
	struct crypto_key *cnf;            /* of every credential made here */
	struct crypto_key *device;         /* of every device */
	char *texts[64];
	size_t n_texts;
};

void world_init(struct world *w, int64_t now);
void world_done(struct world *w);
/* A copy that lives as long as the world. */
char *world_text(struct world *w, const char *text);

/* Adds a revocation of a thing by its text value; `before` 0: everything. */
void world_revoke(struct world *w, enum revoke_kind kind, const char *value, int64_t before);
void world_revoke_id(struct world *w, enum revoke_kind kind, const struct cluster_id *id, int64_t before);

/* trust.snap and accounts.snap as bytes; the caller frees them. */
uint8_t *world_trust(const struct world *w, size_t *ret_n);
uint8_t *world_accounts(const struct world *w, size_t *ret_n);
/* <dir>/enrolled, gen/<generation>/ and fresh, as the agent leaves them. Generation is w->fresh.generation. */
void world_store(const struct world *w, const char *dir);
void world_store_fresh(const struct world *w, const char *dir);

/* Claims of a credential that holds: one hour from now, the person's device. */
struct credential world_credential(const struct world *w, enum world_person p);
/* By the world's keys, for its cluster, at its time and with WORLD_SKEW. Borrows from `w`. */
struct keyring_at world_at(const struct world *w);
/* Signed by `key` (NULL: the issuer). The caller frees it. */
char *world_token(const struct world *w, const struct credential *c, const struct crypto_key *key);
/* token~proof by `key` (NULL: w->cnf). */
void world_answer(const struct world *w, const char *token, const struct challenge *ch, const struct crypto_key *key, char dst[CHALLENGE_ANSWER_MAX + 1]);
/* A challenge of this node. */
struct challenge world_challenge(const struct world *w, const char *service, const char *account);

struct cluster_id world_id(uint8_t kind, uint8_t n);

/* Makes a file with its parents' existence taken for granted. */
void world_file(const char *path, const void *data, size_t n, unsigned int mode);

#endif
