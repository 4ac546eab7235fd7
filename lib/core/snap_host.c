/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap.h"

#include <string.h>

#include "snap_hosts.h"

#define V4_SIZE 4
#define V6_SIZE 16

static bool has_hosts(const struct snap *s)
{
	for (uint32_t type = SNAP_A_HOSTS; type <= SNAP_A_ADDRESS_BY_BYTES; type++)
		if (!s->section[type].p)
			return false;
	return true;
}

bool snap_host_name(const char *name, struct snap_host_name *ret)
{
	size_t n;

	for (n = 0; n <= NAME_NODE_MAX && name[n] != '\0' && name[n] != '.'; n++)
		ret->text[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] | 0x20) : name[n];
	if (n == 0 || n > NAME_NODE_MAX || name[n] != '\0')
		return false;
	ret->text[n] = '\0';
	ret->n = n;
	return name_host_ok(ret->text);
}

bool snap_address_ok(const uint8_t *bytes, size_t n)
{
	if (n == V4_SIZE)
		return bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 224 && !(bytes[0] == 169 && bytes[1] == 254);
	return n == V6_SIZE && bytes[0] != 0 && bytes[0] != 0xff && !(bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
}

static bool all_ok(const uint8_t *bytes, uint32_t count, size_t n)
{
	for (uint32_t i = 0; i < count; i++)
		if (!snap_address_ok(bytes + n * i, n))
			return false;
	return true;
}

enum cluster_err snap_host_decode(const struct rd *body, struct snap_host *ret)
{
	const uint8_t *p = body->p;
	struct snap_host h;

	if (body->n < SNAP_HOST_HEAD + 1)
		return CLUSTER_EFORMAT;
	h.n_v4 = snap_be32(p);
	h.n_v6 = snap_be32(p + 4);
	h.name_n = p[8];
	h.role = p[9] & SNAP_HOST_ROLE;
	if (h.n_v4 > SNAP_HOST_ADDRESSES_MAX || h.n_v6 > SNAP_HOST_ADDRESSES_MAX || !(h.n_v4 | h.n_v6) || p[9] & ~SNAP_HOST_ROLE || p[10] | p[11])
		return CLUSTER_EFORMAT;
	if (body->n != SNAP_HOST_HEAD + h.name_n + 1 + V4_SIZE * (size_t)h.n_v4 + V6_SIZE * (size_t)h.n_v6)
		return CLUSTER_EFORMAT;
	h.name = (const char *)p + SNAP_HOST_HEAD;
	h.v4 = p + SNAP_HOST_HEAD + h.name_n + 1;
	h.v6 = h.v4 + V4_SIZE * (size_t)h.n_v4;
	if (h.name[h.name_n] || strlen(h.name) != h.name_n || !name_host_ok(h.name) || !all_ok(h.v4, h.n_v4, V4_SIZE) || !all_ok(h.v6, h.n_v6, V6_SIZE))
		return CLUSTER_EFORMAT;
	*ret = h;
	return CLUSTER_OK;
}

enum cluster_err snap_host_by_name(const struct snap *s, const struct snap_host_name *name, struct snap_host *ret)
{
	struct snap_probe p;
	struct snap_host h;
	enum cluster_err e;
	struct rd body;

	if (!has_hosts(s))
		return CLUSTER_EUNAVAIL;
	snap_probe_init(&p, s, SNAP_A_HOSTS, SNAP_A_HOST_BY_NAME, name->text, name->n);
	while ((e = snap_probe_next(&p, &body)) == CLUSTER_OK) {
		e = snap_host_decode(&body, &h);
		if (e != CLUSTER_OK)
			return e;
		if (h.name_n == name->n && memcmp(h.name, name->text, name->n) == 0) {
			*ret = h;
			return CLUSTER_OK;
		}
	}
	return e;
}

static enum cluster_err address_decode(const struct rd *body, struct snap_address *ret)
{
	const uint8_t *p = body->p;
	struct snap_address a;

	if (body->n < SNAP_ADDRESS_HEAD + 1)
		return CLUSTER_EFORMAT;
	a.n = p[0];
	a.name_n = p[1];
	if ((a.n != V4_SIZE && a.n != V6_SIZE) || body->n != SNAP_ADDRESS_HEAD + a.n + a.name_n + 1 || p[2] | p[3])
		return CLUSTER_EFORMAT;
	a.bytes = p + SNAP_ADDRESS_HEAD;
	a.name = (const char *)a.bytes + a.n;
	if (a.name[a.name_n] || strlen(a.name) != a.name_n || !name_node_ok(a.name) || !name_host_ok(a.name) || !snap_address_ok(a.bytes, a.n))
		return CLUSTER_EFORMAT;
	*ret = a;
	return CLUSTER_OK;
}

enum cluster_err snap_host_by_address(const struct snap *s, const uint8_t *bytes, size_t n, struct snap_address *ret)
{
	struct snap_address a;
	struct snap_probe p;
	enum cluster_err e;
	struct rd body;

	if (!snap_address_ok(bytes, n))
		return CLUSTER_ENOTFOUND;
	if (!has_hosts(s))
		return CLUSTER_EUNAVAIL;
	snap_probe_init(&p, s, SNAP_A_ADDRESSES, SNAP_A_ADDRESS_BY_BYTES, bytes, n);
	while ((e = snap_probe_next(&p, &body)) == CLUSTER_OK) {
		e = address_decode(&body, &a);
		if (e != CLUSTER_OK)
			return e;
		if (a.n == n && memcmp(a.bytes, bytes, n) == 0) {
			*ret = a;
			return CLUSTER_OK;
		}
	}
	return e;
}

enum cluster_err snap_host_each(const struct snap *s, uint64_t *cursor, struct snap_address *ret)
{
	uint64_t next = *cursor;
	struct snap_address a;
	enum cluster_err e;
	struct rd body;

	if (!has_hosts(s))
		return CLUSTER_EUNAVAIL;
	e = snap_each(s, SNAP_A_ADDRESSES, &next, &body);
	if (e == CLUSTER_OK)
		e = address_decode(&body, &a);
	if (e != CLUSTER_OK)
		return e;
	*cursor = next;
	*ret = a;
	return CLUSTER_OK;
}
