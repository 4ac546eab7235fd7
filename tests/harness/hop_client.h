/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HOP_CLIENT_H
#define TESTS_HOP_CLIENT_H

#include <string.h>

#include "cluster/crypto.h"
#include "cluster/sshwire.h"
#include "cluster/wr.h"

/* What ssh says to its agent, without the lengths: each into `w`. A failure is the writer's to keep. */

struct hop_client_bind {
	const void *hostkey;
	size_t hostkey_n;
	const struct crypto_key *host; /* that signs, Ed25519 */
	const void *session_id;
	size_t session_id_n;
	uint8_t forwarding;
};

static inline void hop_client_list(struct wr *w)
{
	wr_u8(w, 11);
}

static inline void hop_client_bind(struct wr *w, const struct hop_client_bind *b)
{
	uint8_t sig[CRYPTO_SIG_SIZE] = { 0 };
	size_t at;

	if (crypto_sign(b->host, b->session_id, b->session_id_n, sig) != CLUSTER_OK)
		w->err = CLUSTER_ECRYPTO;
	wr_u8(w, 27);
	sshwire_put_text(w, "session-bind@openssh.com");
	sshwire_put(w, b->hostkey, b->hostkey_n);
	sshwire_put(w, b->session_id, b->session_id_n);
	at = w->n;
	wr_u32(w, 0);
	sshwire_put_signature(w, CRYPTO_ED25519, sig);
	wr_patch_u32(w, at, (uint32_t)(w->n - at - 4));
	wr_u8(w, b->forwarding);
}

struct hop_client_sign {
	struct rd key, session_id, userkey, hostkey; /* hostkey.p NULL: by the plain method */
	const char *user, *service;
};

/* The data that is signed, and the request to sign it. */
static inline void hop_client_data(struct wr *w, const struct hop_client_sign *s)
{
	struct rd key = s->userkey, type = { .p = (const uint8_t *)"", .n = 0 };

	if (sshwire_string(&key, &type) != CLUSTER_OK)
		type.n = 0;
	sshwire_put(w, s->session_id.p, s->session_id.n);
	wr_u8(w, 50);
	sshwire_put_text(w, s->user);
	sshwire_put_text(w, s->service);
	sshwire_put_text(w, s->hostkey.p ? "publickey-hostbound-v00@openssh.com" : "publickey");
	wr_u8(w, 1);
	sshwire_put(w, type.p, type.n);
	sshwire_put(w, s->userkey.p, s->userkey.n);
	if (s->hostkey.p)
		sshwire_put(w, s->hostkey.p, s->hostkey.n);
}

static inline void hop_client_sign(struct wr *w, const struct hop_client_sign *s)
{
	size_t at;

	wr_u8(w, 13);
	sshwire_put(w, s->key.p, s->key.n);
	at = w->n;
	wr_u32(w, 0);
	hop_client_data(w, s);
	wr_patch_u32(w, at, (uint32_t)(w->n - at - 4));
	wr_u32(w, 0);
}

#endif
