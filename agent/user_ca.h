/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_USER_CA_H
#define AGENT_USER_CA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/trust_snap.h"

/*
 * <state>/user_ca, which sshd's TrustedUserCAKeys names: the public halves of the keyset's sshca keys, one a line; and while a grant with `hop` holds here, the hop keys of all nodes that are
 * not revoked (PROTOCOL.md 4.6).
 */
#define USER_CA_FILE "user_ca"

/*
 * Makes the file say what `t` says at `now`: keys in force and no others, an empty file if there is none. One that says so already is left alone. Whoever trusts a key that has gone meanwhile is still
 * stopped by the principals command and by PAM. CLUSTER_ESYSTEM: the old one stands.
 */
enum cluster_err user_ca_put(const char *state_dir, uid_t owner, const struct trust *t, int64_t now, struct diag *d) CLUSTER_MUST_USE;

/* Is it one of the first, at that time? */
bool user_ca_takes(const struct trust *t, const struct keyring_key *k, int64_t now);

#endif
