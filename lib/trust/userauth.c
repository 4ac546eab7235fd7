/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/userauth.h"

#include <string.h>

#include "cluster/crypto.h"
#include "cluster/sshwire.h"

#define USERAUTH_REQUEST 50
#define SERVICE "ssh-connection"
#define PLAIN "publickey"
#define HOSTBOUND "publickey-hostbound-v00@openssh.com"

/* A string that is not empty. */
static enum cluster_err take(struct rd *r, struct rd *ret)
{
	enum cluster_err e = sshwire_string(r, ret);

	return e != CLUSTER_OK || ret->n > 0 ? e : CLUSTER_EFORMAT;
}

static enum cluster_err take_text(struct rd *r, struct rd *ret)
{
	enum cluster_err e = take(r, ret);

	return e != CLUSTER_OK || !memchr(ret->p, '\0', ret->n) ? e : CLUSTER_EFORMAT;
}

static enum cluster_err take_method(struct rd *r, bool *ret_hostbound)
{
	struct rd service, method;
	enum cluster_err e;

	if ((e = take_text(r, &service)) != CLUSTER_OK || (e = take_text(r, &method)) != CLUSTER_OK)
		return e;
	*ret_hostbound = sshwire_is(&method, HOSTBOUND);
	return sshwire_is(&service, SERVICE) && (*ret_hostbound || sshwire_is(&method, PLAIN)) ? CLUSTER_OK : CLUSTER_EDENIED;
}

enum cluster_err userauth_parse(const void *p, size_t n, struct userauth *ret)
{
	struct userauth u = { .hostbound = false };
	uint8_t type, has_signature;
	enum cluster_err e;
	struct rd r;

	rd_init(&r, p, n);
	if ((e = take(&r, &u.session_id)) != CLUSTER_OK || (e = rd_u8(&r, &type)) != CLUSTER_OK)
		return e;
	if (type != USERAUTH_REQUEST)
		return CLUSTER_EDENIED;
	if ((e = take_text(&r, &u.user)) != CLUSTER_OK || (e = take_method(&r, &u.hostbound)) != CLUSTER_OK || (e = rd_u8(&r, &has_signature)) != CLUSTER_OK)
		return e;
	if (has_signature != 1)
		return CLUSTER_EFORMAT;
	if ((e = take_text(&r, &u.algorithm)) != CLUSTER_OK || (e = take(&r, &u.key)) != CLUSTER_OK || (u.hostbound && (e = take(&r, &u.hostkey)) != CLUSTER_OK))
		return e;
	if ((e = rd_end(&r)) != CLUSTER_OK)
		return e;
	*ret = u;
	return CLUSTER_OK;
}

static bool same(const struct rd *a, const struct rd *b)
{
	return a->n > 0 && a->n == b->n && crypto_equal(a->p, b->p, a->n);
}

bool userauth_bound(const struct userauth *u, const struct userauth_bind *bind)
{
	struct rd key = bind->key, type;

	if (bind->hostkey.n == 0 || !bind->user[0] || sshwire_string(&key, &type) != CLUSTER_OK)
		return false;
	return same(&u->session_id, &bind->session_id) && sshwire_is(&u->user, bind->user) && same(&u->key, &bind->key) && same(&u->algorithm, &type) &&
	    (!u->hostbound || same(&u->hostkey, &bind->hostkey));
}
