/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_REVOKE_H
#define CLUSTER_REVOKE_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"
#include "cluster/keyring.h"

/* Revocations (PROTOCOL.md 3.5). */

enum revoke_kind {
	REVOKE_CREDENTIAL = 1, REVOKE_DEVICE, REVOKE_PERSON, REVOKE_ACCOUNT, REVOKE_NODE, REVOKE_ROLE, REVOKE_ISSUER,
	REVOKE_CERT_SERIAL, REVOKE_CERT_ID, REVOKE_CERT_KEY, REVOKE_CERT_CA, REVOKE_BEFORE, REVOKE_LOCKDOWN,
	REVOKE_SESSION
};
#define REVOKE_KIND_MAX REVOKE_SESSION
#define REVOKE_VALUE_MAX 255
#define REVOKE_LOCKDOWN_MAX 4095 /* of a lockdown: it is no key */
#define REVOKE_KEY_MAX (1 + REVOKE_VALUE_MAX)

const char *revoke_kind_name(enum revoke_kind k);
enum cluster_err revoke_kind_parse(const char *word, enum revoke_kind *ret) CLUSTER_MUST_USE;

struct revoke_entry {
	enum revoke_kind kind;
	int64_t seq, iat, until;
	int64_t before; /* 0: everything */
	char *value;    /* owned */
	char *reason;   /* owned, NULL if absent */
};

struct revoke_list {
	int64_t version, iat;
	size_t n;
	struct revoke_entry *entry;
};

/* Verifies (revocation key, cluster; errors as document_head_verify) and reads. Entries in ascending seq, each value in its kind's grammar. The caller frees with revoke_free. */
enum cluster_err revoke_parse(const char *text, size_t n, const struct keyring_at *at, struct revoke_list **ret, struct diag *d) CLUSTER_MUST_USE;
void revoke_free(struct revoke_list *l);

/* Is `value` in the grammar of `kind`? CLUSTER_EFORMAT with a sentence. */
enum cluster_err revoke_value_check(enum revoke_kind kind, const char *value, struct diag *d) CLUSTER_MUST_USE;
/* Payload text from entries, freed by the caller with free(). */
enum cluster_err revoke_build(const struct revoke_list *l, const struct cluster_id *cluster, char **ret) CLUSTER_MUST_USE;

/* The key of trust.snap's REVOKED index (PROTOCOL.md 5.3): kind, then 16 bytes for ids or the text. *ret_n bytes. CLUSTER_EFORMAT also for REVOKE_LOCKDOWN, which has none. */
enum cluster_err revoke_key(enum revoke_kind kind, const char *value, uint8_t ret[REVOKE_KEY_MAX], size_t *ret_n) CLUSTER_MUST_USE;

#endif
