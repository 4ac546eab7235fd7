/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SSH_AGENT_MSG_H
#define CLI_SSH_AGENT_MSG_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/rd.h"
#include "cluster/wr.h"

struct crypto_key;

/* Messages of the ssh-agent protocol (draft-ietf-sshm-ssh-agent), without their length: what is asked, and what is answered. No I/O. */

#define SSH_AGENT_MSG_MAX ((size_t)256 << 10) /* OpenSSH's own limit */
#define SSH_AGENT_KEYS_MAX 2048
#define SSH_AGENT_SIGNATURE_MAX 4096

/* An Ed25519 key with its certificate, for `lifetime` seconds and not longer. CLUSTER_EFORMAT: another kind of key. `w` holds the private key: wr_done wipes it. */
struct ssh_agent_msg_add {
	const struct crypto_key *key;
	const uint8_t *certificate;
	size_t n;
	const char *comment;
	uint32_t lifetime;
};
enum cluster_err ssh_agent_msg_add(struct wr *w, const struct ssh_agent_msg_add *a) CLUSTER_MUST_USE;
void ssh_agent_msg_list(struct wr *w);
void ssh_agent_msg_remove(struct wr *w, const uint8_t *key, size_t n);
void ssh_agent_msg_sign(struct wr *w, const struct rd *key, const struct rd *data);

/* Answers. CLUSTER_EDENIED: the agent says no. CLUSTER_EFORMAT, CLUSTER_ETRUNC, CLUSTER_ELIMIT: it does not speak the protocol. */
enum cluster_err ssh_agent_msg_done(const uint8_t *p, size_t n) CLUSTER_MUST_USE;
/* How many keys follow in *ret, each read by ssh_agent_msg_next; the whole message has been looked at. */
enum cluster_err ssh_agent_msg_keys(const uint8_t *p, size_t n, struct rd *ret, uint32_t *ret_n) CLUSTER_MUST_USE;
enum cluster_err ssh_agent_msg_next(struct rd *list, struct rd *ret_key, struct rd *ret_comment) CLUSTER_MUST_USE;
/* The signature blob, borrowed. */
enum cluster_err ssh_agent_msg_signature(const uint8_t *p, size_t n, struct rd *ret) CLUSTER_MUST_USE;

#endif
