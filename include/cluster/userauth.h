/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_USERAUTH_H
#define CLUSTER_USERAUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/rd.h"

/*
 * What an ssh client has signed to log in with a key: the session id and its request (RFC 4252 section 7; "publickey-hostbound-v00@openssh.com" of OpenSSH's PROTOCOL). For PROTOCOL.md 4.9:
 * nothing else is signed there. lib/trust/userauth.c.
 */

/* Everything borrows from the data. */
struct userauth {
	struct rd session_id, user, algorithm;
	struct rd key;     /* blob of a key or certificate */
	struct rd hostkey; /* blob; p is NULL unless hostbound */
	bool hostbound;
};

/*
 * For the service ssh-connection and with a signature, by either method; nothing left over. Text without NUL, nothing empty. Neither key is looked into. CLUSTER_ETRUNC, CLUSTER_EFORMAT;
 * CLUSTER_EDENIED: another message, service or method.
 */
enum cluster_err userauth_parse(const void *p, size_t n, struct userauth *ret) CLUSTER_MUST_USE;

/* What may be signed. Borrowed. */
struct userauth_bind {
	struct rd session_id, hostkey; /* of the verified session-bind@openssh.com */
	struct rd key;                 /* the certificate that was offered */
	const char *user;              /* the account that it is for */
};
/*
 * Is it exactly that, by the algorithm that the key's blob begins with? The host key is compared where the request has one; else the session id stands for it. Empty members of `bind` match
 * nothing.
 */
bool userauth_bound(const struct userauth *u, const struct userauth_bind *bind);

#endif
