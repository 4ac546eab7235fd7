/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_TRUST_SNAP_H
#define CLUSTER_TRUST_SNAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/directory.h"
#include "cluster/document.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/keyring.h"
#include "cluster/name.h"
#include "cluster/revoke.h"
#include "cluster/snap.h"

/* trust.snap typed (PROTOCOL.md 5.3): trust_snap_read.c reads, trust_snap_build.c writes. Functions begin with trust_. */

struct trust_self {
	struct cluster_id node;
	uint8_t hostkey_hash[CRYPTO_SHA256_SIZE];
	int64_t keyset_version, directory_version, revocations_version;
	uint32_t max_stale, skew, sudo_fresh;
	char node_name[NAME_NODE_MAX + 1];
	char cluster_name[DOCUMENT_NAME_MAX + 1];
	size_t n_roles;
	char roles[DIRECTORY_ROLES_MAX][NAME_ROLE_MAX + 1];
};

struct trust_person {
	struct cluster_id id;
	char name[NAME_PERSON_MAX + 1];
	bool disabled, admin;
	size_t n_roles, n_devices;
	char roles[DIRECTORY_ROLES_MAX][NAME_ROLE_MAX + 1];
	const uint8_t *devices; /* n_devices x TRUST_DEVICE_SIZE bytes, borrowed from the snapshot */
};
#define TRUST_DEVICE_SIZE (ID_SIZE + CRYPTO_SHA256_SIZE) /* id, thumbprint of its key (RFC 7638) */

struct trust_grant {
	struct cluster_id id;
	bool sudo, hop, onetime, end_at_expiry;
	enum directory_on_revoke on_revoke;
	uint32_t ttl;
};

/* Of any node of the directory. */
struct trust_node {
	struct cluster_id id;
	char name[NAME_NODE_MAX + 1];
	struct crypto_pub hop;
	uint16_t port;
	bool leader;
	char instance[DIRECTORY_INSTANCE_MAX + 1]; /* empty: none */
	size_t n_roles, n_hostkeys, n_addresses;
	char roles[DIRECTORY_ROLES_MAX][NAME_ROLE_MAX + 1];
	struct rd hostkeys;  /* n_hostkeys x (u16 length, blob), borrowed: of RSA only where there is no other */
	struct rd addresses; /* n_addresses x str8, borrowed */
};

#define TRUST_HOPS_MAX 64 /* accounts that are told of one subject */

/* Who a grant is to. */
enum trust_subject { TRUST_PERSON = 1, TRUST_ROLE = 2, TRUST_NODE = 3 };

struct trust_account {
	char name[NAME_ACCOUNT_MAX + 1];
	uint32_t uid;
	bool personal;
	struct cluster_id person;
};

struct trust_revocation {
	int64_t seq, iat, before, until;
};

/* An opened trust.snap with its small sections decoded. */
struct trust {
	struct snap snap;
	struct snap_fresh fresh;
	struct trust_self self;
	struct keyring ring;
	int64_t everything_before;
	bool lockdown;
	size_t n_lockdown_except;
	const uint8_t *lockdown_except; /* x 16 bytes, borrowed */
};

/*
 * snap_open_current and the flat sections. Errors as snap_open; nothing is left on failure. trust_parse is the same over bytes in memory (fresh zeroed), for tests
 * and the fuzz target.
 */
enum cluster_err trust_open(const char *state_dir, uid_t owner, struct trust *ret) CLUSTER_MUST_USE;
enum cluster_err trust_parse(const void *data, size_t n, struct trust *ret) CLUSTER_MUST_USE;
void trust_close(struct trust *t);

/* CLUSTER_ENOTFOUND, or CLUSTER_EFORMAT when damage makes the answer unknown. */
enum cluster_err trust_person_by_id(const struct trust *t, const struct cluster_id *id, struct trust_person *ret) CLUSTER_MUST_USE;
enum cluster_err trust_person_by_name(const struct trust *t, const char *name, struct trust_person *ret) CLUSTER_MUST_USE;
enum cluster_err trust_account_by_name(const struct trust *t, const char *name, struct trust_account *ret) CLUSTER_MUST_USE;
/* Is this device one of the person's? */
bool trust_person_device(const struct trust_person *p, const struct cluster_id *device);
/* The one whose key has this thumbprint: CLUSTER_ENOTFOUND. */
enum cluster_err trust_person_device_by_key(const struct trust_person *p, const uint8_t thumbprint[CRYPTO_SHA256_SIZE], struct cluster_id *ret) CLUSTER_MUST_USE;
/* The grants of a person (role == NULL) or of a role for an account: cursor over *ret, then trust_grant_next until CLUSTER_ENOTFOUND. */
enum cluster_err trust_grants(const struct trust *t, const struct cluster_id *person, const char *role, const char *account, struct rd *ret) CLUSTER_MUST_USE;
enum cluster_err trust_grant_next(struct rd *r, struct trust_grant *ret) CLUSTER_MUST_USE;
/* The grants that let this node, with no person behind it, hop to an account here. */
enum cluster_err trust_grants_of_node(const struct trust *t, const struct cluster_id *node, const char *account, struct rd *ret) CLUSTER_MUST_USE;
/* A node by its id, its hop key, one of its host keys (a blob). CLUSTER_ENOTFOUND, CLUSTER_EFORMAT as above. */
enum cluster_err trust_node_by_id(const struct trust *t, const struct cluster_id *id, struct trust_node *ret) CLUSTER_MUST_USE;
enum cluster_err trust_node_by_hop_key(const struct trust *t, const struct crypto_pub *key, struct trust_node *ret) CLUSTER_MUST_USE;
enum cluster_err trust_node_by_hostkey(const struct trust *t, const void *blob, size_t n, struct trust_node *ret) CLUSTER_MUST_USE;
/* Every node in order of id; *cursor starts at 0. */
enum cluster_err trust_node_each(const struct trust *t, uint64_t *cursor, struct trust_node *ret) CLUSTER_MUST_USE;
/*
 * The accounts that grants with `hop` name anywhere in the cluster for one subject: `value` is the person's or this node's id, or the role's name. Cursor over *ret, then trust_hops_next
 * until CLUSTER_ENOTFOUND.
 */
enum cluster_err trust_hops(const struct trust *t, enum trust_subject subject, const void *value, size_t n, struct rd *ret) CLUSTER_MUST_USE;
enum cluster_err trust_hops_next(struct rd *r, char ret[NAME_ACCOUNT_MAX + 1]) CLUSTER_MUST_USE;
/* Is there a grant with `hop` to anybody here; is there one to anybody anywhere? CLUSTER_ENOTFOUND: none. The first reads every grant. */
enum cluster_err trust_hop_here(const struct trust *t) CLUSTER_MUST_USE;
enum cluster_err trust_hop_anywhere(const struct trust *t) CLUSTER_MUST_USE;
/* The revocation of one thing that reaches what was issued at `issued` (0: whenever). CLUSTER_ENOTFOUND: none. */
enum cluster_err trust_revoked(const struct trust *t, enum revoke_kind kind, const void *value, size_t n, int64_t issued, struct trust_revocation *ret) CLUSTER_MUST_USE;
/* Every person, grant key or revocation in order, for listings; *cursor starts at 0. */
enum cluster_err trust_person_each(const struct trust *t, uint64_t *cursor, struct trust_person *ret) CLUSTER_MUST_USE;

/* One set of verified documents, borrowed. */
struct trust_documents {
	const struct document_root *root;
	const struct document_keyset *keyset;
	const struct directory *dir;
	const struct revoke_list *revocations;
};

/*
 * Builds trust.snap for node `self` from verified documents. CLUSTER_ENOTFOUND: the directory does not have that node (it was removed). The caller frees *ret with free().
 */
enum cluster_err trust_build(const struct trust_documents *from, const struct cluster_id *self, uint8_t **ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;
struct snap_sink;
/* The same, piece by piece. */
enum cluster_err trust_put(const struct trust_documents *from, const struct cluster_id *self, const struct snap_sink *sink, struct diag *d) CLUSTER_MUST_USE;

#endif
