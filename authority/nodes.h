/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_NODES_H
#define AUTHORITY_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/name.h"
#include "live.h"

struct directory_node;
struct revoked;
struct store;

/* The nodes in memory: their keys, and what each has proved to have applied. Progress is not stored: after a start it is told again by the next poll of each. */
#define NODES_STEPS 16
#define NODES_SILENT 75 /* a node that lives asks again after at most POLL_SECONDS */

struct nodes_step {
	int64_t applied, ended;
	int64_t ms; /* when it was proved, monotonic */
};
struct nodes_one {
	struct cluster_id id;
	char name[NAME_NODE_MAX + 1];
	struct crypto_pub key;
	bool revoked;
	size_t n_roles;
	char (*roles)[NAME_ROLE_MAX + 1];
	struct live live;        /* its sessions, as it reported them */
	int64_t seen;            /* unix time of the last signed request; 0: none */
	unsigned n_steps;
	struct nodes_step step[NODES_STEPS]; /* the newest last */
};
struct nodes {
	size_t n, room;
	struct nodes_one **one; /* in order of id */
	int64_t since;          /* when we began to listen to them, unix time */
	size_t sessions;        /* of all lists of live sessions */
};

enum cluster_err nodes_load(struct store *s, struct nodes **ret, struct diag *d) CLUSTER_MUST_USE;
void nodes_free(struct nodes *n);
struct nodes_one *nodes_find(const struct nodes *n, const struct cluster_id *id);
/* Adds or updates; progress is kept. */
enum cluster_err nodes_set(struct nodes *n, const struct directory_node *node) CLUSTER_MUST_USE;
void nodes_remove(struct nodes *n, const struct cluster_id *id);
/* All in order of name; the caller frees *ret (n->n elements, borrowed). */
enum cluster_err nodes_by_name(const struct nodes *n, struct nodes_one ***ret) CLUSTER_MUST_USE;
/* Keeps the progress that `old` knows, and takes its sessions. */
void nodes_inherit(struct nodes *n, struct nodes *old);
/* Has any of them this role? */
bool nodes_role(const struct nodes *n, const char *role);
/* Marks those that a revocation names. */
void nodes_revoked(struct nodes *n, const struct revoked *r, int64_t now);

/* A signed request said this. `head`: the newest version that exists; more than that is no proof of anything. */
void nodes_progress(struct nodes_one *o, int64_t applied, int64_t ended, int64_t head, int64_t ms);
int64_t nodes_applied(const struct nodes_one *o);
int64_t nodes_ended(const struct nodes_one *o);
/* Has it been heard of so recently that it should have answered by now? Right after our own start everybody is given that time. */
bool nodes_reachable(const struct nodes *n, const struct nodes_one *o, int64_t now);
/* The version that all have proved; INT64_MAX if there is none of them. */
int64_t nodes_least(const struct nodes *n);
/* When `version` or more was first proved, monotonic; -1: not yet, or too long ago to know. */
int64_t nodes_when(const struct nodes_one *o, int64_t version);
/* Sessions ended since before `version` was applied. */
int64_t nodes_ended_for(const struct nodes_one *o, int64_t version);

#endif
