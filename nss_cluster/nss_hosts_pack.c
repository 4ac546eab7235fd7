/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_hosts_pack.h"

#include <netinet/in.h>
#include <nss.h>
#include <string.h>
#include <sys/socket.h>

#define V4_SIZE sizeof(struct in_addr)
#define V6_SIZE sizeof(struct in6_addr)

static const uint8_t mapped_prefix[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* One or more addresses of the same length, one behind the other. */
struct addresses {
	const uint8_t *bytes;
	size_t count, size;
	int af;
};

/* In the buffer: pointers to the addresses and NULL, which is an empty list of aliases as well; the addresses; the name. */
static enum cluster_err pack(const char *name, size_t name_n, const struct addresses *a, struct hostent *ret, const struct nss_buffer *buf)
{
	size_t pad = -(uintptr_t)buf->p % _Alignof(char *), list = (a->count + 1) * sizeof(char *), block = a->count * a->size;
	char **pointers, *bytes;

	if (buf->n < pad + list + block + name_n + 1)
		return CLUSTER_ELIMIT;
	pointers = (char **)(void *)(buf->p + pad);
	bytes = buf->p + pad + list;
	memcpy(bytes, a->bytes, block);
	for (size_t i = 0; i < a->count; i++)
		pointers[i] = bytes + i * a->size;
	pointers[a->count] = NULL;
	memcpy(bytes + block, name, name_n + 1);
	ret->h_name = bytes + block;
	ret->h_aliases = pointers + a->count;
	ret->h_addrtype = a->af;
	ret->h_length = (int)a->size;
	ret->h_addr_list = pointers;
	return CLUSTER_OK;
}

enum cluster_err nss_hosts_pack(const struct snap_host *h, int af, struct hostent *ret, const struct nss_buffer *buf)
{
	const struct addresses v4 = { h->v4, h->n_v4, V4_SIZE, AF_INET }, v6 = { h->v6, h->n_v6, V6_SIZE, AF_INET6 };
	const struct addresses *a = af == AF_INET ? &v4 : &v6;

	return a->count ? pack(h->name, h->name_n, a, ret, buf) : CLUSTER_ENOTFOUND;
}

enum cluster_err nss_hosts_pack_address(const struct snap_address *a, int af, struct hostent *ret, const struct nss_buffer *buf)
{
	struct addresses one = { a->bytes, 1, a->n, af };
	uint8_t mapped[V6_SIZE];

	if (af == AF_INET && a->n != V4_SIZE)
		return CLUSTER_ENOTFOUND;
	if (af == AF_INET6 && a->n == V4_SIZE) {
		memcpy(mapped, mapped_prefix, sizeof mapped_prefix);
		memcpy(mapped + sizeof mapped_prefix, a->bytes, V4_SIZE);
		one.bytes = mapped;
		one.size = V6_SIZE;
	}
	return pack(a->name, a->name_n, &one, ret, buf);
}

static struct gaih_addrtuple tuple(const struct snap_host *h, size_t i, char *name)
{
	struct gaih_addrtuple t = { .name = name };

	if (i < h->n_v4) {
		t.family = AF_INET;
		memcpy(t.addr, h->v4 + i * V4_SIZE, V4_SIZE);
	} else {
		t.family = AF_INET6;
		memcpy(t.addr, h->v6 + (i - h->n_v4) * V6_SIZE, V6_SIZE);
	}
	return t;
}

enum cluster_err nss_hosts_pack_tuples(const struct snap_host *h, struct gaih_addrtuple **ret, const struct nss_buffer *buf)
{
	size_t pad = -(uintptr_t)buf->p % _Alignof(struct gaih_addrtuple), count = (size_t)h->n_v4 + h->n_v6;
	size_t inside = *ret ? count - 1 : count; /* those in the buffer */
	struct gaih_addrtuple *tuples, **link = ret;
	char *name;

	if (buf->n < pad + inside * sizeof *tuples + h->name_n + 1)
		return CLUSTER_ELIMIT;
	tuples = (struct gaih_addrtuple *)(void *)(buf->p + pad);
	name = buf->p + pad + inside * sizeof *tuples;
	memcpy(name, h->name, h->name_n + 1);
	for (size_t i = 0; i < count; i++) {
		if (i || !*ret)
			*link = tuples++;
		**link = tuple(h, i, name);
		link = &(*link)->next;
	}
	return CLUSTER_OK;
}
