/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_HOP_H
#define CLUSTER_HOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/name.h"

/*
 * The hop credential (PROTOCOL.md 4.9): a node vouches with its hop key that a person with a live session there goes on to one account on one other node. It counts for as much as the
 * directory says of that node and that session's credential. lib/trust/hop.c.
 */

#define HOP_SIZE_MAX 1280
#define HOP_LIFE_MAX 120
#define HOP_COUNT_MAX 4    /* nodes in a row */
#define HOP_WAY_MAX (HOP_COUNT_MAX - 1)
#define HOP_ADDRESS_MAX 45 /* characters of an address */

struct json;

/* A session that a hop came from, on the node where it is. */
struct hop_place {
	struct cluster_id node, session;
};

/*
 * The claims, a plain value. Of a machine's hop (no person stands behind it, only the account on the source node) the members person, device, parent, session, auth_time, end, count, way,
 * parent_issuer and parent_source are empty.
 */
struct hop {
	bool machine;
	struct cluster_id cluster, source, target, person, device;
	struct cluster_id parent;  /* jti of the credential that the session on the source node was opened with */
	struct cluster_id session; /* that session */
	struct cluster_id jti;
	int64_t iat, exp;
	int64_t auth_time;         /* of the parent */
	int64_t end;               /* when that session's own time is up (session.h), whether or not it ends then */
	int64_t count;             /* this is the person's so many-eth hop in a row, from 1 */
	struct hop_place way[HOP_WAY_MAX]; /* where that session came from by hops itself, the person's own session first: count - 1 of them */
	char account[NAME_ACCOUNT_MAX + 1];
	char parent_issuer[NAME_KID_MAX + 1];    /* kid of the issuer key that signed the person's own credential */
	char parent_source[HOP_ADDRESS_MAX + 1]; /* the address that the parent session came from; empty: not known */
	struct crypto_pub cnf;     /* the ephemeral key, Ed25519 */
	char signer[NAME_KID_MAX + 1];           /* kid of the hop key that signed */
};

/* Whose hop it is said to be: what the signed directory has of the source node. Borrowed. */
struct hop_source {
	const struct cluster_id *cluster, *node;
	const struct crypto_pub *key; /* the node's hop key */
};

/* Claims only, for hop_verify and the fuzz target. */
enum cluster_err hop_parse(const void *payload, size_t n, struct hop *ret, struct diag *d) CLUSTER_MUST_USE;
/* The kid of the key that a hop says it is signed by, to find the source node: believed by nobody. Errors as jws_parse. */
enum cluster_err hop_kid(const char *token, size_t n, char ret[NAME_KID_MAX + 1], struct diag *d) CLUSTER_MUST_USE;
/*
 * Signature by by->key, then the claims, then `iss` and `aud` against `by`. Times, target and everything else are the caller's to judge. `by` NULL: the node is not known.
 * CLUSTER_ENOTFOUND (`by` is NULL, or the kid another key's), CLUSTER_ESIGNATURE, CLUSTER_EDENIED (of another node or cluster, or its cnf is the hop key), CLUSTER_EFORMAT, CLUSTER_ELIMIT.
 * One signature verification is made on every path (THREATS.md G1).
 */
enum cluster_err hop_verify(const char *token, size_t n, const struct hop_source *by, struct hop *ret, struct diag *d) CLUSTER_MUST_USE;
/* Signs; `signer` is ignored. CLUSTER_ELIMIT above HOP_SIZE_MAX, which no claims of the right form reach. The caller frees *ret with free(). */
enum cluster_err hop_build(const struct hop *h, const struct crypto_key *key, char **ret) CLUSTER_MUST_USE;

/* Places as JSON: an array of "<node id>.<session id>". NULL when out of memory. */
struct json *hop_way_json(const struct hop_place *way, size_t n);
/* At most HOP_WAY_MAX. CLUSTER_EFORMAT. */
enum cluster_err hop_way_read(const struct json *list, struct hop_place ret[HOP_WAY_MAX], size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;

#endif
