/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/sshagent_msg.h"

#include "cluster/sshkey.h"
#include "cluster/sshwire.h"

enum answer { FAILURE = 5, SUCCESS = 6, IDENTITIES_ANSWER = 12, SIGN_RESPONSE = 14 };
#define BIND_EXTENSION "session-bind@openssh.com"

static enum cluster_err take_sign(struct rd *r, struct sshagent_msg *m)
{
	enum cluster_err e;

	if ((e = sshwire_string(r, &m->key)) != CLUSTER_OK || (e = sshwire_string(r, &m->data)) != CLUSTER_OK || (e = rd_u32(r, &m->flags)) != CLUSTER_OK)
		return e;
	return m->key.n > SSHAGENT_MSG_KEY_MAX ? CLUSTER_ELIMIT : CLUSTER_OK;
}

static enum cluster_err take_bind(struct rd *r, struct sshagent_msg *m)
{
	uint8_t forwarding;
	enum cluster_err e;
	struct rd name;

	if ((e = sshwire_string(r, &name)) != CLUSTER_OK)
		return e;
	if (!sshwire_is(&name, BIND_EXTENSION))
		return CLUSTER_EDENIED;
	if ((e = sshwire_string(r, &m->hostkey)) != CLUSTER_OK || (e = sshwire_string(r, &m->session_id)) != CLUSTER_OK || (e = sshwire_string(r, &m->signature)) != CLUSTER_OK ||
	    (e = rd_u8(r, &forwarding)) != CLUSTER_OK)
		return e;
	if (m->hostkey.n > SSHAGENT_MSG_KEY_MAX)
		return CLUSTER_ELIMIT;
	if (m->session_id.n < SSHAGENT_MSG_SESSION_ID_MIN || m->session_id.n > SSHAGENT_MSG_SESSION_ID_MAX)
		return CLUSTER_EFORMAT;
	m->forwarding = forwarding != 0;
	return CLUSTER_OK;
}

enum cluster_err sshagent_msg_parse(const void *p, size_t n, struct sshagent_msg *ret)
{
	struct sshagent_msg m = { .flags = 0 };
	enum cluster_err e;
	uint8_t type;
	struct rd r;

	if (n > SSHAGENT_MSG_MAX)
		return CLUSTER_ELIMIT;
	rd_init(&r, p, n);
	if ((e = rd_u8(&r, &type)) != CLUSTER_OK)
		return e;
	if (type != SSHAGENT_MSG_LIST && type != SSHAGENT_MSG_SIGN && type != SSHAGENT_MSG_BIND)
		return CLUSTER_EDENIED;
	m.type = (enum sshagent_msg_type)type;
	if ((m.type == SSHAGENT_MSG_SIGN && (e = take_sign(&r, &m)) != CLUSTER_OK) || (m.type == SSHAGENT_MSG_BIND && (e = take_bind(&r, &m)) != CLUSTER_OK))
		return e;
	if ((e = rd_end(&r)) != CLUSTER_OK)
		return e;
	*ret = m;
	return CLUSTER_OK;
}

enum cluster_err sshagent_msg_bind_verify(const struct sshagent_msg *m)
{
	struct sshkey key;
	enum cluster_err e;

	if (m->type != SSHAGENT_MSG_BIND)
		return CLUSTER_EDENIED;
	if ((e = sshkey_parse(m->hostkey.p, m->hostkey.n, SSHKEY_HOST, &key, NULL)) != CLUSTER_OK)
		return e;
	return sshkey_verify(&key, &m->signature, m->session_id.p, m->session_id.n);
}

void sshagent_msg_failure(struct wr *w)
{
	wr_u8(w, FAILURE);
}

void sshagent_msg_success(struct wr *w)
{
	wr_u8(w, SUCCESS);
}

void sshagent_msg_identities(struct wr *w, const struct sshagent_msg_identity *list, size_t n)
{
	wr_u8(w, IDENTITIES_ANSWER);
	wr_u32(w, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		sshwire_put(w, list[i].key, list[i].n);
		sshwire_put_text(w, list[i].comment);
	}
}

void sshagent_msg_signature(struct wr *w, enum crypto_alg alg, const uint8_t sig[CRYPTO_SIG_SIZE])
{
	size_t at;

	wr_u8(w, SIGN_RESPONSE);
	at = w->n;
	wr_u32(w, 0);
	sshwire_put_signature(w, alg, sig);
	wr_patch_u32(w, at, (uint32_t)(w->n - at - 4));
}
