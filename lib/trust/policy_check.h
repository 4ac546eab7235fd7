/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_POLICY_CHECK_H
#define TRUST_POLICY_CHECK_H

#include "cluster/policy.h"

/*
 * Single checks, shared by the decision, the check of open sessions and `explain`. Each returns REASON_OK, its own reason, or REASON_SNAPSHOT_DAMAGED, and writes the
 * facts it saw to `d` when it refuses.
 */

/* Is this thing revoked for what was issued at `issued`? `hit` if so. */
enum reason policy_check_revoked(const struct trust *t, enum revoke_kind kind, const void *value, size_t n, int64_t issued, enum reason hit, struct diag *d);
/* `person` NULL: nobody in particular, so only a lockdown without exceptions refuses. */
enum reason policy_check_lockdown(const struct trust *t, const struct cluster_id *person, struct diag *d);
enum reason policy_check_before(const struct trust *t, int64_t issued, struct diag *d);
/* What can be revoked of a login: jti and device may be NULL. */
struct policy_issued {
	const struct cluster_id *jti, *device, *person;
	int64_t iat;
};
enum reason policy_check_issued(const struct trust *t, const struct policy_issued *i, struct diag *d);
/* The account and this node. `issued` 0: whenever. */
enum reason policy_check_target(const struct trust *t, const char *account, int64_t issued, struct diag *d);
/* Serial, key id, key and CA of an OpenSSH certificate; NULL: there is none. */
enum reason policy_check_certificate(const struct trust *t, const struct sshcert_facts *c, int64_t iat, struct diag *d);
/* Known and enabled. */
enum reason policy_check_person(const struct trust *t, const struct cluster_id *id, struct trust_person *ret, struct diag *d);
enum reason policy_check_device(const struct trust_person *person, const struct cluster_id *device, struct diag *d);
enum reason policy_check_account(const struct trust *t, const char *account, struct trust_account *ret, struct diag *d);
/* `account` is not a personal one, or this person's. */
enum reason policy_check_owner(const struct trust_account *account, const struct cluster_id *person, struct diag *d);
/*
 * A grant that allows `use`, for what was issued at `issued`: to the person, or to a role of the person that is not revoked. A grant's ttl is judged at `now`; 0: not at all. Fills grant and
 * grant_role of *ret.
 */
struct policy_wanted {
	const char *account;
	int64_t issued, now;
	enum policy_use use;
	int64_t end; /* a grant that ends sessions with what stands behind them does not serve from then on; 0: nothing is known of it */
};
enum reason policy_check_grant(const struct trust *t, const struct trust_person *person, const struct policy_wanted *w, struct policy_answer *ret);
/* The same to a node with no person behind it. */
enum reason policy_check_node_grant(const struct trust *t, const struct cluster_id *node, const struct policy_wanted *w, struct policy_answer *ret);

#endif
