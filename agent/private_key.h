/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_PRIVATE_KEY_H
#define AGENT_PRIVATE_KEY_H

#include "cluster/crypto.h"

#include "agent.h"

#define PRIVATE_KEY_NODE "node.key"
#define PRIVATE_KEY_HOP "hop.key"

/* <state>/<name>, for nobody but the owner of the state: to be read before privileges are dropped. The caller frees *ret with crypto_key_free. */
enum cluster_err private_key_load(const struct agent *a, const char *name, struct crypto_key **ret, struct diag *d) CLUSTER_MUST_USE;

#endif
