/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_agent_msg.h"

#include <string.h>

#include "cluster/sshwire.h"
#include "ssh_key.h"

enum type {
	FAILURE = 5, SUCCESS = 6, REQUEST_IDENTITIES = 11, IDENTITIES_ANSWER = 12, SIGN_REQUEST = 13, SIGN_RESPONSE = 14, REMOVE_IDENTITY = 18, ADD_ID_CONSTRAINED = 25,
	OLD_FAILURE = 30, OTHER_FAILURE = 102
};
#define CONSTRAIN_LIFETIME 1
#define RSA_SHA2_512 4 /* flag; without it an RSA key signs with SHA-1 */

enum cluster_err ssh_agent_msg_add(struct wr *w, const struct ssh_agent_msg_add *a)
{
	struct rd r, type;
	enum cluster_err e;

	rd_init(&r, a->certificate, a->n);
	if ((e = sshwire_string(&r, &type)) != CLUSTER_OK)
		return e;
	if (!sshwire_is(&type, SSH_KEY_CERTIFICATE))
		return CLUSTER_EFORMAT;
	wr_u8(w, ADD_ID_CONSTRAINED);
	sshwire_put(w, type.p, type.n);
	sshwire_put(w, a->certificate, a->n);
	if ((e = ssh_key_put_private(w, a->key)) != CLUSTER_OK)
		return e;
	sshwire_put_text(w, a->comment);
	wr_u8(w, CONSTRAIN_LIFETIME);
	wr_u32(w, a->lifetime);
	return wr_end(w);
}

void ssh_agent_msg_list(struct wr *w)
{
	wr_u8(w, REQUEST_IDENTITIES);
}

void ssh_agent_msg_remove(struct wr *w, const uint8_t *key, size_t n)
{
	wr_u8(w, REMOVE_IDENTITY);
	sshwire_put(w, key, n);
}

void ssh_agent_msg_sign(struct wr *w, const struct rd *key, const struct rd *data)
{
	struct rd r = *key, type;

	wr_u8(w, SIGN_REQUEST);
	sshwire_put(w, key->p, key->n);
	sshwire_put(w, data->p, data->n);
	wr_u32(w, sshwire_string(&r, &type) == CLUSTER_OK && sshwire_is(&type, "ssh-rsa") ? RSA_SHA2_512 : 0);
}

/* The answer's type is `want`; what follows it is in *ret. */
static enum cluster_err begin(const uint8_t *p, size_t n, enum type want, struct rd *ret)
{
	enum cluster_err e;
	uint8_t type;

	if (n > SSH_AGENT_MSG_MAX)
		return CLUSTER_ELIMIT;
	rd_init(ret, p, n);
	if ((e = rd_u8(ret, &type)) != CLUSTER_OK)
		return e;
	if (type == FAILURE || type == OLD_FAILURE || type == OTHER_FAILURE)
		return CLUSTER_EDENIED;
	return type == want ? CLUSTER_OK : CLUSTER_EFORMAT;
}

enum cluster_err ssh_agent_msg_done(const uint8_t *p, size_t n)
{
	struct rd r;

	return begin(p, n, SUCCESS, &r); /* some agents send more: OpenSSH ignores it too */
}

enum cluster_err ssh_agent_msg_next(struct rd *list, struct rd *ret_key, struct rd *ret_comment)
{
	struct rd at = *list, key, comment;
	enum cluster_err e;

	if ((e = sshwire_string(&at, &key)) != CLUSTER_OK || (e = sshwire_string(&at, &comment)) != CLUSTER_OK)
		return e;
	*list = at;
	*ret_key = key;
	*ret_comment = comment;
	return CLUSTER_OK;
}

enum cluster_err ssh_agent_msg_keys(const uint8_t *p, size_t n, struct rd *ret, uint32_t *ret_n)
{
	struct rd r, list, key, comment;
	enum cluster_err e;
	uint32_t count;

	if ((e = begin(p, n, IDENTITIES_ANSWER, &r)) != CLUSTER_OK || (e = rd_u32(&r, &count)) != CLUSTER_OK)
		return e;
	if (count > SSH_AGENT_KEYS_MAX)
		return CLUSTER_ELIMIT;
	list = r;
	for (uint32_t i = 0; i < count; i++)
		if ((e = ssh_agent_msg_next(&r, &key, &comment)) != CLUSTER_OK)
			return e;
	if ((e = rd_end(&r)) != CLUSTER_OK)
		return e;
	*ret = list;
	*ret_n = count;
	return CLUSTER_OK;
}

enum cluster_err ssh_agent_msg_signature(const uint8_t *p, size_t n, struct rd *ret)
{
	struct rd r, signature;
	enum cluster_err e;

	if ((e = begin(p, n, SIGN_RESPONSE, &r)) != CLUSTER_OK || (e = sshwire_string(&r, &signature)) != CLUSTER_OK || (e = rd_end(&r)) != CLUSTER_OK)
		return e;
	if (signature.n == 0 || signature.n > SSH_AGENT_SIGNATURE_MAX)
		return CLUSTER_ELIMIT;
	*ret = signature;
	return CLUSTER_OK;
}
