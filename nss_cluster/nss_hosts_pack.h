/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NSS_HOSTS_PACK_H
#define NSS_HOSTS_PACK_H

#include <netdb.h>
#include <stddef.h>

#include "cluster/attr.h"
#include "cluster/err.h"
#include "cluster/snap.h"

/* As nss_pack.h: into the caller's buffer of n bytes at any address; CLUSTER_ELIMIT: too small, nothing was touched. */

struct nss_buffer {
	char *p;
	size_t n;
};

/* The name with all its addresses of one family. CLUSTER_ENOTFOUND: it has none of that family, AF_INET or AF_INET6. */
enum cluster_err nss_hosts_pack(const struct snap_host *h, int af, struct hostent *ret, const struct nss_buffer *buf) CLUSTER_MUST_USE;
/*
 * An address with its node's name, as of family `af`: an IPv4 one may be asked for as IPv6, mapped, and is answered in that form.
 * CLUSTER_ENOTFOUND: an address of IPv6 asked for as IPv4.
 */
enum cluster_err nss_hosts_pack_address(const struct snap_address *a, int af, struct hostent *ret, const struct nss_buffer *buf) CLUSTER_MUST_USE;

struct gaih_addrtuple;
/* All addresses, IPv4 first. If *ret names a tuple, that one takes the first address, otherwise *ret does; every further tuple is in the buffer. */
enum cluster_err nss_hosts_pack_tuples(const struct snap_host *h, struct gaih_addrtuple **ret, const struct nss_buffer *buf) CLUSTER_MUST_USE;

#endif
