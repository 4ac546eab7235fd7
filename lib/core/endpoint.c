/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/endpoint.h"

#include <arpa/inet.h>
#include <string.h>

#include "cluster/num.h"

#define SCHEME "https://"
#define PORT_HTTPS 443

/* The host at `text`, into `dst`; what follows it, or NULL if there is no host. */
static const char *take_host(const char *text, char dst[ENDPOINT_TEXT + 1])
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", address[] = "0123456789abcdefABCDEF:.";
	bool brackets = *text == '[';
	const char *host = text + brackets;
	size_t n = strspn(host, brackets ? address : name);

	if (n == 0 || n > ENDPOINT_TEXT || (brackets ? host[n] != ']' || !memchr(host, ':', n) : *host == '-' || *host == '.'))
		return NULL;
	memcpy(dst, host, n);
	dst[n] = '\0';
	return host + n + brackets;
}

static enum cluster_err parse(const char *text, uint16_t default_port, struct endpoint *ret)
{
	struct endpoint e = { .port = default_port };
	const char *rest;
	uint32_t port;

	if (!text || strnlen(text, ENDPOINT_TEXT + 1) > ENDPOINT_TEXT)
		return CLUSTER_EFORMAT;
	rest = take_host(text, e.host);
	if (!rest || (*rest == '\0' && default_port == 0))
		return CLUSTER_EFORMAT;
	if (*rest != '\0') {
		if (*rest != ':' || num_u32(rest + 1, 1, UINT16_MAX, &port) != CLUSTER_OK)
			return CLUSTER_EFORMAT;
		e.port = (uint16_t)port;
	}
	*ret = e;
	return CLUSTER_OK;
}

enum cluster_err endpoint_parse(const char *text, struct endpoint *ret)
{
	return parse(text, 0, ret);
}

enum cluster_err endpoint_of_url(const char *url, struct endpoint *ret)
{
	size_t n = strlen(SCHEME);

	if (!url || strncmp(url, SCHEME, n) != 0)
		return CLUSTER_EFORMAT;
	return parse(url + n, PORT_HTTPS, ret);
}

bool endpoint_ok(const char *text)
{
	struct endpoint e;

	return endpoint_parse(text, &e) == CLUSTER_OK;
}

bool endpoint_listen_ok(const char *text)
{
	struct in6_addr address;
	struct endpoint e;

	return endpoint_parse(text, &e) == CLUSTER_OK && inet_pton(*text == '[' ? AF_INET6 : AF_INET, e.host, &address) == 1;
}
