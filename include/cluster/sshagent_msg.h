/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_SSHAGENT_MSG_H
#define CLUSTER_SSHAGENT_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/crypto.h"
#include "cluster/err.h"
#include "cluster/rd.h"
#include "cluster/wr.h"

/*
 * The ssh-agent protocol (draft-ietf-sshm-ssh-agent; OpenSSH's PROTOCOL.agent) as the one who answers: the three requests that a hop takes (PROTOCOL.md 4.9) and their answers. Messages
 * stand without their u32 length. lib/trust/sshagent_msg.c.
 */

#define SSHAGENT_MSG_MAX 32768        /* bytes of a request: a certificate twice, a host key and change */
#define SSHAGENT_MSG_KEY_MAX 8192
#define SSHAGENT_MSG_SESSION_ID_MIN 32 /* SHA-256, the shortest hash of a key exchange that is taken */
#define SSHAGENT_MSG_SESSION_ID_MAX 64

enum sshagent_msg_type { SSHAGENT_MSG_LIST = 11, SSHAGENT_MSG_SIGN = 13, SSHAGENT_MSG_BIND = 27 };

/* Everything borrows from the request. */
struct sshagent_msg {
	enum sshagent_msg_type type;
	struct rd key, data;                      /* SIGN: what is to sign, and what */
	uint32_t flags;                           /* SIGN: of RSA only */
	struct rd hostkey, session_id, signature; /* BIND */
	bool forwarding;                          /* BIND: the connection is an agent's that was forwarded */
};

/*
 * The form only. CLUSTER_EDENIED: a request that is not answered here (adding, removing, locking, other extensions ...). CLUSTER_ELIMIT, CLUSTER_ETRUNC, CLUSTER_EFORMAT: not the protocol, or a
 * session id of another size. Whatever the error, sshagent_msg_failure is the answer.
 */
enum cluster_err sshagent_msg_parse(const void *p, size_t n, struct sshagent_msg *ret) CLUSTER_MUST_USE;

/*
 * Is the host key's signature over the session id of a BIND? Then whoever asks has spoken to the holder of that host key in this session. Ed25519, P-256, RSA of 2048 to 8192 bits with SHA-2.
 * CLUSTER_EDENIED: a key of another type (a certificate too) or size, or not a BIND. Others as sshkey_parse and sshkey_verify.
 */
enum cluster_err sshagent_msg_bind_verify(const struct sshagent_msg *m) CLUSTER_MUST_USE;

/* Answers. */
void sshagent_msg_failure(struct wr *w);
void sshagent_msg_success(struct wr *w);
struct sshagent_msg_identity {
	const uint8_t *key; /* a key's or certificate's blob */
	size_t n;
	const char *comment;
};
void sshagent_msg_identities(struct wr *w, const struct sshagent_msg_identity *list, size_t n);
void sshagent_msg_signature(struct wr *w, enum crypto_alg alg, const uint8_t sig[CRYPTO_SIG_SIZE]);

#endif
