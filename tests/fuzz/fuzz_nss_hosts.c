/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host record of any name and addresses into a caller's buffer of any size and alignment: right and inside it, or CLUSTER_ELIMIT and nothing touched.
 * And any text as a name. Input: u16 size, u8 alignment (bit 7: a tuple of the caller), u8 IPv4, u8 IPv6 addresses, then bytes for them, then the name.
 */
#include "fuzz.h"

#include <netinet/in.h>
#include <nss.h>
#include <string.h>

#include "nss_hosts_pack.h"

#define GUARD 64

static void inside(const void *p, size_t n, const struct nss_buffer *buf)
{
	FUZZ_CHECK((const char *)p >= buf->p && (const char *)p + n <= buf->p + buf->n);
}

static void check_hostent(const struct snap_host *h, int af, const struct nss_buffer *buf)
{
	size_t count = af == AF_INET ? h->n_v4 : h->n_v6, size = af == AF_INET ? 4 : 16;
	struct hostent ret;
	enum cluster_err e = nss_hosts_pack(h, af, &ret, buf);

	if (e == CLUSTER_ENOTFOUND) {
		FUZZ_CHECK(count == 0);
		return;
	}
	if (e != CLUSTER_OK) {
		FUZZ_CHECK(e == CLUSTER_ELIMIT && buf->n < 7 + (count + 1) * sizeof(char *) + count * size + h->name_n + 1);
		return;
	}
	inside(ret.h_addr_list, (count + 1) * sizeof(char *), buf);
	inside(ret.h_name, h->name_n + 1, buf);
	FUZZ_CHECK(strcmp(ret.h_name, h->name) == 0 && !ret.h_aliases[0] && !ret.h_addr_list[count] && (size_t)ret.h_length == size);
	for (size_t i = 0; i < count; i++) {
		inside(ret.h_addr_list[i], size, buf);
		FUZZ_CHECK(memcmp(ret.h_addr_list[i], (af == AF_INET ? h->v4 : h->v6) + i * size, size) == 0);
	}
}

static void check_tuples(const struct snap_host *h, struct gaih_addrtuple *mine, const struct nss_buffer *buf)
{
	size_t count = (size_t)h->n_v4 + h->n_v6, i = 0;
	struct gaih_addrtuple *list = mine;

	if (nss_hosts_pack_tuples(h, &list, buf) != CLUSTER_OK) {
		FUZZ_CHECK(list == mine && buf->n < 7 + count * sizeof *list + h->name_n + 1);
		return;
	}
	for (const struct gaih_addrtuple *t = list; t; t = t->next, i++) {
		if (t != mine)
			inside(t, sizeof *t, buf);
		inside(t->name, h->name_n + 1, buf);
		FUZZ_CHECK(i < count && t->family == (i < h->n_v4 ? AF_INET : AF_INET6) && t->scopeid == 0);
	}
	FUZZ_CHECK(i == count);
}

static void check_name(const char *text)
{
	struct snap_host_name name;

	if (!snap_host_name(text, &name))
		return;
	FUZZ_CHECK(name.n == strlen(name.text) && name.n == strlen(text) && strcasecmp(name.text, text) == 0 && name_host_ok(name.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct gaih_addrtuple mine = { .name = NULL };
	struct snap_host h = { .name = NULL };
	struct snap_address one;
	struct nss_buffer buf;
	struct hostent ret;
	size_t need, shift;
	char *text, *arena;

	if (n < 6)
		return 0;
	buf.n = snap_be16(data) % 8192;
	shift = data[2] % 16;
	h.n_v4 = data[3] % 32;
	h.n_v6 = data[4] % 32;
	need = 4 * (size_t)h.n_v4 + 16 * (size_t)h.n_v6;
	if (n < 5 + need + 1 || !(h.n_v4 | h.n_v6))
		return 0;
	h.v4 = data + 5;
	h.v6 = h.v4 + 4 * (size_t)h.n_v4;
	text = strndup((const char *)data + 5 + need, n - 5 - need);
	arena = malloc(buf.n + shift + GUARD);
	FUZZ_CHECK(text && arena);
	h.name = text;
	h.name_n = strlen(text);
	buf.p = arena + shift;
	memset(buf.p + buf.n, 0xa5, GUARD);
	check_name(text);
	check_hostent(&h, AF_INET, &buf);
	check_hostent(&h, AF_INET6, &buf);
	check_tuples(&h, data[2] & 0x80 ? &mine : NULL, &buf);
	one = (struct snap_address){ h.v4, h.n_v4 ? 4 : 16, text, h.name_n };
	if (nss_hosts_pack_address(&one, AF_INET6, &ret, &buf) == CLUSTER_OK)
		FUZZ_CHECK(ret.h_length == 16 && memcmp(ret.h_addr_list[0] + 16 - one.n, one.bytes, one.n) == 0);
	for (size_t i = 0; i < GUARD; i++)
		FUZZ_CHECK((uint8_t)buf.p[buf.n + i] == 0xa5);
	free(arena);
	free(text);
	return 0;
}
