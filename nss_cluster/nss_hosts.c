/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_cluster.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "nss_hosts_pack.h"
#include "nss_result.h"
#include "nss_walk.h"

static struct nss_walk addresses;

/* The name's record, held until nss_state_drop. What cannot be a name of ours is unknown whatever the state of the snapshot. */
static enum cluster_err find_name(const char *name, struct nss_hold *h, struct snap_host *ret)
{
	struct snap_host_name key;
	enum cluster_err e;

	if (!snap_host_name(name, &key))
		return CLUSTER_ENOTFOUND;
	e = nss_state_take(h);
	if (e != CLUSTER_OK)
		return e;
	e = snap_host_by_name(h->snap, &key, ret);
	if (e != CLUSTER_OK)
		nss_state_drop(h);
	return e;
}

static bool is_mapped(const uint8_t *address)
{
	struct in6_addr six;

	memcpy(&six, address, sizeof six);
	return IN6_IS_ADDR_V4MAPPED(&six);
}

static enum cluster_err find_address(const uint8_t *address, int af, struct nss_hold *h, struct snap_address *ret)
{
	bool mapped = af == AF_INET6 && is_mapped(address);
	size_t n = af == AF_INET || mapped ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	enum cluster_err e;

	if (mapped)
		address += sizeof(struct in6_addr) - n;
	if (!snap_address_ok(address, n))
		return CLUSTER_ENOTFOUND;
	e = nss_state_take(h);
	if (e != CLUSTER_OK)
		return e;
	e = snap_host_by_address(h->snap, address, n, ret);
	if (e != CLUSTER_OK)
		nss_state_drop(h);
	return e;
}

static enum nss_status wrong_family(int *errnop, int *h_errnop)
{
	*errnop = EAFNOSUPPORT;
	*h_errnop = NETDB_INTERNAL;
	return NSS_STATUS_UNAVAIL;
}

enum nss_status _nss_cluster_gethostbyname3_r(const char *name, int af, struct hostent *ret, char *buf, size_t n, int *errnop, int *h_errnop,
    int32_t *ttlp, char **canonp)
{
	enum cluster_err e = CLUSTER_EUNAVAIL;
	struct snap_host host;
	struct nss_hold h;

	if (af != AF_INET && af != AF_INET6)
		return wrong_family(errnop, h_errnop);
	e = find_name(name, &h, &host);
	if (e != CLUSTER_OK)
		return nss_result_host(e, errnop, h_errnop);
	e = nss_hosts_pack(&host, af, ret, &(struct nss_buffer){ buf, n });
	nss_state_drop(&h);
	if (e == CLUSTER_OK && ttlp)
		*ttlp = 0;
	if (e == CLUSTER_OK && canonp)
		*canonp = ret->h_name;
	return e == CLUSTER_ENOTFOUND ? nss_result_no_data(errnop, h_errnop) : nss_result_host(e, errnop, h_errnop);
}

enum nss_status _nss_cluster_gethostbyname2_r(const char *name, int af, struct hostent *ret, char *buf, size_t n, int *errnop, int *h_errnop)
{
	return _nss_cluster_gethostbyname3_r(name, af, ret, buf, n, errnop, h_errnop, NULL, NULL);
}

enum nss_status _nss_cluster_gethostbyname_r(const char *name, struct hostent *ret, char *buf, size_t n, int *errnop, int *h_errnop)
{
	return _nss_cluster_gethostbyname3_r(name, AF_INET, ret, buf, n, errnop, h_errnop, NULL, NULL);
}

enum nss_status _nss_cluster_gethostbyname4_r(const char *name, struct gaih_addrtuple **ret, char *buf, size_t n, int *errnop, int *h_errnop, int32_t *ttlp)
{
	enum cluster_err e = CLUSTER_EUNAVAIL;
	struct snap_host host;
	struct nss_hold h;

	e = find_name(name, &h, &host);
	if (e != CLUSTER_OK)
		return nss_result_host(e, errnop, h_errnop);
	e = nss_hosts_pack_tuples(&host, ret, &(struct nss_buffer){ buf, n });
	nss_state_drop(&h);
	if (e == CLUSTER_OK && ttlp)
		*ttlp = 0;
	return nss_result_host(e, errnop, h_errnop);
}

enum nss_status _nss_cluster_gethostbyaddr2_r(const void *addr, socklen_t len, int af, struct hostent *ret, char *buf, size_t n, int *errnop,
    int *h_errnop, int32_t *ttlp)
{
	enum cluster_err e = CLUSTER_EUNAVAIL;
	struct snap_address address;
	struct nss_hold h;

	if ((af != AF_INET || len != sizeof(struct in_addr)) && (af != AF_INET6 || len != sizeof(struct in6_addr)))
		return wrong_family(errnop, h_errnop);
	e = find_address(addr, af, &h, &address);
	if (e != CLUSTER_OK)
		return nss_result_host(e, errnop, h_errnop);
	e = nss_hosts_pack_address(&address, af, ret, &(struct nss_buffer){ buf, n });
	nss_state_drop(&h);
	if (e == CLUSTER_OK && ttlp)
		*ttlp = 0;
	return nss_result_host(e, errnop, h_errnop);
}

enum nss_status _nss_cluster_gethostbyaddr_r(const void *addr, socklen_t len, int af, struct hostent *ret, char *buf, size_t n, int *errnop, int *h_errnop)
{
	return _nss_cluster_gethostbyaddr2_r(addr, len, af, ret, buf, n, errnop, h_errnop, NULL);
}

enum nss_status _nss_cluster_sethostent(int stayopen)
{
	(void)stayopen;
	nss_walk_reset(&addresses);
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_cluster_gethostent_r(struct hostent *ret, char *buf, size_t n, int *errnop, int *h_errnop)
{
	enum cluster_err e = CLUSTER_EUNAVAIL;
	uint64_t next = addresses.cursor;
	struct snap_address a;
	const struct snap *s;

	e = nss_walk_snap(&addresses, &s);
	if (e == CLUSTER_OK)
		e = snap_host_each(s, &next, &a);
	if (e == CLUSTER_OK)
		e = nss_hosts_pack_address(&a, a.n == sizeof(struct in_addr) ? AF_INET : AF_INET6, ret, &(struct nss_buffer){ buf, n });
	return nss_result_host(nss_walk_done(&addresses, e, next), errnop, h_errnop);
}

enum nss_status _nss_cluster_endhostent(void)
{
	nss_walk_reset(&addresses);
	return NSS_STATUS_SUCCESS;
}
