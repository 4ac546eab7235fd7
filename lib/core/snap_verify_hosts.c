/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap.h"

#include <string.h>

#include "snap_hosts.h"

/* All four sections, or none. */
static enum cluster_err check_present(const struct snap *s, bool *ret)
{
	unsigned int present = 0;

	for (uint32_t type = SNAP_A_HOSTS; type <= SNAP_A_ADDRESS_BY_BYTES; type++)
		present += s->section[type].p != NULL;
	*ret = present > 0;
	return present == 0 || present == SNAP_A_ADDRESS_BY_BYTES - SNAP_A_HOSTS + 1 ? CLUSTER_OK : CLUSTER_EFORMAT;
}

/* Every address leads back to this node, or to nodes whose names ascend. */
static enum cluster_err verify_addresses(const struct snap *s, const struct snap_host *h, const uint8_t *bytes, uint32_t count, size_t n)
{
	struct snap_address a;
	const char *last = "";

	for (uint32_t i = 0; i < count; i++, last = a.name) {
		if (snap_host_by_address(s, bytes + n * i, n, &a) != CLUSTER_OK || strcmp(last, a.name) > 0)
			return CLUSTER_EFORMAT;
		if (!h->role && strcmp(a.name, h->name) != 0)
			return CLUSTER_EFORMAT;
	}
	return CLUSTER_OK;
}

/* Names strictly ascending, each found; *ret_addresses: how many the nodes have. */
static enum cluster_err verify_names(const struct snap *s, uint64_t *ret_addresses)
{
	uint64_t cursor = 0, addresses = 0;
	struct snap_host_name name;
	struct snap_host h, found;
	const char *last = "";
	enum cluster_err e;
	struct rd body;

	while ((e = snap_each(s, SNAP_A_HOSTS, &cursor, &body)) == CLUSTER_OK) {
		e = snap_host_decode(&body, &h);
		if (e != CLUSTER_OK)
			return e;
		if (strcmp(last, h.name) >= 0 || !snap_host_name(h.name, &name))
			return CLUSTER_EFORMAT;
		if (snap_host_by_name(s, &name, &found) != CLUSTER_OK || found.name != h.name)
			return CLUSTER_EFORMAT;
		if (verify_addresses(s, &h, h.v4, h.n_v4, 4) != CLUSTER_OK || verify_addresses(s, &h, h.v6, h.n_v6, 16) != CLUSTER_OK)
			return CLUSTER_EFORMAT;
		if (!h.role)
			addresses += (uint64_t)h.n_v4 + h.n_v6;
		last = h.name;
	}
	if (e != CLUSTER_ENOTFOUND)
		return e;
	*ret_addresses = addresses;
	return CLUSTER_OK;
}

enum cluster_err snap_verify_hosts(const struct snap *s)
{
	uint64_t cursor = 0, addresses = 0;
	struct snap_address a, found;
	const char *last = "";
	enum cluster_err e;
	bool present;

	e = check_present(s, &present);
	if (e != CLUSTER_OK || !present)
		return e;
	e = verify_names(s, &addresses);
	if (e != CLUSTER_OK)
		return e;
	while ((e = snap_host_each(s, &cursor, &a)) == CLUSTER_OK) {
		if (strcmp(last, a.name) > 0 || snap_host_by_address(s, a.bytes, a.n, &found) != CLUSTER_OK || found.bytes != a.bytes || !addresses--)
			return CLUSTER_EFORMAT;
		last = a.name;
	}
	return e != CLUSTER_ENOTFOUND ? e : addresses ? CLUSTER_EFORMAT : CLUSTER_OK;
}
