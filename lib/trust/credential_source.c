/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <string.h>

#include "cluster/credential.h"
#include "cluster/num.h"

/* An address in 16 bytes; IPv4 stands as ::ffff:a.b.c.d, so that both kinds compare alike. */
struct address {
	uint8_t b[16];
	bool v4;
};

static bool parse_address(const char *text, size_t n, struct address *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char copy[INET6_ADDRSTRLEN];

	if (n == 0 || n >= sizeof copy)
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	memcpy(ret->b, mapped, sizeof mapped);
	ret->v4 = inet_pton(AF_INET, copy, ret->b + sizeof mapped) == 1;
	if (ret->v4)
		return true;
	if (inet_pton(AF_INET6, copy, ret->b) != 1)
		return false;
	ret->v4 = memcmp(ret->b, mapped, sizeof mapped) == 0;
	return true;
}

/* *ret_bits counts from the start of the 16 bytes. */
static bool parse_cidr(const char *cidr, struct address *ret, uint32_t *ret_bits)
{
	const char *slash = strchr(cidr, '/');
	size_t n = slash ? (size_t)(slash - cidr) : strlen(cidr);
	uint32_t bits = 128;

	if (!parse_address(cidr, n, ret))
		return false;
	if (!slash) {
		*ret_bits = bits;
		return true;
	}
	if (memchr(cidr, ':', n)) {
		if (num_u32(slash + 1, 0, 128, &bits) != CLUSTER_OK)
			return false;
	} else {
		if (num_u32(slash + 1, 0, 32, &bits) != CLUSTER_OK)
			return false;
		bits += 96;
	}
	*ret_bits = bits;
	return true;
}

bool credential_source_ok(const char *cidr)
{
	struct address net;
	uint32_t bits;

	return parse_cidr(cidr, &net, &bits);
}

bool credential_source_exact(const char *cidr)
{
	struct address net;
	uint32_t bits;

	if (!parse_cidr(cidr, &net, &bits) || (net.v4 && strchr(cidr, ':')))
		return false;
	for (uint32_t i = bits; i < 128; i++)
		if (net.b[i / 8] & (uint8_t)(0x80u >> i % 8))
			return false;
	return true;
}

bool credential_source_contains(const char *cidr, const char *address)
{
	struct address net, a;
	uint32_t bits, bytes;

	/* the scope of a link-local address is the node's own business */
	if (!parse_cidr(cidr, &net, &bits) || !parse_address(address, strcspn(address, "%"), &a))
		return false;
	if (net.v4 != a.v4)
		return false;
	bytes = bits / 8;
	if (memcmp(net.b, a.b, bytes) != 0)
		return false;
	return bits % 8 == 0 || ((net.b[bytes] ^ a.b[bytes]) & (uint8_t)(0xff00u >> bits % 8)) == 0;
}
