/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SSH_AGENT_H
#define CLI_SSH_AGENT_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/rd.h"
#include "ssh_agent_msg.h"

/* A person's ssh-agent. Every call has a limit of time: the agent may be a program that hangs, or the other end of a connection. */
struct ssh_agent;

/*
 * At `path`, or at $SSH_AUTH_SOCK if that is NULL. CLUSTER_EUNAVAIL: there is none. CLUSTER_EUNTRUSTED: it is run by another user, who shall not have our keys.
 */
enum cluster_err ssh_agent_open(const char *path, struct ssh_agent **ret, struct diag *d) CLUSTER_MUST_USE;
void ssh_agent_close(struct ssh_agent *a);

/* Errors of all that follow: CLUSTER_EDENIED (the agent says no), CLUSTER_EUNAVAIL (gone, or too slow), CLUSTER_EFORMAT and CLUSTER_ELIMIT (its answer is none). */

/* Keys and certificates that it has; borrowed from *ret, which the caller frees with ssh_agent_list_free. */
struct ssh_agent_key {
	struct rd blob, comment;
};
struct ssh_agent_list {
	size_t n;
	struct ssh_agent_key *key;
	uint8_t *bytes;
};
enum cluster_err ssh_agent_list(struct ssh_agent *a, struct ssh_agent_list **ret, struct diag *d) CLUSTER_MUST_USE;
void ssh_agent_list_free(struct ssh_agent_list *l);

enum cluster_err ssh_agent_add(struct ssh_agent *a, const struct ssh_agent_msg_add *what, struct diag *d) CLUSTER_MUST_USE;
/* CLUSTER_OK also if it does not have the key. */
enum cluster_err ssh_agent_remove(struct ssh_agent *a, const struct rd *blob, struct diag *d) CLUSTER_MUST_USE;
/* The signature blob by a key of its list; a human may have to agree to it, hence a minute. At most SSH_AGENT_SIGNATURE_MAX bytes; the caller frees *ret with free(). */
enum cluster_err ssh_agent_sign(struct ssh_agent *a, const struct rd *blob, const struct rd *data, uint8_t **ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;

#endif
